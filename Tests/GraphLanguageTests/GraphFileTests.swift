import Diagnostics
import Foundation
import Testing

@testable import GraphLanguage

/// What a graph file says, before anything is known of stages.
@Suite struct GraphFileTests {
    static let text = """
        graph: quick
        about: two candidates   # of many
        seed: 2021
        classes:
          goodenough: {model: pcsmo-goodenough}
          dimer:
        define:
          exposure: 2.0
        nodes:
          draws: {stage: sample-parameters, for: each class, count: 4}
          noise: {stage: add-noise, exposure: $exposure, image: draws}
        """

    @Test("declarations keep their names, order and places")
    func declarations() throws {
        let file = try GraphFile.parse(text: Self.text, file: "graphs/any.yaml")
        #expect(file.name == "quick")
        #expect(file.about == "two candidates")
        #expect(file.seed == 2021)
        #expect(file.classes.map(\.name) == ["goodenough", "dimer"])
        #expect(file.classes[0].settings.map(\.key) == ["model"])
        #expect(file.classes[1].settings.isEmpty)
        #expect(file.definitions.map(\.key) == ["exposure"])
        #expect(file.nodes.map(\.name) == ["draws", "noise"])
        #expect(file.nodes[0].forEachClass)
        #expect(file.nodes[0].stage == "sample-parameters")
        #expect(file.nodes[0].stageRange == SourceRange(file: "graphs/any.yaml", line: 10, column: 18, length: 17))
        #expect(file.nodes[0].range == SourceRange(file: "graphs/any.yaml", line: 10, column: 3, length: 5))
        #expect(file.nodes[0].entries.map(\.key) == ["count"])
        #expect(file.nodes[1].entries.map(\.key) == ["exposure", "image"])
        #expect(file.sourceLines[2] == "seed: 2021")
    }

    @Test("the name comes from the path and the seed is 0 where the file says nothing")
    func defaults() throws {
        let file = try GraphFile.parse(text: "nodes: {a: {stage: s}}", file: "graphs/pcsmo.quick.yaml")
        #expect(file.name == "pcsmo.quick")
        #expect(file.seed == 0)
        #expect(file.about == nil)
    }

    @Test("an override keeps its own place: the option, and the column of the value in it")
    func overridePlaces() throws {
        let file = try GraphFile.parse(
            text: Self.text, file: "g.yaml",
            overrides: ["noise.exposure=3.0", "noise.path=x.npy", "noise.grid=[1, {a: 2}]", "noise.exposure=4"])
        let noise = file.nodes[1]
        #expect(noise.entries.map(\.key) == ["exposure", "image", "path", "grid"])
        #expect(noise.entries[0].value.text == "4")
        #expect(
            noise.entries[2].value.range == SourceRange(file: "--set noise.path=x.npy", line: 1, column: 18, length: 5))
        #expect(
            noise.entries[2].keyRange == SourceRange(file: "--set noise.path=x.npy", line: 1, column: 13, length: 4))
        #expect(
            noise.entries[3].value.items?[1]["a"]?.range
                == SourceRange(file: "--set noise.grid=[1, {a: 2}]", line: 1, column: 26, length: 1))
    }

    @Test("a path through '$name' changes this node alone")
    func overrideThroughDefinition() throws {
        let text = """
            define: {priors: {J1: 1, J2: 2}}
            nodes:
              a: {stage: s, priors: $priors}
              b: {stage: s, priors: $priors}
            """
        let file = try GraphFile.parse(text: text, file: "g.yaml", overrides: ["a.priors.J1=5"])
        #expect(file.nodes[0].entries[0].value["J1"]?.text == "5")
        #expect(file.nodes[0].entries[0].value["J2"]?.text == "2")
        #expect(file.nodes[1].entries[0].value.text == "$priors")
    }

    @Test("a value may hold '=' and be empty")
    func unusualValues() throws {
        let file = try GraphFile.parse(
            text: Self.text, file: "g.yaml", overrides: ["noise.note=a=b", "noise.exposure="])
        #expect(file.nodes[1].entries[2].value.text == "a=b")
        #expect(file.nodes[1].entries[0].value.isNull)
    }

    @Test("a path that leads to no file says so, with the nearest name")
    func missingFile() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("graphs-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
        try Data(Self.text.utf8).write(to: URL(fileURLWithPath: folder + "/quick.yaml"))
        #expect(try GraphFile.load(path: folder + "/quick.yaml").nodes.count == 2)
        func message(_ path: String) -> String {
            do {
                return try GraphFile.load(path: path).name
            } catch {
                return error.description.replacingOccurrences(of: folder, with: "DIR")
            }
        }
        #expect(
            message(folder + "/quikc.yaml") == "error: no file 'DIR/quikc.yaml'\n  hint: did you mean 'DIR/quick.yaml'?"
        )
        #expect(message(folder + "/other.yaml") == "error: no file 'DIR/other.yaml'")
        #expect(message(folder) == "error: 'DIR' is a folder, not a file")
        #expect(
            message(folder + "/no/a.yaml")
                == "error: no folder 'DIR/no' for the file 'DIR/no/a.yaml'\n  hint: check the path")
    }
}
