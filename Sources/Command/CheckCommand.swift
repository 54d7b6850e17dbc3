import ArgumentParser
import Artifacts
import Dataflow

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reads a graph and reports every problem in it, without running anything.")

    @OptionGroup var source: GraphOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let graph = try source.load()
        let samples = graph.nodes.reduce(0) { $0 + ($1.samples ?? 1) }
        switch format.format {
        case .text:
            Output.standardOutput("\(source.graph): ok, \(graph.nodes.count) nodes, \(samples) steps")
        case .json:
            Output.json(
                .record([
                    "graph": .string(graph.name), "file": .string(graph.file), "steps": .int(samples),
                    "nodes": .list(
                        graph.nodes.map { node in
                            .record([
                                "name": .string(node.name), "stage": .string(node.stage.signature.name),
                                "samples": node.samples.map { .int($0) } ?? .none,
                            ])
                        }),
                ]))
        }
    }
}
