import Foundation
import Testing

@testable import SpinWaves

/// CIF files as published ones are written, with facts of known crystals.
enum SampleCIF {
    /// Rutile MnF2: a = 4.873, c = 3.31, F at x = 0.305.
    static let fluoride = """
        data_MnF2
        _cell_length_a   4.873(1)
        _cell_length_b   4.873(1)
        _cell_length_c   3.310
        _cell_angle_alpha 90
        _cell_angle_beta  90.0
        _cell_angle_gamma 90
        _symmetry_space_group_name_H-M 'P 42/m n m'
        loop_
        _symmetry_equiv_pos_site_id
        _symmetry_equiv_pos_as_xyz
        1 'x, y, z'
        2 '-x, -y, z'
        3 '-y+1/2, x+1/2, z+1/2'
        4 'y+1/2, -x+1/2, z+1/2'
        5 '-x+1/2, y+1/2, -z+1/2'
        6 'x+1/2, -y+1/2, -z+1/2'
        7 'y, x, -z'
        8 '-y, -x, -z'
        9 '-x, -y, -z'
        loop_
        _atom_site_label
        _atom_site_type_symbol
        _atom_site_fract_x
        _atom_site_fract_y
        _atom_site_fract_z
        _atom_site_occupancy
        Mn1 Mn2+ 0 0 0 1
        F1  F1-  0.305(1) 0.305(1) 0 .
        """

    /// MnF2 below 67 K, P 42'/m n m' (BNS 136.499): moments along c, opposite on the two sites.
    static let magnetic = """
        data_MnF2
        _cell_length_a 4.873
        _cell_length_b 4.873
        _cell_length_c 3.310
        _cell_angle_alpha 90
        _cell_angle_beta 90
        _cell_angle_gamma 90
        loop_
        _space_group_symop_magn_operation.id
        _space_group_symop_magn_operation.xyz
        1 x,y,z,+1
        2 -x,-y,z,+1
        3 -y+1/2,x+1/2,z+1/2,-1
        4 y+1/2,-x+1/2,z+1/2,-1
        5 -x+1/2,y+1/2,-z+1/2,+1
        6 x+1/2,-y+1/2,-z+1/2,+1
        7 y,x,-z,-1
        8 -y,-x,-z,-1
        9 -x,-y,-z,+1
        loop_
        _space_group_symop_magn_centering.id
        _space_group_symop_magn_centering.xyz
        1 x,y,z,+1
        loop_
        _atom_site_label
        _atom_site_type_symbol
        _atom_site_fract_x
        _atom_site_fract_y
        _atom_site_fract_z
        Mn1 Mn2+ 0 0 0
        F1 F 0.305 0.305 0
        loop_
        _atom_site_moment.label
        _atom_site_moment.crystalaxis_x
        _atom_site_moment.crystalaxis_y
        _atom_site_moment.crystalaxis_z
        Mn1 0 0 4.6(1)
        """

    /// A hexagonal cell doubled along c by a centring with time reversal; 1/3 in four digits; the moment along a + 2b.
    static let doubled = """
        data_doubled
        _cell_length_a 4
        _cell_length_b 4
        _cell_length_c 12
        _cell_angle_alpha 90
        _cell_angle_beta 90
        _cell_angle_gamma 120
        loop_
        _space_group_symop_magn_operation.xyz
        x,y,z,+1
        loop_
        _space_group_symop_magn_centering.xyz
        x,y,z,+1
        x,y,z+1/2,-1
        loop_
        _atom_site_label
        _atom_site_fract_x
        _atom_site_fract_y
        _atom_site_fract_z
        Fe1 0.3333 0.6667 0
        loop_
        _atom_site_moment_label
        _atom_site_moment_crystalaxis_x
        _atom_site_moment_crystalaxis_y
        _atom_site_moment_crystalaxis_z
        Fe1 1 2 0
        """
}

@Suite("CIF files")
struct CrystalFileTests {
    private func crystal(_ file: CrystalFile, _ labels: [String]) throws -> Crystal {
        try Crystal(
            lattice: file.lattice, spaceGroup: file.spaceGroup,
            asymmetricUnit: file.atoms.filter { labels.contains($0.label) }.map {
                AsymmetricSite(label: $0.label, ion: $0.ion, position: $0.position)
            }, tolerance: CrystalFile.tolerance)
    }

    @Test("cell, operations and atoms of a rutile")
    func fluoride() throws {
        let file = try CrystalFile(SampleCIF.fluoride)
        #expect([file.lattice.a, file.lattice.b, file.lattice.c] == [4.873, 4.873, 3.31])
        // P 42/m n m has 16 operations; the file lists nine that generate them.
        #expect(file.spaceGroup.operators.count == 16)
        let standard = try SpaceGroup(number: 136)
        #expect(Set(file.spaceGroup.operators) == Set(standard.operators))
        #expect(file.atoms.map(\.label) == ["Mn1", "F1"])
        #expect(file.atoms.map(\.ion) == ["Mn2", "F1-"])
        #expect(file.atoms[1].position == Vector3(0.305, 0.305, 0))
        #expect(file.atoms.map(\.occupancy) == [1, 1])
        #expect(!file.isMagnetic)
        let made = try crystal(file, ["Mn1", "F1"])
        #expect(made.sites.count == 6)
        #expect(made.spaceGroupType?.number == 136)
    }

    @Test("a file with a symbol or a number and no operations")
    func bySymbol() throws {
        let start = try #require(SampleCIF.fluoride.firstRange(of: "loop_"))
        let end = try #require(SampleCIF.fluoride.firstRange(of: "loop_\n_atom_site_label"))
        let bare = SampleCIF.fluoride.replacingCharacters(in: start.lowerBound..<end.lowerBound, with: "")
        #expect(try CrystalFile(bare).spaceGroup.number == 136)
        let numbered = bare.replacing(
            "_symmetry_space_group_name_H-M 'P 42/m n m'", with: "_space_group_IT_number 136")
        #expect(try CrystalFile(numbered).spaceGroup.number == 136)
    }

    @Test("moments of a magnetic file go around with time reversal")
    func magnetic() throws {
        let file = try CrystalFile(SampleCIF.magnetic)
        #expect(file.isMagnetic)
        #expect(file.spaceGroup.operators.count == 16)
        #expect(file.atoms[0].moment == Vector3(0, 0, 4.6))
        #expect(file.atoms[1].moment == nil)
        let crystal = try crystal(file, ["Mn1"])
        #expect(crystal.spaceGroupType?.number == 136)
        let moments = try crystal.moments(Vector3(0, 0, 4.6), at: 0)
        // A mean over the eight operations that keep a site.
        #expect((moments[0].moment - Vector3(0, 0, 4.6)).length < 1e-14)
        #expect((moments[1].moment - Vector3(0, 0, -4.6)).length < 1e-14)
        // The twofold axis along c on the site turns a moment along a.
        #expect(throws: CrystalError.self) { try crystal.moments(Vector3(1, 0, 0), at: 0) }
    }

    @Test("crystal axes, and a centring with time reversal")
    func doubled() throws {
        let file = try CrystalFile(SampleCIF.doubled)
        // a + 2b of unit vectors at 120° is √3 along y.
        let moment = try #require(file.atoms[0].moment)
        #expect((moment - Vector3(0, 3.0.squareRoot(), 0)).length < 1e-12)
        #expect(file.atoms[0].ion == "Fe")
        let crystal = try crystal(file, ["Fe1"])
        #expect(crystal.sites.map(\.position.z) == [0, 0.5])
        let moments = try crystal.moments(moment, at: 0)
        #expect((moments[0].moment + moments[1].moment).length < 1e-12)
    }

    @Test("1/3 in four digits is a special position in a file")
    func rounded() throws {
        let lattice = try KnownCrystals.hexagonal(4, 6)
        let crystal = try Crystal(
            lattice: lattice, spaceGroup: SpaceGroup(number: 194),
            asymmetricUnit: [KnownCrystals.site("M", Vector3(0.3333, 0.6667, 0.25))], tolerance: CrystalFile.tolerance)
        #expect(crystal.sites.count == 2)
    }

    @Test("a magnetic cell of many chemical ones has many centrings, such as the 32 of MnO's")
    func supercell() throws {
        // Quarters along each axis, those along c with time reversal: 64 centrings of each of 16 operations.
        let file = try CrystalFile(
            SampleCIF.magnetic.replacing(
                "1 x,y,z,+1\nloop_",
                with: "1 x,y,z,+1\n2 x+1/4,y,z,+1\n3 x,y+1/4,z,+1\n4 x,y,z+1/4,-1\nloop_"))
        #expect(file.spaceGroup.operators.count == 16 * 64)
    }

    @Test("a face-centred cell with an anticentring at 1/2 1/2 1/2 has 384 operations")
    func largest() throws {
        let faces = try SpaceGroup(number: 225).operators
        let anticentring = SymmetryOperator(
            rotation: .identity, translation: Vector3(0.5, 0.5, 0.5), reversesTime: true)
        let group = try SpaceGroup(generators: faces + [anticentring], limit: 384)
        #expect(group.operators.count == 384)
        // The points of F and those 1/2 1/2 1/2 away make a primitive cube of half the edge: P m -3 m.
        let cube = try Lattice(a: 8, b: 8, c: 8)
        #expect(SpaceGroupTable.type(of: group.operators, lattice: cube)?.number == 221)
        // A grey group has each operation twice.
        let grey = try SpaceGroup(
            generators: faces + [SymmetryOperator(rotation: .identity, translation: .zero, reversesTime: true)],
            limit: 384)
        #expect(grey.operators.count == 384)
        #expect(SpaceGroupTable.type(of: grey.operators, lattice: cube)?.number == 225)
    }

    /// One text replaced; message and line.
    private func failure(_ old: String, _ new: String, of text: String = SampleCIF.magnetic) -> String {
        let changed = text.replacing(old, with: new)
        if changed == text { return "the text to replace is not there" }
        do {
            _ = try CrystalFile(changed)
            return "no error"
        } catch {
            guard case .file(let message, let line) = error else { return "\(error)" }
            return (line.map { "\($0): " } ?? "") + message
        }
    }

    @Test("what is wrong with a file, and in which line")
    func malformed() {
        #expect(failure("F1 F 0.305 0.305 0", "F1 F 0.305 0.305").hasPrefix("24: this is no CIF file: "))
        #expect(failure("data_MnF2", "MnF2") == "1: this is no CIF file: expected block header (data_)")
        #expect(
            failure("_cell_length_a 4.873", "_cell_length_a four") == "2: _cell_length_a is 'four', which is no number")
        #expect(failure("_cell_length_a 4.873", "_cell_length_a ?") == "2: _cell_length_a has no value")
        #expect(
            failure("_cell_length_a 4.873", "_cell_length_a -4") == "2: the cell edge a must be positive, not -4.0 Å")
        #expect(
            failure("_cell_length_b 4.873", "_cell_length_a 4.873")
                == "3: this is no CIF file: duplicate tag _cell_length_a")
        #expect(failure("_cell_angle_gamma 90\n", "") == "2: the file has no _cell_angle_gamma")
        #expect(
            failure("7 y,x,-z,-1", "7 y,x,-w,-1")
                == "8: 'y,x,-w,-1' is no symmetry operation: 'w' is neither x, y, z nor a number")
        #expect(
            failure("7 y,x,-z,-1", "7 x+y,y,z,+1")
                == "8: products of these operators do not end: more than 3072 operations")
        #expect(failure("F1 F 0.305", "Mn1 F 0.305") == "24: two atoms have the label Mn1")
        #expect(
            failure("Mn1 0 0 4.6(1)", "Fe1 0 0 4.6(1)") == "32: there is a moment of Fe1, which is no atom of the file")
        #expect(
            failure("Mn1 0 0 4.6(1)", "Mn1 0 0 .") == "32: _atom_site_moment_crystalaxis_z of Mn1 has no value")
        #expect(
            failure("_atom_site_moment.crystalaxis_z", "_atom_site_moment.cartn_z")
                == "32: the loop of moments has no _atom_site_moment_crystalaxis_z")
        #expect(failure("_atom_site_label", "_atom_site_name") == "the file has no atoms: no _atom_site_label")
        #expect(failure("_cell_length_a", "_cell_edge_a") == "the file has no cell: no block has _cell_length_a")
        #expect(
            failure(
                "_symmetry_equiv_pos_as_xyz", "_symmetry_xyz",
                of: SampleCIF.fluoride.replacing("'P 42/m n m'", with: "?"))
                == "2: the file gives no symmetry: neither operations nor the symbol of a space group")
        #expect(failure("data_MnF2", SampleCIF.doubled + "\ndata_MnF2").hasSuffix("keep one of them"))
    }

    @Test("what published files hold besides: text blocks, other loops, comments, atoms without a position")
    func published() throws {
        let text =
            "#(C) nobody\n"
            + SampleCIF.fluoride.replacing(
                "_cell_length_a",
                with: """
                    _publ_section_title
                    ;
                     On rutile; loop_ and data_ stand here, too
                    ;
                    loop_
                    _publ_author_name
                    'Müller, A.'
                    "O'Neill, B."
                    _cell_length_a
                    """) + "\nH1 H ? ? ? 1\nloop_\n_atom_site_aniso_label\n_atom_site_aniso_U_11\nMn1 0.01(2)\n"
        let file = try CrystalFile(text)
        #expect(file.atoms.map(\.label) == ["Mn1", "F1"])
        #expect(file.lattice.a == 4.873)
    }

    @Test("no damage to a file ends the program")
    func damaged() {
        var random = SmallRandom(state: 17)
        let sample = Array(SampleCIF.magnetic.utf8)
        for _ in 0..<3000 {
            var bytes = sample
            for _ in 0..<3 {
                let at = Int((random.next() + 1) / 2 * Double(bytes.count - 1))
                switch Int((random.next() + 1) * 2) {
                case 0: bytes.remove(at: at)
                case 1: bytes.insert(bytes[bytes.count - 1 - at], at: at)
                case 2: bytes.removeSubrange(at..<min(bytes.count, at + 9))
                default: bytes[at] = UInt8((random.next() + 1) / 2 * 255)
                }
            }
            // Whatever it holds, it is a crystal or an error.
            if let file = try? CrystalFile(String(decoding: bytes, as: UTF8.self)) {
                #expect(file.spaceGroup.operators.count <= CrystalFile.operationLimit)
            }
        }
    }
}
