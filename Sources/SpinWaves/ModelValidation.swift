/// Finds every defect of a model before it is built.
struct ModelValidation {
    var sites: [Site]
    var parameters: [SpinModel.Parameter]
    var bonds: [Bond]
    var anisotropies: [Anisotropy]
    var field: Vector3
    var twins: [Twin]
    var formFactors: [String: FormFactor]
    var spiral: SpinSpiral?
    var isDipolar = false

    var problems: [ModelProblem] {
        siteProblems + parameterProblems + bondProblems + anisotropyProblems + twinProblems + formFactorProblems
            + spiralProblems
            + (field.isFinite ? [] : [ModelProblem(.field, "the field is not finite")])
    }

    private var siteProblems: [ModelProblem] {
        if sites.isEmpty { return [ModelProblem(.sites, "the model has no sites")] }
        var found: [ModelProblem] = []
        for (i, site) in sites.enumerated() {
            func add(_ message: String, hint: String? = nil) {
                found.append(ModelProblem(.site(i), "site \(site.label): \(message)", hint: hint))
            }
            if !(site.spin > 0 && site.spin.isFinite) { add("the spin must be positive, not \(site.spin)") }
            if !site.position.isFinite { add("the position is not finite") }
            if !site.direction.isFinite || site.direction.length < 1e-6 {
                add("the spin has no direction", hint: "give a vector such as [0, 0, 1]; its length does not matter")
            }
            if !site.g.isFinite { add("the g-tensor is not finite") }
            if let twin = sites[..<i].firstIndex(where: { $0.label == site.label }) {
                add("the label stands twice (sites \(twin + 1) and \(i + 1))")
            }
            if let twin = sites[..<i].firstIndex(where: { samePlace($0.position, site.position) }) {
                add("lies where site \(sites[twin].label) lies")
            }
        }
        return found
    }

    private func samePlace(_ a: Vector3, _ b: Vector3) -> Bool {
        let d = a - b
        return (d - d.rounded(.toNearestOrAwayFromZero)).length < 1e-6
    }

    private var parameterProblems: [ModelProblem] {
        var found: [ModelProblem] = []
        var seen: Set<String> = []
        for parameter in parameters {
            if !seen.insert(parameter.name).inserted {
                found.append(ModelProblem(.parameter(parameter.name), "the parameter \(parameter.name) stands twice"))
            }
            if !parameter.value.isFinite {
                found.append(
                    ModelProblem(.parameter(parameter.name), "the parameter \(parameter.name) is \(parameter.value)"))
            }
        }
        return found
    }

    /// Unknown parameters and non-finite matrices of one tensor.
    private func problems(of matrix: ParametricMatrix, _ part: ModelProblem.Part, _ name: String) -> [ModelProblem] {
        var found: [ModelProblem] = []
        for term in matrix.terms {
            if let parameter = term.parameter, !parameters.contains(where: { $0.name == parameter }) {
                found.append(ModelProblem(part, "\(name) names the parameter '\(parameter)', which the model lacks"))
            }
            if !term.matrix.isFinite { found.append(ModelProblem(part, "\(name) has a matrix that is not finite")) }
        }
        return found
    }

    private var bondProblems: [ModelProblem] {
        var found: [ModelProblem] = []
        for (i, bond) in bonds.enumerated() {
            let name = "bond \(i + 1)"
            for atom in [bond.from, bond.to] where !sites.indices.contains(atom) {
                found.append(
                    ModelProblem(
                        .bond(i), "\(name) goes to atom \(atom + 1), but the model has \(sites.count) sites",
                        hint: "sites are counted from 1 in the order they are listed"))
            }
            if bond.from == bond.to, bond.offset == .zero {
                found.append(
                    ModelProblem(
                        .bond(i), "\(name) ties an atom to itself",
                        hint: "give the cell of the second atom, or use anisotropy for a single-ion term"))
            }
            found += problems(of: bond.exchange, .bond(i), name)
            for term in bond.biquadratic.terms {
                if let parameter = term.parameter, !parameters.contains(where: { $0.name == parameter }) {
                    found.append(
                        ModelProblem(.bond(i), "\(name) names the parameter '\(parameter)', which the model lacks"))
                }
                if !term.factor.isFinite {
                    found.append(ModelProblem(.bond(i), "\(name) has a biquadratic exchange that is not finite"))
                }
            }
        }
        return found
    }

    private var anisotropyProblems: [ModelProblem] {
        var found: [ModelProblem] = []
        for (i, anisotropy) in anisotropies.enumerated() {
            let name = "anisotropy \(i + 1)"
            if !sites.indices.contains(anisotropy.site) {
                found.append(
                    ModelProblem(
                        .anisotropy(i),
                        "\(name) is of atom \(anisotropy.site + 1), but the model has \(sites.count) sites"))
            }
            found += problems(of: anisotropy.tensor, .anisotropy(i), name)
            for term in anisotropy.tensor.terms where term.matrix.isFinite {
                let asymmetry = (term.matrix - term.matrix.transposed).largest
                if asymmetry > 1e-9 * max(1, term.matrix.largest) {
                    found.append(
                        ModelProblem(
                            .anisotropy(i), "\(name) is not a symmetric matrix",
                            hint: "only the symmetric part of a single-ion tensor has an energy; give that"))
                }
            }
        }
        return found
    }

    private var twinProblems: [ModelProblem] {
        var found: [ModelProblem] = []
        for (i, twin) in twins.enumerated() {
            if !twin.matrix.isOrthogonal {
                found.append(
                    ModelProblem(
                        .twin(i), "the matrix of twin \(i + 1) is neither a rotation nor a mirror",
                        hint: "its rows must be orthogonal unit vectors; a mirror that exchanges x and y is "
                            + "[[0, 1, 0], [1, 0, 0], [0, 0, 1]]"))
            }
            if !(twin.fraction >= 0 && twin.fraction.isFinite) {
                found.append(ModelProblem(.twin(i), "the fraction of twin \(i + 1) is \(twin.fraction)"))
            }
        }
        if found.isEmpty, !twins.isEmpty, twins.allSatisfy({ $0.fraction == 0 }) {
            found.append(ModelProblem(.twins, "all twins have the fraction 0"))
        }
        return found
    }

    private var formFactorProblems: [ModelProblem] {
        var found: [ModelProblem] = []
        var seen: Set<String> = []
        for ion in sites.map(\.ion) where seen.insert(ion).inserted {
            guard let factor = formFactors[ion] ?? FormFactor.tabulated(ion) else {
                found.append(
                    ModelProblem(
                        .ion(ion), "no form factor is known for the ion '\(ion)'",
                        hint:
                            "give its coefficients; built in are \(FormFactor.alternatives(to: ion).joined(separator: ", "))"
                    ))
                continue
            }
            if !(abs(factor.atZero - 1) <= 5e-3) {
                found.append(
                    ModelProblem(
                        .ion(ion), "the form factor of \(ion) is \(String(shortest: factor.atZero)) at Q = 0, not 1",
                        hint: "A + B + C + D must be 1 to within 5e-3; the order is A, a, B, b, C, c, D"))
            }
        }
        return found
    }
}
