import Compute
import Tensors

/// What neutrons see of a model with given parameters: one-magnon energies and intensities at many Q.
///
/// Q is in r.l.u. of the model's cell, energies in meV, intensities S⊥ in spin² per magnetic cell (with `.gTensor`, in μB²),
/// times n(E) + 1 at `temperature`; see `StructureFactor`.
public struct MagnonScattering: Sendable {
    /// Which of the crystal's domains scatters.
    public enum Domain: Hashable, Sendable {
        /// The crystal as the model describes it.
        case crystal
        /// One twin, counted from 1, as if it filled the whole volume.
        case twin(Int)
        /// All twins, each with its fraction.
        case mixture
    }

    public let model: SpinModel
    public let solver: MagnonSolver
    public let structure: StructureFactor
    /// K; 0 leaves the thermal factor out.
    public let temperature: Double

    /// - Parameter parameters: in meV; those not given keep the model's values.
    /// - Parameter formFactor: false sets f = 1.
    public init(
        _ model: SpinModel, parameters: [String: Double] = [:], formFactor: Bool = true,
        weighting: StructureFactor.Weighting = .spin, temperature: Double = 0
    ) throws(SpinWaveError) {
        self.model = model
        solver = try MagnonSolver(model, parameters: parameters)
        structure = StructureFactor(model, formFactor: formFactor, weighting: weighting)
        self.temperature = temperature
    }

    /// Energies and intensities at each point, by mode.
    ///
    /// - Parameter domain: one domain; a mixture has no modes of its own, see `map`.
    /// - Throws: `.unstable`, `.noTwin`, `.notConverged`; `.noTwin(0, …)` for a mixture.
    public func lines(
        at points: [Vector3], domain: Domain = .crystal, threads: Int = 1
    ) throws(SpinWaveError) -> ScatteringLines {
        let turned = try wavevectors(points, domain: domain)
        let parts = try solver.eachModes(at: turned, threads: threads) { modes in
            let (intensities, diverges) = shared(modes, at: modes.q)
            return (modes.energies, intensities, diverges)
        }
        let n = parts.first?.0.count ?? model.sites.count
        return ScatteringLines(
            points: points, energies: Tensor(shape: [points.count, n], elements: parts.flatMap(\.0)),
            intensities: Tensor(shape: [points.count, n], elements: parts.flatMap(\.1)),
            diverges: parts.flatMap(\.2))
    }

    /// S⊥(Q, E): intensity per meV in each energy bin at each point; shape [points, bins].
    ///
    /// - Parameter fwhm: of a Gaussian resolution in meV; 0 for none.
    ///
    /// Modes at an antiferromagnet's Goldstone point, where intensity diverges, are left out.
    public func map(
        at points: [Vector3], bins: EnergyBins, fwhm: Double, domain: Domain = .crystal, threads: Int = 1
    ) throws(SpinWaveError) -> Tensor<Double> {
        try checkWidth(fwhm)
        var map = [Double](repeating: 0, count: points.count * bins.count)
        for (one, fraction) in domains(domain) {
            let turned = try wavevectors(points, domain: one)
            let rows = try solver.eachModes(at: turned, threads: threads) { modes in
                var row = [Double](repeating: 0, count: bins.count)
                deposit(modes, at: modes.q, weight: fraction, bins: bins, fwhm: fwhm, in: &row)
                return row
            }
            for (k, row) in rows.enumerated() {
                for bin in row.indices { map[k * bins.count + bin] += row[bin] / bins.widths[bin] }
            }
        }
        return Tensor(shape: [points.count, bins.count], elements: map)
    }

    /// The powder average ⟨S⊥⟩(|Q|, E) per meV; shape [lengths, bins].
    ///
    /// - Parameter lengths: |Q| in 1/Å, positive.
    /// - Parameter directions: on the golden spiral (`goldenSpiral`). The integrated intensity converges about as
    ///   1/directions; a bin's own, once neighbouring directions move a mode by less than `fwhm`.
    ///
    /// Twins do not matter to a powder.
    public func powder(
        lengths: [Double], directions: Int, bins: EnergyBins, fwhm: Double, threads: Int = 1
    ) throws(SpinWaveError) -> Tensor<Double> {
        try checkWidth(fwhm)
        guard (1...10_000_000).contains(directions) else {
            throw .badPath("a powder average needs 1 to 10000000 directions, not \(directions)")
        }
        if let bad = lengths.first(where: { !($0 > 0 && $0.isFinite) }) {
            throw .badPath("a powder average needs |Q| above 0, not \(bad) 1/Å")
        }
        let sphere = goldenSpiral(directions)
        let share = 1 / Double(directions)
        let lattice = model.lattice
        let rows: [[Double]]
        do {
            rows = try Parallel.map(lengths.count, threads: threads) { k in
                var row = [Double](repeating: 0, count: bins.count)
                for start in stride(from: 0, to: directions, by: 256) {
                    let points = sphere[start..<min(directions, start + 256)].map {
                        lattice.hkl(cartesian: lengths[k] * $0)
                    }
                    for modes in try solver.modes(at: points) {
                        deposit(modes, at: modes.q, weight: share, bins: bins, fwhm: fwhm, in: &row)
                    }
                }
                return row
            }
        } catch let error as SpinWaveError {
            throw error
        } catch {
            throw .notConverged(q: .zero, "\(error)")
        }
        return Tensor(
            shape: [lengths.count, bins.count],
            elements: rows.flatMap { row in zip(row, bins.widths).map { $0 / $1 } })
    }

    /// The domains of a mixture with their fractions.
    private func domains(_ domain: Domain) -> [(Domain, Double)] {
        guard domain == .mixture else { return [(domain, 1)] }
        return model.twins.enumerated().map { (.twin($0 + 1), $1.fraction) }
    }

    /// Where the crystal as described is to be asked.
    private func wavevectors(_ points: [Vector3], domain: Domain) throws(SpinWaveError) -> [Vector3] {
        switch domain {
        case .crystal: return points
        case .mixture: throw .noTwin(0, count: model.twins.count)
        case .twin(let number):
            guard model.twins.indices.contains(number - 1) else { throw .noTwin(number, count: model.twins.count) }
            return points.map { model.wavevector($0, in: model.twins[number - 1]) }
        }
    }

    private func checkWidth(_ fwhm: Double) throws(SpinWaveError) {
        guard fwhm >= 0, fwhm.isFinite else { throw .badBins("a width must be 0 or more, not \(fwhm) meV") }
    }

    /// Intensities with the thermal factor, shared equally in degenerate groups; 0 where they diverge.
    private func shared(_ modes: Modes, at q: Vector3) -> (intensities: [Double], diverges: [Bool]) {
        let bare = structure.perpendicular(modes, at: q)
        var intensities = bare, diverges = modes.diverges
        for group in degenerateGroups(modes.energies) {
            let isDark = group.contains { modes.diverges[$0] }
            let sum = group.reduce(0) { $0 + bare[$1] } / Double(group.count)
            for mode in group {
                let thermal = boseFactor(energy: modes.energies[mode], temperature: temperature)
                intensities[mode] = isDark ? 0 : sum * thermal
                diverges[mode] = isDark
            }
        }
        return (intensities, diverges)
    }

    private func deposit(
        _ modes: Modes, at q: Vector3, weight: Double, bins: EnergyBins, fwhm: Double, in row: inout [Double]
    ) {
        let (intensities, _) = shared(modes, at: q)
        for (energy, intensity) in zip(modes.energies, intensities) where intensity.isFinite {
            bins.add(weight * intensity, at: energy, fwhm: fwhm, to: &row)
        }
    }
}

/// Energies and intensities along a list of points.
public struct ScatteringLines: Hashable, Sendable {
    /// As asked for.
    public let points: [Vector3]
    /// meV, ascending at each point; shape [points, modes].
    public let energies: Tensor<Double>
    /// S⊥ times the thermal factor; shape [points, modes]. Equal within a degenerate group; 0 where it diverges.
    public let intensities: Tensor<Double>
    /// True at an antiferromagnet's Goldstone point; [points × modes].
    public let diverges: [Bool]
}
