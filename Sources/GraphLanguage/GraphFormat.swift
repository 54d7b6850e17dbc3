import Diagnostics

/// A graph file's text in the canonical layout: two blanks a level (list items too), one behind `:` and `,`, none inside
/// brackets, two before a comment behind a value, no trailing blanks, at most one empty line together.
///
/// Order, line breaks, comments and the way values are written stay. The result is read again and compared with what was
/// read before, so that a layout that this does not understand is refused and never changed in meaning.
///
/// - Parameter file: the path as the user gave it, for messages.
/// - Throws: what is wrong with the text as YAML, or that its layout is not understood.
public func formattedGraph(_ text: String, file: String) throws(DiagnosticList) -> String {
    let before = try parseYAML(text: text, file: file)
    let formatted = YAMLLayout.applied(to: text)
    let notUnderstood = DiagnosticList([
        Diagnostic(
            "the layout of '\(file)' is not understood, and it is left as it is",
            hint: "write keys that are lists, '? ' keys and texts over several lines in a simpler way")
    ])
    let after: Located
    do { after = try parseYAML(text: formatted, file: file) } catch { throw notUnderstood }
    guard after.hasContent(of: before), formatted.hasInk(of: text), YAMLLayout.applied(to: formatted) == formatted
    else {
        throw notUnderstood
    }
    return formatted
}

extension String {
    /// Whether all but blanks and line ends is the same: comments are no values, and none may be lost.
    fileprivate func hasInk(of other: String) -> Bool {
        withoutByteOrderMark(self).unicodeScalars.lazy.filter { !$0.properties.isWhitespace }
            .elementsEqual(withoutByteOrderMark(other).unicodeScalars.lazy.filter { !$0.properties.isWhitespace })
    }
}

extension Located {
    /// Whether the values are the same wherever they stand.
    func hasContent(of other: Located) -> Bool {
        switch (content, other.content) {
        case (.scalar(let a, let isQuoted), .scalar(let b, let otherIsQuoted)): a == b && isQuoted == otherIsQuoted
        case (.list(let a), .list(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.hasContent(of: $1) }
        case (.mapping(let a), .mapping(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.key == $1.key && $0.value.hasContent(of: $1.value) }
        default: false
        }
    }
}

/// Lays out YAML line by line. It knows brackets, quotation marks, texts over several lines and comments, and nothing of
/// what the values mean.
struct YAMLLayout {
    /// A block of lines that begin in the same column.
    private struct Level {
        var old: Int
        var new: Int
        var isList: Bool
    }

    private var output: [String] = []
    private var levels: [Level] = []
    /// Comment lines that wait for the line below them, which says how far they go in; nil for an empty line.
    private var waiting: [(column: Int, text: String)?] = []
    private var scanner = YAMLLineScanner()
    /// Where the line began that opened the brackets or quotation marks which are still open.
    private var base = 0
    /// Of a text behind `|` or `>`: the column that its lines exceed, and how far they move once that is known.
    private var literal: (parent: Int, target: Int, shift: Int?)?

    static func applied(to text: String) -> String {
        var layout = YAMLLayout()
        for line in yamlLines(of: text) { layout.add(line) }
        layout.finish()
        return layout.output.joined(separator: "\n") + "\n"
    }

    private mutating func add(_ line: String) {
        let column = line.prefix { $0 == " " }.count
        let content = String(line.dropFirst(column))
        let isBlank = content.allSatisfy { $0 == " " || $0 == "\t" }
        if literal != nil, addLiteral(line, column: column, isBlank: isBlank) { return }
        if scanner.quote != nil {
            // Blanks around a line break inside quotation marks are not part of the text; an empty line is.
            output.append(isBlank ? "" : blanks(base + 4) + scanner.scan(content))
            return
        }
        if isBlank {
            waiting.append(nil)
        } else if scanner.depth > 0 {
            flush(next: nil)
            let closing = content.prefix { $0 == "]" || $0 == "}" }.count
            let indent = base + 2 * max(0, scanner.depth - closing)
            output.append(blanks(indent) + (content.first == "#" ? Self.comment(content) : scanner.scan(content)))
        } else if content.first == "#" {
            waiting.append((column, Self.comment(content)))
        } else {
            addBlockLine(content, column: column)
        }
    }

    private mutating func addBlockLine(_ content: String, column: Int) {
        let above = levels
        var column = column
        var content = content[...]
        var prefix = ""
        enter(column: column, isList: Self.isItem(content))
        let indent = levels.last?.new ?? 0
        while Self.isItem(content) {
            let gap = content.dropFirst().prefix { $0 == " " }.count
            content = content.dropFirst(1 + gap)
            column += 1 + gap
            prefix += content.isEmpty ? "-" : "- "
            // What stands behind the dash begins a block of its own.
            if !content.isEmpty, content.first != "#" { enter(column: column, isList: Self.isItem(content)) }
        }
        flush(next: (levels: above, column: column, indent: indent))
        base = indent
        let line = scanner.scan(String(content))
        output.append(Self.trimmed(blanks(indent) + prefix + line))
        if scanner.opensLiteral {
            let parent = levels.last ?? Level(old: 0, new: 0, isList: false)
            literal = (parent.old, parent.new + 2, scanner.literalHasIndent ? parent.new - parent.old : nil)
        }
    }

    /// Ends the blocks that a line in `column` is not part of, and begins the one that it is the first of.
    private mutating func enter(column: Int, isList: Bool) {
        while let last = levels.last, last.old > column || (last.old == column && last.isList && !isList) {
            levels.removeLast()
        }
        // A list may stand in the column of the key that it belongs to.
        if let last = levels.last, last.old == column, last.isList || !isList { return }
        levels.append(Level(old: column, new: levels.last.map { $0.new + 2 } ?? 0, isList: isList))
    }

    /// - Returns: false for the line that follows the text.
    private mutating func addLiteral(_ line: String, column: Int, isBlank: Bool) -> Bool {
        guard let (parent, target, known) = literal else { return false }
        if isBlank {
            output.append(known.map { Self.shifted(line, by: $0) } ?? "")
            return true
        }
        guard column > parent else {
            literal = nil
            return false
        }
        let shift = known ?? target - column
        literal?.shift = shift
        output.append(Self.shifted(line, by: shift))
        return true
    }

    /// Writes the comments that waited, as far in as the line below them or the block above that they belong to.
    private mutating func flush(next: (levels: [Level], column: Int, indent: Int)?) {
        for comment in waiting {
            guard let comment else {
                if let last = output.last, !last.isEmpty { output.append("") }
                continue
            }
            let block = (next?.levels ?? levels).last { $0.old == comment.column }
            let isOfNext = next.map { $0.column == comment.column } ?? false
            let indent = isOfNext ? next?.indent : block?.new ?? next?.indent
            output.append(blanks(indent ?? 0) + comment.text)
        }
        waiting = []
    }

    private mutating func finish() {
        flush(next: nil)
        while output.last?.isEmpty == true { output.removeLast() }
    }

    private func blanks(_ count: Int) -> String { String(repeating: " ", count: count) }

    private static func isItem(_ content: Substring) -> Bool { content == "-" || content.hasPrefix("- ") }

    private static func shifted(_ line: String, by shift: Int) -> String {
        shift >= 0
            ? String(repeating: " ", count: shift) + line
            : String(line.dropFirst(min(-shift, line.prefix { $0 == " " }.count)))
    }

    static func trimmed(_ text: String) -> String {
        var text = text[...]
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }

    /// A blank behind the sign where words follow at once.
    static func comment(_ text: String) -> String {
        let text = trimmed(text)
        guard text.count > 1, let first = text.dropFirst().first, first.isLetter || first.isNumber else { return text }
        return "# " + text.dropFirst()
    }
}
