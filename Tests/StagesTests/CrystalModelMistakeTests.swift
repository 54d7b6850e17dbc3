import Diagnostics
import Foundation
import GraphLanguage
import SpinWaves
import Testing

@testable import Stages

// What is wrong in a crystal's description, and where.
extension CrystalModelTests {
    @Test("mistakes of symmetry")
    func symmetry() {
        #expect(
            messages("P 42/m n m", "P 42/m n mm") == [
                """
                m.yaml:2:25: error: no space group is called 'P 42/m n mm'
                  hint: did you mean 'P 42/m n m'?
                """
            ])
        #expect(
            messages("space-group: P 42/m n m", "space-group: 231") == [
                """
                m.yaml:2:25: error: there is no space group 231
                  hint: space groups have the numbers 1 to 230
                """
            ])
        #expect(
            messages("space-group: P 42/m n m", "group: 136") == [
                """
                m.yaml:2:12: error: a symmetry has no 'group'
                  hint: it has space-group, hall, operators
                """,
                """
                m.yaml:2:11: error: this symmetry names no group
                  hint: give exactly one of space-group, hall and operators
                """,
            ])
        #expect(
            messages("space-group: P 42/m n m", "operators: ['-y, 1.5x, z']") == [
                """
                m.yaml:2:23: error: '-y, 1.5x, z' is no symmetry operation: the factor 1.5 of x is not a whole number
                  hint: write such as '-x, y+1/2, -z'
                """
            ])
        #expect(
            messages("b: 4.87", "b: 4.88") == [
                """
                m.yaml:2:11: error: the cell 4.87 × 4.88 × 3.31 Å, 90°, 90°, 90° does not have the symmetry \
                -y+1/2, x+1/2, z+1/2 of P 42/m n m
                  hint: change the cell edges or angles, or name another setting of the group
                """
            ])
        #expect(
            messages("position: [0, 0, 0]", "position: [0.001, 0, 0]") == [
                """
                m.yaml:2:11: error: site Mn has equivalent positions only 0.00974 Å apart
                  hint: write the special position exactly: [0, 0, 0]
                """
            ])
    }

    @Test("mistakes of directions")
    func directions() {
        #expect(
            messages(", direction: [[0, 0, 1], [0, 0, -1]]", "") == [
                """
                m.yaml:5:5: error: site Mn needs 'direction'
                  hint: give one vector for all, or one for each of Mn-1 (0 0 0), Mn-2 (1/2 1/2 1/2)
                """
            ])
        #expect(
            messages("[[0, 0, 1], [0, 0, -1]]", "[[0, 0, 1]]") == [
                """
                m.yaml:5:70: error: site Mn makes 2 sites of the cell and has 1 direction
                  hint: in their order the sites are Mn-1 (0 0 0), Mn-2 (1/2 1/2 1/2)
                """
            ])
        #expect(
            messages("[[0, 0, 1], [0, 0, -1]]", "{Mn-1: [0, 0, 1], Mn-3: [0, 0, 1]}") == [
                """
                m.yaml:5:88: error: site Mn makes no site 'Mn-3'
                  hint: did you mean 'Mn-1'?
                """, "m.yaml:5:70: error: site Mn has no direction for Mn-2 (1/2 1/2 1/2)",
            ])
    }

    @Test("mistakes of shells")
    func shells() {
        #expect(
            messages("J2, shell: 2", "J2, shell: two") == [
                """
                m.yaml:8:28: error: 'shell' is a number from 1
                  hint: 'spinweave crystal' lists the shells of a model
                """
            ])
        #expect(messages("J2, shell: 2", "J2, shells: [2, 2]") == ["m.yaml:8:29: error: a shell stands twice"])
        #expect(
            messages("J2, shell: 2", "J2, shell: 2, bonds: [[1, 2]]") == [
                """
                m.yaml:8:5: error: this exchange has bonds and shell at once
                  hint: give exactly one of bonds, bond, shell, shells, and between with distance
                """
            ])
        #expect(
            messages("J2, shell: 2", "J2, shell: 2, distance: 3 angstrom") == [
                "m.yaml:8:41: error: 'distance' goes with 'between'"
            ])
        #expect(
            messages("J2, shell: 2", "J2, between: [Mn2, Mn2], distance: 3.9 angstrom") == [
                """
                m.yaml:8:52: error: no bond between Mn2 and Mn2 is 3.900 Å long
                  hint: there are bonds of 3.310, 3.821, 4.870 Å
                """
            ])
        #expect(
            messages("J2, shell: 2", "J2, between: [Mn2, Mn3], distance: 3.9 angstrom") == [
                """
                m.yaml:8:30: error: no site or ion is called 'Mn3'
                  hint: did you mean 'Mn'?
                """
            ])
        #expect(
            messages("{parameter: J2, shell: 2}", "{dm: [0, 0, J2], shell: 2}") == [
                """
                m.yaml:8:5: error: the exchange on Mn-1–Mn-2 with J2 breaks the symmetry of the crystal
                  hint: it allows
                    [ A  C  D ]
                    [ C  A  D ]   D = (E, -E, 0)
                    [ D  D  B ]
                """
            ])
        #expect(
            messages("axis: z", "axis: x") == [
                """
                m.yaml:10:5: error: the anisotropy of site Mn-1 with D breaks the symmetry of the crystal
                  hint: it allows
                    [ A  C  0 ]
                    [ C  A  0 ]
                    [ 0  0  B ]
                """
            ])
        #expect(
            messages("axis: z", "axis: z, sites: [Mn-1, Mn-2]") == [
                """
                m.yaml:10:43: error: this site is equivalent to one that is listed already
                  hint: the tensor of one gives those of all equivalent sites
                """
            ])
    }

    @Test("two lengths near a distance, and a matrix for a shell without symmetry")
    func ambiguous() {
        #expect(
            messages("space-group: P 42/m n m", "space-group: 1") == [
                """
                m.yaml:5:70: error: site Mn makes 1 site of the cell and has 2 directions
                  hint: in their order the sites are Mn (0 0 0)
                """
            ])
        let orthorhombic = """
            lattice: {a: 4 angstrom, b: 4.015 angstrom, c: 9 angstrom}
            symmetry: {space-group: P m m m}
            parameters: {J: -1 meV}
            sites:
              - {ion: Mn2, position: [0, 0, 0], spin: 5/2, direction: [0, 0, 1]}
            exchange:
              - {parameter: J, between: [Mn2, Mn2], distance: 4.01 angstrom}
            """
        #expect(
            messages("space-group: P m m m", "space-group: 47", of: orthorhombic) == [
                """
                m.yaml:7:51: error: bonds of 4.000 and 4.015 Å are near this distance
                  hint: write it with one more digit, or 'within: 0.01 angstrom' to mean all of them
                """
            ])
        #expect(
            messages(
                "symmetry: {space-group: P m m m}\n", "",
                of: orthorhombic.replacingOccurrences(
                    of: "parameter: J, between: [Mn2, Mn2], distance: 4.01 angstrom",
                    with: "dm: [0, 0, J], between: [Mn2, Mn2], distance: 4 angstrom")) == [])
    }
}
