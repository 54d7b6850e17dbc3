/// Words diagnostics for a terminal: where, what, the quoted line with the place underlined, and the hint.
///
///     graphs/dimer.yaml:12:12: error: no stage is called 'convolve-resolutoin'
///        12 |     stage: convolve-resolutoin
///           |            ^~~~~~~~~~~~~~~~~~~
///       hint: did you mean 'convolve-resolution'?
///
/// A value given by `--set path=value` has no file; its `SourceRange.file` is the whole option, which is then the
/// quoted line.
///
/// - Parameter source: the lines of a file, or nil where they are not at hand (the quotation is then left out).
/// - Returns: one paragraph a diagnostic, each ending in a newline.
public func render(_ diagnostics: [Diagnostic], source: (String) -> [String]?) -> String {
    diagnostics.map { render($0, source: source) }.joined()
}

private func render(_ diagnostic: Diagnostic, source: (String) -> [String]?) -> String {
    var text = ""
    if let range = diagnostic.range {
        let isOption = range.file.hasPrefix("--set ")
        text += isOption ? "command line: " : "\(range.file):\(range.line):\(range.column): "
        text += "\(diagnostic.severity.rawValue): \(diagnostic.message)\n"
        let lines = isOption ? [range.file] : source(range.file)
        if let lines, lines.indices.contains(range.line - 1) {
            text += quotation(of: lines[range.line - 1], range: range, number: isOption ? "" : String(range.line))
        }
    } else {
        text += "\(diagnostic.severity.rawValue): \(diagnostic.message)\n"
    }
    if let hint = diagnostic.hint { text += "  hint: \(hint)\n" }
    return text
}

/// The line and, below it, a caret with tildes under the characters that the range covers.
private func quotation(of line: String, range: SourceRange, number: String) -> String {
    // A line of a CR LF file that was split at LF alone ends in a CR, which would overwrite it on a terminal.
    let line = line.last == "\r" ? String(line.dropLast()) : line
    let characters = Array(line)
    let start = min(max(0, range.column - 1), characters.count)
    let length = max(1, min(range.length, characters.count - start))
    // Tabs stay tabs, so that the caret stands under its character whatever the terminal's tab width is.
    let indent = String(characters[..<start].map { $0 == "\t" ? "\t" : " " })
    let padding = String(repeating: " ", count: max(0, 5 - number.count))
    return "\(padding)\(number) | \(line)\n      | \(indent)^\(String(repeating: "~", count: length - 1))\n"
}
