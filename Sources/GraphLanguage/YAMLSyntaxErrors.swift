import Diagnostics
import Yams

/// Words a libYAML error for someone who does not know YAML's grammar: what, where, what now.
func syntaxDiagnostic(_ error: YamlError, lines: SourceLines, masked: [String: String]) -> Diagnostic {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
        .composer(let context, let problem, let mark, _):
        return syntaxDiagnostic(problem, context: context, at: YAMLMark(mark), lines: lines)
    case .reader(let problem, _, let value, _):
        return readerDiagnostic(problem, value: value, lines: lines)
    default:
        return Diagnostic("YAML: \(error)", at: lines.end)
    }
}

private func syntaxDiagnostic(
    _ problem: String, context: YamlError.Context?, at mark: YAMLMark, lines: SourceLines
) -> Diagnostic {
    let line = lines.line(mark.line - 1)
    let character = mark.column - 1 < line.count ? line[mark.column - 1] : nil
    let place = character == nil && mark.line >= lines.lines.count ? lines.end : lines.range(at: mark)
    let opening = context.map { lines.range(at: YAMLMark($0.mark)) }

    // libYAML blames whatever stands behind a tab, or the block around it; the tab is what there is to mend.
    if let tab = lines.lines.indices.first(where: { hasTabIndentation(lines.line($0)) && $0 <= mark.line }) {
        let column = lines.line(tab).firstIndex(of: "\t") ?? 0
        return Diagnostic(
            "a tab in the indentation", at: lines.range(line: tab, extent: column..<column + 1),
            hint: "YAML is indented with spaces alone")
    }
    switch problem {
    case "mapping values are not allowed in this context":
        return Diagnostic(
            "a ':' that cannot stand here", at: place,
            hint: "indent this line like the one above it, or put a value that holds ': ' in quotation marks")
    case "did not find expected key", "did not find expected '-' indicator":
        return Diagnostic(
            "this does not fit the lines above it", at: place,
            hint: opening.map { "indent it like the block that begins on line \($0.line)" })
    case "could not find expected ':'":
        return Diagnostic(
            "a name without ':' and a value", at: opening ?? place, hint: "write 'name: value'")
    case "did not find expected ',' or '}'", "did not find expected ',' or ']'":
        let bracket = problem.hasSuffix("'}'") ? "{" : "["
        let close = problem.hasSuffix("'}'") ? "}" : "]"
        return Diagnostic(
            "expected ',' or '\(close)'", at: place,
            hint: opening.map { "the '\(bracket)' on line \($0.line), column \($0.column) is not closed before this" })
    case "found unexpected end of stream", "found unexpected document indicator":
        return Diagnostic(
            "a quotation mark that is never closed", at: opening ?? place, hint: "end the text with the same mark")
    case "found undefined alias":
        let name = SourceLines.string(line.dropFirst(mark.column - 1).prefix { !", ]}\t".unicodeScalars.contains($0) })
        return Diagnostic(
            "no value above is named '&\(name.dropFirst())'",
            at: lines.range(line: mark.line - 1, extent: mark.column - 1..<mark.column - 1 + name.unicodeScalars.count),
            hint: "'*name' repeats the value that '&name' marks; put a text that begins with '*' in quotation marks")
    case "did not find expected alphabetic or numeric character":
        return Diagnostic(
            "a value cannot begin with '*' or '&'", at: opening ?? place, hint: "put it in quotation marks")
    case "found character that cannot start any token":
        return Diagnostic(
            "a value cannot begin with '\(character.map(String.init) ?? "")'", at: place,
            hint: "put it in quotation marks")
    case "found unknown escape character":
        return Diagnostic(
            "an escape that YAML does not know", at: place,
            hint: "in double quotation marks write '\\\\' for a backslash, or use single quotation marks")
    case "block sequence entries are not allowed in this context":
        return Diagnostic(
            "a list item '-' cannot stand here", at: place, hint: "begin the list on a line of its own")
    case "but found another document":
        return Diagnostic(
            "a second document begins here", at: place, hint: "keep one document a file and remove the '---'")
    case "did not find expected <document start>":
        return Diagnostic(
            "this does not belong to the value above it", at: place,
            hint: "a file is one mapping: every line at the margin is 'name: value'")
    default:
        return Diagnostic("YAML: \(problem)", at: place, hint: context.map { "\($0.text), line \($0.mark.line)" })
    }
}

private func hasTabIndentation(_ line: [Unicode.Scalar]) -> Bool {
    let indent = line.prefix { $0 == " " || $0 == "\t" }
    return indent.contains("\t") && indent.count < line.count && line[indent.count] != "#"
}

private func readerDiagnostic(_ problem: String, value: Int32, lines: SourceLines) -> Diagnostic {
    // Yams' offset of reader errors counts bytes, not characters; the character itself is easier to find.
    for (index, line) in lines.lines.enumerated() {
        if let column = line.firstIndex(where: { Int32(bitPattern: $0.value) == value }) {
            let code = String(value, radix: 16, uppercase: true)
            return Diagnostic(
                "a character that YAML does not allow (U+\(String(repeating: "0", count: max(0, 4 - code.count)))\(code))",
                at: lines.range(line: index, extent: column..<column + 1), hint: "remove it")
        }
    }
    return Diagnostic("YAML: \(problem)", at: lines.end)
}
