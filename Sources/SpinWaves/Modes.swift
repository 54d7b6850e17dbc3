import Compute

/// The magnons at one wavevector: one mode a site; three a site in a spiral, of the wavevectors Q, Q − k and Q + k of its
/// frame.
public struct Modes: Sendable {
    /// In r.l.u. of the magnetic cell, as asked for.
    public let q: Vector3
    /// Ascending, in meV.
    public let energies: [Double]
    /// W, in the order mode, site, component (e1, then e2 of the site's frame); see `StructureFactor`.
    public let amplitudes: [Complex]
    /// dω/dq along a*, b*, c*, in meV per r.l.u. In a degenerate group only the mean has a meaning.
    public let velocities: [Vector3]
    /// Modes at the bottom of an antiferromagnet's band, where the intensity diverges like 1/ω: the amplitudes
    /// computed there depend on rounding.
    public let diverges: [Bool]
    /// For each mode of a spiral the h of the wavevector Q − h k that it has in the turning frame: −1, 0 or 1. Empty
    /// without one.
    public internal(set) var harmonics: [Int] = []

    /// The same modes at a wavevector that is equivalent.
    func moved(to q: Vector3) -> Modes {
        var modes = Modes(q: q, energies: energies, amplitudes: amplitudes, velocities: velocities, diverges: diverges)
        modes.harmonics = harmonics
        return modes
    }

    public var siteCount: Int { energies.isEmpty ? 0 : amplitudes.count / (2 * energies.count) }
}

/// Solves one wavevector after the other, keeping its workspace.
public struct ModeSolver {
    let hamiltonian: SpinHamiltonian
    private var colpa: Colpa

    public init(_ hamiltonian: SpinHamiltonian) {
        self.hamiltonian = hamiltonian
        colpa = Colpa(siteCount: hamiltonian.siteCount)
    }

    /// - Parameter q: in r.l.u. of the magnetic cell.
    /// - Throws: `.unstable` naming q where H(q) is not positive definite.
    public mutating func modes(at q: Vector3) throws(SpinWaveError) -> Modes {
        if let spiral = hamiltonian.spiral { return try spiralModes(spiral, at: q) }
        return try frameModes(at: q)
    }

    /// The modes of H(q) itself, which for a spiral is that of the turning frame.
    mutating func frameModes(at q: Vector3) throws(SpinWaveError) -> Modes {
        guard q.isFinite else { throw .notConverged(q: q, "the wavevector is not finite") }
        let n = hamiltonian.siteCount
        do {
            guard try colpa.solve(hamiltonian, at: q) else {
                let lowest = try colpa.lowestEigenvalue(hamiltonian, at: q)
                throw SpinWaveError.unstable(Instability(q: q, lowestEigenvalue: lowest))
            }
        } catch let error as SpinWaveError {
            throw error
        } catch {
            throw .notConverged(q: q, "\(error)")
        }
        var amplitudes: [Complex] = []
        amplitudes.reserveCapacity(n * n * 2)
        for mode in 0..<n {
            colpa.forEachAmplitude(of: mode, spins: hamiltonian.spins) { _, w1, w2 in
                amplitudes.append(w1)
                amplitudes.append(w2)
            }
        }
        return Modes(
            q: q, energies: colpa.energies, amplitudes: amplitudes,
            velocities: colpa.velocities(hamiltonian, at: q),
            diverges: (0..<n).map { colpa.diverges(mode: $0) })
    }
}

extension SpinHamiltonian {
    /// The magnons at one wavevector (r.l.u. of the magnetic cell). For many, keep a `ModeSolver`.
    public func modes(at q: Vector3) throws(SpinWaveError) -> Modes {
        var solver = ModeSolver(self)
        return try solver.modes(at: q)
    }

    /// All 2N eigenvalues of g H(q), complex where the structure is unstable, sorted by real, then imaginary part.
    public func generalEnergies(at q: Vector3) throws(SpinWaveError) -> [Complex] {
        var dynamics = matrix(at: q)
        for j in 0..<dynamics.columns {
            for i in siteCount..<dynamics.rows { dynamics[i, j] = -dynamics[i, j] }
        }
        do {
            return try LinearAlgebra.eigenvalues(of: dynamics).sorted { ($0.re, $0.im) < ($1.re, $1.im) }
        } catch {
            throw .notConverged(q: q, error.description)
        }
    }
}
