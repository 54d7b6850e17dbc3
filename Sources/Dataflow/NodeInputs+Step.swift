import Artifacts
import CacheStore

extension NodeInputs {
    /// What the stage sees, and the digests of all that flows in.
    ///
    /// - Parameter position: of the step among those that these inputs were made for.
    func step(
        _ position: Int, sample: Int?, of node: Graph.Node, seed: Int, threads: Int, store: Store,
        progress: @escaping @Sendable (Double, String) -> Void, isCancelled: @escaping @Sendable () -> Bool
    ) throws -> (Step, [String: Digest]) {
        let random = Step.streams(seed: seed, node: node.name, sample: sample)
        let mapped = mapped(position)
        var values = sharedValues
        for (port, digest) in mapped { values[port] = try Self.load(digest, from: store) }
        let step = Step(
            node: node.name, className: node.className, sample: sample, inputs: values,
            inputDigests: sharedDigests.merging(mapped) { $1 }, collections: collections, random: random.sample,
            nodeRandom: random.node, threads: threads, progress: progress, isCancelled: isCancelled)
        return (step, step.inputDigests.merging(collectionDigests) { $1 })
    }
}
