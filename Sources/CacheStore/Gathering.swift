import Artifacts

/// What flowed into a port that takes everything: one part for each node that feeds it.
public struct Gathering: Sendable, Hashable {
    public struct Part: Sendable, Hashable {
        public var className: String?
        /// As named when the collection was made.
        public var node: String
        /// Number of samples; nil for a node that is one step.
        public var samples: Int?
        /// The key of the node's fan-out, or of its one step.
        public var key: Digest
        /// The root of the fan-out, or the artifact.
        public var result: Digest

        public init(className: String?, node: String, samples: Int?, key: Digest, result: Digest) {
            self.className = className
            self.node = node
            self.samples = samples
            self.key = key
            self.result = result
        }
    }

    public var parts: [Part]

    public init(parts: [Part]) { self.parts = parts }

    /// What enters a step's key: classes, counts and results, but neither names nor how the results came about.
    public var digest: Digest {
        Value.list(
            parts.map { part in
                .list([
                    part.className.map { .string($0) } ?? .none, part.samples.map { .int($0) } ?? .none,
                    .digest(part.result),
                ])
            }
        ).digest
    }

    func stored() -> [UInt8] {
        Value.list(
            parts.map { part in
                .record([
                    "class": part.className.map { .string($0) } ?? .none, "node": .string(part.node),
                    "samples": part.samples.map { .int($0) } ?? .none, "key": .digest(part.key),
                    "result": .digest(part.result),
                ])
            }
        ).encoded().bytes
    }

    init?(stored bytes: ArraySlice<UInt8>) {
        do {
            parts = try Value(decoding: Array(bytes)).asList().map { part in
                guard case .digest(let key) = try part.field("key"),
                    case .digest(let result) = try part.field("result")
                else { throw ValueError(expected: "digest", field: nil, found: part.kind) }
                let samples = try part.field("samples")
                let className = try part.field("class")
                return Part(
                    className: className.isNone ? nil : try className.asString(), node: try part.string("node"),
                    samples: samples.isNone ? nil : try samples.asInt(), key: key, result: result)
            }
        } catch {
            return nil
        }
    }
}
