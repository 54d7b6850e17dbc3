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
    /// What the key is made of.
    public var identity: StepIdentity
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
    /// The class of machine: processor and instruction set.
    public var machine: String
    public var programVersion: String
    /// The run that computed it.
    public var run: String
    /// Seconds since 1970.
    public var created: Double
    /// A few small facts for listings, as canonical bytes of a record value; empty for none.
    public var summary: [UInt8]

    public init(
        identity: StepIdentity, key: Digest? = nil, graph: String, node: String, stage: String, stageVersion: Int,
        sample: Int?, outcome: Outcome, seconds: Double, executor: String, machine: String = "",
        programVersion: String, run: String, created: Double, summary: [UInt8]
    ) {
        self.key = key ?? identity.key
        self.identity = identity
        self.graph = graph
        self.node = node
        self.stage = stage
        self.stageVersion = stageVersion
        self.sample = sample
        self.outcome = outcome
        self.seconds = seconds
        self.executor = executor
        self.machine = machine
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
    /// Canonical bytes whose digest is `record.identity.template`: kept so that two keys can be compared field by field.
    public var template: [UInt8]
    /// The artifact; nil for a failed step.
    public var artifact: EncodedValue?

    public init(record: Record, template: [UInt8], artifact: EncodedValue?) {
        self.record = record
        self.template = template
        self.artifact = artifact
    }
}

/// A finished step that is filtered, compressed and sealed: all that is left is to commit it.
public struct PreparedRecord: Sendable {
    public let record: Record
    let template: [UInt8]
    let blob: PreparedBlob?

    /// Bytes that a commit will write, for sizing batches.
    public var storedBytes: Int { (blob?.head.storedBytes ?? 0) + 320 }
}
