import ArgumentParser
import Artifacts
import CacheStore
import Dataflow
import Presentation

struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why", abstract: "Says why a step would run or be reused, field by field.")

    @OptionGroup var source: GraphOptions
    @Argument(
        help: ArgumentHelp("A node, or one of its samples: verdict, spectra@dimer#12.", valueName: "node[#sample]"))
    var node: String
    @OptionGroup var storage: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let graph = try source.load()
        let known = try KnownArtifacts(
            graph, store: try storage.open(.readOnly), executorInKey: try source.executorInKey(for: graph))
        let address = try NodeAddress(node, in: graph)
        let explanation = try Explanation(address.node, sample: address.sample, in: known)
        switch format.format {
        case .json: Output.json(explanation.document)
        case .text: Output.standardOutput(explanation.text(indent: ""))
        }
    }
}

extension Explanation {
    private var address: String { node + (sample.map { "#\($0)" } ?? "") }

    private var verdict: String {
        switch state {
        case .reused(let record):
            "reused: computed by run \(record.run) in \(Wording.duration(record.seconds)), artifact \(record.artifact?.short ?? "")"
                + (Adoption.evidence(record).map { " (\($0))" } ?? "")
        case .mustRun(.neverRun): before == nil ? "must run: never computed before" : "must run: something changed"
        case .mustRun(.lost(let artifact)): "must run: its artifact \(artifact.short) is no longer in the store"
        case .mustRun(.retry): "must run: it failed before by a limit that was raised since"
        case .failed(let record):
            if case .failed(let message) = record.outcome {
                "failed in run \(record.run): \(message)"
            } else {
                "failed"
            }
        case .awaits(let source): "not known yet: waits for \(source)"
        }
    }

    func text(indent: String) -> String {
        var lines = ["\(indent)\(address): \(verdict)"]
        if let before, !differences.isEmpty {
            lines.append("\(indent)  since run \(before.run):")
            for difference in differences { lines.append("\(indent)    \(difference.words(of: node))") }
        }
        for explanation in upstream { lines.append(explanation.text(indent: indent + "  ")) }
        return lines.joined(separator: "\n")
    }

    var document: Value {
        .record([
            "node": .string(node), "sample": sample.map { .int($0) } ?? .none, "verdict": .string(verdict),
            "before": before.map { .string($0.run) } ?? .none,
            "differences": .list(differences.map(\.document)),
            "key": preimage ?? .none,
            "upstream": .list(upstream.map(\.document)),
        ])
    }
}
