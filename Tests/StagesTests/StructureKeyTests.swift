import Diagnostics
import SpinWaves
import Testing

@testable import Stages

/// What `structure` and `biquadratic` in a model file mean.
@Suite("Structures in model files")
struct StructureKeyTests {
    /// The triangular lattice, one site a cell.
    static let triangle = """
        lattice: {a: 4 angstrom, b: 4 angstrom, c: 6 angstrom, gamma: 120 deg}
        parameters: {J: 1 meV}
        sites:
          - {label: A, ion: Mn2, position: [0, 0, 0], spin: 3/2, direction: [1, 0, 0]}
        exchange:
          - parameter: J
            bonds: [[1, 1, [1, 0, 0]], [1, 1, [0, 1, 0]], [1, 1, [1, 1, 0]]]
        structure: {k: [1/3, 1/3, 0], normal: z}
        """

    private func messages(_ old: String, _ new: String) -> [String] {
        let text = Self.triangle.replacingOccurrences(of: old, with: new)
        if text == Self.triangle { return ["the text to replace is not there"] }
        do { _ = try model(text) } catch let list as DiagnosticList { return list.diagnostics.map(\.message) } catch {
            return ["\(error)"]
        }
        return []
    }

    @Test("k with a normal is a spiral, which survives as an artifact")
    func spiral() throws {
        let read = try model(Self.triangle)
        #expect(read.spiral == SpinSpiral(k: Vector3(1.0 / 3, 1.0 / 3, 0), normal: Vector3(0, 0, 1)))
        #expect(try SpinModel(value: read.value) == read)
        #expect(
            SolveSpinWaves.problems(in: .record(["model": read.value])).first?.message
                == "the model is a spiral, of which detector images are not made yet")
        // SpinW's value at (1/4, 0, 0): the branch of Q itself.
        #expect(try modes(read, q: Vector3(0.25, 0, 0)).contains { abs($0.energy - 4.74342) < 1e-5 })
    }

    @Test("with a supercell the same structure is written out, with the same energies and three times the intensity")
    func supercell() throws {
        let spiral = try model(Self.triangle)
        let whole = try model(
            Self.triangle.replacingOccurrences(of: "normal: z", with: "normal: z, supercell: [3, 3, 1]"))
        #expect(whole.spiral == nil && whole.sites.count == 9 && whole.lattice.a == 12)
        #expect(whole.sites.map(\.label).prefix(3) == ["A(0,0,0)", "A(0,1,0)", "A(0,2,0)"])
        let q = Vector3(0.13, 0.21, 0)
        let mine = try modes(spiral, q: q)
        let seen = try modes(whole, q: 3 * q).filter { $0.sperp > 1e-9 }
        #expect(mine.count == seen.count)
        for (a, b) in zip(mine, seen) {
            #expect(abs(a.energy - b.energy) < 1e-9 && abs(9 * a.sperp - b.sperp) < 1e-8)
        }
    }

    @Test("without a normal the moments are a wave: along one line, or with an imaginary part")
    func wave() throws {
        let line = try model(
            Self.triangle.replacingOccurrences(
                of: "k: [1/3, 1/3, 0], normal: z", with: "k: [1/2, 0, 0], supercell: [2, 1, 1]"))
        #expect(line.sites.map(\.direction) == [Vector3(1, 0, 0), Vector3(-1, 0, 0)])
        // Re[(x + i y) exp(iφ)] = x cos φ − y sin φ at φ = 90°
        let helix = try model(
            Self.triangle.replacingOccurrences(
                of: "k: [1/3, 1/3, 0], normal: z", with: "k: [0, 0, 1/4], supercell: [1, 1, 4]"
            ).replacingOccurrences(of: "direction: [1, 0, 0]", with: "direction: [1, 0, 0], imaginary: [0, 1, 0]"))
        #expect(
            helix.sites.map(\.direction) == [
                Vector3(1, 0, 0), Vector3(0, -1, 0), Vector3(-1, 0, 0), Vector3(0, 1, 0),
            ])
    }

    @Test("mistakes")
    func mistakes() {
        let structure = "k: [1/3, 1/3, 0], normal: z"
        #expect(
            messages(structure, "k: [1/3, 1/3, 0]") == ["this structure has neither a normal nor a supercell"])
        #expect(
            messages(structure, "k: [1/3, 1/3, 0], normal: z, supercell: [3, 2, 1]") == [
                "the structure does not repeat after 2 cells along b: k has 0.333333 there"
            ])
        #expect(
            messages(structure, "k: [1/3, 1/3, 0], supercell: [3, 3, 1]") == [
                "the moment of site A changes its length from cell to cell, between 0.5 and 1 of the direction's unit"
            ])
        #expect(
            messages(structure, structure + ", supercell: 3").first?.hasPrefix("'supercell' is three whole") == true)
        #expect(
            messages("structure: {\(structure)}", "structure: z").first?.hasPrefix("'structure' is a mapping") == true)
        #expect(
            messages("direction: [1, 0, 0]", "direction: [1, 0, 0], imaginary: [0, 1, 0]") == [
                "'imaginary' is for structures in a supercell without a normal"
            ])
        #expect(
            messages("- parameter: J", "- matrix: [[J, 0, 0], [0, 2 J, 0], [0, 0, J]]").first
                == "the exchange of bond 1 (A to A) changes when the spins turn about (0 0 1)")
    }

    @Test("dipolar: true")
    func dipolar() throws {
        let ferromagnet = Self.triangle.replacingOccurrences(of: "structure: {k: [1/3, 1/3, 0], normal: z}", with: "")
        let plain = try model(ferromagnet)
        let read = try model(ferromagnet + "dipolar: true")
        #expect(read.isDipolar && !plain.isDipolar && read != plain)
        #expect(try SpinModel(value: read.value) == read)
        #expect(try model(ferromagnet + "dipolar: false").value == plain.value)
        #expect(throws: DiagnosticList.self) { try model(ferromagnet + "dipolar: 1") }
        #expect(throws: DiagnosticList.self) { try model(Self.triangle + "\ndipolar: true") }
    }

    @Test("biquadratic exchange beside another, or alone")
    func biquadratic() throws {
        let both = try model(
            Self.triangle.replacingOccurrences(of: "- parameter: J", with: "- parameter: J\n    biquadratic: -0.1 J"))
        #expect(both.bonds[0].biquadratic == ParametricScalar([.init("J", -0.1)]))
        #expect(both.bonds[0].exchange == .isotropic("J"))
        #expect(try SpinModel(value: both.value) == both)
        let alone = try model(
            Self.triangle.replacingOccurrences(of: "- parameter: J", with: "- biquadratic: J"))
        #expect(alone.bonds[0].exchange.terms.isEmpty && alone.bonds[0].biquadratic.terms == [.init("J", 1)])
        // 3 (S²)² cos² 120° = 3 · 5.0625 / 4
        #expect(abs(alone.classicalEnergy(values: [1]).energy([Vector3(1, 0, 0)]) - 3.796875) < 1e-12)
    }
}
