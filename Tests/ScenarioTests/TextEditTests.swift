import Foundation
import Testing

@Suite("How a file is written does not matter, only what it says")
struct TextEditTests {
    private static let files = [
        QuickGraph.file, "graphs/models/pcsmo-goodenough.yaml", "graphs/models/pcsmo-dimer.yaml",
    ]

    @Test("comments and blank lines recompute nothing")
    func comments() throws {
        let workplace = try QuickGraph.workplace()
        for file in Self.files {
            let lines = try workplace.text(of: file).components(separatedBy: "\n")
            try workplace.write(
                "# A comment before everything.\n\n"
                    + lines.map { $0.isEmpty ? $0 : "\($0)  # and one here\n\n" }.joined(separator: "\n"), to: file)
        }
        #expect(try workplace.planAndRun().run.computed == 0)
    }

    @Test("the order of keys recomputes nothing, in mappings of a line and in blocks")
    func order() throws {
        let workplace = try QuickGraph.workplace()
        for file in Self.files {
            let text = try workplace.text(of: file)
            let reordered = Self.reversingBlocks(
                Self.reversingBraces(text), under: file == QuickGraph.file ? "nodes" : "parameters")
            #expect(reordered != text)
            try workplace.write(reordered, to: file)
        }
        #expect(try workplace.planAndRun().run.computed == 0)
    }

    @Test("descriptions recompute nothing")
    func descriptions() throws {
        let workplace = try QuickGraph.workplace()
        for file in Self.files {
            let lines = try workplace.text(of: file).components(separatedBy: "\n")
            try workplace.write(
                lines.map { $0.hasPrefix("about:") ? "about: something else" : $0 }.joined(separator: "\n"), to: file)
        }
        #expect(try workplace.planAndRun().run.computed == 0)
    }

    @Test("a model's file may have another name and place")
    func renamed() throws {
        let workplace = try QuickGraph.workplace()
        try FileManager.default.moveItem(
            at: workplace.path("graphs/models/pcsmo-dimer.yaml"), to: workplace.path("polarons.yaml"))
        #expect(try workplace.planAndRun(["classes.dimer.model=./polarons.yaml"]).run.computed == 0)
    }

    @Test("a model's number does matter")
    func number() throws {
        let workplace = try QuickGraph.workplace()
        let file = "graphs/models/pcsmo-dimer.yaml"
        let text = try workplace.text(of: file)
        try workplace.write(text.replacing("fraction: 0.5", with: "fraction: 0.4", maxReplacements: 1), to: file)
        #expect(try workplace.planAndRun().run.computedNodes.contains("spectra"))
    }

    /// `name: {a: 1, b: 2}` becomes `name: {b: 2, a: 1}`, wherever a line ends in such a mapping.
    private static func reversingBraces(_ text: String) -> String {
        text.components(separatedBy: "\n").map { line in
            guard let open = line.firstIndex(of: "{"), line.hasSuffix("}"), !line.contains("#") else { return line }
            let inner = line[line.index(after: open)...].dropLast()
            var parts: [String] = [""]
            var depth = 0
            var isQuoted = false
            for character in inner {
                if character == "\"" { isQuoted.toggle() }
                if "[{".contains(character) { depth += 1 }
                if "]}".contains(character) { depth -= 1 }
                if character == ",", depth == 0, !isQuoted {
                    parts.append("")
                } else {
                    parts[parts.count - 1].append(character)
                }
            }
            let reversed = parts.reversed().map { $0.trimmingCharacters(in: .whitespaces) }.joined(separator: ", ")
            return line[...open] + reversed + "}"
        }.joined(separator: "\n")
    }

    /// The entries of a block mapping at the top of a file, in the opposite order.
    private static func reversingBlocks(_ text: String, under key: String) -> String {
        let lines = text.components(separatedBy: "\n")
        guard let start = lines.firstIndex(of: "\(key):") else { return text }
        let end = lines[(start + 1)...].firstIndex { $0.first.map { !$0.isWhitespace } ?? false } ?? lines.endIndex
        var blocks: [[String]] = []
        for line in lines[(start + 1)..<end] where !line.isEmpty && !line.hasPrefix("  #") {
            if line.hasPrefix("   ") { blocks[blocks.count - 1].append(line) } else { blocks.append([line]) }
        }
        return (lines[...start] + blocks.reversed().joined() + lines[end...]).joined(separator: "\n")
    }
}
