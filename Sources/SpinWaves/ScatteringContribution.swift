import Compute

/// One energy at one Q, with what each site does to its intensity. Degenerate modes are taken together, since only their
/// sum does not depend on the choice of eigenvectors.
public struct ScatteringContribution: Hashable, Sendable {
    /// meV
    public var energy: Double
    /// How many modes have it.
    public var multiplicity: Int
    /// S_ab by rows, Cartesian: Σ F_a F̄_b over the modes.
    public var correlations: [[Complex]]
    /// S⊥
    public var perpendicular: Double
    /// For each site Σ Re(F̄⊥ · F_i⊥): what S⊥ would lose if the site's amplitude were counted once less. They add up to S⊥ and
    /// may be negative, where a site interferes destructively.
    public var shares: [Double]
    /// For each site Σ |F_i⊥|²: what it would scatter alone. They do not add up to S⊥: interference is left out.
    public var alone: [Double]
    /// True at an antiferromagnet's Goldstone point, where none of this has a value.
    public var diverges: Bool
}

extension StructureFactor {
    /// F_i of one site and mode: F with the weights f_i(Q) e^{−2πi Q·(r_i+n_i)} of all others at 0.
    private func siteAmplitude(_ modes: Modes, mode: Int, site: Int, weights: [Complex]) -> [Complex] {
        var alone = [Complex](repeating: .zero, count: weights.count)
        alone[site] = weights[site]
        let f = amplitude(modes, mode: mode, siteWeights: alone)
        return [f.x, f.y, f.z]
    }

    /// Each energy at Q with its correlations and its sites' contributions; energies closer than 1e-6 meV are one.
    public func contributions(_ modes: Modes, at q: Vector3) -> [ScatteringContribution] {
        let weights = siteWeights(at: q)
        let cartesian = lattice.cartesian(hkl: q)
        let direction = cartesian.length > 0 ? (1 / cartesian.length) * cartesian : .zero
        let n = weights.count
        func across(_ f: [Complex]) -> [Complex] {
            let along = direction.x * f[0] + direction.y * f[1] + direction.z * f[2]
            return (0..<3).map { f[$0] - direction[$0] * along }
        }
        return degenerateGroups(modes.energies).map { group in
            var contribution = ScatteringContribution(
                energy: group.reduce(0) { $0 + modes.energies[$1] } / Double(group.count), multiplicity: group.count,
                correlations: Array(repeating: Array(repeating: .zero, count: 3), count: 3), perpendicular: 0,
                shares: Array(repeating: 0, count: n), alone: Array(repeating: 0, count: n),
                diverges: group.contains { modes.diverges[$0] })
            for mode in group {
                let parts = (0..<n).map { siteAmplitude(modes, mode: mode, site: $0, weights: weights) }
                let f = parts.reduce([.zero, .zero, .zero]) { sum, part in zip(sum, part).map { $0 + $1 } }
                for a in 0..<3 { for b in 0..<3 { contribution.correlations[a][b] += f[a] * f[b].conjugate } }
                let perpendicular = across(f)
                for component in perpendicular { contribution.perpendicular += component.squaredMagnitude }
                for i in 0..<n {
                    let own = across(parts[i])
                    for c in 0..<3 {
                        contribution.shares[i] += (perpendicular[c].conjugate * own[c]).re
                        contribution.alone[i] += own[c].squaredMagnitude
                    }
                }
            }
            return contribution
        }
    }
}

extension SpinModel {
    /// Values of sites summed by ion, in the order of `ions`.
    public func byIon(_ sites: [Double]) -> [Double] {
        var sums = [Double](repeating: 0, count: ions.count)
        for (value, ion) in zip(sites, ionOfSite) { sums[ion] += value }
        return sums
    }
}
