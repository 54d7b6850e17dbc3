import Artifacts
import CacheStore

/// The artifacts of a graph that the store has now: what `export`, `report` and `why` look at.
public struct KnownArtifacts: Sendable {
    public let graph: Graph
    let resolution: Resolution

    public init(_ graph: Graph, store: Store, executorInKey: String? = nil) throws {
        var resolution = try Resolution(graph: graph, store: store, executorInKey: executorInKey)
        for index in graph.nodes.indices { try resolution.resolve(index) }
        self.graph = graph
        self.resolution = resolution
    }

    /// Records of a node's steps in sample order; nil where the step has no answer in the store.
    public func records(of node: String) throws -> [Record?] {
        guard let index = graph.nodes.firstIndex(where: { $0.name == node }) else { return [] }
        let keys = try resolution.nodes[index].chunks.indices.flatMap {
            try resolution.entries(index, chunk: $0).map(\.state.answeredKey)
        }
        var records = try resolution.store.records(for: keys.compactMap(\.self)).makeIterator()
        return keys.map { $0 == nil ? nil : records.next() ?? nil }
    }

    /// The artifact of a step; nil where it has none in the store.
    public func artifact(of node: String, sample: Int? = nil) throws -> Digest? {
        guard let index = graph.nodes.firstIndex(where: { $0.name == node }),
            (0..<resolution.nodes[index].count).contains(sample ?? 0)
        else { return nil }
        return try resolution.state(index, sample ?? 0).artifact
    }

    /// The value of a step; nil where it has none in the store.
    public func value(of node: String, sample: Int? = nil) throws -> Value? {
        try artifact(of: node, sample: sample).flatMap { try resolution.store.value(for: $0) }
    }
}
