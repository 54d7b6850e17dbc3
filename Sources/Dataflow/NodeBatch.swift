import Artifacts
import CacheStore
import Compute
import Foundation
import Synchronization

/// The missing steps of one node: reads inputs, calls the stage on several threads, commits answers in batches.
final class NodeBatch: Sendable {
    typealias Finished = (step: Int, key: StepKey, record: Record)

    private let run: Run
    private let node: Graph.Node
    private let stage: any Stage
    private let steps: [(step: Int, key: StepKey)]
    /// Digests of `each` inputs, by port, for every step in `steps`.
    private let inputDigests: [[String: Digest]]
    /// Inputs that all steps share are read once.
    private let sharedInputs: [String: Value]
    private let sharedDigests: [String: Digest]
    private let collections: [String: [Step.Member]]
    private let committer: Committer
    private let finished = Mutex<[(step: Int, key: StepKey, record: Record)]>([])

    init(run: Run, index: Int, resolution: Resolution, missing: [Int]) throws {
        self.run = run
        let node = run.graph.nodes[index]
        self.node = node
        do {
            stage = try node.stage.init(parameters: node.parameters)
        } catch let failure as StepFailure {
            throw RunError(node: node.name, sample: nil, message: failure.description)
        }
        steps = missing.compactMap { step in
            if case .missing(let key, _) = resolution.states[index][step] { return (step, key) }
            return nil
        }
        let store = run.store
        var shared: [String: Value] = [:]
        var sharedDigests: [String: Digest] = [:]
        var perStep: [[String: Digest]] = Array(repeating: [:], count: steps.count)
        var collections: [String: [Step.Member]] = [:]
        for edge in node.edges {
            if edge.cardinality == .all {
                collections[edge.port] = Self.members(of: edge, in: resolution, store: store)
                continue
            }
            let source = edge.sources[0]
            if run.graph.nodes[source].samples == nil, let digest = resolution.artifact(source, 0) {
                shared[edge.port] = try Self.load(digest, from: store)
                sharedDigests[edge.port] = digest
            } else {
                for (position, entry) in steps.enumerated() {
                    perStep[position][edge.port] = resolution.artifact(source, entry.step)
                }
            }
        }
        sharedInputs = shared
        self.sharedDigests = sharedDigests
        inputDigests = perStep
        self.collections = collections
        committer = Committer(store: store)
    }

    /// - Returns: every step that finished, with its record, in the order in which they finished.
    func execute() throws -> [Finished] {
        let threaded = node.stage.signature.isThreaded
        do {
            try Parallel.forEach(steps.count, threads: threaded ? 1 : run.options.jobs) { [self] position in
                if run.isStopping { return }
                try executeStep(position)
            }
        } catch {
            // What finished before the error is kept all the same.
            try committer.flush()
            if error is CancellationError { return finished.withLock { $0 } }
            throw error
        }
        try committer.flush()
        return finished.withLock { $0 }
    }

    private func executeStep(_ position: Int) throws {
        let (index, key) = steps[position]
        let signature = node.stage.signature
        var inputs = sharedInputs
        for (port, digest) in inputDigests[position] { inputs[port] = try Self.load(digest, from: run.store) }
        let sample = node.samples == nil ? nil : index
        let nodeRandom = RandomStream(seed: run.graph.seed).substream(node.name)
        let step = Step(
            node: node.name, className: node.className, sample: sample, inputs: inputs,
            inputDigests: sharedDigests.merging(inputDigests[position]) { $1 }, collections: collections,
            random: nodeRandom.substream("sample", sample ?? -1), nodeRandom: nodeRandom,
            threads: signature.isThreaded ? run.options.jobs : 1,
            progress: { [self] fraction, note in reportProgress(fraction: fraction, note: note) },
            isCancelled: { [run] in run.isStopping })
        let began = run.options.clock()
        var record = Record(
            key: key.digest, graph: run.graph.name, node: node.name, stage: signature.name,
            stageVersion: signature.version, sample: sample, outcome: .failed(message: ""), seconds: 0,
            executor: Run.executor, programVersion: run.options.programVersion, run: run.id, created: began,
            summary: Value.record([:]).encoded().bytes)
        var artifact: EncodedValue?
        do {
            let output = try stage.run(step)
            let encoded = output.value.encoded()
            record.outcome = .done(artifact: Digest(of: encoded.bytes), bytes: encoded.bytes.count)
            record.summary = Value.record(output.summary).encoded().bytes
            artifact = encoded
        } catch let failure as StepFailure {
            record.outcome = .failed(message: failure.description)
        } catch is CancellationError {
            return
        } catch {
            throw RunError(node: node.name, sample: sample, message: String(describing: error))
        }
        record.seconds = run.options.clock() - began
        try committer.add(
            Store.prepare(NewRecord(record: record, preimage: key.encodedPreimage, artifact: artifact)),
            now: run.options.clock(), urgent: record.seconds > 1)
        finished.withLock { $0.append((index, key, record)) }
        reportProgress(fraction: 0, note: "")
    }

    private func reportProgress(fraction: Double, note: String) {
        let (done, failed) = finished.withLock { all in (all.count, all.count { $0.record.artifact == nil }) }
        run.events(
            .progress(
                name: node.name, done: done, failed: failed, missing: steps.count, fraction: fraction, note: note))
    }

    private static func load(_ digest: Digest, from store: Store) throws -> Value {
        let found: Value?
        do {
            found = try store.value(for: digest)
        } catch StoreError.damaged(let artifact, let reason) {
            // Set aside, its record no longer counts, and the next run computes it anew.
            try store.setAside(artifact)
            throw RunError(
                node: nil, sample: nil,
                message: "artifact \(artifact.short) is damaged in the store (\(reason)) and was set aside",
                hint: "run again: it is computed anew, and everything sound is reused")
        }
        guard let value = found else {
            throw RunError(
                node: nil, sample: nil,
                message: "artifact \(digest.short) vanished from the store during the run",
                hint: "another process may have collected garbage; run again")
        }
        return value
    }

    private static func members(of edge: Graph.Edge, in resolution: Resolution, store: Store) -> [Step.Member] {
        edge.sources.flatMap { source -> [Step.Member] in
            let node = resolution.graph.nodes[source]
            return (resolution.artifacts(source) ?? []).enumerated().map { sample, digest in
                Step.Member(
                    className: node.className, sample: node.samples == nil ? nil : sample, digest: digest,
                    load: { try load(digest, from: store) })
            }
        }
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
