import Artifacts

/// What a run did: the command line and the pages read only this.
public struct Report: Sendable {
    public enum Outcome: String, Sendable { case done, failed, interrupted }

    /// A step that gave no answer.
    public struct Failure: Sendable, Hashable {
        public var sample: Int?
        public var message: String
    }

    public struct NodeReport: Sendable {
        public var name: String
        public var stage: String
        /// Number of steps: samples, or 1.
        public var samples: Int
        public var computed: Int
        public var reused: Int
        public var failed: Int
        /// Not reached, because something before it failed or the run was interrupted.
        public var pending: Int
        /// Wall-clock seconds that the node took in this run.
        public var seconds: Double
        /// Who computed what this run computed; `cpu, cuda` where both did, `cpu` where nobody had to.
        public var executor: String
        public var failures: [Failure]
        /// The artifact of a node that is one step.
        public var artifact: Digest?
        /// Small facts from the stage: those of a single step as they are, those of samples added up (numbers) or
        /// counted (true).
        public var facts: [String: Value]
    }

    public var graph: String
    public var file: String
    public var run: String
    public var store: String
    public var seed: Int
    public var programVersion: String
    /// Seconds since 1970.
    public var started: Double
    public var seconds: Double
    public var jobs: Int
    public var outcome: Outcome
    public var nodes: [NodeReport]

    public var computed: Int { nodes.reduce(0) { $0 + $1.computed } }
    public var reused: Int { nodes.reduce(0) { $0 + $1.reused } }
    public var failed: Int { nodes.reduce(0) { $0 + $1.failed } }

    /// The report as one value, for JSON and for the store's list of runs.
    public var document: Value {
        .record([
            "graph": .string(graph), "file": .string(file), "run": .string(run), "store": .string(store),
            "seed": .int(seed), "program": .string(programVersion), "started": .double(started),
            "seconds": .double(seconds), "jobs": .int(jobs), "outcome": .string(outcome.rawValue),
            "nodes": .list(nodes.map(\.document)),
        ])
    }
}

extension Report.NodeReport {
    var document: Value {
        var fields: [String: Value] = [
            "name": .string(name), "stage": .string(stage), "samples": .int(samples), "computed": .int(computed),
            "reused": .int(reused), "failed": .int(failed), "pending": .int(pending), "seconds": .double(seconds),
            "executor": .string(executor),
            "failures": .list(
                failures.map {
                    .record(["sample": $0.sample.map { .int($0) } ?? .none, "message": .string($0.message)])
                }),
        ]
        if let artifact { fields["artifact"] = .string(artifact.hex) }
        // The verdict stands where readers of the document look for it; the other facts stay together.
        var facts = facts
        if let verdict = facts.removeValue(forKey: "verdict") { fields["verdict"] = verdict }
        if !facts.isEmpty { fields["facts"] = .record(facts) }
        return .record(fields)
    }
}
