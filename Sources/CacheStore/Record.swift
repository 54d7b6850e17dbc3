import Artifacts

/// A step that the store remembers: what it gave, what it cost, who asked.
public struct Record: Sendable, Hashable, Codable {
    public enum Outcome: Sendable, Hashable, Codable {
        /// The digest of the artifact, and its size in canonical bytes.
        case done(artifact: Digest, bytes: Int)
        /// The step gave no answer; the message says why. Tried again when asked or when something changed.
        case failed(message: String)
    }

    /// The step's key: the digest of its preimage.
    public var key: Digest
    public var graph: String
    /// The node's name, with its class: `spectra@dimer`.
    public var node: String
    public var stage: String
    public var stageVersion: Int
    /// nil for a node that is one step.
    public var sample: Int?
    public var outcome: Outcome
    /// Wall-clock seconds of the step itself.
    public var seconds: Double
    /// `cpu` or `cuda`.
    public var executor: String
    public var programVersion: String
    /// The run that computed it.
    public var run: String
    /// Seconds since 1970.
    public var created: Double
    /// A few small facts for listings, as canonical bytes of a record value.
    public var summary: [UInt8]

    public init(
        key: Digest, graph: String, node: String, stage: String, stageVersion: Int, sample: Int?, outcome: Outcome,
        seconds: Double, executor: String, programVersion: String, run: String, created: Double, summary: [UInt8]
    ) {
        self.key = key
        self.graph = graph
        self.node = node
        self.stage = stage
        self.stageVersion = stageVersion
        self.sample = sample
        self.outcome = outcome
        self.seconds = seconds
        self.executor = executor
        self.programVersion = programVersion
        self.run = run
        self.created = created
        self.summary = summary
    }

    /// The artifact's digest; nil for a failed step.
    public var artifact: Digest? {
        if case .done(let artifact, _) = outcome { return artifact }
        return nil
    }
}

/// A finished step on its way into the store.
public struct NewRecord: Sendable {
    public var record: Record
    /// Canonical bytes whose digest is `record.key`: kept so that two keys can be compared field by field.
    public var preimage: [UInt8]
    /// The artifact; nil for a failed step.
    public var artifact: EncodedValue?

    public init(record: Record, preimage: [UInt8], artifact: EncodedValue?) {
        self.record = record
        self.preimage = preimage
        self.artifact = artifact
    }
}
