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
        let resolution = known.resolution
        let position = sample ?? 0
        guard (0..<resolution.nodes[index].count).contains(position) else {
            throw RunError(
                node: node, sample: nil, message: "there is no sample \(position)",
                hint: "samples count from 0 to \(resolution.nodes[index].count - 1)")
        }
        self.node = node
        self.sample = graph.nodes[index].samples == nil ? nil : position
        differences = []
        upstream = []
        func record(_ key: Digest) throws -> Record {
            guard let record = try resolution.store.records(for: [key])[0] else {
                throw RunError(
                    node: node, sample: sample, message: "its record is damaged",
                    hint: "'spinweave-cache verify --repair' takes damaged entries out of the store")
            }
            return record
        }
        switch try resolution.state(index, position) {
        case .awaits(let source): state = .awaits(graph.nodes[source].name)
        case .missing(_, let reason): state = .mustRun(reason)
        case .done(let key, _): state = .reused(try record(key))
        case .failed(let key): state = .failed(try record(key))
        }
        let template = resolution.identities[index].template
        preimage = try resolution.identity(index, position)?.preimage(template: template)
        let latest = try resolution.store.latestRecord(graph: graph.name, node: node, sample: self.sample)
        if let latest, let preimage, let bytes = try resolution.store.preimage(for: latest.key) {
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
                        ? nil : edge.cardinality == .each ? position : try resolution.firstOpen(source), in: known)
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

extension Resolution {
    /// The first step of a node that has no answer yet; the first of all when every one has.
    fileprivate func firstOpen(_ node: Int) throws -> Int {
        for chunk in nodes[node].chunks {
            guard let entries = chunk.entries else { continue }
            if let open = entries.firstIndex(where: { $0.state.artifact == nil }) {
                return chunk.steps.lowerBound + open
            }
        }
        return 0
    }
}
