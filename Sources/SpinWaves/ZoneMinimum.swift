/// The least value of a function of the wavevector, over the whole zone.
///
/// A grid, then from each of its lowest points a search by ever smaller steps, so that minima between grid points are
/// found, incommensurate ones too. A minimum narrower than the grid's mesh may be missed.
struct ZoneMinimum {
    /// r.l.u., each component in (−1/2, 1/2].
    var q: Vector3
    var value: Double

    /// - Parameter flat: the axes along which the function does not change.
    /// - Parameter cost: the number of rows of the matrix that is diagonalised for a value; larger ones get coarser grids.
    /// - Parameter scale: of the values; differences of 1e-14 of it are rounding.
    init(
        flat: [Bool], cost: Int, scale: Double, _ value: (Vector3) throws(SpinWaveError) -> Double
    ) throws(SpinWaveError) {
        let axes = (0..<3).filter { !flat[$0] }
        let divisions = Self.divisions(axes: axes.count, cost: cost)
        let grid = try ZoneGrid((0..<3).map { flat[$0] ? 1 : divisions })
        var points: [(q: Vector3, value: Double)] = []
        for index in 0..<grid.count where grid.opposite(index) >= index {
            let q = Self.folded(grid.q(index))
            points.append((q, try value(q)))
        }
        points.sort { ($0.value, $0.q.x, $0.q.y, $0.q.z) < ($1.value, $1.q.x, $1.q.y, $1.q.z) }
        var best = points[0]
        let isCheap = cost <= 40
        for start in points.prefix(isCheap ? 6 : 2) {
            let found = try Self.descend(
                from: start, axes: axes, steps: (isCheap ? 2e-9 : 1e-6)...0.5 / Double(divisions), scale: scale,
                diagonals: isCheap, value)
            if found.value < best.value - 1e-14 * scale { best = found }
        }
        // Of wavevectors that only rounding tells apart the simplest: 0, or fractions.
        for simple in [.zero, Self.snapped(best.q)] {
            let there = try value(simple)
            if there <= best.value + 1e-12 * scale {
                best = (simple, there)
                break
            }
        }
        q = Self.folded(best.q)
        self.value = best.value
    }

    /// Few enough points for a second or so; multiples of 12 have the halves, thirds and quarters.
    private static func divisions(axes: Int, cost: Int) -> Int {
        let budget = cost <= 12 ? 4000 : cost <= 40 ? 2500 : cost <= 100 ? 600 : 100
        func points(_ d: Int) -> Int { (0..<axes).reduce(1) { product, _ in product * d } }
        return [120, 60, 48, 36, 24, 12, 8, 6].first { points($0) <= budget } ?? 4
    }

    /// From a point to the lowest of its neighbours as long as one is lower, by steps that halve from the largest to the
    /// smallest of `steps`.
    ///
    /// - Parameter diagonals: look along all combinations of the axes, not along each alone.
    static func descend(
        from start: (q: Vector3, value: Double), axes: [Int], steps: ClosedRange<Double>, scale: Double,
        diagonals: Bool = true, _ value: (Vector3) throws(SpinWaveError) -> Double
    ) throws(SpinWaveError) -> (q: Vector3, value: Double) {
        var (best, step) = (start, steps.upperBound)
        while step > steps.lowerBound, !axes.isEmpty {
            var next = best
            for q in neighbours(of: best.q, axes: axes, step: step, diagonals: diagonals) {
                let found = try value(q)
                if found < next.value - 1e-15 * scale { next = (q, found) }
            }
            if next.q == best.q { step *= 0.5 } else { best = next }
        }
        return best
    }

    private static func neighbours(of q: Vector3, axes: [Int], step: Double, diagonals: Bool) -> [Vector3] {
        if !diagonals {
            return axes.flatMap { axis in
                [-1, 1].map { (sign: Double) in
                    var q = q
                    q[axis] += sign * step
                    return q
                }
            }
        }
        var points = [q]
        for axis in axes {
            points = points.flatMap { q in
                [0, -1, 1].map { (sign: Double) in
                    var q = q
                    q[axis] += sign * step
                    return q
                }
            }
        }
        return Array(points.dropFirst())
    }

    /// The component's fraction with a denominator up to 12, where one is near.
    private static func snapped(_ q: Vector3) -> Vector3 {
        var q = q
        for axis in 0..<3 {
            for denominator in 1...12 {
                let nearest = (q[axis] * Double(denominator)).rounded() / Double(denominator)
                if abs(nearest - q[axis]) < 1e-5 {
                    q[axis] = nearest
                    break
                }
            }
        }
        return q
    }

    /// Into (−1/2, 1/2], and of ±q the one whose first component that is not zero is positive.
    private static func folded(_ q: Vector3) -> Vector3 {
        var q = q
        for axis in 0..<3 {
            q[axis] -= q[axis].rounded()
            if q[axis] <= -0.5 { q[axis] += 1 }
        }
        let first = (0..<3).map { q[$0] }.first { abs($0) > 1e-12 && abs(abs($0) - 0.5) > 1e-12 } ?? 0
        if first < 0 {
            for axis in 0..<3 where abs(q[axis] - 0.5) > 1e-12 { q[axis] = 0 - q[axis] }
        }
        return q
    }
}
