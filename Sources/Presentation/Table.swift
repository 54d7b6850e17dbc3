/// Rows and columns of text: one table for the terminal and for pages.
public struct Table: Hashable, Sendable {
    public struct Column: Hashable, Sendable {
        public enum Alignment: Sendable { case text, number }

        public var title: String
        /// Shown in the heading: cells hold bare numbers.
        public var unit: String?
        public var alignment: Alignment

        public init(_ title: String, unit: String? = nil, alignment: Alignment = .text) {
            (self.title, self.unit, self.alignment) = (title, unit, alignment)
        }

        /// A right-aligned column.
        public static func number(_ title: String, unit: String? = nil) -> Column {
            Column(title, unit: unit, alignment: .number)
        }

        var heading: String { unit.map { "\(title) (\($0))" } ?? title }
    }

    public var columns: [Column]
    /// Each as long as `columns`; shorter rows end in empty cells.
    public var rows: [[String]]

    public init(columns: [Column], rows: [[String]] = []) {
        (self.columns, self.rows) = (columns, rows)
    }

    func cell(_ row: [String], _ column: Int) -> String { column < row.count ? row[column] : "" }
}

extension Table {
    /// The table for a terminal: a heading, a rule, one line a row; columns two blanks apart.
    ///
    /// - Parameter width: characters a line; columns of text, widest first, are shortened with `…` until a line fits.
    ///   Numbers are never shortened, so a very narrow terminal may wrap.
    public func text(width: Int? = nil) -> String {
        let cells = [columns.map(\.heading)] + rows.map { row in columns.indices.map { Self.oneLine(cell(row, $0)) } }
        var widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        if let width {
            let narrowest = 8
            func total() -> Int { widths.reduce(0, +) + 2 * max(0, widths.count - 1) }
            while total() > width {
                let candidates = columns.indices.filter { columns[$0].alignment == .text && widths[$0] > narrowest }
                // Of equals the last: the first column is the name of the row.
                guard let widest = candidates.reversed().max(by: { widths[$0] < widths[$1] }) else { break }
                widths[widest] -= 1
            }
        }
        var lines = cells.map { row in
            columns.indices.map { column in
                let text = Self.shortened(row[column], to: widths[column])
                let space = String(repeating: " ", count: widths[column] - text.count)
                return columns[column].alignment == .number ? space + text : text + space
            }.joined(separator: "  ").trimmingEnd()
        }
        lines.insert(widths.map { String(repeating: "─", count: $0) }.joined(separator: "  "), at: 1)
        return lines.joined(separator: "\n") + "\n"
    }

    /// `text` in at most `width` characters, its end replaced by `…` where it is longer.
    static func shortened(_ text: String, to width: Int) -> String {
        text.count <= width ? text : width < 1 ? "" : text.prefix(width - 1) + "…"
    }

    private static func oneLine(_ text: String) -> String {
        text.contains(where: \.isNewline) ? text.split(whereSeparator: \.isNewline).joined(separator: " ") : text
    }
}

extension String {
    fileprivate func trimmingEnd() -> String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
