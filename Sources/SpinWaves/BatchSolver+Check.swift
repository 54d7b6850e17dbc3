import Compute

extension BatchSolver {
    /// How often a solution is put to the test: every point in debug builds, else the first of each call.
    #if DEBUG
        static let checkEvery = 1
    #else
        static let checkEvery = 4096
    #endif

    /// How badly a point's modes fail to solve H V = g V ω with Vᴴ g V = 1: the larger of the two deviations, each relative to
    /// what rounding makes of it.
    ///
    /// An amplitude grows like the square root of κ = Σ|V_i|², so that the residual does too, and the norm like κ.
    ///
    /// - Parameter line: the point's first mode in `answer`, which has amplitudes.
    func deviation(of answer: MagnonKernel.Answer, point: Int, at q: Vector3) -> Double {
        let n = hamiltonian.siteCount
        let h = hamiltonian.matrix(at: q)
        var worst = 0.0
        for mode in 0..<n {
            let line = point * n + mode
            var v = [Complex](repeating: .zero, count: 2 * n)
            for i in 0..<n {
                let k = 4 * (line * n + i)
                let scale = 1 / (2 * hamiltonian.spins[i]).squareRoot()
                let w1 = Complex(answer.amplitudes[k], answer.amplitudes[k + 1])
                let w2 = Complex(answer.amplitudes[k + 2], answer.amplitudes[k + 3])
                // W_1 = √(S/2)(V_i + V_{N+i}), W_2 = −i √(S/2)(V_i − V_{N+i})
                v[i] = scale * (w1 + Complex.i * w2)
                v[n + i] = scale * (w1 - Complex.i * w2)
            }
            let condition = max(1, answer.particles[line])
            var norm = -1.0
            for i in 0..<2 * n {
                let sign = i < n ? 1.0 : -1.0
                norm += sign * v[i].squaredMagnitude
                var residual = -(sign * answer.energies[line]) * v[i]
                for j in 0..<2 * n { residual += h[i, j] * v[j] }
                worst = max(
                    worst, residual.squaredMagnitude.squareRoot() / (hamiltonian.scale * condition.squareRoot()))
            }
            worst = max(worst, abs(norm) / condition)
        }
        return worst
    }
}
