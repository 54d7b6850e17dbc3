import Artifacts
import Diagnostics
import Fuzz
import GraphLanguage
import Testing

/// A short, fixed slice of what `tools/run-fuzzers` tries by the million.
@Suite("Inputs that no person would write")
struct FuzzTests {
    @Test("are refused or read, never worse", arguments: Fuzz.targets.map { $0.name })
    func slice(name: String) throws {
        let target = try #require(Fuzz.targets.first { $0.name == name })
        try Fuzz.run(target, seed: 2, numbers: 0..<5000)
    }

    // Each of them once cost a composition of the whole text: a file of a few kilobytes took minutes.
    @Test("a name that stands a thousand times in one mapping is one problem, not a thousand")
    func duplicates() throws {
        let text = "nodes:\n" + String(repeating: "  x:\n", count: 1000)
        let problems = try #require(throws: DiagnosticList.self) { try GraphFile.parse(text: text, file: "graph.yaml") }
        #expect(problems.diagnostics.count == 1)
        #expect(
            problems.description
                == "graph.yaml:22:3: error: 'x' stands twice in one mapping"
                || problems.description.contains("'x' stands twice"))
    }

    @Test(
        "canonical bytes with names out of order or twice are refused",
        arguments: [["b", "a"], ["a", "a"], ["e\u{301}", "\u{e9}"]])
    func names(_ names: [String]) {
        var bytes: [UInt8] = [8, UInt8(names.count)] + [UInt8](repeating: 0, count: 7)
        for name in names { bytes += Value.string(name).encoded().bytes.dropFirst() + [0] }
        #expect(throws: ValueError.self) { try Value(decoding: bytes) }
    }
}
