import Diagnostics

/// Intensities at points of (h, k, l, E), as plain columns of text: a cut.
///
/// A heading names the columns, as the first line or in a comment: `h k l E intensity error`, with `Ei` where there are
/// several incident energies. Columns may stand in any order; others are ignored. Lines, separators and comments are those
/// of `NumericTable`. NaN as intensity means that nothing was measured there.
public struct CutTable: Hashable, Sendable {
    public enum Column: String, CaseIterable, Sendable {
        /// Reciprocal lattice units.
        case h, k, l
        /// Energy transfer, meV.
        case energy
        /// meV
        case incidentEnergy
        case intensity
        /// Standard deviation of the intensity.
        case error

        /// What the heading says in files that are written.
        public var heading: String {
            switch self {
            case .h, .k, .l, .intensity, .error: rawValue
            case .energy: "E"
            case .incidentEnergy: "Ei"
            }
        }

        /// Headings that mean this column, in lower case.
        var names: [String] {
            switch self {
            case .h: ["h", "qh", "[h,0,0]"]
            case .k: ["k", "qk", "[0,k,0]"]
            case .l: ["l", "ql", "[0,0,l]"]
            case .energy: ["e", "en", "energy", "deltae", "de", "hw"]
            case .incidentEnergy: ["ei", "incident-energy", "incident_energy", "efix"]
            case .intensity: ["intensity", "i", "signal", "s", "counts"]
            case .error: ["error", "err", "sigma", "errors", "di", "ds"]
            }
        }

        init?(heading: String) {
            let name = heading.lowercased()
            guard let found = Self.allCases.first(where: { $0.names.contains(name) }) else { return nil }
            self = found
        }
    }

    /// What each column holds; nil for one that is ignored.
    public var columns: [Column?]
    public var rows: [[Double]]
    /// The line of each row in the file, counted from 1.
    public var lines: [Int]

    /// - Precondition: every row has as many numbers as there are columns.
    public init(columns: [Column], rows: [[Double]]) {
        precondition(rows.allSatisfy { $0.count == columns.count }, "rows of another length than \(columns.count)")
        self.columns = columns
        self.rows = rows
        lines = Array(1..<rows.count + 1)
    }

    /// Reads the cut in `text`; `file` is what errors call it. Intensity and energy must be there; a column that is named
    /// twice, a cell that is no number, and a number that is not finite are errors with line and column. Every one of them
    /// is reported.
    public init(parsing text: String, file: String) throws(InterchangeError) {
        let table = try NumericTable(parsing: text, file: file)
        var headings = table.names
        if headings.isEmpty, let width = table.rows.first?.count {
            headings = Self.commentHeading(in: text, width: width) ?? []
        }
        guard !headings.isEmpty else {
            throw InterchangeError(
                "no heading names the columns", file: file, at: SourceRange(file: file, line: 1, column: 1),
                hint: "begin the file with a line such as: h k l E intensity error")
        }
        columns = headings.map { Column(heading: $0) }
        rows = table.rows
        lines = table.lines
        for column in Column.allCases where columns.count(where: { $0 == column }) > 1 {
            throw InterchangeError("the column '\(column.heading)' stands twice", file: file)
        }
        for column in [Column.energy, .intensity] where !columns.contains(column) {
            throw InterchangeError(
                "no column is called '\(column.heading)': found \(headings.joined(separator: ", "))", file: file,
                hint: "name the columns h, k, l, E, intensity, error (and Ei)")
        }
        guard !rows.isEmpty else { throw InterchangeError("the cut has no rows", file: file) }
        let problems = problems(file)
        if let first = problems.first {
            throw InterchangeError(
                first.message, file: file, at: first.range, hint: first.hint, further: Array(problems.dropFirst()))
        }
    }

    private func problems(_ file: String) -> [Diagnostic] {
        var problems: [Diagnostic] = []
        for (row, line) in zip(rows, lines) {
            for (index, column) in columns.enumerated() {
                guard let column else { continue }
                let value = row[index]
                if column == .intensity, value.isNaN { continue }
                // Beside an intensity that was not measured, its error says nothing.
                if column == .error, let at = place(of: .intensity), row[at].isNaN { continue }
                let isBad = !value.isFinite || (column == .error && value < 0)
                if isBad {
                    problems.append(
                        Diagnostic(
                            "\(column.heading) is \(value) in column \(index + 1) of the table",
                            at: SourceRange(file: file, line: line, column: 1),
                            hint: "leave the row out, or give nan as intensity where nothing was measured"))
                }
            }
        }
        return problems
    }

    /// The last comment before the numbers that names at least energy and intensity, as many words as there are columns.
    private static func commentHeading(in text: String, width: Int) -> [String]? {
        var heading: [String]?
        for line in text.split(whereSeparator: \.isNewline) {
            let bare = line.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
            guard bare.first == "#" else { break }
            var words = bare.drop { $0 == "#" }.split { $0.isWhitespace || $0 == ";" || $0 == "|" }.map(String.init)
            // Commas belong to names such as [H,0,0].
            if words.count == 1, !words[0].contains("[") { words = words[0].split(separator: ",").map(String.init) }
            words = words.map { $0.hasSuffix(",") ? String($0.dropLast()) : $0 }
            if words.first?.lowercased() == "columns:" { words.removeFirst() }
            let columns = words.compactMap { Column(heading: $0) }
            if words.count == width, columns.contains(.energy), columns.contains(.intensity) { heading = words }
        }
        return heading
    }

    /// Where a column stands.
    public func place(of column: Column) -> Int? { columns.firstIndex { $0 == column } }

    /// Text that `init(parsing:file:)` reads back to the same numbers, with `comments` above the heading.
    public func encoded(comments: [String] = []) -> String {
        var text = comments.map { "# \($0)\n" }.joined()
        text += columns.map { $0?.heading ?? "other" }.joined(separator: " ") + "\n"
        for row in rows { text += row.map { CSV.number($0) }.joined(separator: " ") + "\n" }
        return text
    }
}
