import Diagnostics
import Foundation
import GraphLanguage
import Testing

/// A folder with the given files, removed when the closure returns.
func withFolder<T>(_ files: [String: String], _ body: (String) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("include-\(UUID().uuidString)")
    for (name, text) in files {
        let url = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    return try body(folder.path)
}

@Suite("Files that include others")
struct IncludeTests {
    static let parts = [
        "graphs/main.yaml": """
        include: [parts/instrument.yaml, parts/noise.yaml]
        classes: {two: {model: b}}
        define: {n: 3}
        nodes:
          train: {stage: t, images: noise}
        """,
        "graphs/parts/instrument.yaml": """
        graph: instrument
        about: its own
        classes: {one: {model: a}}
        nodes:
          resolution: {stage: r, width: 1 meV}
        defaults:
          noise: {exposure: 2}
        """,
        "graphs/parts/noise.yaml": """
        include: [instrument.yaml, ../common/mask.yaml]
        nodes:
          noise: {stage: noise, mask: mask}
        defaults:
          noise: {gain: 4}
        """,
        "graphs/common/mask.yaml": "nodes:\n  mask: {stage: m}\n",
    ]

    @Test("sections are taken over, each value with its place, each file once")
    func merged() throws {
        try withFolder(Self.parts) { folder in
            let file = try GraphFile.load(path: folder + "/graphs/main.yaml", overrides: ["noise.exposure=5"])
            #expect(file.name == "main")
            #expect(file.about == nil)
            #expect(file.classes.map(\.name) == ["one", "two"])
            #expect(file.nodes.map(\.name) == ["resolution", "mask", "noise", "train"])
            #expect(file.definitions.map(\.key) == ["n"])
            #expect(file.defaults.map(\.stage) == ["noise"])
            #expect(file.defaults[0].entries.map(\.key) == ["exposure", "gain"])
            #expect(file.nodes[2].entries.map { "\($0.key)=\($0.value.text ?? "")" } == ["mask=mask", "exposure=5"])
            let place = file.nodes[0].entries[0].value.range
            #expect(
                place
                    == SourceRange(
                        file: folder + "/graphs/parts/instrument.yaml", line: 5, column: 33, length: 5))
            #expect(
                file.includedFiles.map { $0.replacingOccurrences(of: folder, with: "") } == [
                    "/graphs/parts/instrument.yaml", "/graphs/parts/noise.yaml", "/graphs/parts/../common/mask.yaml",
                ])
        }
    }

    /// What a user reads, with the folder left out.
    private func problems(_ files: [String: String]) throws -> String {
        try withFolder(files) { folder in
            do {
                _ = try GraphFile.load(path: folder + "/main.yaml")
                return "no problems"
            } catch let list as DiagnosticList {
                return list.diagnostics.map(\.description).joined(separator: "\n")
                    .replacingOccurrences(of: folder + "/", with: "")
            }
        }
    }

    @Test("a name that two files give")
    func clashes() throws {
        let text = try problems([
            "main.yaml": """
            include: [a.yaml]
            classes: {one: {}}
            define: {n: 3}
            defaults: {s: {p: 1, q: 2}}
            nodes:
              x: {stage: s}
            """,
            "a.yaml": """
            classes: {one: {}}
            define: {n: 4}
            defaults: {s: {p: 1}}
            nodes: {x: {stage: s}}
            """,
        ])
        #expect(
            text == """
                main.yaml:2:11: error: class 'one' stands in two files; first at a.yaml:1:11
                  hint: remove or rename one of them
                main.yaml:3:10: error: 'n' of 'define' stands in two files; first at a.yaml:2:10
                  hint: remove or rename one of them
                main.yaml:4:16: error: 'p' of 'defaults.s' stands in two files; first at a.yaml:3:16
                  hint: remove or rename one of them
                main.yaml:6:3: error: node 'x' stands in two files; first at a.yaml:4:9
                  hint: remove or rename one of them
                """)
    }

    @Test("a circle, a missing file, wrong kinds, a seed that would not count")
    func wrong() throws {
        let text = try problems([
            "main.yaml": "include: [a.yaml, no.yaml, [b.yaml], empty.yaml, syntax.yaml]\nnodes:\n  x: {stage: s}\n",
            "a.yaml": "include: b.yaml\nseed: 4\nnode: {}\n",
            "b.yaml": "include: [a.yaml]\nnodes: 3\n",
            "empty.yaml": "# nothing\n",
            "syntax.yaml": "nodes: {a: 1\n",
        ])
        #expect(
            text == """
                main.yaml:1:19: error: no file 'no.yaml'
                  hint: did you mean 'a.yaml'?
                main.yaml:1:28: error: 'include' takes a list of paths, found a list
                  hint: write 'include: [instrument.yaml]'
                main.yaml:1:38: error: the included file 'empty.yaml' has no mapping
                  hint: it is written like a graph file: classes, define, defaults, nodes
                a.yaml:2:1: error: the seed of an included file does not count
                  hint: write 'seed:' in the file that includes this one, with this number or another
                a.yaml:3:1: error: a graph file has no 'node'
                  hint: did you mean 'nodes'?
                b.yaml:2:8: error: 'nodes' takes a mapping, found a single value
                b.yaml:1:11: error: files include each other: a.yaml → b.yaml → a.yaml
                  hint: an arrow means 'includes'; break one
                syntax.yaml:1:12: error: expected ',' or '}'
                  hint: the '{' on line 1, column 8 is not closed before this
                """)
    }

    @Test("--set reads what was included and does not include")
    func override() throws {
        try withFolder(Self.parts) { folder in
            let error = #expect(throws: DiagnosticList.self) {
                try GraphFile.load(path: folder + "/graphs/main.yaml", overrides: ["include=[x.yaml]"])
            }
            #expect(error?.diagnostics.map(\.message) == ["files are included before --set is read"])
        }
    }
}
