import Artifacts
import Dataflow
import Foundation
import GraphLanguage
import Testing

@testable import Stages

/// The JSON Schema of graph files against graphs that bind and graphs that do not.
@Suite("The schema of graph files")
struct GraphSchemaTests {
    static let validator = SchemaValidator(root: StageLibrary.spinweave.schema)

    @Test("every graph of the package is valid")
    func ownGraphs() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: graphsFolder).filter { $0.hasSuffix(".yaml") }
        #expect(names.count >= 5)
        for name in names.sorted() {
            let text = try String(contentsOfFile: graphsFolder + "/" + name, encoding: .utf8)
            #expect(try Self.validator.accepts(parseYAML(text: text, file: name)), "\(name)")
        }
    }

    private static let parameters = "p: {stage: sample-parameters, model: square-afm-nn, priors: {J1: 1 meV}, count: 3}"

    @Test(
        "valid",
        arguments: [
            "nodes: {\(parameters)}",
            "nodes: {p: {stage: fix-parameters, model: $m, values: $v}}\ndefine: {m: x, v: {J1: 0}}",
            "nodes: {p: {stage: sample-parameters, priors: {}}}\ndefaults: {sample-parameters: {count: 3, model: m}}",
            "include: [a.yaml]",
            "include: a.yaml\nnodes: {p: {stage: sample-parameters, priors: {}}}",
            "nodes: {p: {stage: fix-parameters, model: m, for: {class: each, a: [1, 2], b: $b, c: {low: 1, up: {x: 2}}}}}",
            "nodes: {s: {stage: sweep-parameters, model: m, values: {J: [1 meV, 0], K: {from: 0, to: 1 meV, count: 3}}}}",
            "nodes: {t: {stage: train-network, images: [a, b@c], layers: [relu, {dense: 2}, {max-pool: [2, 2]}]}}",
        ])
    func valid(text: String) throws {
        #expect(try Self.validator.accepts(parseYAML(text: text, file: "g.yaml")))
    }

    @Test(
        "not valid",
        arguments: [
            ("no nodes", "seed: 3"),
            ("a misspelt key at the top", "node: {}\nnodes: {\(parameters)}"),
            ("a seed with decimals", "seed: 1.5\nnodes: {\(parameters)}"),
            ("an unknown stage", "nodes: {p: {stage: sample-parameter, model: m, priors: {}, count: 3}}"),
            ("no stage", "nodes: {p: {model: m}}"),
            ("a misspelt parameter", "nodes: {p: {stage: fix-parameters, modle: m}}"),
            ("a missing parameter", "nodes: {p: {stage: sample-parameters, model: m, priors: {}}}"),
            ("a missing input", "nodes: {s: {stage: spin-waves, model: m}}"),
            ("a text for a number", "nodes: {s: {stage: spin-waves, model: m, parameters: p, grid: fine}}"),
            ("a number out of range", "nodes: {s: {stage: spin-waves, model: m, parameters: p, grid: 1}}"),
            ("an energy without unit", "nodes: {p: {stage: fix-parameters, model: m, values: {J: 1}}}"),
            ("an energy in tesla", "nodes: {p: {stage: fix-parameters, model: m, values: {J: 1 T}}}"),
            ("an unknown choice", "nodes: {s: {stage: spin-waves, model: m, parameters: p, on-unstable: ignore}}"),
            ("an unknown form", "nodes: {p: {stage: sample-parameters, model: m, count: 3, priors: {J: {flat: 0}}}}"),
            ("an empty sweep axis", "nodes: {s: {stage: sweep-parameters, model: m, values: {J1: []}}}"),
            ("a wrong loop", "nodes: {p: {stage: fix-parameters, model: m, for: each sample}}"),
            ("an empty axis", "nodes: {p: {stage: fix-parameters, model: m, for: {a: []}}}"),
            ("a default for no stage", "defaults: {noise: {}}\nnodes: {\(parameters)}"),
            ("an input among defaults", "defaults: {spin-waves: {parameters: p}}\nnodes: {\(parameters)}"),
            ("a list for one node", "nodes: {s: {stage: spin-waves, model: m, parameters: [p, q]}}"),
            ("a name with a blank", "nodes: {a b: {stage: fix-parameters, model: m}}"),
        ])
    func invalid(what: String, text: String) throws {
        #expect(try !Self.validator.accepts(parseYAML(text: text, file: "g.yaml")), "\(what)")
    }

    @Test("laying out a graph changes nothing that is bound")
    func formattingBinds() throws {
        for name in ["pcsmo-quick", "square-afm", "sweep-afm"] {
            let text = try String(contentsOfFile: "\(graphsFolder)/\(name).yaml", encoding: .utf8)
            // The files are laid out already: spoil the layout first.
            let spoilt = text.replacing("  ", with: "    ").replacing(", ", with: " ,   ").replacing("{", with: "{  ")
            let formatted = try formattedGraph(spoilt, file: name)
            func bound(_ text: String) throws -> Graph {
                try Graph.bind(
                    try GraphFile.parse(text: text, file: name), library: .spinweave, directory: graphsFolder)
            }
            let (before, after) = (try bound(spoilt), try bound(formatted))
            #expect(spoilt != formatted)
            #expect(before.nodes.map(\.name) == after.nodes.map(\.name))
            #expect(before.nodes.map(\.parameters) == after.nodes.map(\.parameters))
            #expect(before.nodes.map(\.edges) == after.nodes.map(\.edges))
        }
    }
}
