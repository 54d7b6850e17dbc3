/// One line of the pocket calculator.
public struct ModeLine: Hashable, Sendable {
    /// meV
    public var energy: Double
    /// S⊥ without form factor, spin² per magnetic cell.
    public var sperp: Double
    /// S⊥ with form factor.
    public var sperpFormFactor: Double
    /// True at an antiferromagnet's Goldstone point, where S⊥ has no finite value and the number given means nothing.
    public var diverges: Bool
}

/// The modes of a model at one wavevector, one entry a mode; see the other `modes`.
public func modes(
    _ model: SpinModel, parameters: [String: Double] = [:], q: Vector3, twin: Int? = nil
) throws(SpinWaveError) -> [ModeLine] {
    try modes(model, parameters: parameters, at: [q], twin: twin).first ?? []
}

/// The modes of a model at each wavevector, one entry a mode.
///
/// Within a degenerate group (energies closer than 1e-6 meV) intensities are the group's sum shared equally, since
/// only the sum does not depend on the choice of eigenvectors.
///
/// - Parameter points: in r.l.u. of the model's cell.
/// - Parameter twin: counted from 1, as the model lists them; nil is the crystal as the model describes it. Intensities
///   are those of the whole volume in that twin, not multiplied by its fraction.
public func modes(
    _ model: SpinModel, parameters: [String: Double] = [:], at points: [Vector3], twin: Int? = nil
) throws(SpinWaveError) -> [[ModeLine]] {
    var turned = points
    if let twin {
        guard model.twins.indices.contains(twin - 1) else { throw .noTwin(twin, count: model.twins.count) }
        turned = points.map { model.wavevector($0, in: model.twins[twin - 1]) }
    }
    let bare = StructureFactor(model, formFactor: false)
    let full = StructureFactor(model)
    return try MagnonSolver(model, parameters: parameters).eachModes(at: turned) { modes in
        lines(of: modes, bare: bare.perpendicular(modes, at: modes.q), full: full.perpendicular(modes, at: modes.q))
    }
}

private func lines(of modes: Modes, bare: [Double], full: [Double]) -> [ModeLine] {
    degenerateGroups(modes.energies).flatMap { group in
        let share = 1 / Double(group.count)
        let bareShare = share * group.reduce(0) { $0 + bare[$1] }
        let fullShare = share * group.reduce(0) { $0 + full[$1] }
        let diverges = group.contains { modes.diverges[$0] }
        return group.map { mode in
            ModeLine(
                energy: modes.energies[mode], sperp: bareShare, sperpFormFactor: fullShare, diverges: diverges)
        }
    }
}

/// Runs of ascending energies whose neighbours are closer than `tolerance` (meV).
public func degenerateGroups(_ energies: [Double], tolerance: Double = 1e-6) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    var start = 0
    for k in energies.indices.dropFirst() where energies[k] - energies[k - 1] >= tolerance {
        groups.append(start..<k)
        start = k
    }
    if !energies.isEmpty { groups.append(start..<energies.count) }
    return groups
}
