/// Sets the blanks of one line after another, and knows what is still open at the end of each.
struct YAMLLineScanner {
    /// Brackets that are open.
    private(set) var depth = 0
    /// The mark of a quoted text that goes on in the next line.
    private(set) var quote: Character?
    /// The line ended with `|` or `>`: a text over several lines follows, perhaps with a stated indentation.
    private(set) var opensLiteral = false
    private(set) var literalHasIndent = false

    private var text: [Character] = []
    private var position = 0
    private var result = ""
    /// At the beginning of a value, where a quotation mark or bracket means something.
    private var isAtStart = true
    /// Behind a quotation mark or bracket that closed, where ':' needs no blank.
    private var isBehindClosing = false

    /// - Parameter line: without the blanks before it.
    mutating func scan(_ line: String) -> String {
        text = Array(line)
        (position, result, opensLiteral, literalHasIndent) = (0, "", false, false)
        if quote != nil {
            copyQuoted()
        } else if depth == 0 {
            isAtStart = true
            scanBlock()
        } else {
            isAtStart = text.first.map { "[]{},\"'".contains($0) } ?? true
        }
        while position < text.count {
            if depth > 0 { scanFlow() } else { scanRest() }
        }
        return YAMLLayout.trimmed(result)
    }

    private var next: Character? { position + 1 < text.count ? text[position + 1] : nil }

    private mutating func skipBlanks() {
        while position < text.count, text[position] == " " || text[position] == "\t" { position += 1 }
    }

    private mutating func trimResult() { result = YAMLLayout.trimmed(result) }

    /// Copies up to the mark that closes, which may be lines away.
    private mutating func copyQuoted() {
        while let mark = quote, position < text.count {
            let character = text[position]
            result.append(character)
            position += 1
            if mark == "\"", character == "\\", position < text.count {
                result.append(text[position])
                position += 1
            } else if character == mark {
                if mark == "'", position < text.count, text[position] == "'" {
                    result.append("'")
                    position += 1
                } else {
                    quote = nil
                    (isAtStart, isBehindClosing) = (false, true)
                }
            }
        }
    }

    private mutating func openQuote(_ mark: Character) {
        result.append(mark)
        position += 1
        quote = mark
        copyQuoted()
    }

    /// `key: value`, or a value alone, outside brackets.
    private mutating func scanBlock() {
        if let colon = keyEnd() {
            let key = String(text[..<colon])
            result += YAMLLayout.trimmed(key) + ":"
            position = colon + 1
            skipBlanks()
            if position < text.count, text[position] != "#" { result += " " }
        }
        // Anchors and tags stand before the value.
        while position < text.count, text[position] == "&" || text[position] == "!" {
            while position < text.count, text[position] != " " {
                result.append(text[position])
                position += 1
            }
            skipBlanks()
            if position < text.count, text[position] != "#" { result += " " }
        }
        guard position < text.count else { return }
        switch text[position] {
        case "\"", "'": openQuote(text[position])
        case "[", "{": scanFlow()
        case "|", ">":
            opensLiteral = true
            while position < text.count, text[position] != " " {
                literalHasIndent = literalHasIndent || text[position].isNumber
                result.append(text[position])
                position += 1
            }
        default: break
        }
    }

    /// Where the ':' of a key stands that begins this line; nil for a value alone.
    private func keyEnd() -> Int? {
        guard let first = text.first, first != "[", first != "{", first != "#", first != "|", first != ">" else {
            return nil
        }
        var index = 0
        if first == "\"" || first == "'" {
            guard let close = SourceLines.closingQuote(in: text.flatMap(\.unicodeScalars), from: 0) else { return nil }
            // Marks and blanks are single scalars; count characters up to the closing one.
            var scalars = 0
            while index < text.count, scalars <= close {
                scalars += text[index].unicodeScalars.count
                index += 1
            }
            while index < text.count, text[index] == " " { index += 1 }
            return index < text.count && text[index] == ":" ? index : nil
        }
        while index < text.count {
            if text[index] == "#", index > 0, text[index - 1] == " " { return nil }
            if text[index] == ":", index + 1 == text.count || text[index + 1] == " " { return index }
            index += 1
        }
        return nil
    }

    /// Outside brackets: a value as it is, then a comment.
    private mutating func scanRest() {
        let character = text[position]
        if character == "#", position == 0 || text[position - 1] == " " || text[position - 1] == "\t" {
            addComment()
        } else {
            result.append(character)
            position += 1
        }
    }

    private mutating func addComment() {
        trimResult()
        result += (result.isEmpty ? "" : "  ") + YAMLLayout.comment(String(text[position...]))
        position = text.count
    }

    /// One character, or one quoted text, inside brackets.
    private mutating func scanFlow() {
        let character = text[position]
        switch character {
        case "[", "{":
            depth += 1
            result.append(character)
            position += 1
            skipBlanks()
            (isAtStart, isBehindClosing) = (true, false)
        case "]", "}":
            trimResult()
            depth -= 1
            result.append(character)
            position += 1
            (isAtStart, isBehindClosing) = (false, true)
        case ",":
            trimResult()
            result += ", "
            position += 1
            skipBlanks()
            (isAtStart, isBehindClosing) = (true, false)
        case ":" where isBehindClosing || next == nil || next == " " || next.map { ",]}".contains($0) } == true:
            trimResult()
            result += ": "
            position += 1
            skipBlanks()
            (isAtStart, isBehindClosing) = (true, false)
        case "\"" where isAtStart, "'" where isAtStart: openQuote(character)
        case "#" where position == 0 || text[position - 1] == " ": addComment()
        case " ", "\t":
            result.append(character)
            position += 1
        default:
            (isAtStart, isBehindClosing) = (false, false)
            result.append(character)
            position += 1
        }
    }
}
