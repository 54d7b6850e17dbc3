import Diagnostics
import Foundation
import GraphLanguage
import Testing

/// `spinweave fmt` on texts.
@Suite("The canonical layout")
struct GraphFormatTests {
    struct Example: CustomTestStringConvertible {
        var what: String
        var before: String
        var after: String
        var testDescription: String { what }
    }

    static let examples = [
        Example(
            what: "blanks inside brackets, behind ':' and ','",
            before: "nodes:\n  a: { stage: x ,b:   [ 1,2 , 3 ],  \"c\":4, d: {}, e: [ ] }\n",
            after: "nodes:\n  a: {stage: x, b: [1, 2, 3], \"c\": 4, d: {}, e: []}\n"),
        Example(
            what: "four blanks a level, and a list in the column of its key",
            before: "nodes:\n    a:\n        stage: x\n        layers:\n"
                + "        - relu\n        -   conv: {n: 1}\n            size: 3\n"
                + "        last: 1\n    b: {stage: y}\n",
            after: "nodes:\n  a:\n    stage: x\n    layers:\n      - relu\n      - conv: {n: 1}\n        size: 3\n"
                + "    last: 1\n  b: {stage: y}\n"),
        Example(
            what: "comments go in with what they speak of",
            before: "#top\nnodes:   # all\n    # of a\n    a: {stage: x}    #behind\n"
                + "    # at the end of the block\n# margin\nseed: 1\n#!keep\n",
            after: "# top\nnodes:  # all\n  # of a\n  a: {stage: x}  # behind\n  # at the end of the block\n# margin\n"
                + "seed: 1\n#!keep\n"),
        Example(
            what: "empty lines, trailing blanks, CR LF, a byte-order mark",
            before: "\u{FEFF}\r\n\r\nseed: 1  \r\n\r\n\r\n\r\nnodes: {a: {stage: x}}\t\r\n\r\n",
            after: "seed: 1\n\nnodes: {a: {stage: x}}\n"),
        Example(
            what: "texts keep every blank in them",
            before: "about:  it's  a  'text' with # no comment? no:colon  # but this\n"
                + "nodes: {a: {stage: x, t: \"a ,  b: {c}\", u: 'it''s , [',  v: a  b 'c'}}\n",
            after: "about: it's  a  'text' with  # no comment? no:colon  # but this\n"
                + "nodes: {a: {stage: x, t: \"a ,  b: {c}\", u: 'it''s , [', v: a  b 'c'}}\n"),
        Example(
            what: "brackets over several lines",
            before:
                "nodes:\n    a: {stage: x,\n     layers: [relu,   # first\n      # second\n   dense],\n  n: 1\n    }\n",
            after:
                "nodes:\n  a: {stage: x,\n    layers: [relu,  # first\n      # second\n      dense],\n    n: 1\n  }\n"),
        Example(
            what: "texts over several lines",
            before: "about: |\n     two\n       lines\n\n     # no comment\n"
                + "nodes:\n     a: {stage: x}\n     b:\n          t: >-\n           one\n"
                + "          u: \"first\n        second\"\n          stage: y\n",
            after: "about: |\n  two\n    lines\n\n  # no comment\nnodes:\n  a: {stage: x}\n  b:\n    t: >-\n      one\n"
                + "    u: \"first\n        second\"\n    stage: y\n"),
        Example(
            what: "anchors, aliases and merges",
            before: "define:\n   base: &base {n:  1}\n   more: &more\n      m: 2\n"
                + "nodes:\n   a: {<<: *base, stage: x}\n   b:\n      <<: [*base,*more]\n"
                + "      stage: y\n",
            after: "define:\n  base: &base {n: 1}\n  more: &more\n    m: 2\n"
                + "nodes:\n  a: {<<: *base, stage: x}\n  b:\n    <<: [*base, *more]\n"
                + "    stage: y\n"),
    ]

    @Test("before and after", arguments: examples)
    func example(_ example: Example) throws {
        #expect(try formattedGraph(example.before, file: "g.yaml") == example.after)
        #expect(try formattedGraph(example.after, file: "g.yaml") == example.after)
    }

    @Test("the package's own graphs are laid out already", arguments: ["graphs", "graphs/models"])
    func ownFiles(folder: String) throws {
        var package = URL(filePath: #filePath)
        while !FileManager.default.fileExists(atPath: package.appending(path: "Package.swift").path) {
            package.deleteLastPathComponent()
        }
        let directory = package.appending(path: folder)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter { $0.hasSuffix(".yaml") }
        #expect(names.count > 2)
        for name in names.sorted() {
            let text = try String(contentsOf: directory.appending(path: name), encoding: .utf8)
            #expect(try formattedGraph(text, file: name) == text, "\(name)")
        }
    }

    /// Every change of meaning or loss of a comment is refused by construction; this looks for crashes, hangs, and texts
    /// that come out otherwise a second time.
    @Test("cut, doubled and shifted texts are laid out or refused, never damaged")
    func damaged() throws {
        let base = Self.examples.map(\.before).joined(separator: "\n").replacingOccurrences(of: "\u{FEFF}", with: "")
        let lines = base.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var state: UInt64 = 7
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        var laidOut = 0
        for _ in 0..<3000 {
            let start = random(lines.count)
            var part = Array(lines[start..<min(lines.count, start + 1 + random(8))])
            let victim = random(part.count)
            switch random(4) {
            case 0: part[victim] = String(repeating: " ", count: random(5)) + part[victim]
            case 1: part[victim] = String(part[victim].prefix(random(part[victim].count + 1)))
            case 2: part.insert(lines[random(lines.count)], at: victim)
            default: part[victim].append(contentsOf: ["  # c", " }", ",", ": ", "'", "|"][random(6)])
            }
            let text = part.joined(separator: "\n")
            guard let formatted = try? formattedGraph(text, file: "g.yaml") else { continue }
            laidOut += 1
            #expect(formatted.filter { !$0.isWhitespace } == text.filter { !$0.isWhitespace }, "\(text)")
            #expect((try? formattedGraph(formatted, file: "g.yaml")) == formatted, "\(text)")
        }
        #expect(laidOut > 300)
    }

    @Test("what is no YAML is reported as such and not touched")
    func wrong() {
        #expect(throws: DiagnosticList.self) { try formattedGraph("nodes: {a: 1\n", file: "g.yaml") }
    }
}
