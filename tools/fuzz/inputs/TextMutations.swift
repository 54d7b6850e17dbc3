/// Damage that knows YAML and graphs: words for words, lines for lines, brackets in brackets.
enum TextMutations {
    private static let words = [
        "stage", "for", "each class", "nodes", "classes", "define", "seed", "graph", "about", "model", "count", "priors",
        "include", "defaults", "matrix", "sweep", "sample-parameters", "fix-parameters", "spin-waves", "resolution",
        "detector-mask", "convolve-resolution", "add-noise", "train-network", "evaluate", "judge", "attribute",
        "load-measurement", "square-afm-nn", "square-afm-nnn", "$model", "$a", "$", "$$", "$missing", "0", "-0", "-1", "1",
        "1e999", "-1e-999", "0x1F", "0o7", "1_000", ".inf", "-.inf", ".nan", "9223372036854775807",
        "9223372036854775808", "-9223372036854775809", "1e308 meV", "0.5 meV", "500 ueV", "3 Hz", "-5 T", "7 parsec",
        "1 meV meV", "null", "~", "true", "yes", "''", "\"\"", "\"\\u0000\"", "\"\\x41\"", "'it''s'", "[]", "{}", "[[]]", "- - -",
        "? x", ": :", "&a", "*a", "*missing", "<<: *a", "!!binary", "!!str", "!x", "|", "|+2", ">-", "---", "...", "%YAML 1.2",
        "%TAG", "\t", "\u{FEFF}", "\u{0}", "\u{202E}", "e\u{301}", "é", "🧲🧲", "👩‍👩‍👧", "\r\n", "\u{2028}", "#", " #", "@", "`", ",",
        "]", "}", "[", "{", "a#1", "a@b", "..", "/", "../../x",
    ]

    static func damage(_ text: inout [UInt8], _ random: inout FuzzRandom) {
        let separators = Set(" \n,:[]{}".utf8)
        switch random.below(5) {
        case 0, 1:
            // A word for another.
            guard !text.isEmpty else { return }
            var start = random.below(text.count)
            while start > 0, !separators.contains(text[start - 1]) { start -= 1 }
            var end = start
            while end < text.count, !separators.contains(text[end]) { end += 1 }
            text.replaceSubrange(start..<end, with: Array(random.one(of: words).utf8))
        case 2: text.insert(contentsOf: Array(random.one(of: words).utf8), at: random.below(text.count + 1))
        default:
            // Lines twice, gone, or in another place.
            var lines = text.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
            let at = random.below(lines.count)
            switch random.below(4) {
            case 0: lines.insert(lines[at], at: random.below(lines.count))
            case 1: lines.remove(at: at)
            case 2: lines.swapAt(at, random.below(lines.count))
            default: lines[at] = Array(repeating: 32, count: random.below(6)) + lines[at].drop { $0 == 32 }
            }
            text = Array(lines.joined(separator: [10]))
        }
    }

    /// Puts many brackets, dashes or indents where there was one value.
    static func nest(_ text: inout [UInt8], _ random: inout FuzzRandom) {
        // Deep enough to end a careless stack once in a while.
        let depth = random.once(in: 50) ? 1 + random.below(20_000) : 1 + random.below(12)
        let at = random.below(text.count + 1)
        let open = random.one(of: ["[", "{a: ", "- ", "? ", "&a [", "\n  x:", "!!seq [", "\"", "{", "'"])
        let close = random.one(of: ["]", "}", "", "\n"])
        let end = min(text.count, at + random.below(20))
        text.insert(contentsOf: Array(String(repeating: close, count: depth).utf8), at: end)
        text.insert(contentsOf: Array(String(repeating: open, count: depth).utf8), at: at)
    }

    static func override(_ random: inout FuzzRandom) -> String {
        let path = ["noise.exposure", "a.count", "seed", "parameters.priors.J1", "", ".", "x.y.z", "nodes", "define.a", "a..b"]
        return random.one(of: path) + random.one(of: ["=", "", "==", "= "]) + random.one(of: words)
    }
}
