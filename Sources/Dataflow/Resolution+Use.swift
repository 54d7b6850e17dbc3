import Artifacts
import CacheStore

/// What a run takes out of a resolution: the work that is left, and what the store is to remember.
extension Resolution {
    /// The steps that a run has to compute, ascending, with their keys.
    func missing(_ index: Int) -> [(step: Int, key: Digest)] {
        var missing: [(step: Int, key: Digest)] = []
        for chunk in nodes[index].chunks {
            guard let entries = chunk.entries else { continue }
            for (step, entry) in zip(chunk.steps, entries) {
                if case .missing(let key, _) = entry.state { missing.append((step, key)) }
            }
        }
        return missing
    }

    /// The keys of all steps of a node that have an answer: one by one, or by the fan-outs that stand for them.
    func usedKeys(_ index: Int) -> [Digest] {
        let node = nodes[index]
        if node.isSettled, let key = node.key { return [key] }
        return node.chunks.flatMap { chunk -> [Digest] in
            guard let entries = chunk.entries else { return chunk.key.map { [$0] } ?? [] }
            return entries.compactMap(\.state.answeredKey)
        }
    }

    /// The same in the words of the store as it is once the run's `newFanouts` are in it.
    func rememberedKeys(_ index: Int) -> [Digest] {
        if let key = nodes[index].key, nodes[index].result != nil { return [key] }
        return usedKeys(index)
    }

    /// The fan-outs that the store does not have yet.
    var newFanouts: [(key: Digest, fanout: Fanout)] {
        var new: [(key: Digest, fanout: Fanout)] = []
        for (index, node) in nodes.enumerated() where graph.nodes[index].samples != nil && !node.isSettled {
            for chunk in node.chunks {
                if let key = chunk.key, let fanout = chunk.fanout(epoch: epoch) { new.append((key, fanout)) }
            }
            if let key = node.key, let fanout = node.fanout(epoch: epoch) { new.append((key, fanout)) }
        }
        return new
    }

    /// What flowed into ports that take everything, as far as it is known.
    var gatherings: [Gathering] {
        graph.nodes.flatMap(\.edges).filter { $0.cardinality == .all }.compactMap { gathering($0) }
    }
}
