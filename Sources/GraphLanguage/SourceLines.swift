import Diagnostics
import Yams

/// A place as libYAML names it: line and column from 1, the column in Unicode scalars.
struct YAMLMark {
    var line: Int
    var column: Int

    init(_ mark: Mark) {
        line = mark.line
        column = mark.column
    }

    /// Nodes that Yams composed have marks; only nodes made by hand lack them.
    init(of node: Node) {
        line = node.mark?.line ?? 1
        column = node.mark?.column ?? 1
    }
}

/// The lines of a YAML text as libYAML counts them, and the ranges of what stands in them.
///
/// libYAML counts columns in Unicode scalars; people count characters. The two differ where an accent is written
/// as a combining mark (`Å` as `A` and a ring).
struct SourceLines {
    let file: String
    /// Without their ends. libYAML breaks lines at LF, CR, CR LF, NEL, LS and PS.
    let lines: [[Unicode.Scalar]]
    /// Whether a line's scalars are its characters, so that a list of thousands on one line need not be counted anew for
    /// each of them.
    private let isASCII: [Bool]

    init(_ text: String, file: String) {
        self.file = file
        var lines: [[Unicode.Scalar]] = [[]]
        var previous: Unicode.Scalar = " "
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where previous == "\r": break
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": lines.append([])
            default: lines[lines.count - 1].append(scalar)
            }
            previous = scalar
        }
        self.lines = lines
        isASCII = lines.map { $0.allSatisfy(\.isASCII) }
    }

    var strings: [String] { lines.map(Self.string) }

    static func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// The scalars of a line (counted from 0); empty beyond the end.
    func line(_ index: Int) -> [Unicode.Scalar] {
        lines.indices.contains(index) ? lines[index] : []
    }

    /// The range of the scalars `extent` of a line (both counted from 0), in characters counted from 1.
    func range(line index: Int, extent: Range<Int>) -> SourceRange {
        let scalars = line(index)
        if isASCII.indices.contains(index), isASCII[index] {
            let (start, end) = (extent.lowerBound, extent.upperBound)
            let (first, last) = (min(max(0, start), scalars.count), min(max(0, end), scalars.count))
            return SourceRange(file: file, line: index + 1, column: first + 1, length: last - first)
        }
        let start = Self.string(scalars.prefix(max(0, extent.lowerBound))).count
        let end = Self.string(scalars.prefix(max(0, extent.upperBound))).count
        return SourceRange(file: file, line: index + 1, column: start + 1, length: end - start)
    }

    /// The place of one mark, one character long.
    func range(at mark: YAMLMark) -> SourceRange {
        range(line: mark.line - 1, extent: mark.column - 1..<mark.column)
    }

    /// The last line with something in it: where an error at the end of the file points.
    var end: SourceRange {
        let last = lines.lastIndex { $0.contains { !$0.properties.isWhitespace } } ?? 0
        let count = Self.trimmedEnd(line(last))
        return range(line: last, extent: max(0, count - 1)..<count)
    }

    /// Where a node begins once its anchor (`&name`) and tag (`!name`) are skipped.
    func contentStart(of mark: YAMLMark) -> Int {
        let scalars = line(mark.line - 1)
        var column = mark.column - 1
        while column < scalars.count, scalars[column] == "&" || scalars[column] == "!" {
            var next = column
            while next < scalars.count, scalars[next] != " ", scalars[next] != "\t" { next += 1 }
            while next < scalars.count, scalars[next] == " " || scalars[next] == "\t" { next += 1 }
            if next >= scalars.count { break }
            column = next
        }
        return column
    }

    /// The scalars that a YAML scalar covers on its first line, quotation marks included.
    func extent(ofScalar text: String, at mark: YAMLMark) -> Range<Int> {
        let scalars = line(mark.line - 1)
        let start = contentStart(of: mark)
        guard start < scalars.count, !text.isEmpty || scalars[start] == "\"" || scalars[start] == "'" else {
            return start..<start + 1
        }
        switch scalars[start] {
        case "\"", "'":
            return start..<(Self.closingQuote(in: scalars, from: start).map { $0 + 1 } ?? Self.trimmedEnd(scalars))
        case "|", ">":
            return start..<start + 1
        default:
            let written = Array(text.unicodeScalars)
            if scalars[start...].starts(with: written) { return start..<start + written.count }
            return start..<max(start + 1, Self.trimmedEnd(scalars))
        }
    }

    /// The end of what a flow list or mapping covers on its line: behind the bracket that closes it there, or the
    /// end of the line.
    func flowEnd(line index: Int, after column: Int, bracket: Unicode.Scalar) -> Int {
        let scalars = line(index)
        guard column <= scalars.count else { return scalars.count }
        return scalars[column...].firstIndex(of: bracket).map { $0 + 1 } ?? Self.trimmedEnd(scalars)
    }

    static func closingQuote(in scalars: [Unicode.Scalar], from start: Int) -> Int? {
        var position = start + 1
        while position < scalars.count {
            if scalars[start] == "\"", scalars[position] == "\\" {
                position += 2
                continue
            }
            if scalars[position] == scalars[start] {
                let doubled = position + 1 < scalars.count && scalars[position + 1] == "'"
                if scalars[start] == "\"" || !doubled { return position }
                position += 1
            }
            position += 1
        }
        return nil
    }

    static func trimmedEnd(_ scalars: [Unicode.Scalar]) -> Int {
        (scalars.lastIndex { !$0.properties.isWhitespace } ?? -1) + 1
    }
}
