import Compute

/// What is wrong with an ordered structure, if anything.
public enum StructureVerdict: Hashable, Sendable {
    /// Stationary, stable at every wavevector, and nothing lower was found.
    case sound
    /// A torque turns one of its spins.
    case notStationary(Disequilibrium)
    /// Stationary, but the energy falls towards a modulation with this wavevector.
    case softMode(Instability)
    /// Stationary and stable, but another structure has less energy.
    case wrongGroundState(GroundState)
}

/// A declared structure compared with what its interactions want.
public struct StructureDiagnosis: Sendable {
    public var verdict: StructureVerdict
    /// Of the structure as declared, in meV a spin.
    public var energy: Double
    /// The largest torque on one of its spins, in meV, and the label of its site.
    public var torque: (site: String, value: Double)
    /// The lowest eigenvalue of H(q) over the zone and where it is; nil for a structure that is not stationary. Zero at the
    /// wavevectors of Goldstone modes.
    public var softest: Instability?
    /// The lowest structure found: in the model's cell, or as a spiral with the wavevector that exchange wants.
    public var lowest: GroundState
    public var luttingerTisza: LuttingerTisza
    /// True when `lowest` reaches Luttinger and Tisza's bound: then no structure of any cell lies lower.
    public var isProven: Bool
}

extension SpinModel {
    /// Judges the declared structure: torque, energy, and H(q) over the whole zone.
    ///
    /// Directions written with a few digits are first relaxed, so that a Goldstone mode has the eigenvalue 0 that it should
    /// have; an eigenvalue counts as negative below −1e-7 of the Hamiltonian's scale.
    ///
    /// - Parameter values: of all parameters, in the model's order, in meV.
    /// - Throws: `SpinWaveError.badParameters`, `.notConverged`.
    public func diagnosis(
        values: [Double], starts: Int = 50, seed: Int = 0, threads: Int = 1
    ) throws -> StructureDiagnosis {
        let classical = classicalEnergy(values: values)
        let declared = frames.map(\.n)
        let tolerance = 1e-8 * classical.stiffness / Double(sites.count)
        var lowest = try groundState(values: values, starts: starts, seed: seed, threads: threads)
        let bound = try luttingerTisza(values: values)
        if let spiral = try bestSpiral(values: values, near: bound, starts: starts, seed: seed, threads: threads),
            spiral.energy < lowest.energy - tolerance
        {
            lowest = spiral
        }
        let worst = try largestTorque(values: values)
        let relaxed = classical.relaxed(from: declared)
        let isNear = zip(declared, relaxed.directions).allSatisfy { dot($0, $1) > 0.99 }
        let own = (isNear ? relaxed.energy : classical.energy(declared)) / Double(sites.count)

        var diagnosis = StructureDiagnosis(
            verdict: .sound, energy: classical.energy(declared) / Double(sites.count),
            torque: (sites[worst.site].label, worst.torque), softest: nil, lowest: lowest, luttingerTisza: bound,
            isProven: bound.isWhole && lowest.energy < bound.energy + 1e-10 * classical.stiffness)
        if let wrong = try disequilibrium(values: values) {
            diagnosis.verdict = .notStationary(wrong)
            return diagnosis
        }
        let hamiltonian = try ordered(isNear ? relaxed.directions : declared, spiral: spiral).hamiltonian(
            values: values)
        let softest = try hamiltonian.softestPoint()
        diagnosis.softest = softest
        if softest.lowestEigenvalue < -1e-7 * hamiltonian.scale {
            diagnosis.verdict = .softMode(softest)
        } else if lowest.energy < own - tolerance {
            diagnosis.verdict = .wrongGroundState(lowest)
        }
        return diagnosis
    }

    /// The lowest spiral of the model's cell with a wavevector near the one that exchange wants; nil when the interactions
    /// change as the spins turn, whatever the normal, or there is no turn.
    ///
    /// Sites that are not alike cannot always follow exchange to its k: where the bound is not reached, k and the directions
    /// are relaxed together.
    func bestSpiral(
        values: [Double], near bound: LuttingerTisza, starts: Int, seed: Int, threads: Int
    ) throws -> GroundState? {
        guard bound.k != .zero || spiral != nil, let normal = spiralNormal else { return nil }
        func classical(_ k: Vector3) throws(SpinWaveError) -> ClassicalEnergy {
            try ordered(frames.map(\.n), spiral: SpinSpiral(k: k, normal: normal)).classicalEnergy(values: values)
        }
        let start = try classical(bound.k)
        var found = try start.groundState(
            starts: starts, stream: RandomStream(seed: seed).substream("spiral"),
            spiral: SpinSpiral(k: bound.k, normal: normal), threads: threads)
        let count = Double(sites.count)
        guard found.energy > bound.energy + 1e-10 * start.stiffness else { return found }
        let directions = found.directions
        let best = try ZoneMinimum.descend(
            from: (bound.k, found.energy), axes: (0..<3).filter { !unwrapping.isNonDispersive[$0] }, steps: 1e-7...0.02,
            scale: start.stiffness
        ) { k throws(SpinWaveError) in
            try classical(k).relaxed(from: directions).energy / count
        }
        if best.q != bound.k {
            let relaxed = try classical(best.q).relaxed(from: directions)
            found.energy = relaxed.energy / count
            found.directions = relaxed.directions
            found.torque = relaxed.torque
            found.spiral = SpinSpiral(k: best.q, normal: normal)
        }
        return found
    }

    /// A normal about which turning the spins changes nothing: the spiral's, the field's, or a Cartesian axis.
    private var spiralNormal: Vector3? {
        let length = field.length
        let candidates =
            [
                spiral?.normal, length > 0 ? (1 / length) * field : nil, Vector3(0, 0, 1), Vector3(1, 0, 0),
                Vector3(0, 1, 0),
            ]
            .compactMap { $0 }
        return candidates.first { normal in
            let validation = ModelValidation(
                sites: sites, parameters: parameters, bonds: bonds, anisotropies: anisotropies, field: field,
                twins: twins, formFactors: formFactors, spiral: SpinSpiral(k: .zero, normal: normal))
            return validation.spiralProblems.isEmpty && !isDipolar
        }
    }
}

extension SpinHamiltonian {
    /// Where H(q) has its lowest eigenvalue, over the whole zone.
    ///
    /// - Throws: `.notConverged`.
    public func softestPoint() throws(SpinWaveError) -> Instability {
        let solver = Colpa(siteCount: siteCount)
        let minimum = try ZoneMinimum(
            flat: isNonDispersive, cost: 2 * siteCount, scale: scale
        ) { q throws(SpinWaveError) in
            var colpa = solver
            do { return try colpa.lowestEigenvalue(self, at: q) } catch {
                throw .notConverged(q: q, "\(error)")
            }
        }
        return Instability(q: minimum.q, lowestEigenvalue: minimum.value)
    }
}
