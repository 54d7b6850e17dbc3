import Artifacts
import Diagnostics
import Foundation
import GraphLanguage
import SpinWaves
import Testing

@testable import Stages

/// The package's graphs folder.
let graphsFolder: String = {
    var folder = URL(fileURLWithPath: #filePath)
    while folder.path != "/",
        !FileManager.default.fileExists(atPath: folder.appendingPathComponent("graphs/models").path)
    {
        folder.deleteLastPathComponent()
    }
    return folder.appendingPathComponent("graphs").path
}()

/// The model that a text describes.
func model(_ text: String) throws -> SpinModel { try spinModel(from: parseYAML(text: text, file: "m.yaml")) }

@Suite("Model files")
struct ModelFileTests {
    /// A chain of two sites with everything a model file can say.
    static let full = """
        about: two sites and everything
        lattice: {a: 4 angstrom, b: 0.5 nm, c: 6 angstrom, beta: 100 deg}
        parameters:
          J: {value: 1.5 meV, about: isotropic}
          K: 200 ueV
          Dz: 0.1 meV
          A: -0.5 meV
        sites:
          - {label: one, ion: Mn2, position: [0, 0, 0], spin: 5/2, direction: [0, 0, 2]}
          - {label: two, ion: Xx1, position: [1/2, 0, 0], spin: 1, direction: [0, 0, -1], g: [1, 2, 3]}
        exchange:
          - parameter: J
            bonds: [[one, two], [two, one, [1, 0, 0]]]
          - matrix: [[K, 0, 0.5 J], [0, -K, 0], [-1/2*J, 0, 0.3 meV]]
            bonds: [[1, 2, [0, 1, 0]]]
          - dm: [0, 0, Dz]
            bonds: [[one, two, [0, 0, 0]]]
          - parameter: -2 K
            bonds: [[one, one, [0, 0, 1]]]
        anisotropy:
          - {parameter: A, axis: [0, 3, 4]}
          - {parameter: A, axis: x, ions: [Xx1]}
          - {matrix: [[K, 0, 0], [0, 0, 0], [0, 0, 0]], sites: [two]}
        field: [0 T, 0 T, 500 mT]
        twins:
          - {fraction: 1}
          - {fraction: 2, axis: z, angle: 90 deg}
          - {fraction: 1, mirror: x<->z}
        form-factors:
          Xx1: {j0: [0.5, 10, 0.5, 5, 0, 1, 0], j2: [1, 10, 1, 5, 0, 1, 0], j2-weight: 0.25}
        """

    @Test("everything that a model file can say")
    func everything() throws {
        let m = try model(Self.full)
        #expect([m.lattice.a, m.lattice.b, m.lattice.c, m.lattice.beta] == [4, 5, 6, 100])
        // In the order of first use, not of declaration.
        #expect(m.parameterNames == ["J", "K", "Dz", "A"])
        #expect(m.parameterValues == [1.5, 0.2, 0.1, -0.5])
        #expect(m.sites.map(\.label) == ["one", "two"])
        #expect(m.sites[0].direction == Vector3(0, 0, 1) && m.sites[0].spin == 2.5)
        #expect(m.sites[1].position == Vector3(0.5, 0, 0) && m.sites[1].g == Matrix3(diagonal: Vector3(1, 2, 3)))
        #expect(m.bonds.map(\.from) == [0, 1, 0, 0, 0] && m.bonds.map(\.to) == [1, 0, 1, 1, 0])
        #expect(m.bonds.map(\.offset) == [.zero, SIMD3(1, 0, 0), SIMD3(0, 1, 0), .zero, SIMD3(0, 0, 1)])
        #expect(m.bonds[0].exchange == .isotropic("J"))
        let row = Vector3.zero
        #expect(
            m.bonds[2].exchange.terms == [
                .init("K", Matrix3(rows: Vector3(1, 0, 0), Vector3(0, -1, 0), row)),
                .init("J", Matrix3(rows: Vector3(0, 0, 0.5), row, Vector3(-0.5, 0, 0))),
                .init(nil, Matrix3(rows: row, row, Vector3(0, 0, 0.3))),
            ])
        #expect(
            m.bonds[3].exchange.terms == [.init("Dz", ParametricMatrix.antisymmetric(Vector3(0, 0, 1)))])
        #expect(m.bonds[4].exchange.terms == [.init("K", -2 * Matrix3.identity)])
        #expect(m.anisotropies.map(\.site) == [0, 1, 1, 1])
        #expect((m.anisotropies[0].tensor.terms[0].matrix.z - Vector3(0, 0.48, 0.64)).length < 1e-15)
        #expect(m.field == Vector3(0, 0, 0.5))
        #expect(m.twins.map(\.fraction) == [0.25, 0.5, 0.25])
        #expect((m.twins[1].matrix * Vector3(1, 0, 0) - Vector3(0, 1, 0)).length < 1e-15)
        #expect(m.twins[2].matrix * Vector3(1, 2, 3) == Vector3(3, 2, 1))
        #expect(m.formFactors["Xx1"]?.j2Weight == 0.25 && m.formFactors["Mn2"]?.j2 == nil)
        #expect(try SpinModel(value: m.value) == m)
        #expect(try SpinModel(value: Value(decoding: m.value.encoded().bytes)) == m)
    }

    @Test("a free ion's weight of ⟨j2⟩, for a built-in ion by its own name")
    func freeIon() throws {
        let ytterbium = Self.full.replacing("ion: Mn2", with: "ion: Yb3")
        for entry in ["Yb3: {j2-weight: free-ion}", "Yb3: {like: Yb3, j2-weight: 3/4}", "Yb3: {j2-weight: 0.75}"] {
            let factor = try #require(model(ytterbium + "\n  " + entry).formFactors["Yb3"])
            // g = 8/7 of 4f¹³: w = (2 − g)/g = 3/4, to rounding
            #expect(abs(factor.j2Weight - 0.75) < 1e-15)
            #expect(factor.j2 == FormFactor.tabulated("Yb3", j2Weight: 1)?.j2)
        }
    }

    @Test("nine coefficients of a 5d ion are kept, and detector images refuse them and ⟨j2⟩")
    func fourthGaussian() throws {
        let iridium = try model(Self.full.replacing("ion: Mn2", with: "ion: Ir4"))
        #expect(iridium.formFactors["Ir4"]?.j0.values.count == 9)
        #expect(try SpinModel(value: iridium.value) == iridium)
        func message(_ model: SpinModel) -> String? {
            SolveSpinWaves.problems(in: .record(["model": model.value])).first?.message
        }
        #expect(
            message(iridium)
                == "the form factor of 'Ir4' has a fourth Gaussian, which detector images do not take yet")
        #expect(
            message(try model(Self.full))
                == "the form factor of 'Xx1' has a <j2> part, which detector images do not take yet")
        #expect(message(try readModel(at: "\(graphsFolder)/models/pcsmo-dimer.yaml")) == nil)
    }

    @Test("comments, descriptions, key order and spelling of numbers leave no trace")
    func identity() throws {
        let reordered = """
            # a comment
            sites:
              - {spin: 2.5, direction: [0, 0, 1], position: [0, 0, -0.0], ion: Mn2, label: one}
              - {label: two, ion: Xx1, position: [0.5, 0, 0], spin: 1.0, direction: [0, 0, -1], g: [1, 2, 3]}
            form-factors:
              Xx1: {j2-weight: 1/4, j0: [0.5, 10, 0.5, 5, 0, 1, 0], j2: [1, 10, 1, 5, 0, 1, 0]}
            twins:
              - {fraction: 0.25}
              - {fraction: 0.5, axis: [0, 0, 1], angle: 90 deg}
              - {fraction: 0.25, mirror: z<->x}
            parameters: {A: -500 ueV, Dz: 0.1 meV, K: {value: 0.2 meV}, J: {about: other words, value: 1.5 meV}}
            field: [0, 0, 0.5 T]
            anisotropy:
              - {parameter: A, axis: [0, 3, 4]}
              - {parameter: A, axis: x, ions: [Xx1]}
              - {matrix: [[K, 0, 0], [0, 0, 0], [0, 0, 0]], sites: [two]}
            exchange:
              - bonds: [[one, two, [0, 0, 0]], [2, 1, [1, 0, 0]]]
                parameter: J
              - matrix: [[1 K, 0, 1/2 J], [0, -1 K, 0], [-0.5 J, 0, 300 ueV]]
                bonds: [[one, 2, [0, 1, 0]]]
              - dm: [0, 0, Dz]
                bonds: [[one, two]]
              - parameter: -2*K
                bonds: [[one, one, [0, 0, 1]]]
            lattice: {c: 6 angstrom, a: 4 Å, b: 5 angstrom, alpha: 90 deg, beta: 100 deg}
            """
        let value = try model(reordered).value
        #expect(value == (try model(Self.full).value))
        #expect(value.digest == (try model(Self.full).value.digest))
        let other = Self.full.replacingOccurrences(of: "K: 200 ueV", with: "K: 201 ueV")
        #expect(value.digest != (try model(other).value.digest))
    }

    @Test("shipped PCSMO models are the reference's", arguments: ["goodenough", "dimer"])
    func pcsmo(name: String) throws {
        let m = try SpinModel(value: loadModel(name: "pcsmo-\(name)", directory: graphsFolder))
        let fixtures = URL(fileURLWithPath: graphsFolder).deletingLastPathComponent()
            .appendingPathComponent("Tests/SpinWavesTests/Fixtures/models.json")
        let file = try JSONSerialization.jsonObject(with: Data(contentsOf: fixtures)) as? [String: Any]
        let models = try #require(file?["models"] as? [String: [String: Any]])
        let reference = try #require(models[name])
        #expect(m.parameterNames == reference["parameters"] as? [String])
        #expect(m.parameterValues == reference["fitted"] as? [Double])
        let atoms = try #require(reference["atoms"] as? [[String: Any]])
        #expect(atoms.count == 16 && m.sites.count == 16)
        for (site, atom) in zip(m.sites, atoms) {
            #expect([site.position.x, site.position.y, site.position.z] == atom["r"] as? [Double])
            #expect([site.direction.x, site.direction.y, site.direction.z] == atom["direction"] as? [Double])
            #expect(site.ion == atom["ion"] as? String && site.spin == 1.75)
        }
        func text(_ from: Int, _ to: Int, _ offset: [Int], _ parameter: String) -> String {
            "\(from) \(to) \(offset) \(parameter)"
        }
        let bonds = try #require(reference["bonds"] as? [[Any]])
        let expected = bonds.map { bond in
            text(bond[0] as? Int ?? -1, bond[1] as? Int ?? -1, bond[2] as? [Int] ?? [], bond[3] as? String ?? "")
        }
        let mine = m.bonds.map { bond in
            text(
                bond.from, bond.to, [bond.offset.x, bond.offset.y, bond.offset.z],
                bond.exchange.terms[0].parameter ?? "")
        }
        #expect(mine.sorted() == expected.sorted())
        #expect(m.bonds.allSatisfy { $0.exchange.terms.map(\.matrix) == [.identity] })
        #expect(m.anisotropies.map(\.site) == Array(0..<16))
        #expect(m.anisotropies.allSatisfy { $0.tensor.terms == [.init("D", Matrix3(diagonal: Vector3(0, 0, 1)))] })
        #expect(m.twins.map(\.fraction) == [0.5, 0.5])
        #expect(m.twins[1].matrix * Vector3(1, 2, 3) == Vector3(2, 1, 3))
        #expect(m.unwrapping.isNonDispersive == [false, false, true])
        #expect(try m.stability(values: m.parameterValues).isStable)
    }

    @Test("the square antiferromagnets are stable, in equilibrium and differ only by J2")
    func square() throws {
        let nn = try SpinModel(value: loadModel(name: "square-afm-nn", directory: graphsFolder))
        let nnn = try SpinModel(value: loadModel(name: "square-afm-nnn", directory: graphsFolder))
        #expect(nn.parameterNames == ["J1", "D"] && nnn.parameterNames == ["J1", "J2", "D"])
        for m in [nn, nnn] {
            #expect(try m.stability(values: m.parameterValues).isStable)
            #expect(try m.largestTorque(values: m.parameterValues).torque < 1e-12)
            #expect(m.unwrapping.isNonDispersive == [false, false, true])
        }
        // ω = √(A² − B²), A = 4 J1 S − 2 D S − 4 J2 S (1 − cos a cos b), B = 4 J1 S γ; (H, K) of the chemical cell.
        let (j1, j2, d, s) = (0.65, 0.1, -0.01, 2.5)
        for (h, k) in [(0.5, 0.5), (0.25, 0.25), (0.5, 0), (0.13, 0.31)] {
            let (ch, ck) = (cos(2 * Double.pi * h), cos(2 * Double.pi * k))
            let b = 2 * j1 * s * (ch + ck)
            let q = Vector3(h + k, k - h, 0.3)
            for (m, second) in [(nn, 0), (nnn, j2)] {
                let a = 4 * j1 * s - 2 * d * s - 4 * second * s * (1 - ch * ck)
                for line in try modes(m, q: q) { #expect(abs(line.energy - (a * a - b * b).squareRoot()) < 1e-9) }
            }
            #expect(try modes(nnn, parameters: ["J2": 0], q: q) == modes(nn, q: q))
        }
    }

    @Test("models by name, by path and by a wrong name")
    func names() throws {
        let names = modelNames(directory: graphsFolder)
        #expect(names == names.sorted() && names.contains("pcsmo-dimer") && names.contains("square-afm-nnn"))
        let byName = try loadModel(name: "square-afm-nn", directory: graphsFolder)
        for path in [
            "models/square-afm-nn.yaml", "models/square-afm-nn", "\(graphsFolder)/models/square-afm-nn.yaml",
        ] {
            #expect(try loadModel(name: path, directory: graphsFolder) == byName)
        }
        #expect {
            try loadModel(name: "pcsmo-dimmer", directory: graphsFolder)
        } throws: { error in
            (error as? Diagnostic)?.description
                == "error: there is no model 'pcsmo-dimmer'\n  hint: did you mean 'pcsmo-dimer'?"
        }
        #expect {
            try loadModel(name: "x", directory: "/nonexistent")
        } throws: { error in
            (error as? Diagnostic)?.hint == "there are no models in /nonexistent/models"
        }
    }
}
