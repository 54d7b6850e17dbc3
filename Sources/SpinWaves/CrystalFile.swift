/// What a CIF or magnetic CIF file says of a crystal: cell, symmetry, atoms and their moments.
///
/// Magnetic files are read in the setting they are written in (BNS): operations with time reversal times centrings.
public struct CrystalFile: Hashable, Sendable {
    public struct Atom: Hashable, Sendable {
        public var label: String
        /// `Mn2` for the type symbol Mn2+; the element alone where the file gives no charge.
        public var ion: String
        /// Fractional coordinates.
        public var position: Vector3
        /// 1 where the file does not say.
        public var occupancy: Double
        /// Cartesian, in μB; nil where the file gives none.
        public var moment: Vector3?
        /// Line of the loop of atoms.
        public var line: Int
    }

    /// How far apart (fractional) equivalent positions may be to count as one: files give four or five decimals.
    public static let tolerance = 1e-3
    /// The most operations of a file's cell: 48 rotations with 64 centrings, as of a magnetic cell of four by four by four.
    public static let operationLimit = 3072

    public let lattice: Lattice
    public let spaceGroup: SpaceGroup
    /// In the order of the file; those without a position are left out.
    public let atoms: [Atom]
    public var isMagnetic: Bool { atoms.contains { $0.moment != nil } }

    /// - Parameter text: the whole file.
    /// - Throws: `.file` with a line where one is known; errors of operators and cells.
    public init(_ text: String) throws(CrystalError) {
        let document = try CIFDocument(text)
        let crystals = document.blocks.filter { $0.column("_cell_length_a") != nil }
        guard let block = crystals.first else {
            throw .file("the file has no cell: no block has _cell_length_a", line: nil)
        }
        guard crystals.count == 1 else {
            throw .file(
                "the file has several crystals (\(crystals.map(\.name).joined(separator: ", "))); keep one of them",
                line: crystals[1].column("_cell_length_a")?.item.line)
        }
        lattice = try Self.lattice(block)
        spaceGroup = try Self.spaceGroup(block)
        atoms = try Self.atoms(block, lattice)
    }

    // MARK: Cell

    private static func lattice(_ block: CIFDocument.Block) throws(CrystalError) -> Lattice {
        var numbers: [Double] = []
        for tag in ["length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma"] {
            guard let (values, line) = block.values("_cell_" + tag), let text = values.first else {
                throw .file("the file has no _cell_\(tag)", line: block.column("_cell_length_a")?.item.line)
            }
            numbers.append(try number(text, "_cell_" + tag, line: line))
        }
        do {
            return try Lattice(
                a: numbers[0], b: numbers[1], c: numbers[2], alpha: numbers[3], beta: numbers[4], gamma: numbers[5])
        } catch {
            throw .file(error.description, line: block.column("_cell_length_a")?.item.line)
        }
    }

    // MARK: Symmetry

    private static func spaceGroup(_ block: CIFDocument.Block) throws(CrystalError) -> SpaceGroup {
        if let (values, line) = block.values("_space_group_symop_magn_operation_xyz") {
            var generators = try operators(values, line: line)
            if let (centrings, line) = block.values("_space_group_symop_magn_centering_xyz") {
                generators += try operators(centrings, line: line)
            }
            return try closed(generators, line: line)
        }
        if let (values, line) = block.values("_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz") {
            return try closed(try operators(values, line: line), line: line)
        }
        if let (values, line) = block.values("_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m"),
            let symbol = values.first, !symbol.isEmpty
        {
            do { return try SpaceGroup(symbol: symbol) } catch { throw .file(error.description, line: line) }
        }
        if let (values, line) = block.values("_space_group_it_number", "_symmetry_int_tables_number"),
            let text = values.first, !text.isEmpty
        {
            guard let number = Int(text) else {
                throw .file("'\(text)' is no number of a space group", line: line)
            }
            do { return try SpaceGroup(number: number) } catch { throw .file(error.description, line: line) }
        }
        throw .file(
            "the file gives no symmetry: neither operations nor the symbol of a space group",
            line: block.column("_cell_length_a")?.item.line)
    }

    private static func operators(_ texts: [String], line: Int) throws(CrystalError) -> [SymmetryOperator] {
        var result: [SymmetryOperator] = []
        for text in texts {
            do { result.append(try SymmetryOperator(text)) } catch { throw .file(error.description, line: line) }
        }
        return result
    }

    private static func closed(_ generators: [SymmetryOperator], line: Int) throws(CrystalError) -> SpaceGroup {
        do {
            return try SpaceGroup(generators: generators, limit: operationLimit)
        } catch {
            throw .file(error.description, line: line)
        }
    }

    // MARK: Atoms

    private static func atoms(_ block: CIFDocument.Block, _ lattice: Lattice) throws(CrystalError) -> [Atom] {
        guard let (item, labelColumn) = block.column("_atom_site_label") else {
            throw .file("the file has no atoms: no _atom_site_label", line: nil)
        }
        let moments = try moments(block, lattice)
        func text(_ tag: String, _ row: [String]) -> String? {
            item.tags.firstIndex(of: "_atom_site_" + tag).map { row[$0] }
        }
        var atoms: [Atom] = []
        for row in item.rows {
            let label = row[labelColumn]
            // Atoms without a position, as some hydrogens are, cannot be sites.
            let isPlaced = ["x", "y", "z"].allSatisfy { text("fract_" + $0, row) != "" }
            if !isPlaced { continue }
            var position = Vector3.zero
            for (k, axis) in ["x", "y", "z"].enumerated() {
                guard let written = text("fract_" + axis, row) else {
                    throw .file("the loop of atoms has no _atom_site_fract_\(axis)", line: item.line)
                }
                position[k] = try number(written, "_atom_site_fract_\(axis) of \(label)", line: item.line)
            }
            var occupancy = 1.0
            if let written = text("occupancy", row), !written.isEmpty {
                occupancy = try number(written, "_atom_site_occupancy of \(label)", line: item.line)
            }
            if atoms.contains(where: { $0.label == label }) {
                throw .file("two atoms have the label \(label)", line: item.line)
            }
            atoms.append(
                Atom(
                    label: label, ion: ion(text("type_symbol", row), label: label), position: position,
                    occupancy: occupancy, moment: moments[label], line: item.line))
        }
        for label in moments.keys.sorted() where !atoms.contains(where: { $0.label == label }) {
            throw .file(
                "there is a moment of \(label), which is no atom of the file",
                line: block.column("_atom_site_moment_label")?.item.line)
        }
        return atoms
    }

    /// Moments along the cell's axes, in μB, made Cartesian.
    private static func moments(
        _ block: CIFDocument.Block, _ lattice: Lattice
    ) throws(CrystalError) -> [String: Vector3] {
        guard let (item, labelColumn) = block.column("_atom_site_moment_label") else { return [:] }
        var found: [String: Vector3] = [:]
        for row in item.rows {
            var moment = Vector3.zero
            for (k, axis) in ["x", "y", "z"].enumerated() {
                let tag = "_atom_site_moment_crystalaxis_" + axis
                guard let column = item.tags.firstIndex(of: tag) else {
                    throw .file("the loop of moments has no \(tag)", line: item.line)
                }
                let component = try number(row[column], "\(tag) of \(row[labelColumn])", line: item.line)
                moment += component / lattice.cell[k].length * lattice.cell[k]
            }
            found[row[labelColumn]] = moment
        }
        return found
    }

    /// `Mn2` of `Mn2+` or `Mn+2`; the leading letters of the label where there is no type symbol.
    private static func ion(_ symbol: String?, label: String) -> String {
        guard let symbol, !symbol.isEmpty else { return String(label.prefix { $0.isLetter }) }
        return symbol.filter { $0 != "+" }
    }

    /// A number, perhaps with its standard deviation in brackets: `4.873(2)`.
    private static func number(_ text: String, _ what: String, line: Int) throws(CrystalError) -> Double {
        let digits = text.prefix { $0 != "(" }
        guard let value = Double(digits), value.isFinite else {
            throw .file(text.isEmpty ? "\(what) has no value" : "\(what) is '\(text)', which is no number", line: line)
        }
        return value
    }
}
