import Artifacts
import Fuzz
import Testing

/// A short, fixed slice of what `tools/run-fuzzers` tries by the million.
@Suite("Inputs that no person would write")
struct FuzzTests {
    @Test("are refused or read, never worse", arguments: Fuzz.targets.map { $0.name })
    func slice(name: String) throws {
        let target = try #require(Fuzz.targets.first { $0.name == name })
        try Fuzz.run(target, seed: 2, numbers: 0..<5000)
    }

    @Test("canonical bytes with names out of order or twice are refused", arguments: [["b", "a"], ["a", "a"], ["e\u{301}", "\u{e9}"]])
    func names(_ names: [String]) {
        var bytes: [UInt8] = [8, UInt8(names.count)] + [UInt8](repeating: 0, count: 7)
        for name in names { bytes += Value.string(name).encoded().bytes.dropFirst() + [0] }
        #expect(throws: ValueError.self) { try Value(decoding: bytes) }
    }
}
