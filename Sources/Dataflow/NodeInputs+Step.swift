import Artifacts
import CacheStore

extension NodeInputs {
    /// What the stage sees, and the digests of all that flows in.
    ///
    /// - Parameter position: of the step among those that these inputs were made for.
    /// - Parameter remnant: what a device has of a port's artifact, in place of which it is read.
    func step(
        _ position: Int, sample: Int?, of node: Graph.Node, seed: Int, threads: Int, store: Store,
        remnant: (_ port: String, Digest) -> (any Sendable)? = { _, _ in nil },
        progress: @escaping @Sendable (Double, String) -> Void, isCancelled: @escaping @Sendable () -> Bool
    ) throws -> (Step, [String: Digest]) {
        let random = Step.streams(seed: seed, node: node.name, sample: sample)
        let mapped = mapped(position)
        var values = sharedValues
        var remnants: [String: any Sendable] = [:]
        for (port, digest) in mapped {
            if let remnant = remnant(port, digest) {
                remnants[port] = remnant
            } else {
                values[port] = try Self.load(digest, from: store)
            }
        }
        var step = Step(
            node: node.name, className: node.className, sample: sample, inputs: values,
            inputDigests: sharedDigests.merging(mapped) { $1 }, collections: collections, random: random.sample,
            nodeRandom: random.node, threads: threads, progress: progress, isCancelled: isCancelled)
        step.remnants = remnants
        if !remnants.isEmpty { step.load = { port in try mapped[port].map { try Self.load($0, from: store) } } }
        return (step, step.inputDigests.merging(collectionDigests) { $1 })
    }
}
