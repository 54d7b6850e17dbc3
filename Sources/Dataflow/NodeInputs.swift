import Artifacts
import CacheStore

/// What flows into the missing steps of one node: shared inputs read once, mapped ones by digest.
struct NodeInputs: Sendable {
    private(set) var sharedValues: [String: Value] = [:]
    private(set) var sharedDigests: [String: Digest] = [:]
    private(set) var collections: [String: [Step.Member]] = [:]
    private(set) var collectionDigests: [String: Digest] = [:]
    /// By port, for every step in the order given.
    private var mapped: [(port: String, digests: [Digest])] = []

    /// - Parameter steps: ascending.
    init(_ index: Int, steps: [Int], resolution: Resolution) throws {
        let graph = resolution.graph
        let store = resolution.store
        for edge in graph.nodes[index].edges {
            let source = edge.sources[0]
            if edge.cardinality == .all {
                collections[edge.port] = try Self.members(of: edge, in: resolution)
                collectionDigests[edge.port] = resolution.gathering(edge)?.digest
            } else if graph.nodes[source].samples == nil, let digest = resolution.nodes[source].result {
                sharedValues[edge.port] = try Self.load(digest, from: store)
                sharedDigests[edge.port] = digest
            } else {
                mapped.append((edge.port, try Self.artifacts(of: source, steps, in: resolution)))
            }
        }
    }

    func mapped(_ position: Int) -> [String: Digest] {
        Dictionary(uniqueKeysWithValues: mapped.map { ($0.port, $0.digests[position]) })
    }

    /// Chunk by chunk: a chunk that the store has as a whole is read once.
    private static func artifacts(of source: Int, _ steps: [Int], in resolution: Resolution) throws -> [Digest] {
        var artifacts: [Digest] = []
        artifacts.reserveCapacity(steps.count)
        var chunk = -1
        var entries: [ChunkState.Entry] = []
        for step in steps {
            if step / Fanout.chunkSize != chunk {
                chunk = step / Fanout.chunkSize
                entries = try resolution.entries(source, chunk: chunk)
            }
            guard let artifact = entries[step % Fanout.chunkSize].state.artifact else {
                throw RunError(
                    node: resolution.graph.nodes[source].name, sample: step,
                    message: "its artifact vanished from the store during the run",
                    hint: "another program may have collected garbage; run again")
            }
            artifacts.append(artifact)
        }
        return artifacts
    }

    private static func members(of edge: Graph.Edge, in resolution: Resolution) throws -> [Step.Member] {
        let store = resolution.store
        return try edge.sources.flatMap { source -> [Step.Member] in
            let node = resolution.graph.nodes[source]
            let steps = Array(0..<resolution.nodes[source].count)
            return try artifacts(of: source, steps, in: resolution).enumerated().map { sample, digest in
                Step.Member(
                    className: node.className, sample: node.samples == nil ? nil : sample, digest: digest,
                    load: { try load(digest, from: store) })
            }
        }
    }

    static func load(_ digest: Digest, from store: Store) throws -> Value {
        let found: Value?
        do {
            found = try store.value(for: digest)
        } catch StoreError.damaged(let artifact, let reason) {
            // Set aside, its record no longer counts, and the next run computes it anew.
            try store.setAside(artifact)
            throw RunError(
                node: nil, sample: nil,
                message: "artifact \(artifact.short) is damaged in the store (\(reason)) and was set aside",
                hint: "run again: it is computed anew, and everything sound is reused")
        }
        guard let value = found else {
            throw RunError(
                node: nil, sample: nil,
                message: "artifact \(digest.short) vanished from the store during the run",
                hint: "another process may have collected garbage; run again")
        }
        return value
    }
}
