/// The part of Python's literals that a `.npy` header is written in.
indirect enum PythonLiteral: Equatable {
    case string(String)
    case bool(Bool)
    case none
    case int(Int)
    case tuple([PythonLiteral])
    case list([PythonLiteral])
    case dictionary([String: PythonLiteral])

    /// What was expected, and the offset in the text where it was not found.
    struct SyntaxError: Error {
        var expected: String
        var offset: Int
    }

    /// Reads `text`, which must be one dictionary and white space.
    static func dictionary(parsing text: [UInt8]) throws(SyntaxError) -> [String: PythonLiteral] {
        var reader = PythonLiteralReader(text: text)
        guard case .dictionary(let fields) = try reader.value(depth: 0) else {
            throw SyntaxError(expected: "a dictionary", offset: 0)
        }
        reader.skipSpace()
        guard reader.position == text.count else {
            throw SyntaxError(expected: "the end of the header", offset: reader.position)
        }
        return fields
    }
}

private struct PythonLiteralReader {
    let text: [UInt8]
    var position = 0

    private func expected(_ what: String) -> PythonLiteral.SyntaxError { .init(expected: what, offset: position) }

    mutating func skipSpace() {
        while position < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) { position += 1 }
    }

    private mutating func take(_ character: Character) -> Bool {
        skipSpace()
        guard position < text.count, text[position] == character.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func take(word: String) -> Bool {
        guard text[position...].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }

    mutating func value(depth: Int) throws(PythonLiteral.SyntaxError) -> PythonLiteral {
        // Record types nest; a damaged header must not nest without end.
        guard depth < 32 else { throw expected("a shallower header") }
        skipSpace()
        guard position < text.count else { throw expected("a value") }
        switch text[position] {
        case UInt8(ascii: "'"), UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .int(try int())
        case UInt8(ascii: "("):
            position += 1
            let (items, comma) = try items(until: ")", depth: depth)
            // (3) is a number in brackets, (3,) a tuple.
            if items.count == 1, !comma { return items[0] }
            return .tuple(items)
        case UInt8(ascii: "["):
            position += 1
            return .list(try items(until: "]", depth: depth).items)
        case UInt8(ascii: "{"):
            position += 1
            return .dictionary(try fields(depth: depth))
        default:
            if take(word: "True") { return .bool(true) }
            if take(word: "False") { return .bool(false) }
            if take(word: "None") { return .none }
            throw expected("a value")
        }
    }

    private mutating func items(
        until close: Character, depth: Int
    ) throws(PythonLiteral.SyntaxError) -> (items: [PythonLiteral], trailingComma: Bool) {
        var items: [PythonLiteral] = []
        var comma = false
        while !take(close) {
            if !items.isEmpty, !comma { throw expected("',' or '\(close)'") }
            items.append(try value(depth: depth + 1))
            comma = take(",")
        }
        return (items, comma)
    }

    private mutating func fields(depth: Int) throws(PythonLiteral.SyntaxError) -> [String: PythonLiteral] {
        var fields: [String: PythonLiteral] = [:]
        var comma = true
        while !take("}") {
            guard comma else { throw expected("',' or '}'") }
            skipSpace()
            guard position < text.count, text[position] == UInt8(ascii: "'") || text[position] == UInt8(ascii: "\"")
            else { throw expected("a key in quotes") }
            let key = try string()
            guard fields[key] == nil else { throw expected("'\(key)' only once") }
            guard take(":") else { throw expected("':'") }
            fields[key] = try value(depth: depth + 1)
            comma = take(",")
        }
        return fields
    }

    private mutating func string() throws(PythonLiteral.SyntaxError) -> String {
        let quote = text[position]
        position += 1
        let start = position
        while position < text.count, text[position] != quote {
            position += text[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard position < text.count else {
            position = text.count
            throw expected("a closing quote")
        }
        defer { position += 1 }
        return String(decoding: text[start..<position], as: UTF8.self)
    }

    private mutating func int() throws(PythonLiteral.SyntaxError) -> Int {
        let start = position
        if text[position] == UInt8(ascii: "-") { position += 1 }
        while position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) { position += 1 }
        guard let value = Int(String(decoding: text[start..<position], as: UTF8.self)) else {
            position = start
            throw expected("a whole number below 2^63")
        }
        // Python 2 wrote long integers as 3L.
        if position < text.count, text[position] == UInt8(ascii: "L") { position += 1 }
        return value
    }
}
