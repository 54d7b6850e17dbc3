import ArgumentParser
import Artifacts
import CacheStore
import Dataflow
import Presentation

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Says what a run would compute and what it would reuse, why, and what it takes.")

    @OptionGroup var source: GraphOptions
    @OptionGroup var storage: StoreOptions
    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let graph = try source.load()
        let store = try storage.open()
        let plan = try Plan(graph, store: store, executorInKey: try source.executorInKey(for: graph))
        let costs = RecordedCosts(graph, store: store)
        let prediction = try Prediction(plan, graph: graph, costs: costs, jobs: execution.threads)
        switch format.format {
        case .json: Output.json(plan.document(prediction))
        case .text:
            for node in plan.nodes {
                Output.standardOutput(node.text(ranges: try plan.ranges(of: node, store: store)))
            }
            if plan.isComplete { Output.standardOutput("nothing to compute") }
            for line in prediction.lines { Output.standardOutput(line) }
        }
    }
}

extension Plan {
    func document(_ prediction: Prediction) -> Value {
        .record([
            "graph": .string(graph),
            "complete": .bool(isComplete),
            "prediction": .record([
                "jobs": .int(prediction.jobs), "certain": prediction.certain.document,
                "possible": prediction.possible.document,
            ]),
            "nodes": .list(
                nodes.map { node in
                    .record([
                        "name": .string(node.name), "stage": .string(node.stage),
                        "samples": .int(node.samples ?? 1), "reuse": .int(node.count(.reuse)),
                        "run": .int(node.count(.run)), "awaits": .int(node.count(.awaits)),
                        "failed": .int(node.count(.failed)),
                        "expected_seconds": node.expectedSeconds.map { .double($0) } ?? .none,
                        "because": .list(node.because.map { .string($0.description) }),
                        "ranges": .list(
                            node.stretches.map {
                                .record([
                                    "from": .int($0.samples.lowerBound), "to": .int($0.samples.upperBound),
                                    "verdict": .string($0.verdict.rawValue),
                                ])
                            }),
                    ])
                }),
        ])
    }
}

extension Plan.NodePlan {
    /// `images@dimer  reuse 0–399; run 400–499: new`
    func text(ranges: [Plan.Range]) -> String {
        let words: [Plan.Range.Word: String] = [
            .reuse: "reuse", .new: "run", .again: "run", .awaits: "awaits", .failed: "failed before",
        ]
        let parts = ranges.map { range -> String in
            var text = words[range.word] ?? ""
            if samples != nil {
                let (from, to) = (range.samples.lowerBound, range.samples.upperBound)
                text += from == to ? " \(from)" : " \(from)–\(to)"
            }
            return range.word == .new ? text + ": new" : text
        }
        var text = "\(name)  \(parts.joined(separator: "; "))"
        if !awaits.isEmpty { text += " (waits for \(awaits.joined(separator: ", ")))" }
        if !because.isEmpty { text += "\n    because \(because.map { $0.words(of: name) }.joined(separator: "; "))" }
        return text
    }
}
