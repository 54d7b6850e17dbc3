import Diagnostics
import Foundation
import GraphLanguage
import SpinWaves

/// Crystals from CIF and magnetic CIF files.
extension ModelReader {
    /// The file that `cif` names, by a path from the model file's folder.
    mutating func readCIF() -> CrystalFile? {
        guard let written = file["cif"] else { return nil }
        for key in ["lattice", "symmetry"] {
            if let extra = file[key] {
                report("'\(key)' and 'cif' at once: the CIF file gives the \(key)", at: extra.range)
            }
        }
        guard let name = written.text, !name.isEmpty else {
            report("'cif' is the path of a file, such as mnf2.cif", at: written.range)
            return nil
        }
        let folder = URL(fileURLWithPath: written.range.file).deletingLastPathComponent()
        let path = name.hasPrefix("/") ? name : folder.appendingPathComponent(name).path
        do {
            return try readCrystalFile(at: path)
        } catch let diagnostic as Diagnostic where diagnostic.range != nil {
            diagnostics.append(diagnostic)
        } catch {
            report("\((error as? Diagnostic)?.message ?? "\(error)")", at: written.range)
        }
        return nil
    }

    /// The atoms that an item of `sites` names: by `label`, or all of its `ion`.
    mutating func atoms(_ item: Located, _ cif: CrystalFile) -> [WrittenSite] {
        if let extra = item["position"] {
            report("a site of a CIF file has its position from there", at: extra.range, hint: "leave out 'position'")
        }
        var chosen: [CrystalFile.Atom]
        if let label = item["label"] {
            chosen = cif.atoms.filter { $0.label == label.text }
            if chosen.isEmpty {
                let known = cif.atoms.map(\.label)
                report(
                    "the CIF file has no atom '\(label.text ?? label.kind)'", at: label.range,
                    hint: Spelling.nearest(to: label.text ?? "", among: known).map { "did you mean '\($0)'?" }
                        ?? "its atoms are \(known.joined(separator: ", "))")
            }
        } else {
            guard let ion = required("ion", in: item, of: "a site without a label") else { return [] }
            chosen = cif.atoms.filter { $0.ion == ion.text }
            if chosen.isEmpty {
                let known = Set(cif.atoms.map(\.ion)).sorted()
                report(
                    "the CIF file has no ion '\(ion.text ?? ion.kind)'", at: ion.range,
                    hint:
                        "its ions are \(known.joined(separator: ", ")); name an atom by its label to give it another ion"
                )
            }
        }
        for atom in chosen where atom.occupancy < 1 - 1e-6 {
            report(
                "atom \(atom.label) fills \(atom.occupancy) of its sites", at: item.range,
                hint: "spin waves are of ordered crystals; for a full site set its occupancy to 1 in a copy of the file"
            )
        }
        return chosen.map { atom in
            WrittenSite(
                item: item,
                site: AsymmetricSite(
                    label: atom.label, ion: item["ion"]?.text ?? atom.ion, position: atom.position),
                moment: atom.moment)
        }
    }
}

/// The crystal of a CIF file.
///
/// - Throws: `Diagnostic`, at its line where one is known.
func readCrystalFile(at path: String) throws -> CrystalFile {
    let text: String
    do {
        // Names of authors may be in any encoding; what matters here is ASCII.
        text = String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
    } catch {
        throw Diagnostic("the file \(path) cannot be read: \(error.localizedDescription)")
    }
    do throws(CrystalError) {
        return try CrystalFile(text)
    } catch {
        if case .file(let message, let line?) = error {
            throw Diagnostic(message, at: SourceRange(file: path, line: line, column: 1))
        }
        throw Diagnostic("\(path): \(error.description)", hint: error.hint)
    }
}

/// The crystal that some atoms of a CIF file make.
///
/// - Parameter names: ions or labels of the file; empty means the atoms with moments or, where there are none, all.
/// - Throws: `Diagnostic`.
public func loadCrystal(cif path: String, atoms names: [String]) throws -> BondSearch {
    let file = try readCrystalFile(at: path)
    let known = Set(file.atoms.flatMap { [$0.ion, $0.label] }).sorted()
    for name in names where !known.contains(name) {
        throw Diagnostic(
            "\(path) has no atom or ion '\(name)'",
            hint: Spelling.nearest(to: name, among: known).map { "did you mean '\($0)'?" }
                ?? "it has \(known.joined(separator: ", "))")
    }
    let chosen = file.atoms.filter { atom in
        names.isEmpty
            ? !file.isMagnetic || atom.moment != nil : names.contains(atom.ion) || names.contains(atom.label)
    }
    if chosen.isEmpty { throw Diagnostic("\(path) has no atoms with positions") }
    do throws(CrystalError) {
        let crystal = try Crystal(
            lattice: file.lattice, spaceGroup: file.spaceGroup,
            asymmetricUnit: chosen.map { AsymmetricSite(label: $0.label, ion: $0.ion, position: $0.position) },
            tolerance: CrystalFile.tolerance)
        return try BondSearch(lattice: file.lattice, sites: [], crystal: crystal)
    } catch {
        throw Diagnostic("\(path): \(error.description)", hint: error.hint)
    }
}
