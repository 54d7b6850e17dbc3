import Diagnostics
import Testing

@testable import Stages

/// Each mistake that a model file can hold, with the message that the user gets.
@Suite("Mistakes in model files")
struct ModelFileErrorTests {
    static let sound = """
        lattice: {a: 4 angstrom, b: 4 angstrom, c: 6 angstrom}
        parameters:
          J: 1 meV
        sites:
          - {label: up, ion: Mn2, position: [0, 0, 0], spin: 5/2, direction: [0, 0, 1]}
          - {label: down, ion: Mn2, position: [1/2, 0, 0], spin: 5/2, direction: [0, 0, -1]}
        exchange:
          - parameter: J
            bonds:
              - [up, down, [0, 0, 0]]
              - [down, up, [1, 0, 0]]
        """

    /// Messages for the sound model with one text replaced, or lines added.
    private func messages(_ old: String = "", _ new: String = "", adding: String = "") -> [String] {
        let text = old.isEmpty ? Self.sound : Self.sound.replacingOccurrences(of: old, with: new)
        if !old.isEmpty, text == Self.sound { return ["the text to replace is not there"] }
        do {
            _ = try model(text + "\n" + adding)
            return []
        } catch let list as DiagnosticList {
            return list.diagnostics.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test("the sound model has none")
    func sound() { #expect(messages() == []) }

    @Test("bonds to missing atoms")
    func missingAtoms() {
        #expect(
            messages("[up, down, [0, 0, 0]]", "[up, 17, [0, 0, 0]]") == [
                """
                m.yaml:10:14: error: this bond goes to site 17, but the model has 2 sites
                  hint: sites are counted from 1 in the order they are listed
                """
            ])
        #expect(
            messages("[down, up, [1", "[donw, up, [1") == [
                """
                m.yaml:11:10: error: this bond goes to site 'donw', which the model does not have
                  hint: did you mean 'down'?
                """
            ])
        #expect(
            messages("[down, up, [1", "[iron, up, [1") == [
                """
                m.yaml:11:10: error: this bond goes to site 'iron', which the model does not have
                  hint: the sites are up, down
                """
            ])
    }

    @Test("bonds of the wrong form, twice, or of an atom with itself")
    func bonds() {
        #expect(
            messages("[down, up, [1, 0, 0]]", "[down, up, [0, 0, 0]]") == [
                """
                m.yaml:11:9: error: this bond stands already in line 10
                  hint: each bond is counted once; from j back to i is the same bond
                """
            ])
        #expect(
            messages("[down, up, [1, 0, 0]]", "[down, down]") == [
                """
                m.yaml:11:9: error: bond 2 ties an atom to itself
                  hint: give the cell of the second atom, or use anisotropy for a single-ion term
                """
            ])
        #expect(
            messages("[down, up, [1, 0, 0]]", "[down, up, 1, 0, 0]") == [
                "m.yaml:11:9: error: a bond is [from, to, [cell of the second site]], such as [1, 9, [0, -1, 0]]"
            ])
        #expect(
            messages("[1, 0, 0]]", "[1/2, 0, 0]]") == [
                "m.yaml:11:20: error: the cell of a bond's second site is three whole numbers, such as [0, -1, 0]"
            ])
    }

    @Test("parameters unknown, unused, without unit, of another unit, not a number")
    func parameters() {
        #expect(
            messages("parameter: J", "parameter: j1") == [
                """
                m.yaml:8:16: error: the model has no parameter 'j1'
                  hint: did you mean 'J'?
                """,
                """
                m.yaml:3:3: error: nothing uses the parameter 'J'
                  hint: name it in exchange or anisotropy, or remove it
                """,
            ])
        #expect(
            messages("J: 1 meV", "J: 1") == [
                """
                m.yaml:3:6: error: the value of 'J' needs a unit
                  hint: write 1 meV, say
                """
            ])
        #expect(
            messages("J: 1 meV", "J: 1 angstrom") == [
                """
                m.yaml:3:6: error: the value of 'J' is in 'angstrom', which is a unit of length
                  hint: units of energy are meV, ueV, µeV, eV, THz, K
                """
            ])
        #expect(
            messages("J: 1 meV", "J: strong") == [
                "m.yaml:3:6: error: the value of 'J' must be a number with a unit, not 'strong'"
            ])
        #expect(
            messages("J: 1 meV", "J: {about: none}") == [
                """
                m.yaml:3:3: error: the parameter 'J' has no value
                  hint: add value: 1 meV
                """
            ])
        #expect(
            messages("parameter: J", "matrix: [[J, 0, 0], [0, J, 0], [0, 0, 1.5]]") == [
                """
                m.yaml:8:43: error: this exchange needs a unit
                  hint: write 1.5 meV, say
                """
            ])
    }

    @Test("keys misspelt and missing")
    func keys() {
        #expect(
            messages("spin: 5/2, direction: [0, 0, 1]", "spni: 5/2, direction: [0, 0, 1]") == [
                """
                m.yaml:5:48: error: a site has no 'spni'
                  hint: did you mean 'spin'?
                """,
                "m.yaml:5:5: error: site up needs 'spin'",
            ])
        #expect(
            messages(adding: "twin:\n  - {fraction: 1}") == [
                """
                m.yaml:12:1: error: a model has no 'twin'
                  hint: did you mean 'twins'?
                """
            ])
    }

    @Test("sites")
    func sites() {
        #expect(
            messages("ion: Mn2, position: [0, 0, 0]", "ion: Mn9, position: [0, 0, 0]") == [
                """
                m.yaml:5:22: error: no form factor is known for the ion 'Mn9'
                  hint: give its coefficients; built in are Mn0, Mn1, Mn2, Mn3, Mn4
                """
            ])
        #expect(
            messages("direction: [0, 0, 1]", "direction: [0, 0, 0]") == [
                """
                m.yaml:5:5: error: site up: the spin has no direction
                  hint: give a vector such as [0, 0, 1]; its length does not matter
                """
            ])
        #expect(
            messages("direction: [0, 0, 1]", "direction: [0, 0]") == [
                "m.yaml:5:70: error: the direction of site up must be three numbers, such as [0, 0, 1]"
            ])
        #expect(
            messages("position: [0, 0, 0]", "position: [0, 0, 1/0]") == [
                "m.yaml:5:44: error: the position of site up must be a number, not '1/0'"
            ])
        #expect(
            messages("[1/2, 0, 0]", "[1, 0, 0]") == ["m.yaml:6:5: error: site down: lies where site up lies"])
    }

    @Test("lattice")
    func lattice() {
        #expect(messages("a: 4 angstrom, b", "b") == ["m.yaml:1:10: error: the lattice needs 'a'"])
        #expect(
            messages("a: 4 angstrom", "a: -4 angstrom") == [
                "m.yaml:1:10: error: the cell edge a must be positive, not -4.0 Å"
            ])
    }

    @Test("anisotropy, twins, field, form factors")
    func surroundings() {
        #expect(
            messages(adding: "anisotropy: [{matrix: [[0, J, 0], [0, 0, 0], [0, 0, 0]]}]").first
                == """
                m.yaml:12:14: error: anisotropy 1 is not a symmetric matrix
                  hint: only the symmetric part of a single-ion tensor has an energy; give that
                """)
        #expect(
            messages(adding: "anisotropy: [{parameter: J, axis: w}]") == [
                "m.yaml:12:35: error: the axis of an anisotropy must be x, y, z or a vector, not 'w'"
            ])
        #expect(
            messages(adding: "anisotropy: [{parameter: J, axis: z, ions: [Mn3]}]") == [
                """
                m.yaml:12:45: error: no site has the ion 'Mn3'
                  hint: did you mean 'Mn2'?
                """
            ])
        #expect(
            messages(adding: "twins: [{fraction: 1, mirror: x<>y}]") == [
                """
                m.yaml:12:31: error: 'x<>y' is no mirror
                  hint: a mirror exchanges two Cartesian axes: x<->y, y<->z or x<->z
                """
            ])
        #expect(
            messages(adding: "twins: [{fraction: 1, matrix: [[0, 1, 0], [1, 0, 0], [0, 0, 0]]}]") == [
                """
                m.yaml:12:9: error: the matrix of twin 1 is neither a rotation nor a mirror
                  hint: its rows must be orthogonal unit vectors; a mirror that exchanges x and y is \
                [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
                """
            ])
        #expect(
            messages(adding: "field: [0, 0, 5]") == [
                """
                m.yaml:12:15: error: the field needs a unit
                  hint: write 5 T, say
                """
            ])
        #expect(
            messages(adding: "form-factors: {Mn2: {j0: [0.9, 1, 0, 1, 0, 1, 0]}}") == [
                """
                m.yaml:12:16: error: the form factor of Mn2 is 0.9 at Q = 0, not 1
                  hint: A + B + C + D must be 1 to within 5e-3; the order is A, a, B, b, C, c, D
                """
            ])
        #expect(
            messages(adding: "form-factors: {Mn2: {j2-weight: free-ion}}") == [
                """
                m.yaml:12:33: error: no free ion 'Mn2' with a partly filled f shell and a moment is known
                  hint: give the weight as a number: (2 - g)/g for a Lande factor g, 0 for a moment of spin alone
                """
            ])
        #expect(
            messages(adding: "form-factors: {Mn2: {like: Mn5}}") == [
                """
                m.yaml:12:28: error: no form factor is built in for 'Mn5'
                  hint: did you mean 'Mn0'?
                """
            ])
    }

    @Test("every problem of a file at once")
    func all() {
        let found = messages("J: 1 meV", "J: 1", adding: "field: [0, 0]\ntwins: nothing")
        #expect(found.count == 3)
    }
}
