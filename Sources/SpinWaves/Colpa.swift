import Compute

/// Colpa's diagonalisation of a bosonic Hamiltonian (J. H. P. Colpa, Physica A 93 (1978) 327), with its workspace.
///
///     H = Kᴴ K,   K g Kᴴ = U L Uᴴ,   V = K⁻¹ U (g L)^½,   g = diag(1, …, −1, …)
///
/// so that Vᴴ H V = |L| and Vᴴ g V = g. Only the N columns with positive energy are made.
///
/// A Goldstone mode makes H singular at isolated q, where rounding decides whether Cholesky succeeds. Where it fails,
/// `regularisation` times the Hamiltonian's scale (of the order of the bandwidth) is added to the diagonal and it is
/// tried once more; a matrix that fails then has an eigenvalue below −1e-9 of that scale and is unstable. A regularised zero mode of an
/// antiferromagnet comes out at about √(2e-9) of the band instead of 0, that of a ferromagnet at 1e-9; all points whose
/// matrix is positive definite are untouched.
struct Colpa {
    static let regularisation = 1e-9

    /// Positive energies, ascending, in meV.
    private(set) var energies: [Double]
    /// Columns N… of this matrix are the modes of `energies`, in order.
    private(set) var vectors: ComplexMatrix
    /// True when the last solution needed the regularisation.
    private(set) var isRegularised = false

    private let siteCount: Int
    private var factor: ComplexMatrix
    private var values: [Double]
    private var eigensolver: HermitianEigensolver

    init(siteCount: Int) {
        self.siteCount = siteCount
        energies = Array(repeating: 0, count: siteCount)
        vectors = ComplexMatrix(rows: 2 * siteCount, columns: 2 * siteCount)
        factor = vectors
        values = Array(repeating: 0, count: 2 * siteCount)
        eigensolver = HermitianEigensolver(size: 2 * siteCount)
    }

    /// Solves H(q).
    ///
    /// - Returns: false when H is not positive definite.
    mutating func solve(_ hamiltonian: SpinHamiltonian, at q: Vector3) throws(LinearAlgebraError) -> Bool {
        guard factorise(hamiltonian, at: q) else { return false }
        let n = siteCount
        let size = 2 * n
        // K g Kᴴ: the product of K g (the hole columns negated) with Kᴴ.
        vectors.elements.withUnsafeMutableBufferPointer { target in
            factor.elements.withUnsafeBufferPointer { source in
                for k in 0..<size * n { target[k] = source[k] }
                for k in size * n..<size * size { target[k] = -source[k] }
            }
        }
        LinearAlgebra.multiply(&vectors, byAdjointOfUpper: factor)
        try eigensolver.diagonalise(&vectors, values: &values)
        // By Sylvester's law of inertia exactly N eigenvalues are positive: the upper half.
        vectors.elements.withUnsafeMutableBufferPointer { columns in
            for mode in 0..<n {
                let energy = values[n + mode]
                energies[mode] = energy
                let scale = max(energy, 0).squareRoot()
                for k in (n + mode) * size..<(n + mode + 1) * size { columns[k] = scale * columns[k] }
            }
        }
        LinearAlgebra.solve(upper: factor, &vectors, columns: n..<size)
        return true
    }

    /// Cholesky alone: true when H is positive definite (to the tolerance above).
    mutating func factorise(_ hamiltonian: SpinHamiltonian, at q: Vector3) -> Bool {
        isRegularised = false
        hamiltonian.write(into: &factor, at: q)
        if LinearAlgebra.cholesky(&factor) == nil { return true }
        hamiltonian.write(into: &factor, at: q)
        let shift = Self.regularisation * hamiltonian.scale
        for k in 0..<2 * siteCount { factor[k, k].re += shift }
        isRegularised = true
        return LinearAlgebra.cholesky(&factor) == nil
    }

    /// The lowest eigenvalue of H (meV), for reporting instabilities.
    mutating func lowestEigenvalue(
        _ hamiltonian: SpinHamiltonian, at q: Vector3
    ) throws(LinearAlgebraError) -> Double {
        hamiltonian.write(into: &vectors, at: q)
        try eigensolver.diagonalise(&vectors, values: &values, vectors: false)
        return values[0]
    }
}

extension Colpa {
    /// Transverse amplitudes W of one mode, in the order site, component: F = Σ_i f_i e^{−2πi Q·(r_i+n_i)} Σ_c e_{i,c} W.
    ///
    ///     W_i1 = √(S_i/2) (V_i + V_{N+i}),   W_i2 = −i √(S_i/2) (V_i − V_{N+i})
    @inline(__always)
    func forEachAmplitude(of mode: Int, spins: [Double], _ body: (_ site: Int, _ w1: Complex, _ w2: Complex) -> Void) {
        let n = siteCount
        vectors.elements.withUnsafeBufferPointer { elements in
            let column = (n + mode) * 2 * n
            for i in 0..<n {
                let scale = (spins[i] / 2).squareRoot()
                let particle = scale * elements[column + i]
                let hole = scale * elements[column + n + i]
                let difference = particle - hole
                body(i, particle + hole, Complex(difference.im, -difference.re))
            }
        }
    }

    /// Σ_i |V_i|² of one mode: 1 for a ferromagnet; it grows like 1/ω towards an antiferromagnet's Goldstone zero.
    func particles(mode: Int) -> Double {
        let n = siteCount
        let column = (n + mode) * 2 * n
        var weight = 0.0
        for i in 0..<n { weight += vectors.elements[column + i].squaredMagnitude }
        return weight
    }

    /// Above this `particles` the mode is an antiferromagnet's Goldstone mode at its zero, where amplitudes diverge and
    /// depend on rounding.
    ///
    /// It exceeds 2000 only within about 1e-4 r.l.u. of a zero, and at a regularised point (which has a zero mode) it exceeds
    /// 50 for that mode alone.
    static func divergence(isRegularised: Bool) -> Double { isRegularised ? 50 : 2000 }

    func diverges(mode: Int) -> Bool { particles(mode: mode) > Self.divergence(isRegularised: isRegularised) }

    /// dω/dq of every mode in meV per r.l.u. along a*, b*, c* (Hellmann and Feynman: v† (∂H/∂q) v with v† g v = 1).
    func velocities(_ hamiltonian: SpinHamiltonian, at q: Vector3) -> [Vector3] {
        let phases = hamiltonian.phases(at: q)
        let slopes = hamiltonian.longRange?.slopes(at: q) ?? []
        return (0..<siteCount).map { mode in
            var velocity = velocity(of: mode, hamiltonian: hamiltonian, phases: phases)
            for (axis, slope) in slopes.enumerated() { velocity[axis] += expectation(of: slope, mode: mode) }
            return velocity
        }
    }

    /// v† M v of a Hermitian matrix given by its upper triangle.
    private func expectation(of matrix: ComplexMatrix, mode: Int) -> Double {
        let size = 2 * siteCount
        let column = (siteCount + mode) * size
        var sum = 0.0
        for i in 0..<size {
            sum += matrix[i, i].re * vectors.elements[column + i].squaredMagnitude
            for j in i + 1..<max(i + 1, size) {
                sum += 2 * (vectors.elements[column + i].conjugate * matrix[i, j] * vectors.elements[column + j]).re
            }
        }
        return sum
    }

    /// The part that the bonds have in it.
    private func velocity(of mode: Int, hamiltonian: SpinHamiltonian, phases: [Complex]) -> Vector3 {
        let n = siteCount
        var velocity = Vector3.zero
        vectors.elements.withUnsafeBufferPointer { elements in
            let particles = (n + mode) * 2 * n
            let holes = particles + n
            for link in hamiltonian.links {
                let p = phases[link.winding]
                let (xi, xj) = (elements[particles + link.from], elements[particles + link.to])
                let (yi, yj) = (elements[holes + link.from], elements[holes + link.to])
                let forward =
                    xi.conjugate * link.normal * xj + yi.conjugate * link.normal.conjugate * yj
                    + xi.conjugate * link.anomalous * yj
                let backward = xj.conjugate * link.anomalous * yi
                // 2 Re(2πi p forward − 2πi p̄ backward)
                let slope = -4 * Double.pi * ((p * forward).im - (p.conjugate * backward).im)
                let w = hamiltonian.windings[link.winding]
                velocity += slope * Vector3(Double(w.x), Double(w.y), Double(w.z))
            }
        }
        return velocity
    }
}
