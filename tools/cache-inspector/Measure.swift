import ArgumentParser

/// Lengths of time and amounts of data as people write them.
enum Measure {
    /// Seconds of `90 s`, `30 min`, `12h`, `3 d`, `2 w`, `1 y`.
    static func duration(_ text: String) throws -> Double {
        let units: [(String, Double)] = [
            ("s", 1), ("min", 60), ("h", 3600), ("d", 86_400), ("w", 604_800), ("y", 31_557_600),
        ]
        return try parse(text, units, example: "90 s, 30 min, 12 h, 3 d, 2 w or 1 y")
    }

    /// Bytes of `500 B`, `20kB`, `1.5 MB`, `2 GB`, `1 TB`; with `i` (`MiB`) in powers of 1024.
    static func size(_ text: String) throws -> Int {
        let units: [(String, Double)] = [
            ("B", 1), ("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12),
            ("KiB", 0x1p10), ("MiB", 0x1p20), ("GiB", 0x1p30), ("TiB", 0x1p40),
        ]
        let bytes = try parse(text, units, example: "500 B, 20 kB, 1.5 MB or 2 GB")
        guard bytes < 0x1p62 else { throw ValidationError("'\(text)' is larger than any disk") }
        return Int(bytes.rounded())
    }

    private static func parse(_ text: String, _ units: [(String, Double)], example: String) throws -> Double {
        let number = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        let unit = text.dropFirst(number.count).drop { $0 == " " }
        guard let value = Double(number), let factor = units.first(where: { $0.0 == unit })?.1 else {
            throw ValidationError("'\(text)' is no such measure: write \(example)")
        }
        return value * factor
    }

    /// `3..7`, `3..`, `..7` or `3`; a range as the program prints it (`3–7`) too.
    static func samples(_ text: String) throws -> ClosedRange<Int> {
        let wrong = ValidationError("'\(text)' is no range of samples: write 3, 3..7, 3.. or ..7")
        let parts = text.replacing("–", with: "..").split(separator: "..", omittingEmptySubsequences: false)
        let bounds = parts.map { Int($0) }
        for (part, bound) in zip(parts, bounds) where bound ?? (part.isEmpty ? 0 : -1) < 0 { throw wrong }
        switch bounds.count {
        case 1:
            guard let only = bounds[0] else { throw wrong }
            return only...only
        case 2:
            let (low, high) = (bounds[0] ?? 0, bounds[1] ?? .max)
            guard low <= high, bounds[0] != nil || bounds[1] != nil else { throw wrong }
            return low...high
        default: throw wrong
        }
    }
}

/// Names with `*` for anything and `?` for one character.
struct Glob {
    let pattern: String

    /// A node's name, with its class or without: `noise` is `noise@second` too.
    func matches(node name: String) -> Bool {
        matches(name) || matches(String(name.prefix { $0 != "@" }))
    }

    func matches(_ name: String) -> Bool {
        let (pattern, name) = (Array(pattern), Array(name))
        var (p, n) = (0, 0)
        // Where to go back to: the last star, and how much of the name it has taken.
        var star: (p: Int, n: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == "*" {
                star = (p, n)
                p += 1
            } else if p < pattern.count, pattern[p] == "?" || pattern[p] == name[n] {
                p += 1
                n += 1
            } else if let last = star {
                star = (last.p, last.n + 1)
                (p, n) = (last.p + 1, last.n + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }
}
