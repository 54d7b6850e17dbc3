import Diagnostics
import Yams

/// Reads one YAML document into values that know where they stand.
///
/// Anchors, aliases and `<<` merges are resolved; what they bring keeps the place of its definition. A key that
/// stands twice in one mapping is an error.
///
/// - Parameter file: the path as the user gave it, for messages.
/// - Throws: every problem found; a syntax error hides what follows it.
public func parseYAML(text: String, file: String) throws(DiagnosticList) -> Located {
    let (value, diagnostics) = try readYAML(text: text, file: file)
    guard diagnostics.isEmpty else { throw DiagnosticList(diagnostics) }
    guard let value else {
        throw DiagnosticList([
            Diagnostic("the file is empty", at: SourceRange(file: file, line: 1, column: 1))
        ])
    }
    return value
}

/// The lines of a text as this reader counts them, for messages that quote one.
public func yamlLines(of text: String) -> [String] {
    SourceLines(withoutByteOrderMark(text), file: "").strings
}

/// Reads a value as far as it makes sense, so that the caller can go on and find its own problems too.
///
/// - Returns: nil for a text without a value (empty, or comments alone).
/// - Throws: a syntax error.
func readYAML(text: String, file: String) throws(DiagnosticList) -> (value: Located?, diagnostics: [Diagnostic]) {
    let text = withoutByteOrderMark(text)
    let lines = SourceLines(text, file: file)
    let masked = try MaskedYAML(text, lines: lines)
    guard let root = masked.root else { return (nil, []) }
    var reader = YAMLReader(lines: lines, masked: masked)
    let value = reader.located(root)
    return (value, reader.diagnostics)
}

/// libYAML takes a byte-order mark for the first column and then finds the second line indented differently.
func withoutByteOrderMark(_ text: String) -> String {
    text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
}

/// Turns Yams' nodes into `Located` values.
private struct YAMLReader {
    let lines: SourceLines
    let masked: MaskedYAML
    var diagnostics: [Diagnostic] = []
    /// Aliases of aliases grow a short text into endless values; no honest file comes near this number.
    var remaining = 100_000

    init(lines: SourceLines, masked: MaskedYAML) {
        self.lines = lines
        self.masked = masked
    }

    mutating func located(_ node: Node) -> Located {
        let mark = YAMLMark(of: node)
        remaining -= 1
        if remaining == 0 {
            diagnostics.append(
                Diagnostic(
                    "the aliases of this file stand for more than 100000 values", at: lines.range(at: mark),
                    hint: "write fewer aliases inside anchored values"))
        }
        guard remaining > 0 else { return Located(.scalar("", quoted: false), at: lines.range(at: mark)) }
        switch node {
        case .scalar(let scalar): return located(scalar, at: mark)
        case .sequence(let sequence):
            let items = sequence.map { located($0) }
            return Located(
                .list(items), at: range(at: mark, closing: "]", last: items.last?.range))
        case .mapping(let mapping):
            let entries = entries(of: mapping)
            return Located(
                .mapping(entries),
                at: range(
                    at: mark, closing: "}", last: entries.last?.value.range))
        case .alias:
            // Yams resolves aliases while composing.
            return Located(.scalar("", quoted: false), at: lines.range(at: mark))
        }
    }

    private func located(_ scalar: Node.Scalar, at mark: YAMLMark) -> Located {
        let text = masked.original[scalar.string] ?? scalar.string
        let isQuoted = scalar.style != .plain && scalar.style != .any
        return Located(
            .scalar(text, quoted: isQuoted),
            at: lines.range(line: mark.line - 1, extent: lines.extent(ofScalar: text, at: mark)))
    }

    /// Own keys first, in the order of the file, then what `<<` merges bring and the mapping does not have.
    private mutating func entries(of mapping: Node.Mapping) -> [Located.Entry] {
        var entries: [Located.Entry] = []
        var merged: [Located.Entry] = []
        var lineOfKey: [String: Int] = [:]
        for (keyNode, valueNode) in mapping {
            let mark = YAMLMark(of: keyNode)
            guard case .scalar(let keyScalar) = keyNode else {
                diagnostics.append(
                    Diagnostic("a key must be a name, not a list or a mapping", at: lines.range(at: mark)))
                continue
            }
            let key = located(keyScalar, at: mark)
            let name = key.text ?? ""
            if let line = lineOfKey[name] {
                diagnostics.append(
                    Diagnostic(
                        "'\(name)' stands twice in one mapping; first on line \(line)", at: key.range,
                        hint: name == "<<" ? "merge several with '<<: [*a, *b]'" : "remove or rename one of them"))
                continue
            }
            lineOfKey[name] = mark.line
            let value = located(valueNode)
            if name == "<<", keyScalar.style == .plain {
                merged += mergedEntries(value, keyRange: key.range)
            } else {
                entries.append(.init(key: name, keyRange: key.range, value: value))
            }
        }
        for entry in merged where !entries.contains(where: { $0.key == entry.key }) { entries.append(entry) }
        return entries
    }

    private mutating func mergedEntries(_ value: Located, keyRange: SourceRange) -> [Located.Entry] {
        if let entries = value.entries { return entries }
        if let items = value.items, items.allSatisfy({ $0.entries != nil }) {
            return items.flatMap { $0.entries ?? [] }
        }
        diagnostics.append(
            Diagnostic(
                "'<<' merges a mapping or a list of mappings", at: keyRange,
                hint: "write '<<: *name' where '&name' stands before a mapping"))
        return []
    }

    /// A list or mapping in brackets covers them where they close on the same line; a block one covers its first line.
    private func range(at mark: YAMLMark, closing: Unicode.Scalar, last: SourceRange?) -> SourceRange {
        let index = mark.line - 1
        let scalars = lines.line(index)
        let start = lines.contentStart(of: mark)
        guard start < scalars.count, scalars[start] == "[" || scalars[start] == "{" else {
            return lines.range(line: index, extent: start..<max(start + 1, SourceLines.trimmedEnd(scalars)))
        }
        var column = start + 1
        if let last, last.line == mark.line {
            // Back from characters to scalars.
            let behind = SourceLines.string(scalars).prefix(last.column - 1 + last.length).unicodeScalars.count
            // An alias or an empty value may stand elsewhere on the line: never search before the opening bracket.
            column = max(column, min(behind, scalars.count))
            // An empty value's range is the character behind its colon, which may be the bracket itself.
            if last.length == 1, behind > 0, behind <= scalars.count, scalars[behind - 1] == closing, behind - 1 > start
            {
                column = min(column, behind - 1)
            }
        } else if last != nil {
            return lines.range(line: index, extent: start..<max(start + 1, SourceLines.trimmedEnd(scalars)))
        }
        return lines.range(line: index, extent: start..<lines.flowEnd(line: index, after: column, bracket: closing))
    }
}
