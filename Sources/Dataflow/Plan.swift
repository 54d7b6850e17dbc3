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
        var resolution = try Resolution(graph: graph, store: store, executorInKey: executorInKey)
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
        var plan = NodePlan(
            name: node.name, stage: node.stage.signature.name, samples: node.samples, stretches: [], because: [],
            awaits: [])
        var firstMissing: Int?
        for chunk in resolution.nodes[index].chunks {
            guard let entries = chunk.entries else {
                plan.add(.reuse, chunk.steps)
                continue
            }
            for (step, entry) in zip(chunk.steps, entries) {
                switch entry.state {
                case .awaits(let source):
                    plan.add(.awaits, step..<step + 1)
                    let name = resolution.graph.nodes[source].name
                    if !plan.awaits.contains(name) { plan.awaits.append(name) }
                case .missing:
                    plan.add(.run, step..<step + 1)
                    firstMissing = firstMissing ?? step
                case .done: plan.add(.reuse, step..<step + 1)
                case .failed: plan.add(.failed, step..<step + 1)
                }
            }
        }
        if let firstMissing { try plan.explain(firstMissing, of: index, in: resolution) }
        return plan
    }
}

extension Plan.NodePlan {
    fileprivate mutating func add(_ verdict: Plan.Verdict, _ samples: Range<Int>) {
        if let last = stretches.last, last.verdict == verdict {
            stretches[stretches.count - 1].samples = last.samples.lowerBound...samples.upperBound - 1
        } else {
            stretches.append(.init(samples: samples.lowerBound...samples.upperBound - 1, verdict: verdict))
        }
    }

    /// Enters what differs from the last time, and what that cost.
    fileprivate mutating func explain(_ step: Int, of index: Int, in resolution: Resolution) throws {
        let store = resolution.store
        let sample = samples == nil ? nil : step
        let before = try store.latestRecord(graph: resolution.graph.name, node: name, sample: sample)
        if let before, let old = try store.preimage(for: before.key),
            let now = try resolution.identity(index, step)?.preimage(template: resolution.identities[index].template)
        {
            because = now.differences(from: try Value(decoding: old))
            expectedSeconds = before.seconds
        } else if samples != nil {
            expectedSeconds = try store.latestRecord(graph: resolution.graph.name, node: name, sample: 0)?.seconds
        }
    }
}
