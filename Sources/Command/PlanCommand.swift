import ArgumentParser
import Artifacts
import CacheStore
import Dataflow
import Presentation

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Says what a run would compute and what it would reuse, and why.")

    @OptionGroup var source: GraphOptions
    @OptionGroup var storage: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let graph = try source.load()
        let plan = try Plan(graph, store: try storage.open(), executorInKey: source.strictNumerics ? "cpu" : nil)
        switch format.format {
        case .json: Output.json(plan.document)
        case .text:
            for node in plan.nodes { Output.standardOutput(node.line) }
            if plan.isComplete { Output.standardOutput("nothing to compute") }
        }
    }
}

extension Plan {
    var document: Value {
        .record([
            "graph": .string(graph),
            "complete": .bool(isComplete),
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
    /// `images@dimer  reuse 0–399; new 400–499 (samples), about 40 s`
    var line: String {
        let words: [Plan.Verdict: String] = [.reuse: "reuse", .run: "run", .awaits: "awaits", .failed: "failed before"]
        var parts: [String] = []
        if samples == nil {
            parts.append(words[stretches.first?.verdict ?? .run] ?? "")
        } else {
            parts = stretches.map { stretch in
                let range =
                    stretch.samples.count == 1
                    ? "\(stretch.samples.lowerBound)" : "\(stretch.samples.lowerBound)–\(stretch.samples.upperBound)"
                return "\(words[stretch.verdict] ?? "") \(range)"
            }
        }
        var text = "\(name)  \(parts.joined(separator: "; "))"
        if !awaits.isEmpty { text += " (waits for \(awaits.joined(separator: ", ")))" }
        if !because.isEmpty { text += "\n    because \(because.map(\.description).joined(separator: "; "))" }
        if let expectedSeconds, count(.run) > 0 {
            text += "\n    about \(Wording.duration(expectedSeconds * Double(count(.run)))) of one core"
        }
        return text
    }
}
