import Diagnostics
import Foundation
import SpinWaves
import Testing

@testable import Stages

/// Models whose crystal is in a CIF file.
@Suite("CIF files of models")
struct CrystalFileModelTests {
    private static let cif = """
        data_MnF2
        _cell_length_a 4.87
        _cell_length_b 4.87
        _cell_length_c 3.31
        _cell_angle_alpha 90
        _cell_angle_beta 90
        _cell_angle_gamma 90
        loop_
        _space_group_symop_magn_operation.xyz
        -y+1/2,x+1/2,z+1/2,-1
        -x+1/2,y+1/2,-z+1/2,+1
        -x,-y,-z,+1
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
        Mn1 0 0 4.6
        """

    private static let model = """
        cif: mnf2.mcif
        parameters: {J1: -0.05 meV, J2: 0.3 meV, D: -0.05 meV}
        sites: [{label: Mn1, spin: 5/2}]
        exchange:
          - {parameter: J1, shell: 1}
          - {parameter: J2, shell: 2}
        anisotropy: [{parameter: D, axis: z}]
        """

    /// The model in a folder with its CIF file, each with one text replaced.
    private func read(
        model: (String, String) = ("", ""), cif: (String, String) = ("", "")
    ) throws -> Result<SpinModel, DiagnosticList> {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("spinweave-cif-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func changed(_ text: String, _ change: (String, String)) -> String {
            change.0.isEmpty ? text : text.replacingOccurrences(of: change.0, with: change.1)
        }
        try changed(Self.cif, cif).write(
            to: folder.appendingPathComponent("mnf2.mcif"), atomically: true, encoding: .utf8)
        try changed(Self.model, model).write(
            to: folder.appendingPathComponent("m.yaml"), atomically: true, encoding: .utf8)
        do {
            return .success(try readModel(at: folder.appendingPathComponent("m.yaml").path))
        } catch let list as DiagnosticList {
            return .failure(list)
        }
    }

    private func problem(model: (String, String) = ("", ""), cif: (String, String) = ("", "")) throws -> String {
        switch try read(model: model, cif: cif) {
        case .success: return "none"
        case .failure(let list):
            // Without the temporary folder's name.
            return list.diagnostics.map { diagnostic in
                let file =
                    diagnostic.range.map {
                        "\(URL(fileURLWithPath: $0.file).lastPathComponent):\($0.line): "
                    } ?? ""
                return file + diagnostic.message
            }.joined(separator: "\n")
        }
    }

    @Test("MnF2 from its magnetic CIF file: spins against the moments, published energies")
    func magnetic() throws {
        for change in [("", ""), ("label: Mn1", "ion: Mn2"), ("label: Mn1", "label: Mn1, ion: Mn2, g: 2")] {
            let model = try read(model: change).get()
            #expect(model.sites.map(\.ion) == ["Mn2", "Mn2"])
            #expect(model.sites.map(\.direction) == [Vector3(0, 0, -1), Vector3(0, 0, 1)])
            // SpinW tutorial 39, six decimals.
            for energy in try model.hamiltonian().modes(at: Vector3(0.1, 0.2, 0.3)).energies {
                #expect(abs(energy - 5.991415) < 1e-6)
            }
        }
    }

    @Test("directions in the model file go before moments")
    func given() throws {
        let model = try read(model: ("spin: 5/2", "spin: 5/2, direction: [[0, 0, 1], [0, 0, -1]]")).get()
        #expect(model.sites.map(\.direction) == [Vector3(0, 0, 1), Vector3(0, 0, -1)])
    }

    @Test("what can be wrong between a model and its CIF file")
    func problems() throws {
        #expect(
            try problem(model: ("mnf2.mcif", "x.cif")).contains("x.cif cannot be read: "))
        #expect(
            try problem(model: ("cif: mnf2.mcif", "cif: mnf2.mcif\nsymmetry: {space-group: 1}"))
                == "m.yaml:2: 'symmetry' and 'cif' at once: the CIF file gives the symmetry")
        #expect(
            try problem(model: ("label: Mn1", "label: Mn2")) == "m.yaml:3: the CIF file has no atom 'Mn2'")
        #expect(try problem(model: ("label: Mn1", "ion: Fe3")) == "m.yaml:3: the CIF file has no ion 'Fe3'")
        #expect(
            try problem(model: ("spin: 5/2", "spin: 5/2, position: [0, 0, 0]"))
                == "m.yaml:3: a site of a CIF file has its position from there")
        #expect(
            try problem(cif: ("Mn1 Mn2+ 0 0 0", "Mn1 Mn2+ 0 0"))
                == "mnf2.mcif:13: this is no CIF file: Wrong number of values in the loop")
        #expect(
            try problem(cif: ("Mn1 0 0 4.6", "Mn1 3 0 4.6"))
                == "m.yaml:3: the operation -x, -y, z keeps site Mn1-1 and turns its moment")
        #expect(try problem(cif: ("Mn1 0 0 4.6", "F1 0 0 1")) == "m.yaml:3: site Mn1 needs 'direction'")
        #expect(
            try problem(
                cif: (
                    "_atom_site_fract_z\nMn1 Mn2+ 0 0 0\nF1 F 0.305 0.305 0",
                    "_atom_site_fract_z\n_atom_site_occupancy\nMn1 Mn2+ 0 0 0 0.8\nF1 F 0.305 0.305 0 1"
                ))
                == "m.yaml:3: atom Mn1 fills 0.8 of its sites")
    }
}
