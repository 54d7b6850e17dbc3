import Artifacts
import CacheStore
import Compute

extension Step {
    /// The two random streams of a step: a step that is computed elsewhere must draw the same numbers.
    public static func streams(seed: Int, node: String, sample: Int?) -> (sample: RandomStream, node: RandomStream) {
        let stream = RandomStream(seed: seed).substream(node)
        return (stream.substream("sample", sample ?? -1), stream)
    }
}

/// A step in words that another process understands: parameters as they are, inputs by digest.
public struct StepRequest: Sendable, Hashable {
    public struct Member: Sendable, Hashable {
        public var className: String?
        public var sample: Int?
        public var digest: Digest
    }

    public var stage: String
    public var stageVersion: Int
    /// As bound, with every parameter.
    public var parameters: Value
    public var node: String
    public var className: String?
    public var sample: Int?
    public var seed: Int
    public var threads: Int
    public var inputs: [String: Digest]
    public var collections: [String: [Member]]

    public init(_ step: Step, of node: Graph.Node, seed: Int) {
        stage = node.stage.signature.name
        stageVersion = node.stage.signature.version
        parameters = node.parameters
        self.node = node.name
        className = step.className
        sample = step.sample
        self.seed = seed
        threads = step.threads
        inputs = step.inputDigests
        collections = step.collections.mapValues {
            $0.map { Member(className: $0.className, sample: $0.sample, digest: $0.digest) }
        }
    }

    /// Computes the step, with inputs from `store`.
    ///
    /// - Parameter stage: an instance for `parameters`.
    /// - Throws: what the stage throws; `StoreError` for inputs; `RunError` for one that is not there.
    public func perform(
        _ stage: any Stage, store: Store, progress: @escaping @Sendable (Double, String) -> Void,
        isCancelled: @escaping @Sendable () -> Bool
    ) throws -> StepOutput {
        let random = Step.streams(seed: seed, node: node, sample: sample)
        let step = Step(
            node: node, className: className, sample: sample,
            inputs: try inputs.mapValues { try Self.load($0, from: store) }, inputDigests: inputs,
            collections: collections.mapValues { members in
                members.map { member in
                    Step.Member(
                        className: member.className, sample: member.sample, digest: member.digest,
                        load: { try Self.load(member.digest, from: store) })
                }
            },
            random: random.sample, nodeRandom: random.node, threads: threads, progress: progress,
            isCancelled: isCancelled)
        return try stage.run(step)
    }

    private static func load(_ digest: Digest, from store: Store) throws -> Value {
        guard let value = try store.value(for: digest) else {
            throw RunError(
                node: nil, sample: nil, message: "artifact \(digest.short) vanished from the store during the run",
                hint: "another program may have collected garbage; run again")
        }
        return value
    }
}

extension StepRequest {
    public var document: Value {
        .record([
            "stage": .string(stage), "version": .int(stageVersion), "parameters": parameters, "node": .string(node),
            "class": className.map { .string($0) } ?? .none, "sample": sample.map { .int($0) } ?? .none,
            "seed": .int(seed), "threads": .int(threads), "inputs": .record(inputs.mapValues { .digest($0) }),
            "collections": .record(
                collections.mapValues { members in
                    .list(
                        members.map {
                            .list([
                                $0.className.map { .string($0) } ?? .none, $0.sample.map { .int($0) } ?? .none,
                                .digest($0.digest),
                            ])
                        })
                }),
        ])
    }

    public init(_ document: Value) throws {
        func optional<T>(_ value: Value, _ read: (Value) throws -> T) rethrows -> T? {
            value.isNone ? nil : try read(value)
        }
        func digest(_ value: Value) throws -> Digest {
            guard case .digest(let digest) = value else {
                throw ValueError(expected: "digest", field: nil, found: value.kind)
            }
            return digest
        }
        stage = try document.string("stage")
        stageVersion = try document.int("version")
        parameters = try document.field("parameters")
        node = try document.string("node")
        className = try optional(document.field("class")) { try $0.asString() }
        sample = try optional(document.field("sample")) { try $0.asInt() }
        seed = try document.int("seed")
        threads = try document.int("threads")
        inputs = try document.field("inputs").asRecord().mapValues(digest)
        collections = try document.field("collections").asRecord().mapValues { members in
            try members.asList().map { member in
                let parts = try member.asList()
                guard parts.count == 3 else {
                    throw ValueError(expected: "class, sample and digest", field: nil, found: "\(parts.count) parts")
                }
                return Member(
                    className: try optional(parts[0]) { try $0.asString() },
                    sample: try optional(parts[1]) { try $0.asInt() }, digest: try digest(parts[2]))
            }
        }
    }
}
