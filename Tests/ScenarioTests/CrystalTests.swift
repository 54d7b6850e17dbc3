import Foundation
import Testing

@Suite("crystal")
struct CrystalCommandTests {
    private static let pyrochlore = """
        lattice: {a: 10.2 angstrom, b: 10.2 angstrom, c: 10.2 angstrom}
        symmetry: {space-group: Fd-3m}
        sites:
          - {label: Yb, ion: Yb3, position: [1/2, 1/2, 1/2]}
        """

    private struct Document: Decodable {
        struct Group: Decodable {
            var name: String
            var number, hall_number: Int?
            var operations: [String]
        }
        struct Site: Decodable {
            var label, ion, of: String
            var position: [Double]
        }
        struct Shape: Decodable {
            var constants: Int
            var symmetric: [[String]]
            var dm: [String]
        }
        struct Anisotropy: Decodable {
            var site: String
            var allowed: Shape
        }
        struct Bond: Decodable {
            var from, to: String
            var cell: [Int]
        }
        struct Shell: Decodable {
            var number: Int
            var length: Double
            var ions: [String]
            var neighbours: [Int]
            var bonds: [Bond]
            var allowed: Shape?
        }
        var cell: [Double]
        var space_group: Group?
        var sites: [Site]
        var anisotropy: [Anisotropy]?
        var shells: [Shell]
    }

    @Test("the first shell of a pyrochlore, as text")
    func text() throws {
        let workplace = try Workplace()
        try workplace.write(Self.pyrochlore, to: "pyrochlore.yaml")
        let outcome = try workplace.spinweave("crystal", "./pyrochlore.yaml", "--shells", "4")
        #expect(outcome.status == 0)
        #expect(outcome.output.hasPrefix("cell 10.2 × 10.2 × 10.2 Å, 90°, 90°, 90°\nspace group F d -3 m:2 (227), 192"))
        // a √2/4 = 3.606 Å; sixteen sites with six neighbours; the shapes are those of the library's tests.
        #expect(
            outcome.output.hasSuffix(
                """
                anisotropy of Yb-1 (and 15 equivalent sites): 2 constants
                    [ A  B  B ]
                    [ B  A  B ]
                    [ B  B  A ]

                shell 1: Yb3–Yb3 3.606 Å × 48, neighbours 6 of Yb-1 and 6 of Yb-2
                  on [Yb-1, Yb-2, [0, 0, 0]]: 4 constants
                    [ A  0  0 ]
                    [ 0  B  C ]   D = (0, D, -D)
                    [ 0  C  B ]


                """))
    }

    @Test("the same as a document")
    func json() throws {
        let workplace = try Workplace()
        try workplace.write(Self.pyrochlore, to: "pyrochlore.yaml")
        let document = try workplace.document(Document.self, ["crystal", "./pyrochlore.yaml", "--shells", "0.73 nm"])
        #expect(document.cell == [10.2, 10.2, 10.2, 90, 90, 90])
        #expect(document.space_group?.number == 227)
        #expect(document.space_group?.hall_number == 526)
        #expect(document.space_group?.operations.count == 192)
        #expect(document.sites.count == 16)
        #expect(document.anisotropy?.map(\.allowed.constants) == [2])
        // 6, 12 and twice 6 neighbours of 16 sites, each bond once.
        #expect(document.shells.map(\.bonds.count) == [48, 96, 48, 48])
        #expect(document.shells.map(\.neighbours) == [[6, 6], [12, 12], [6, 6], [6, 6]])
        #expect(document.shells[0].allowed?.dm == ["0", "D", "-D"])
    }

    @Test("models without symmetry: by length and ions")
    func plain() throws {
        let workplace = try Workplace()
        let document = try workplace.document(Document.self, ["crystal", "pcsmo-goodenough", "--shells", "3.86"])
        #expect(document.space_group == nil)
        #expect(document.anisotropy == nil)
        // Butler et al.: 32 bonds along the zigzags and between them, and 4 + 4 within bilayers.
        #expect(document.shells.map(\.bonds.count) == [32, 4, 4])
        #expect(document.shells.map(\.ions) == [["Mn4", "Mn3"], ["Mn4", "Mn4"], ["Mn3", "Mn3"]])
        #expect(document.shells.allSatisfy { $0.allowed == nil })
    }

    private static let cif = """
        data_fluoride
        _cell_length_a 4.87
        _cell_length_b 4.87
        _cell_length_c 3.31
        _cell_angle_alpha 90
        _cell_angle_beta 90
        _cell_angle_gamma 90
        _space_group_IT_number 136
        loop_
        _atom_site_label
        _atom_site_type_symbol
        _atom_site_fract_x
        _atom_site_fract_y
        _atom_site_fract_z
        Mn1 Mn2+ 0 0 0
        F1 F1- 0.305 0.305 0
        """

    @Test("a CIF file in place of a model")
    func cif() throws {
        let workplace = try Workplace()
        try workplace.write(Self.cif, to: "mnf2.cif")
        let all = try workplace.document(Document.self, ["crystal", "mnf2.cif", "--shells", "2.2"])
        #expect(all.sites.map(\.ion) == ["Mn2", "Mn2", "F1-", "F1-", "F1-", "F1-"])
        // A manganese ion of a rutile has six fluorines, two and four of them at nearly the same distance.
        #expect(all.shells.filter { Set($0.ions) == ["Mn2", "F1-"] }.map { $0.neighbours[0] }.reduce(0, +) == 6)
        let magnetic = try workplace.document(
            Document.self, ["crystal", "mnf2.cif", "--atoms", "Mn2", "--shells", "4"])
        // T34: two neighbours along c and eight in the corners.
        #expect(magnetic.shells.map(\.neighbours) == [[2, 2], [8, 8]])
        #expect(magnetic.space_group?.number == 136)
        let wrong = try workplace.spinweave("crystal", "mnf2.cif", "--atoms", "Mn3")
        #expect(wrong.status == 2)
        #expect(wrong.errors.contains("mnf2.cif has no atom or ion 'Mn3'"))
        try workplace.write(Self.cif.replacing("_cell_length_a 4.87", with: "_cell_length_a about five"), to: "bad.cif")
        let bad = try workplace.spinweave("crystal", "bad.cif")
        #expect(bad.status == 2)
        #expect(bad.errors.hasPrefix("bad.cif:2:"))
    }

    @Test("mistakes")
    func mistakes() throws {
        let workplace = try Workplace()
        try workplace.write(Self.pyrochlore.replacing("Fd-3m", with: "Fd-3n"), to: "wrong.yaml")
        let group = try workplace.spinweave("crystal", "./wrong.yaml")
        #expect(group.status == 2)
        #expect(group.errors.contains("no space group is called 'Fd-3n'"))
        #expect(group.errors.contains("did you mean 'F d -3 m'?"))
        try workplace.write(Self.pyrochlore, to: "pyrochlore.yaml")
        let distance = try workplace.spinweave("crystal", "./pyrochlore.yaml", "--shells", "far")
        #expect(distance.status == 64)
        #expect(distance.errors.contains("--shells far: write a length, such as 6 or '0.6 nm'"))
        let many = try workplace.spinweave("crystal", "./pyrochlore.yaml", "--shells", "500")
        #expect(many.status == 2)
        #expect(many.errors.contains("there are more than 200000 bonds"))
    }
}
