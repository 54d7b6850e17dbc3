import Artifacts
import CacheStore

/// What a run would do, without doing it.
public struct Plan: Sendable {
    public enum Verdict: String, Sendable, Hashable {
        case reuse, run, awaits, failed
    }

    /// Consecutive samples with the same verdict: "2000–3999: new".
    public struct Stretch: Sendable, Hashable {
        public var samples: ClosedRange<Int>
        public var verdict: Verdict
    }

    public struct NodePlan: Sendable {
        public var name: String
        public var stage: String
        /// nil for a node that is one step.
        public var samples: Int?
        public var stretches: [Stretch]
        /// What differs from the latest record of the first step that must run; empty when there is none before.
        public var because: [FieldDifference]
        /// Names of the nodes that unknown steps wait for.
        public var awaits: [String]
        /// Seconds that the missing steps took when they last ran, per step, where the store remembers similar ones.
        public var expectedSeconds: Double?

        public func count(_ verdict: Verdict) -> Int {
            stretches.filter { $0.verdict == verdict }.reduce(0) { $0 + $1.samples.count }
        }
    }

    public var graph: String
    public var nodes: [NodePlan]

    public var isComplete: Bool { nodes.allSatisfy { node in node.stretches.allSatisfy { $0.verdict == .reuse } } }

    /// Resolves the whole graph against the store.
    public init(_ graph: Graph, store: Store, executorInKey: String? = nil) throws {
        var resolution = Resolution(graph: graph, store: store, executorInKey: executorInKey)
        var plans: [NodePlan] = []
        for index in graph.nodes.indices {
            try resolution.resolve(index)
            plans.append(try Self.plan(of: index, in: resolution))
        }
        self.graph = graph.name
        nodes = plans
    }

    private static func plan(of index: Int, in resolution: Resolution) throws -> NodePlan {
        let node = resolution.graph.nodes[index]
        var stretches: [Stretch] = []
        var awaits: [String] = []
        var firstMissing: (sample: Int, key: StepKey)?
        for (sample, state) in resolution.states[index].enumerated() {
            let verdict: Verdict
            switch state {
            case .awaits(let source):
                verdict = .awaits
                let name = resolution.graph.nodes[source].name
                if !awaits.contains(name) { awaits.append(name) }
            case .missing(let key, _):
                verdict = .run
                firstMissing = firstMissing ?? (sample, key)
            case .done: verdict = .reuse
            case .failed: verdict = .failed
            }
            if let last = stretches.last, last.verdict == verdict {
                stretches[stretches.count - 1].samples = last.samples.lowerBound...sample
            } else {
                stretches.append(Stretch(samples: sample...sample, verdict: verdict))
            }
        }
        var because: [FieldDifference] = []
        var expected: Double?
        if let firstMissing {
            let before = try resolution.store.latestRecord(
                graph: resolution.graph.name, node: node.name,
                sample: node.samples == nil ? nil : firstMissing.sample)
            if let before, let preimage = try resolution.store.preimage(for: before.key) {
                because = firstMissing.key.preimage.differences(from: try Value(decoding: preimage))
                expected = before.seconds
            } else if node.samples != nil,
                let sibling = try resolution.store.latestRecord(
                    graph: resolution.graph.name, node: node.name, sample: 0)
            {
                expected = sibling.seconds
            }
        }
        return NodePlan(
            name: node.name, stage: node.stage.signature.name, samples: node.samples, stretches: stretches,
            because: because, awaits: awaits, expectedSeconds: expected)
    }
}

/// The artifacts of a graph that the store has now: what `export`, `report` and `why` look at.
public struct KnownArtifacts: Sendable {
    public let graph: Graph
    let resolution: Resolution

    public init(_ graph: Graph, store: Store, executorInKey: String? = nil) throws {
        var resolution = Resolution(graph: graph, store: store, executorInKey: executorInKey)
        for index in graph.nodes.indices { try resolution.resolve(index) }
        self.graph = graph
        self.resolution = resolution
    }

    /// Records of a node's steps in sample order; nil where the step has no answer in the store.
    public func records(of node: String) -> [Record?] {
        guard let index = graph.nodes.firstIndex(where: { $0.name == node }) else { return [] }
        return resolution.states[index].map {
            switch $0 {
            case .done(let record), .failed(_, let record): record
            case .awaits, .missing: nil
            }
        }
    }

    /// The value of a step; nil where it has none in the store.
    public func value(of node: String, sample: Int? = nil) throws -> Value? {
        let all = records(of: node)
        let position = sample ?? 0
        guard all.indices.contains(position), let artifact = all[position]?.artifact else { return nil }
        return try resolution.store.value(for: artifact)
    }
}
