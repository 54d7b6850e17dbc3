/// Wavevectors that are one and the same to H(q).
extension BatchSolver {
    /// q modulo the magnetic reciprocal lattice, and 0 along axes on which H does not depend, rounded to 2⁻⁴⁶ r.l.u. so that what
    /// is equal but for rounding is equal.
    ///
    /// That moves an energy by about 1e-13 of the band at most, and makes the answer a function of this q alone.
    func canonical(_ q: Vector3) throws(SpinWaveError) -> Vector3 {
        var reduced = Vector3.zero
        for axis in 0..<3 {
            guard q[axis].isFinite else { throw .notConverged(q: q, "the wavevector is not finite") }
            if hamiltonian.isNonDispersive[axis] { continue }
            let fraction = q[axis] - q[axis].rounded(.down)
            let rounded = (fraction * 0x1p46).rounded() * 0x1p-46
            reduced[axis] = rounded == 1 ? 0 : rounded
        }
        return reduced
    }

    /// The different ones among wavevectors that `canonical` made, in order of appearance, and for each the place of its own.
    func distinct(_ points: [Vector3]) -> (points: [Vector3], places: [Int]) {
        var known: [Vector3: Int] = [:]
        var found: [Vector3] = []
        let places = points.map { q in
            if let place = known[q] { return place }
            known[q] = found.count
            found.append(q)
            return found.count - 1
        }
        return (found, places)
    }
}
