import Compute

extension SpinHamiltonian {
    /// Solves many wavevectors and keeps of each what `body` makes of its modes, in order.
    ///
    /// - Throws: what a point throws: `.unstable`, `.notConverged`.
    func eachModes<T: Sendable>(
        at points: [Vector3], threads: Int = 1, _ body: @escaping @Sendable (Modes) -> T
    ) throws(SpinWaveError) -> [T] {
        let batch = 32
        do {
            let parts = try Parallel.map((points.count + batch - 1) / batch, threads: threads) { k in
                var solver = ModeSolver(self)
                var results: [T] = []
                for point in points[k * batch..<min(points.count, (k + 1) * batch)] {
                    results.append(body(try solver.modes(at: point)))
                }
                return results
            }
            return parts.flatMap { $0 }
        } catch let error as SpinWaveError {
            throw error
        } catch {
            throw .notConverged(q: points.first ?? .zero, "\(error)")
        }
    }

    /// The energies alone at each wavevector, in meV, ascending; shape [points][modes]. Eigenvectors are not made, which
    /// takes a third of the time or less for large cells.
    ///
    /// - Throws: `.unstable` naming q where H(q) is not positive definite, `.notConverged`.
    public func energies(at points: [Vector3], threads: Int = 1) throws(SpinWaveError) -> [[Double]] {
        do {
            return try Parallel.map(points.count, threads: threads) { k in try energies(at: points[k]) }
        } catch let error as SpinWaveError {
            throw error
        } catch {
            throw .notConverged(q: points.first ?? .zero, "\(error)")
        }
    }

    /// The eigenvalues of K g Kᴴ; see `Colpa`, whose regularisation of singular points it has too.
    private func energies(at q: Vector3) throws -> [Double] {
        guard q.isFinite else { throw SpinWaveError.notConverged(q: q, "the wavevector is not finite") }
        let n = siteCount
        var factor = matrix(at: q)
        if LinearAlgebra.cholesky(&factor) != nil {
            factor = matrix(at: q)
            for k in 0..<2 * n { factor[k, k].re += Colpa.regularisation * scale }
            if LinearAlgebra.cholesky(&factor) != nil {
                var solver = HermitianEigensolver(size: 2 * n)
                var values = [Double](repeating: 0, count: 2 * n)
                var whole = matrix(at: q)
                try solver.diagonalise(&whole, values: &values, vectors: false)
                throw SpinWaveError.unstable(Instability(q: q, lowestEigenvalue: values[0]))
            }
        }
        var signed = factor
        for k in 2 * n * n..<4 * n * n { signed.elements[k] = -1 * signed.elements[k] }
        LinearAlgebra.multiply(&signed, byAdjointOfUpper: factor)
        var solver = HermitianEigensolver(size: 2 * n)
        var values = [Double](repeating: 0, count: 2 * n)
        try solver.diagonalise(&signed, values: &values, vectors: false)
        return Array(values[n...])
    }
}
