import Compute

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What zero-point motion does to the ground state, to leading order in 1/S: averages over the magnetic zone at T = 0.
///
///     Δ_i = ⟨a_i† a_i⟩ = Σ_modes |V_hole,i|²,    ⟨S_i⟩ = S_i − Δ_i
///     E_0 = ½ (Σ_modes ω − Σ_i A_ii)
public struct QuantumCorrections: Hashable, Sendable {
    /// Δ_i: by how much each site's moment is shortened, in units of spin. Where it is
    /// infinite, the number given grows with `divisions`; see `isConverged`.
    public var reductions: [Double]
    /// A bound on the error of every Δ_i, mostly much too large: the difference between the grid and one two thirds as fine,
    /// before both are extrapolated.
    public var uncertainty: Double
    /// False where Δ means nothing: the two grids differ by more than a fiftieth, or a mode is soft over a part of the zone. Δ then
    /// has no limit (an antiferromagnetic chain, the kagome lattice) or wants a finer grid.
    public var isConverged: Bool
    /// E_0 in meV per magnetic cell, to be added to the classical energy; never positive.
    public var zeroPointEnergy: Double
    /// Σ_i S_i (S_i − 2Δ_i): elastic scattering's share of the sum rule, to order S.
    public var elasticPart: Double
    /// Σ_i ∫ (S_11 + S_22) over the zone: the one-magnon part. With `elasticPart` it makes Σ_i S_i (S_i + 1) to order S.
    public var oneMagnonPart: Double
}

extension SpinModel {
    /// - Parameter divisions: points along each axis that disperses. They crowd at the corner of the zone, where the
    ///   Goldstone modes of a commensurate structure are: 24 give Δ of the square lattice to 1e-5.
    /// - Throws: `.unstable`, `.unknownParameter`, `.badParameters`, `.grid`.
    public func quantumCorrections(
        parameters: [String: Double] = [:], divisions: Int = 24, threads: Int = 1
    ) throws(SpinWaveError) -> QuantumCorrections {
        guard (3...1000).contains(divisions) else {
            throw .grid("quantum corrections need 3 to 1000 divisions, not \(divisions)")
        }
        let hamiltonian = try hamiltonian(parameters: parameters)
        let solver = try MagnonSolver(self, parameters: parameters)
        let fine = try hamiltonian.zoneAverage(solver, divisions: divisions, threads: threads)
        let coarser = max(2, divisions * 2 / 3)
        let coarse = try hamiltonian.zoneAverage(solver, divisions: coarser, threads: threads)
        // Next to a Goldstone mode 1/ω times the Jacobian is of degree 2d − 3 in t: the rule's error falls as the power
        // −(3d − 3) of the number of points, and two grids make it fall faster (L. F. Richardson). Smooth integrands have
        // converged already.
        let dimensions = hamiltonian.isNonDispersive.count { !$0 }
        let ratio = Double(divisions) / Double(coarser)
        let gain = dimensions < 2 ? 0 : 1 / ((0..<3 * dimensions - 3).reduce(1) { power, _ in power * ratio } - 1)
        let reductions = zip(fine.reductions, coarse.reductions).map { max(0, $0 + gain * ($0 - $1)) }
        let spins = sites.map(\.spin)
        let uncertainty = zip(fine.reductions, coarse.reductions).map { abs($0 - $1) }.max() ?? 0
        return QuantumCorrections(
            reductions: reductions, uncertainty: uncertainty,
            isConverged: fine.soft < 0.01 && uncertainty <= 0.02 * (reductions.max() ?? 0) + 1e-9,
            zeroPointEnergy: fine.energy,
            elasticPart: zip(spins, reductions).reduce(0) { $0 + $1.0 * ($1.0 - 2 * $1.1) },
            oneMagnonPart: fine.magnons + gain * (fine.magnons - coarse.magnons))
    }
}

extension SpinHamiltonian {
    private struct Average: Sendable {
        var reductions: [Double]
        var energy = 0.0
        var magnons = 0.0
        /// 1 at a point whose intensity diverges, so that its mean is their share of the zone.
        var soft = 0.0
    }

    /// The mean over the zone by the midpoint rule in t, q = t − sin(2πt)/2π: the Jacobian 1 − cos 2πt vanishes at the corner
    /// of the zone, and with it the singularity of Goldstone modes.
    fileprivate func zoneAverage(
        _ solver: MagnonSolver, divisions: Int, threads: Int
    ) throws(SpinWaveError) -> (reductions: [Double], energy: Double, magnons: Double, soft: Double) {
        let line: [(q: Double, weight: Double)] = (0..<divisions).map { k in
            let t = (Double(k) + 0.5) / Double(divisions)
            return (t - sin(2 * Double.pi * t) / (2 * Double.pi), (1 - cos(2 * Double.pi * t)) / Double(divisions))
        }
        let axes = isNonDispersive.map { $0 ? [(q: 0.0, weight: 1.0)] : line }
        var points: [Vector3] = []
        var weights: [Double] = []
        for x in axes[0] {
            for y in axes[1] {
                for z in axes[2] {
                    points.append(Vector3(x.q, y.q, z.q))
                    weights.append(x.weight * y.weight * z.weight)
                }
            }
        }
        let n = siteCount
        let parts = try solver.eachModes(at: points, threads: threads) { modes in
            modes.energies.count == n ? self.average(modes) : nil
        }.compactMap { $0 }
        guard parts.count == points.count else {
            throw .grid("zero-point motion is computed for structures with one mode a site, not for a turning frame")
        }
        // A_ii does not depend on q on average: its dispersive part is a sum of cosines.
        let diagonal = (0..<n).reduce(0) { $0 + constantPart[$1, $1].re }
        var total = Average(reductions: Array(repeating: 0, count: n))
        for (part, weight) in zip(parts, weights) {
            for i in 0..<n { total.reductions[i] += weight * part.reductions[i] }
            total.energy += weight * part.energy
            total.magnons += weight * part.magnons
            total.soft += weight * part.soft
        }
        return (total.reductions, (total.energy - diagonal) / 2, total.magnons, total.soft)
    }

    /// |V_hole|² and |W|² summed over the modes of one point; V_hole = (W_1 − iW_2) / √(2S).
    private func average(_ modes: Modes) -> Average {
        let n = siteCount
        var sums = Average(reductions: Array(repeating: 0, count: n))
        sums.soft = modes.diverges.contains(true) ? 1 : 0
        for mode in 0..<n {
            sums.energy += modes.energies[mode]
            for i in 0..<n {
                let (w1, w2) = (modes.amplitudes[2 * (mode * n + i)], modes.amplitudes[2 * (mode * n + i) + 1])
                let hole = Complex(w1.re + w2.im, w1.im - w2.re)
                sums.reductions[i] += hole.squaredMagnitude / (2 * spins[i])
                sums.magnons += w1.squaredMagnitude + w2.squaredMagnitude
            }
        }
        return sums
    }
}
