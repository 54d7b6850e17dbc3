import Tensors

/// Comma-separated text: what spreadsheets and plotting programs read.
///
/// Quoting as in RFC 4180; lines end with a line feed. Numbers are the shortest decimals that read back as the same
/// bits; `nan`, `inf` and `-inf` as NumPy and pandas write them.
public enum CSV {
    /// One named column of a table.
    public struct Column: Hashable, Sendable {
        public enum Cells: Hashable, Sendable {
            case doubles([Double])
            case integers([Int])
            case text([String])
        }

        /// The heading, with the unit where there is one: `energy (meV)`.
        public var name: String
        public var cells: Cells

        public init(_ name: String, _ doubles: [Double]) { (self.name, cells) = (name, .doubles(doubles)) }
        public init(_ name: String, _ integers: [Int]) { (self.name, cells) = (name, .integers(integers)) }
        public init(_ name: String, _ text: [String]) { (self.name, cells) = (name, .text(text)) }

        var count: Int {
            switch cells {
            case .doubles(let values): values.count
            case .integers(let values): values.count
            case .text(let values): values.count
            }
        }

        func cell(_ row: Int) -> String {
            switch cells {
            case .doubles(let values): CSV.number(values[row])
            case .integers(let values): String(values[row])
            case .text(let values): CSV.quoted(values[row])
            }
        }
    }

    /// A heading line and one line per row; `name` is what errors call the table.
    ///
    /// Columns of different lengths are an error.
    public static func encode(columns: [Column], name: String = "the table") throws(InterchangeError) -> String {
        let rows = columns.first?.count ?? 0
        if let odd = columns.first(where: { $0.count != rows }) {
            throw InterchangeError(
                "column '\(odd.name)' has \(odd.count) rows where '\(columns[0].name)' has \(rows)", file: name)
        }
        var text = columns.map { quoted($0.name) }.joined(separator: ",") + "\n"
        for row in 0..<rows { text += columns.map { $0.cell(row) }.joined(separator: ",") + "\n" }
        return text
    }

    /// One line per row, no heading: a vector gives one number a line, a matrix one row a line.
    ///
    /// Other ranks are an error: a flat table would lose their shape.
    public static func encode(_ tensor: AnyTensor, name: String = "the array") throws(InterchangeError) -> String {
        guard tensor.shape.count == 1 || tensor.shape.count == 2 else {
            throw InterchangeError(
                "a .csv file holds one or two dimensions; this array has shape \(tensor.shape)", file: name,
                hint: "write it as .npy, which keeps any shape")
        }
        let columns = tensor.shape.count == 2 ? tensor.shape[1] : 1
        let cells: [String] =
            switch tensor {
            case .uint8(let t): t.elements.map(String.init)
            case .int32(let t): t.elements.map(String.init)
            case .int64(let t): t.elements.map(String.init)
            case .float32(let t): t.elements.map(number)
            case .float64(let t): t.elements.map(number)
            }
        var text = ""
        for row in 0..<tensor.shape[0] {
            text += cells[row * columns..<(row + 1) * columns].joined(separator: ",") + "\n"
        }
        return text
    }

    /// Shortest decimals that read back exactly.
    static func number(_ value: some BinaryFloatingPoint & LosslessStringConvertible) -> String { value.description }

    private static func quoted(_ text: String) -> String {
        let special: Set<Character> = [",", "\"", "\n", "\r", "\r\n"]
        // Leading and trailing blanks too: some readers strip them from bare cells.
        guard text.contains(where: special.contains) || text.first == " " || text.last == " " else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
