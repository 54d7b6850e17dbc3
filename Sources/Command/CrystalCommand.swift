import ArgumentParser
import Artifacts
import Diagnostics
import Foundation
import Presentation
import Quantities
import SpinWaves
import Stages

struct CrystalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crystal",
        abstract: "Sites, neighbour shells and allowed exchange of a model's crystal.",
        discussion: """
            Reads 'lattice' with 'symmetry' (or 'cif') and the positions of 'sites' of a model file; spins and exchange \
            need not be there yet. Prints the sites that symmetry makes, for each kind of site the single-ion tensors that \
            its symmetry allows, and the bonds by shell: those that the space group maps onto each other, counted once.

            The number of a shell is what 'shell:' in an exchange of the model file means. A line such as
              shell 3: Mn–Mn 3.860 Å × 8, neighbours 4 of Mn1-1 and 2 of Mn2-1
            has the ions, the length, the bonds per cell and how many of them end at each of the two sites. Below stand the \
            bond that a matrix in the model file is given for, and the shape of that matrix: independent entries as \
            letters, Cartesian axes (x along a, y in the plane of a and b, z along c*), and the vector D of \
            D·(Si × Sj). Zeros and equal letters are forced by symmetry. The matrices of the other bonds follow.

            A CIF file may stand in place of a model: of all its atoms, of those with moments where it has moments, or of \
            those that --atoms names. A model file takes it by 'cif: FILE'.

            Without symmetry in the model, bonds of one length between the same ions make a shell, and nothing is said \
            of shapes.

            EXAMPLES
              spinweave crystal models/pyrochlore.yaml --shells '4 angstrom'
              spinweave crystal mnf2.cif --atoms Mn2 --format json
            """)

    @Argument(help: "A model: a name of graphs/models, or the path of a model file; or the path of a CIF file.")
    var model: String

    @Option(
        help: ArgumentHelp(
            "The longest bonds to list, in angstrom where no unit stands (default: the first five lengths).",
            valueName: "distance"))
    var shells: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp("Of a CIF file: an ion or atom to take. May be repeated.", valueName: "name"))
    var atoms: [String] = []

    @OptionGroup var format: FormatOptions

    func run() throws {
        let search = try load()
        let found: [BondSearch.Shell]
        do {
            found = try list(search)
        } catch let error as CrystalError {
            throw Diagnostic(error.description, hint: error.hint)
        }
        let report = CrystalReport(search: search, shells: found)
        switch format.format {
        case .json: Output.json(report.document)
        case .text: Output.standardOutput(report.text)
        }
    }

    private func load() throws -> BondSearch {
        if model.lowercased().hasSuffix(".cif") || model.lowercased().hasSuffix(".mcif") {
            return try loadCrystal(cif: model, atoms: atoms)
        }
        if !atoms.isEmpty {
            throw ValidationError("--atoms is for CIF files; a model's 'sites' are its magnetic atoms")
        }
        let isPath = model.hasSuffix(".yaml") || model.contains("/")
        let hasGraphs = FileManager.default.fileExists(atPath: "graphs/models")
        return try loadCrystal(name: model, directory: !isPath && hasGraphs ? "graphs" : ".")
    }

    private func list(_ search: BondSearch) throws -> [BondSearch.Shell] {
        guard let shells else { return try search.firstLengths(5) }
        let text = Double(shells) == nil ? shells : shells + " angstrom"
        guard let distance = try? Quantity(text, as: .length).value, distance > 0 else {
            throw ValidationError("--shells \(shells): write a length, such as 6 or '0.6 nm'")
        }
        return try search.shells(upTo: distance)
    }
}
