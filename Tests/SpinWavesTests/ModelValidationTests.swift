import Testing

@testable import SpinWaves

@Suite("Model validation")
struct ModelValidationTests {
    private func problems(
        sites: [Site]? = nil, parameters: [SpinModel.Parameter] = [.init("J", 1)], bonds: [Bond] = [],
        anisotropies: [Anisotropy] = [], twins: [Twin] = [], formFactors: [String: FormFactor] = [:]
    ) throws -> [String] {
        let two = [
            KnownMagnets.site("1", .zero, Vector3(0, 0, 1), spin: 1),
            KnownMagnets.site("2", Vector3(0.5, 0, 0), Vector3(0, 0, 1), spin: 1),
        ]
        let cell = try Lattice(a: 3, b: 3, c: 3)
        let result = Result { () throws(SpinWaveError) in
            try SpinModel(
                lattice: cell, sites: sites ?? two, parameters: parameters, bonds: bonds, anisotropies: anisotropies,
                twins: twins, formFactors: formFactors)
        }
        guard case .failure(.model(let problems)) = result else { return [] }
        return problems.map(\.message)
    }

    @Test("a sound model has no problems")
    func sound() throws { #expect(try problems() == []) }

    @Test("bonds")
    func bonds() throws {
        let found = try problems(bonds: [
            Bond(from: 0, to: 16, offset: .zero, exchange: .isotropic("J")),
            Bond(from: 1, to: 1, offset: .zero, exchange: .isotropic("J")),
            Bond(from: 0, to: 1, offset: .zero, exchange: .isotropic("Q")),
        ])
        #expect(
            found == [
                "bond 1 goes to atom 17, but the model has 2 sites", "bond 2 ties an atom to itself",
                "bond 3 names the parameter 'Q', which the model lacks",
            ])
    }

    @Test("sites")
    func sites() throws {
        var bad = KnownMagnets.site("1", .zero, .zero, spin: -1)
        bad.ion = "Mn9"
        let found = try problems(sites: [KnownMagnets.site("1", .zero, Vector3(0, 3, 0), spin: 1), bad])
        #expect(
            found == [
                "site 1: the spin must be positive, not -1.0", "site 1: the spin has no direction",
                "site 1: the label stands twice (sites 1 and 2)", "site 1: lies where site 1 lies",
                "no form factor is known for the ion 'Mn9'",
            ])
        #expect(try problems(sites: []) == ["the model has no sites"])
        let long = try SpinModel(
            lattice: Lattice(a: 3, b: 3, c: 3), sites: [KnownMagnets.site("1", .zero, Vector3(0, 3, 4), spin: 1)],
            parameters: [], bonds: [])
        #expect((long.sites[0].direction - Vector3(0, 0.6, 0.8)).length < 1e-15)
    }

    @Test("tensors, twins, form factors, parameters")
    func tensors() throws {
        let skew = Matrix3(rows: Vector3(1, 2, 0), Vector3(0, 1, 0), Vector3(0, 0, 1))
        #expect(
            try problems(anisotropies: [Anisotropy(site: 0, tensor: .constant(skew))]) == [
                "anisotropy 1 is not a symmetric matrix"
            ])
        #expect(
            try problems(anisotropies: [Anisotropy(site: 7, tensor: .constant(.identity))]) == [
                "anisotropy 1 is of atom 8, but the model has 2 sites"
            ])
        // The matrix of the published PCSMO code.
        let singular = Matrix3(rows: Vector3(0, 1, 0), Vector3(1, 0, 0), .zero)
        #expect(
            try problems(twins: [Twin(matrix: singular, fraction: 1)]) == [
                "the matrix of twin 1 is neither a rotation nor a mirror"
            ])
        #expect(try problems(twins: [Twin(matrix: .identity, fraction: 0)]) == ["all twins have the fraction 0"])
        #expect(
            try problems(formFactors: ["Mn2": FormFactor(j0: .init([0.5, 1, 0.4, 1, 0, 1, 0]))]) == [
                "the form factor of Mn2 is 0.9 at Q = 0, not 1"
            ])
        #expect(
            try problems(parameters: [.init("J", 1), .init("J", .nan)]) == [
                "the parameter J stands twice", "the parameter J is nan",
            ])
    }

    @Test("cells")
    func lattices() throws {
        #expect(throws: SpinWaveError.self) { try Lattice(a: 0, b: 1, c: 1) }
        #expect(throws: SpinWaveError.self) { try Lattice(a: 1, b: 1, c: 1, alpha: 190) }
        #expect(throws: SpinWaveError.self) { try Lattice(a: 1, b: 1, c: 1, alpha: 30, beta: 30, gamma: 120) }
        let cell = try Lattice(a: 1, b: 1.5, c: 2, alpha: 50, beta: 70, gamma: 100)
        for i in 0..<3 {
            for j in 0..<3 {
                #expect(abs(dot(cell.cell[i], cell.reciprocal[j]) - (i == j ? 2 * Double.pi : 0)) < 1e-12)
            }
        }
        #expect(abs(cell.cell.z.length - 2) < 1e-12)
        #expect(abs(dot(cell.cell.y, cell.cell.z) / 3 - 0.6427876096865394) < 1e-12)  // cos 50°
        let q = Vector3(0.3, -0.7, 1.1)
        #expect((cell.hkl(cartesian: cell.cartesian(hkl: q)) - q).length < 1e-13)
    }

    @Test("parameters asked for must exist and be numbers")
    func parameters() throws {
        let model = try KnownMagnets.antiferromagneticChain()
        #expect(throws: SpinWaveError.unknownParameter("K", known: ["J"])) {
            try model.hamiltonian(parameters: ["K": 1])
        }
        #expect(throws: SpinWaveError.badParameters("the parameter J is inf")) {
            try model.hamiltonian(parameters: ["J": .infinity])
        }
        #expect(throws: SpinWaveError.self) { try model.hamiltonian(values: [1, 2]) }
    }

    @Test("form factors at Q² = 0.57 1/Å² and Q = 0")
    func formFactors() throws {
        let q = 0.57.squareRoot()
        // ⟨j0⟩ + 0.1 ⟨j2⟩ from Sunny.jl's own test.
        for (ion, expected) in [
            ("Mn2", 0.9618982113), ("Mn3", 0.9679234542), ("Mn4", 0.9725302343), ("Fe2", 0.9654220904),
            ("Fe3", 0.9713328208), ("Co2", 0.9683228814), ("Ni2", 0.9713015478), ("Cu2", 0.9737428228),
            ("Cr3", 0.9643926517), ("V3", 0.9595439920),
        ] {
            let factor = try #require(FormFactor.tabulated(ion, j2Weight: 0.1))
            #expect(abs(factor(q) - expected) < 1e-10, "\(ion): \(factor(q))")
        }
        let manganese = try #require(FormFactor.tabulated("Mn2+"))
        #expect(abs(manganese(q) - 0.9603604067) < 1e-10)
    }

    @Test("error texts")
    func texts() {
        let instability = SpinWaveError.unstable(
            Instability(q: Vector3(0.5, 0, -0.25), lowestEigenvalue: -3.5811425))
        #expect(
            instability.description == """
                the spin structure is not stable: the Hamiltonian is not positive definite at q = (0.5 0 -0.25), lowest \
                eigenvalue -3.58114 meV
                  hint: the exchange constants want another order; change their signs or sizes, or the moment directions
                """)
        #expect(
            SpinWaveError.unknownParameter("JF9", known: ["JF1", "JA"]).description
                == "the model has no parameter 'JF9'; it has JF1, JA")
        #expect(
            SpinWaveError.noTwin(3, count: 2).description == "the model has 2 twins, so there is no twin 3")
    }
}
