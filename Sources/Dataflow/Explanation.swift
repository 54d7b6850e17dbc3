import Artifacts
import CacheStore

/// The answer to `why`: what a step's key is made of, and how it differs from the last time.
public struct Explanation: Sendable {
    public enum State: Sendable {
        /// The answer is in the store.
        case reused(Record)
        /// It would be computed by the next run.
        case mustRun(Reason)
        /// It failed, and would again.
        case failed(Record)
        /// Its inputs are not known before this node has run.
        case awaits(String)
    }

    public var node: String
    public var sample: Int?
    public var state: State
    /// The latest earlier record of this node and sample whose key is another one.
    public var before: Record?
    /// What changed since `before`; empty when there is none, or when the inputs are not known yet.
    public var differences: [FieldDifference]
    /// The step's preimage; nil while its inputs are not known.
    public var preimage: Value?
    /// The same question about the inputs that changed or are awaited.
    public var upstream: [Explanation]

    /// - Throws: `RunError` when the graph has no such node or sample.
    public init(_ node: String, sample: Int?, in known: KnownArtifacts) throws {
        let graph = known.graph
        guard let index = graph.nodes.firstIndex(where: { $0.name == node }) else {
            throw RunError(node: nil, sample: nil, message: "the graph has no node '\(node)'")
        }
        let position = sample ?? 0
        guard known.resolution.states[index].indices.contains(position) else {
            throw RunError(
                node: node, sample: nil, message: "there is no sample \(position)",
                hint: "samples count from 0 to \(known.resolution.states[index].count - 1)")
        }
        self.node = node
        self.sample = graph.nodes[index].samples == nil ? nil : position
        differences = []
        upstream = []
        var key: StepKey?
        switch known.resolution.states[index][position] {
        case .awaits(let source): state = .awaits(graph.nodes[source].name)
        case .missing(let missing, let reason):
            state = .mustRun(reason)
            key = missing
        case .done(let record):
            state = .reused(record)
            if let bytes = try known.resolution.store.preimage(for: record.key) {
                preimage = try Value(decoding: bytes)
            }
        case .failed(let failed, let record):
            state = .failed(record)
            key = failed
        }
        if let key { preimage = key.preimage }
        let latest = try known.resolution.store.latestRecord(graph: graph.name, node: node, sample: self.sample)
        if let latest, let preimage, let bytes = try known.resolution.store.preimage(for: latest.key) {
            let old = try Value(decoding: bytes)
            if old != preimage {
                before = latest
                differences = preimage.differences(from: old)
            }
        }
        // Follow what changed, so that the answer names the edit and not only the digest that it moved.
        for edge in graph.nodes[index].edges where follows(edge, in: graph) {
            for source in edge.sources.prefix(4) {
                let next = try Explanation(
                    graph.nodes[source].name,
                    sample: graph.nodes[source].samples == nil
                        ? nil : edge.cardinality == .each ? position : known.resolution.firstOpen(source), in: known)
                if !next.isSettled { upstream.append(next) }
            }
        }
    }

    private func follows(_ edge: Graph.Edge, in graph: Graph) -> Bool {
        if case .awaits = state { return true }
        return differences.contains { $0.path == "inputs.\(edge.port)" }
    }

    /// Nothing to say: reused, and nothing differs.
    var isSettled: Bool {
        if case .reused = state { return differences.isEmpty && upstream.isEmpty }
        return false
    }
}
