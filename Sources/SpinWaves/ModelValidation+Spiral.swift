extension ModelValidation {
    /// What is not the same in all cells of a spiral's frame.
    ///
    /// Exchange, anisotropy and field must look the same however often the spins have turned; g need not, since its mean
    /// over the turns is taken.
    var spiralProblems: [ModelProblem] {
        guard let spiral else { return [] }
        guard spiral.k.isFinite, spiral.normal.isFinite, spiral.normal.length > 1e-6 else {
            return [
                ModelProblem(
                    .structure, "the spiral needs a finite k and a normal that is not zero",
                    hint: "the normal is the axis about which the spins turn, such as [0, 0, 1]")
            ]
        }
        let n = spiral.normalised.normal
        let axis = [n.x, n.y, n.z].map { String(shortest: $0) }.joined(separator: " ")
        func turns(_ m: ParametricMatrix) -> Bool {
            m.terms.contains {
                $0.matrix.isFinite && spiral.asymmetry(of: $0.matrix) > 1e-9 * max($0.matrix.largest, 1e-300)
            }
        }
        var found: [ModelProblem] = []
        if isDipolar {
            found.append(
                ModelProblem(
                    .structure, "dipole–dipole coupling changes when the spins turn about (\(axis))",
                    hint: "write a commensurate structure in a supercell, or leave the dipoles out"))
        }
        for (i, bond) in bonds.enumerated() where turns(bond.exchange) {
            let names = [bond.from, bond.to].map { sites.indices.contains($0) ? sites[$0].label : "\($0 + 1)" }
            found.append(
                ModelProblem(
                    .bond(i),
                    "the exchange of bond \(i + 1) (\(names[0]) to \(names[1])) changes when the spins turn about (\(axis))",
                    hint:
                        "a spiral needs exchange that is isotropic across its normal (antisymmetric exchange along it is "
                        + "allowed); with other exchange only a commensurate structure in a supercell can be solved"))
        }
        for (i, anisotropy) in anisotropies.enumerated() where turns(anisotropy.tensor) {
            found.append(
                ModelProblem(
                    .anisotropy(i), "anisotropy \(i + 1) changes when the spins turn about (\(axis))",
                    hint: "a spiral needs anisotropy along its normal only"))
        }
        if field.isFinite, field != .zero, cross(field, n).length > 1e-9 * field.length {
            found.append(
                ModelProblem(
                    .field, "the field is not along the normal (\(axis)) of the spiral",
                    hint: "a field across the normal distorts the spiral, which then is none"))
        }
        return found
    }
}
