import Diagnostics

/// Columns of numbers from a text file that a person wrote: `h k l` lists and the like.
///
/// One line a row; cells separated by commas, semicolons, tabs or blanks; `#` starts a comment; empty lines do not
/// count. A first line with anything that is no number names the columns.
public struct NumericTable: Hashable, Sendable {
    /// One name per column; empty where the file has no heading line.
    public var names: [String]
    public var rows: [[Double]]
    /// The line of each row in the file, counted from 1.
    public var lines: [Int]

    /// Reads the file at `path`.
    public static func read(path: String) throws(InterchangeError) -> NumericTable {
        let bytes = try AtomicFile.read(path)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw InterchangeError("not a text file in UTF-8", file: path, hint: "export the table as plain text")
        }
        return try NumericTable(parsing: text, file: path)
    }

    /// Reads `text`; `file` is what errors call it. Every bad cell and every row of the wrong length is reported.
    public init(parsing text: String, file: String) throws(InterchangeError) {
        (names, rows, lines) = ([], [], [])
        var columns: Int?
        var problems: [Diagnostic] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let cells = Self.cells(of: line)
            guard !cells.isEmpty else { continue }
            func range(_ cell: Cell) -> SourceRange {
                SourceRange(file: file, line: index + 1, column: cell.column, length: cell.text.count)
            }
            let numbers = cells.map { Double($0.text) }
            if columns == nil, numbers.contains(nil) {
                names = cells.map(\.text)
                columns = cells.count
                continue
            }
            for (cell, number) in zip(cells, numbers) where number == nil {
                problems.append(Diagnostic("'\(cell.text)' is not a number", at: range(cell)))
            }
            if cells.count != columns ?? cells.count {
                problems.append(
                    Diagnostic(
                        "this row has \(cells.count) cells where \(columns ?? 0) are expected", at: range(cells[0])))
            }
            columns = columns ?? cells.count
            rows.append(numbers.compactMap { $0 })
            lines.append(index + 1)
        }
        if let first = problems.first {
            throw InterchangeError(
                first.message, file: file, at: first.range, hint: "one row a line, decimal point '.', '#' for comments",
                further: Array(problems.dropFirst()))
        }
    }

    /// The columns of these names, in this order: one row of `wanted.count` numbers per line.
    ///
    /// Without a heading line the file must have exactly these columns. A missing name is an error that suggests the
    /// nearest one.
    public func columns(_ wanted: [String], file: String) throws(InterchangeError) -> [[Double]] {
        if names.isEmpty {
            if let row = rows.first, row.count != wanted.count {
                throw InterchangeError(
                    "\(row.count) columns without names where \(wanted.joined(separator: ", ")) are expected",
                    file: file, hint: "begin the file with a line of column names")
            }
            return rows
        }
        var places: [Int] = []
        for name in wanted {
            guard
                let place = names.firstIndex(of: name)
                    ?? names.firstIndex(where: { $0.lowercased() == name.lowercased() })
            else {
                let suggestion = Spelling.nearest(to: name, among: names).map { "did you mean '\($0)'?" }
                throw InterchangeError(
                    "no column is called '\(name)'", file: file,
                    hint: suggestion ?? "the columns are \(names.joined(separator: ", "))")
            }
            places.append(place)
        }
        return rows.map { row in places.map { row[$0] } }
    }

    private struct Cell {
        var text: String
        /// Counted from 1, in characters.
        var column: Int
    }

    /// Cells before any comment. Blanks alone separate; one comma with blanks around it separates once, and two commas
    /// enclose an empty cell, which is no number.
    private static func cells(of line: Substring) -> [Cell] {
        var cells: [Cell] = []
        var current = Cell(text: "", column: 1)
        var afterComma = false
        func isComma(_ c: Character) -> Bool { c == "," || c == ";" }
        func flush(column: Int, comma: Bool) {
            if !current.text.isEmpty {
                cells.append(Cell(text: unquoted(current.text), column: current.column))
                afterComma = comma
            } else if comma {
                if afterComma || cells.isEmpty { cells.append(Cell(text: "", column: column)) }
                afterComma = true
            }
            current.text = ""
        }
        var column = 0
        for character in line {
            column += 1
            if character == "#" { break }
            if isComma(character) || character.isWhitespace || character == "\u{FEFF}" {
                flush(column: column, comma: isComma(character))
            } else {
                if current.text.isEmpty { current.column = column }
                current.text.append(character)
            }
        }
        flush(column: column, comma: false)
        return cells
    }

    private static func unquoted(_ text: String) -> String {
        text.count >= 2 && text.first == "\"" && text.last == "\"" ? String(text.dropFirst().dropLast()) : text
    }
}
