/// What a person pressed.
enum Key: Equatable {
    case character(Character)
    case up, down, left, right, pageUp, pageDown, home, end
    case enter, escape, backspace, tab
    /// Ctrl-C.
    case interrupt
    /// Ctrl-Z.
    case suspend
}

/// Turns what a terminal sends into keys: characters in UTF-8, and sequences that begin with escape (ECMA-48, xterm).
struct KeyDecoder {
    private var pending: [UInt8] = []

    /// Whether something has begun that more bytes would end: an escape alone may be the key or a sequence.
    var isWaiting: Bool { !pending.isEmpty }

    mutating func keys(from bytes: [UInt8]) -> [Key] {
        pending += bytes
        var keys: [Key] = []
        while let (key, length) = Self.next(pending) {
            pending.removeFirst(length)
            if let key { keys.append(key) }
        }
        return keys
    }

    /// Nothing more came: what is pending is what was pressed.
    mutating func flush() -> [Key] {
        defer { pending = [] }
        return pending.first == 0x1B ? [.escape] : []
    }

    /// - Returns: nil while the bytes end too early; a nil key for bytes that mean nothing here.
    private static func next(_ bytes: [UInt8]) -> (key: Key?, length: Int)? {
        guard let first = bytes.first else { return nil }
        switch first {
        case 0x1B: return sequence(bytes)
        case 0x03: return (.interrupt, 1)
        case 0x1A: return (.suspend, 1)
        case 0x09: return (.tab, 1)
        case 0x0A, 0x0D: return (.enter, 1)
        case 0x08, 0x7F: return (.backspace, 1)
        case 0x00..<0x20: return (nil, 1)
        case 0x20..<0x7F: return (.character(Character(Unicode.Scalar(first))), 1)
        default:
            let length = first >= 0xF8 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1
            if bytes.count < length { return nil }
            let text = String(validating: bytes.prefix(length), as: UTF8.self)
            guard let character = text?.first else { return (nil, 1) }
            return (.character(character), length)
        }
    }

    private static func sequence(_ bytes: [UInt8]) -> (key: Key?, length: Int)? {
        if bytes.count < 2 { return nil }
        // Escape, then another key.
        guard bytes[1] == UInt8(ascii: "[") || bytes[1] == UInt8(ascii: "O") else { return (.escape, 1) }
        guard let end = bytes.dropFirst(2).firstIndex(where: { (0x40...0x7E).contains($0) }) else {
            // Longer than any sequence: let it go.
            return bytes.count > 16 ? (nil, bytes.count) : nil
        }
        let middle = String(decoding: bytes[2..<end], as: UTF8.self)
        let key: Key?
        switch (Character(Unicode.Scalar(bytes[end])), middle) {
        case ("A", _): key = .up
        case ("B", _): key = .down
        case ("C", _): key = .right
        case ("D", _): key = .left
        case ("H", _), ("~", "1"), ("~", "7"): key = .home
        case ("F", _), ("~", "4"), ("~", "8"): key = .end
        case ("~", "5"): key = .pageUp
        case ("~", "6"): key = .pageDown
        default: key = nil
        }
        return (key, end + 1)
    }
}
