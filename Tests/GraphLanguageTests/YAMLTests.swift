import Diagnostics
import Foundation
import Testing

@testable import GraphLanguage

/// Values keep their text and the place where they stand.
@Suite struct YAMLTests {
    /// The characters that a range covers.
    func covered(_ range: SourceRange, of text: String) -> String {
        let line = Array(yamlLines(of: text)[range.line - 1])
        return String(line[(range.column - 1)..<min(line.count, range.column - 1 + range.length)])
    }

    @Test("ranges cover exactly what was written, behind tabs, µ, Å, combining marks and CR LF alike")
    func ranges() throws {
        let text =
            "a: 5 µeV\t# Å\r\nb: [ {c: 'it''s', \"d e\": \"x\\\"y\"}, 'Å' , \"A\u{30A}\", last ]\r\nf:\r\n  - >-\r\n    folded\r\n    text\r\n  - &k {g: 1}\r\n  - *k\r\n"
        let value = try parseYAML(text: text, file: "t.yaml")
        func check(_ located: Located?, _ expected: String, sourceLocation: Testing.SourceLocation = #_sourceLocation) {
            #expect(located.map { covered($0.range, of: text) } == expected, sourceLocation: sourceLocation)
        }
        check(value["a"], "5 µeV")
        let b = try #require(value["b"]?.items)
        check(value["b"], "[ {c: 'it''s', \"d e\": \"x\\\"y\"}, 'Å' , \"A\u{30A}\", last ]")
        check(b[0], "{c: 'it''s', \"d e\": \"x\\\"y\"}")
        check(b[0]["c"], "'it''s'")
        #expect(b[0]["c"]?.text == "it's")
        check(b[0]["d e"], "\"x\\\"y\"")
        #expect(b[0]["d e"]?.text == "x\"y")
        #expect(covered(try #require(b[0].entries?[1].keyRange), of: text) == "\"d e\"")
        check(b[1], "'Å'")
        check(b[2], "\"A\u{30A}\"")
        check(b[3], "last")
        let f = try #require(value["f"]?.items)
        #expect(f[0].text == "folded text")
        check(f[0], ">")
        check(f[1], "{g: 1}")
        // An alias shows the place of the definition.
        #expect(f[2] == f[1])
        #expect(f[2].range.line == 7)
    }

    @Test("an empty value stands behind its colon and is null; quotation marks make it a text")
    func nulls() throws {
        let value = try parseYAML(text: "a:\nb: ~\nc: null\nd: ''\ne: \"null\"\n", file: "t.yaml")
        #expect(value["a"]?.isNull == true)
        #expect(value["a"]?.range == SourceRange(file: "t.yaml", line: 1, column: 3))
        #expect(value["b"]?.isNull == true)
        #expect(value["c"]?.isNull == true)
        #expect(value["d"]?.isNull == false)
        #expect(value["e"]?.isNull == false)
    }

    @Test("merges bring what the mapping lacks, the first of several first")
    func merges() throws {
        let text = """
            base: &base {a: 1, b: 2}
            more: &more {b: 3, c: 4}
            one: {b: 9, <<: *base}
            two:
              <<: [*base, *more]
              d: 5
            """
        let value = try parseYAML(text: text, file: "t.yaml")
        #expect(value["one"]?.entries?.map(\.key) == ["b", "a"])
        #expect(value["one"]?["b"]?.text == "9")
        #expect(value["two"]?.entries?.map(\.key) == ["d", "a", "b", "c"])
        #expect(value["two"]?["b"]?.text == "2")
        #expect(value["two"]?["b"]?.range.line == 1)
    }

    @Test("a byte-order mark moves nothing")
    func byteOrderMark() throws {
        let value = try parseYAML(text: "\u{FEFF}a: 1\nb: 2\n", file: "t.yaml")
        #expect(value.entries?.map(\.key) == ["a", "b"])
        #expect(value["a"]?.range.column == 4)
    }

    @Test("aliases of aliases end in a message, not in all memory")
    func aliasesOfAliases() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for i in 1...8 {
            text += "a\(i): &a\(i) [" + [String](repeating: "*a\(i - 1)", count: 10).joined(separator: ", ") + "]\n"
        }
        #expect {
            try parseYAML(text: text, file: "t.yaml")
        } throws: { error in
            (error as? DiagnosticList)?.diagnostics.map(\.message) == [
                "the aliases of this file stand for more than 100000 values"
            ]
        }
    }

    @Test("deep nesting is read or refused, never a crash")
    func deepNesting() {
        for depth in [10, 500, 5000] {
            let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            do {
                let value = try parseYAML(text: text, file: "t.yaml")
                #expect(value.items != nil)
            } catch {
                #expect(error.diagnostics.count == 1)
            }
        }
    }

    @Test("damaged text gives a message for every cut, never a crash")
    func everyPrefixParsesOrExplains() throws {
        let text =
            "graph: g\nclasses: {a: &x {m: \"q\\n\", n: [1, 2]}, b: *x}\nnodes:\n  n: # µ\n    stage: s\n    <<: {k: 'v'}\n    t: |\n      lines\n"
        let characters = Array(text)
        for end in characters.indices {
            do {
                _ = try GraphFile.parse(text: String(characters[..<end]), file: "t.yaml")
            } catch {
                #expect(!error.diagnostics.isEmpty)
                for diagnostic in error.diagnostics { #expect(diagnostic.range != nil) }
            }
        }
    }

    @Test("bytes that are no UTF-8 are named with their place")
    func encodings() {
        func message(_ bytes: [UInt8]) -> String {
            do {
                _ = try decodeUTF8(bytes, file: "t.yaml")
                return "no problem"
            } catch {
                return error.description
            }
        }
        #expect(
            message(Array("a: 1\nb: µ".utf8) + [0xB5, 0x0A])
                == "t.yaml:2:5: error: the file is not UTF-8: byte 0xB5\n"
                + "  hint: save it as UTF-8 (byte 0xB5 may come from Latin-1)")
        #expect(
            message([0xFF, 0xFE, 0x61, 0x00]) == "t.yaml:1:1: error: the file is in UTF-16\n  hint: save it as UTF-8")
        #expect(message(Array("a: µ\n".utf8)) == "no problem")
    }
}

@Suite("Long lines")
struct LongLineTests {
    @Test("places in a line of 20,000 values, with and without an accent, are those counted one by one")
    func places() throws {
        for prefix in ["x", "é"] {
            let text = "\(prefix): [" + (0..<20_000).map { "\($0)" }.joined(separator: ", ") + "]"
            let lines = SourceLines(text, file: "long.yaml")
            for start in [0, 3, 4, 5, 70_000, 100_000] {
                let range = lines.range(line: 0, extent: start..<start + 2)
                #expect(range.column == start + 1 && range.length == 2)
            }
            #expect(lines.range(line: 0, extent: text.count..<text.count + 5).length == 0 + 1)
        }
    }
}
