import Artifacts

/// The identity of one piece of work, with the preimage that it is the digest of, so that two keys can be compared
/// field by field.
public struct StepKey: Sendable, Hashable {
    /// A record: domain, stage, version, parameters, inputs, and where they apply sample, random and executor.
    public let preimage: Value
    public let encodedPreimage: [UInt8]
    public let digest: Digest

    public init(preimage: Value) {
        self.preimage = preimage
        encodedPreimage = preimage.encoded().bytes
        digest = Digest(of: encodedPreimage)
    }
}

/// What all steps of a node have in common, so that ten thousand keys cost ten thousand hashes and no more.
struct NodeIdentity: Sendable {
    let signature: Signature
    let parameters: Value
    let seed: Int
    let node: String
    /// In the key under `--strict-numerics` only.
    let executor: String?

    init(_ node: Graph.Node, seed: Int, executor: String?) {
        signature = node.stage.signature
        parameters = keyParameters(node.parameters, of: signature)
        self.seed = seed
        self.node = node.name
        self.executor = executor
    }

    /// - Parameter inputs: the digest of each connected port; of an `all` port, the digest of its members.
    func key(inputs: [String: Digest], sample: Int?) -> StepKey {
        var fields: [String: Value] = [
            "domain": .string("spinweave step 1"),
            "stage": .string(signature.name),
            "version": .int(signature.version),
            "parameters": parameters,
            "inputs": .record(inputs.mapValues { .digest($0) }),
        ]
        // Two samples with equal inputs are the same step, unless the stage makes the samples or draws numbers.
        if signature.samplesFrom != nil || signature.isRandom, let sample { fields["sample"] = .int(sample) }
        if signature.isRandom {
            fields["random"] = .record(["seed": .int(seed), "node": .string(node)])
        }
        if let executor { fields["executor"] = .string(executor) }
        return StepKey(preimage: .record(fields))
    }
}
