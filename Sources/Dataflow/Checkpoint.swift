import Artifacts
import CacheStore
import Synchronization

/// Where a long step keeps what it has done so far, for the next time it is to be done.
///
/// A step whose run was killed goes on from there, and so does one that only wants more of the same (a training of more
/// epochs): what a stage's `checkpointParameters` leaves out of the parameters may differ. The answer must not depend on
/// whether there was a checkpoint.
public struct Checkpoint: Sendable {
    /// What was saved last; nil for nothing.
    public var load: @Sendable () throws -> Value?
    /// Whether so much was done since the last time that saving is worth its time.
    public var isDue: @Sendable () -> Bool
    /// Keeps `value` in place of what was saved before. When it returns, it is on the disk.
    public var save: @Sendable (Value) throws -> Void

    public init(
        load: @escaping @Sendable () throws -> Value?, isDue: @escaping @Sendable () -> Bool,
        save: @escaping @Sendable (Value) throws -> Void
    ) {
        self.load = load
        self.isDue = isDue
        self.save = save
    }
}

/// The checkpoint of one step in the store: a record of its own, whose artifact is replaced.
final class CheckpointKeeper: Sendable {
    private struct Progress {
        /// When something was last saved or begun.
        var since: Double
        /// Seconds that the last save took.
        var cost = 0.0
        /// What the record names now.
        var artifact: Digest?
    }

    private let run: Run
    private let node: Graph.Node
    private let sample: Int?
    private let identity: StepIdentity
    private let template: [UInt8]
    private let progress: Mutex<Progress>

    /// - Parameter inputs: digests of all that flows in.
    /// - Parameter parameters: what `checkpointParameters` gave.
    init(
        _ run: Run, _ node: Graph.Node, _ shared: NodeIdentity, inputs: [String: Digest], sample: Int?,
        parameters: Value
    ) {
        self.run = run
        self.node = node
        self.sample = sample
        var fields: [String: Value] = [:]
        if case .record(let all) = shared.template { fields = all }
        fields["domain"] = .string("spinweave checkpoint 1")
        fields["parameters"] = keyParameters(parameters, of: node.stage.signature)
        template = Value.record(fields).encoded().bytes
        let step = shared.step(inputs: inputs, sample: sample)
        identity = StepIdentity(
            template: Digest(of: template), inputs: step.inputs, sample: step.sample, point: step.point)
        progress = Mutex(Progress(since: run.options.clock()))
    }

    var checkpoint: Checkpoint {
        Checkpoint(load: { try self.load() }, isDue: { self.isDue }, save: { try self.save($0) })
    }

    private func load() throws -> Value? {
        // An answer whose artifact is not there is none.
        let answers = try run.store.answers(for: [identity.key])
        guard let artifact = answers[0]?.artifact else { return nil }
        progress.withLock { $0.artifact = artifact }
        do {
            return try NodeInputs.load(artifact, from: run.store)
        } catch is RunError {
            // Damaged and set aside, or gone: the step begins anew, as it would without a checkpoint.
            return nil
        }
    }

    /// Saving takes a twentieth of the time at most.
    private var isDue: Bool {
        let now = run.options.clock()
        return progress.withLock { now - $0.since >= max(run.options.checkpointInterval, 20 * $0.cost) }
    }

    private func save(_ value: Value) throws {
        let began = run.options.clock()
        let encoded = value.encoded()
        let artifact = Digest(of: encoded.bytes)
        let name = node.stage.signature.name
        // Under names of its own: it is no answer of the node, and its time is no step's.
        let record = Record(
            identity: identity, graph: run.graph.name, node: "\(node.name) checkpoint", stage: "\(name) checkpoint",
            stageVersion: node.stage.signature.version, sample: sample,
            outcome: .done(artifact: artifact, bytes: encoded.bytes.count), seconds: 0, executor: Run.cpu,
            machine: run.options.machine, programVersion: run.options.programVersion, run: run.id, created: began,
            summary: [])
        try run.store.put([NewRecord(record: record, template: template, artifact: encoded)])
        let previous = progress.withLock { progress in
            defer { progress.artifact = artifact }
            return progress.artifact
        }
        if let previous, previous != artifact { try run.store.setAside(previous) }
        let now = run.options.clock()
        progress.withLock { ($0.since, $0.cost) = (now, now - began) }
    }
}
