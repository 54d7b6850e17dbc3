import Artifacts
import CacheStore
import Compute
import Foundation
import Synchronization

/// The missing steps of one node: reads inputs, calls the stage on several threads, commits answers in batches.
final class NodeBatch: Sendable {
    struct Finished: Sendable {
        var step: Int
        var entry: ChunkState.Entry
        /// Who computed it; nil where another program had computed it meanwhile.
        var executor: String?

        var isComputed: Bool { executor != nil }
    }

    /// A step with its claim and its inputs.
    struct Begun: Sendable {
        var position: Int
        var sample: Int?
        var step: Step
        /// Of all that flows in.
        var digests: [String: Digest]
    }

    /// Who computed a step, when, and for how long.
    struct Doer {
        var executor: String
        var machine: String
        var began: Double
        var seconds: Double
        /// Its answer is written at once.
        var isUrgent: Bool
    }

    private struct Progress {
        var finished: [Finished] = []
        var failed = 0
        /// Positions of steps that another program computes now.
        var deferred: [Int] = []
    }

    let run: Run
    let node: Graph.Node
    private let nodeIndex: Int
    let stage: any Stage
    private let resolution: Resolution
    private let identity: NodeIdentity
    private let inputs: NodeInputs
    private let steps: [(step: Int, key: Digest)]
    private let claims: Claims
    private let committer: Committer
    private let progress = Mutex(Progress())

    /// - Parameter missing: steps whose state is `.missing`, with their keys.
    init(run: Run, index: Int, resolution: Resolution, missing: [(step: Int, key: Digest)]) throws {
        self.run = run
        self.resolution = resolution
        node = run.graph.nodes[index]
        nodeIndex = index
        identity = resolution.identities[index]
        do {
            stage = try node.stage.init(parameters: node.parameters)
        } catch let failure as StepFailure {
            throw RunError(node: node.name, sample: nil, message: failure.description)
        }
        steps = missing
        inputs = try NodeInputs(index, steps: missing.map(\.step), resolution: resolution)
        claims = try run.store.claims()
        committer = Committer(store: run.store, claims: claims)
    }

    /// - Returns: every step that finished, in the order in which they finished.
    func execute() throws -> [Finished] {
        // Of steps with one key (two equal points of a sweep) the first is computed; the others find its answer.
        var keys: Set<Digest> = []
        var positions = steps.indices.filter { keys.insert(steps[$0].key).inserted }
        var repeated = positions.count == steps.count ? [] : Set(steps.indices).subtracting(positions).sorted()
        var isRepeat = false
        var pause: UInt32 = 10_000
        defer { claims.releaseAll() }
        do {
            while !positions.isEmpty, !run.isStopping {
                let threads = node.stage.signature.isThreaded ? 1 : run.options.jobs
                let retries = resolution.retriesFailed && !isRepeat
                let before = positions.count
                let left = try accelerate(positions, retries: retries)
                try Parallel.forEach(left.count, threads: threads) { [self, left] index in
                    if run.isStopping { return }
                    try executeStep(left[index], retries: retries)
                }
                try committer.flush()
                positions = progress.withLock { progress in
                    defer { progress.deferred = [] }
                    return progress.deferred.sorted()
                }
                if positions.isEmpty {
                    (positions, repeated, isRepeat) = (repeated, [], true)
                    continue
                }
                // Someone else computes these: look again now and then, more seldom while nothing comes.
                run.events(.waiting(name: node.name, steps: positions.count))
                usleep(pause)
                pause = positions.count < before ? 10_000 : min(pause * 2, 320_000)
            }
        } catch {
            // What finished before the error is kept all the same.
            try committer.flush()
            if error is CancellationError { return progress.withLock { $0.finished } }
            throw error
        }
        return progress.withLock { $0.finished }
    }

    private func executeStep(_ position: Int, retries: Bool) throws {
        guard let begun = try begin(position, retries: retries) else { return }
        let began = run.options.clock()
        let result: Result<StepOutput, StepFailure>
        do {
            result = .success(try compute(begun.step))
        } catch let failure as StepFailure {
            result = .failure(failure)
        } catch {
            release(begun)
            if error is CancellationError { return }
            throw RunError(node: node.name, sample: begun.sample, message: String(describing: error))
        }
        let seconds = run.options.clock() - began
        try conclude(
            begun, result,
            by: Doer(
                executor: Run.cpu, machine: run.options.machine, began: began, seconds: seconds, isUrgent: seconds > 1))
    }

    /// Claims a step and reads its inputs.
    ///
    /// - Parameter retries: a failure that the store remembers is no answer.
    /// - Parameter accelerator: the device that the step is for, which may have inputs of it.
    /// - Returns: nil where there is nothing to do: another program computes it now, or has done so.
    func begin(_ position: Int, retries: Bool, on accelerator: (any Accelerator)? = nil) throws -> Begun? {
        let (index, key) = steps[position]
        guard try claims.take(key) else {
            progress.withLock { $0.deferred.append(position) }
            return nil
        }
        do {
            // Since this node was looked up another program may have finished the step and let go of it.
            let now = try resolution.look(up: [key], of: nodeIndex, retries: retries)[0]
            if now.state.answeredKey != nil {
                claims.release(key)
                finish(Finished(step: index, entry: now, executor: nil))
                return nil
            }
            let sample = node.samples == nil ? nil : index
            var (step, digests) = try step(position, sample, accelerator)
            if let parameters = node.stage.checkpointParameters(node.parameters) {
                step.checkpoint =
                    CheckpointKeeper(run, node, identity, inputs: digests, sample: sample, parameters: parameters)
                    .checkpoint
            }
            return Begun(position: position, sample: sample, step: step, digests: digests)
        } catch {
            claims.release(key)
            throw error
        }
    }

    /// Lets others compute a step that was begun.
    func release(_ begun: Begun) { claims.release(steps[begun.position].key) }

    /// Hands an answer, or the reason why there is none, to the store.
    ///
    /// - Parameter accelerator: the device that may have something left of the answer.
    func conclude(
        _ begun: Begun, _ result: Result<StepOutput, StepFailure>, by doer: Doer,
        on accelerator: (any Accelerator)? = nil
    ) throws {
        let (index, key) = steps[begun.position]
        var summary: [String: Value] = [:]
        var artifact: EncodedValue?
        let outcome: Record.Outcome
        switch result {
        case .success(let output):
            let encoded = output.value.encoded()
            let digest = Digest(of: encoded.bytes)
            outcome = .done(artifact: digest, bytes: encoded.bytes.count)
            if let accelerator, let remnant = output.remnant { accelerator.keep(remnant, of: digest) }
            summary = output.summary
            artifact = encoded
        case .failure(let failure):
            outcome = .failed(message: failure.description)
            summary = failure.facts
        }
        let record = Record(
            identity: identity.step(inputs: begun.digests, sample: begun.sample), key: key, graph: run.graph.name,
            node: node.name, stage: node.stage.signature.name, stageVersion: node.stage.signature.version,
            sample: begun.sample, outcome: outcome, seconds: doer.seconds, executor: doer.executor,
            machine: doer.machine, programVersion: run.options.programVersion, run: run.id, created: doer.began,
            summary: summary.isEmpty ? [] : Value.record(summary).encoded().bytes)
        // From here on the claim is the committer's to give back.
        try committer.add(
            Store.prepare(NewRecord(record: record, template: identity.encodedTemplate, artifact: artifact)),
            urgent: doer.isUrgent)
        var entry = ChunkState.Entry(state: .failed(key), summary: record.summary)
        if case .done(let artifact, let bytes) = outcome {
            entry.state = .done(key, artifact)
            entry.bytes = bytes
        }
        finish(Finished(step: index, entry: entry, executor: doer.executor))
    }

    /// A node with limits is computed where it can be ended without harm, if there is such a place.
    private func compute(_ step: Step) throws -> StepOutput {
        if node.limits != nil, let isolated = run.options.isolated { return try isolated(node, step) }
        return try stage.run(step)
    }

    /// What the stage sees, and the digests of all that flows in.
    private func step(
        _ position: Int, _ sample: Int?, _ accelerator: (any Accelerator)?
    ) throws -> (Step, [String: Digest]) {
        let ports = (node.stage as? any AcceleratedStage.Type)?.remnantPorts ?? []
        return try inputs.step(
            position, sample: sample, of: node, seed: run.graph.seed,
            threads: node.stage.signature.isThreaded ? run.options.jobs : 1, store: run.store,
            remnant: { port, digest in
                guard let accelerator, ports.contains(port) else { return nil }
                return accelerator.remnant(of: digest)
            },
            progress: { [self] fraction, note in reportProgress(fraction: fraction, note: note) },
            isCancelled: { [run] in run.isStopping })
    }

    private func finish(_ step: Finished) {
        progress.withLock { progress in
            progress.finished.append(step)
            if step.entry.state.artifact == nil { progress.failed += 1 }
        }
        reportProgress(fraction: 0, note: "")
    }

    private func reportProgress(fraction: Double, note: String) {
        let (done, failed) = progress.withLock { ($0.finished.count, $0.failed) }
        run.events(
            .progress(
                name: node.name, done: done, failed: failed, missing: steps.count, fraction: fraction, note: note))
    }
}

/// A run that cannot go on: the machine, the store or a defect, not the physics.
public struct RunError: Error, Sendable, CustomStringConvertible {
    public var node: String?
    public var sample: Int?
    public var message: String
    public var hint: String?

    public init(node: String?, sample: Int?, message: String, hint: String? = nil) {
        self.node = node
        self.sample = sample
        self.message = message
        self.hint = hint
    }

    public var description: String {
        let place = node.map { "\($0)\(sample.map { "#\($0)" } ?? ""): " } ?? ""
        return place + message + (hint.map { "\n  hint: \($0)" } ?? "")
    }
}
