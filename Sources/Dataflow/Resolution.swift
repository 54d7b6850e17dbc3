import Artifacts
import CacheStore

/// What is known of a graph's steps so far: keys of steps whose inputs are known, artifacts of steps that are done.
///
/// The planner fills it from the store alone; a run fills it node by node as answers arrive. Both ask the same
/// question in the same words, so that a plan cannot disagree with the run that follows.
struct Resolution: Sendable {
    /// A step of one node, as far as it is known.
    enum State: Sendable {
        /// Inputs are not known yet; the index of the node to wait for.
        case awaits(Int)
        /// Known work without an answer in the store.
        case missing(StepKey, Reason)
        /// The answer is in the store.
        case done(Record)
        /// The store remembers that this very step gave no answer.
        case failed(StepKey, Record)
    }

    let graph: Graph
    let store: Store
    /// nil unless `--strict-numerics`.
    let executorInKey: String?
    /// Failed steps count as missing.
    let retriesFailed: Bool
    /// By node, then by sample (one entry for a node without samples). Empty until the node was resolved.
    private(set) var states: [[State]]

    init(graph: Graph, store: Store, executorInKey: String? = nil, retriesFailed: Bool = false) {
        self.graph = graph
        self.store = store
        self.executorInKey = executorInKey
        self.retriesFailed = retriesFailed
        states = Array(repeating: [], count: graph.nodes.count)
    }

    func artifact(_ node: Int, _ step: Int) -> Digest? {
        guard step < states[node].count, case .done(let record) = states[node][step] else { return nil }
        return record.artifact
    }

    /// All artifacts of a node; nil while one is missing.
    func artifacts(_ node: Int) -> [Digest]? {
        var all: [Digest] = []
        all.reserveCapacity(states[node].count)
        for step in states[node].indices {
            guard let artifact = artifact(node, step) else { return nil }
            all.append(artifact)
        }
        return all
    }

    /// Looks every step of a node up. Its sources must have been resolved before.
    mutating func resolve(_ index: Int) throws {
        let node = graph.nodes[index]
        let identity = NodeIdentity(node, seed: graph.seed, executor: executorInKey)
        let count = node.samples ?? 1
        // Inputs that are the same for every sample.
        var shared: [String: Digest] = [:]
        var waiting: Int?
        var perSample: [(port: String, source: Int)] = []
        for edge in node.edges {
            switch edge.cardinality {
            case .all:
                if let members = collectionDigest(edge) {
                    shared[edge.port] = members
                } else {
                    waiting = edge.sources.first { artifacts($0) == nil }
                }
            case .each:
                let source = edge.sources[0]
                if graph.nodes[source].samples != nil {
                    perSample.append((edge.port, source))
                } else if let digest = artifact(source, 0) {
                    shared[edge.port] = digest
                } else {
                    waiting = source
                }
            }
        }
        if let waiting {
            states[index] = Array(repeating: .awaits(waiting), count: count)
            return
        }
        var keys: [StepKey?] = []
        keys.reserveCapacity(count)
        var awaited: [Int] = []
        for sample in 0..<count {
            var inputs = shared
            for (port, source) in perSample { inputs[port] = artifact(source, sample) }
            if let missing = perSample.first(where: { inputs[$0.port] == nil }) {
                keys.append(nil)
                awaited.append(missing.source)
            } else {
                keys.append(identity.key(inputs: inputs, sample: node.samples == nil ? nil : sample))
                awaited.append(-1)
            }
        }
        let known = keys.compactMap { $0?.digest }
        let records = try store.records(for: known)
        let held = try store.holds(records.compactMap { $0?.artifact })
        var recordIndex = 0
        var heldIndex = 0
        var result: [State] = []
        result.reserveCapacity(count)
        for sample in 0..<count {
            guard let key = keys[sample] else {
                result.append(.awaits(awaited[sample]))
                continue
            }
            let record = records[recordIndex]
            recordIndex += 1
            guard let record else {
                result.append(.missing(key, .neverRun))
                continue
            }
            if let artifact = record.artifact {
                result.append(held[heldIndex] ? .done(record) : .missing(key, .lost(artifact)))
                heldIndex += 1
            } else {
                result.append(retriesFailed ? .missing(key, .retry) : .failed(key, record))
            }
        }
        states[index] = result
    }

    /// Enters the answer of a step.
    mutating func finish(_ node: Int, _ step: Int, _ record: Record, key: StepKey) {
        states[node][step] = record.artifact == nil ? .failed(key, record) : .done(record)
    }

    /// Keys of all steps that have an answer: what a run computed or reused.
    var answeredKeys: [Digest] {
        states.joined().compactMap {
            if case .done(let record) = $0 { return record.key }
            return nil
        }
    }

    /// The first step of a node that has no answer yet; the first of all when every one has.
    func firstOpen(_ node: Int) -> Int {
        states[node].firstIndex {
            if case .done = $0 { return false }
            return true
        } ?? 0
    }

    /// One digest for everything that flows into an `all` port; nil while something is missing.
    func collectionDigest(_ edge: Graph.Edge) -> Digest? {
        var members: [Value] = []
        for source in edge.sources {
            guard let artifacts = artifacts(source) else { return nil }
            let node = graph.nodes[source]
            for (sample, artifact) in artifacts.enumerated() {
                members.append(
                    .list([
                        node.className.map { .string($0) } ?? .none, node.samples == nil ? .none : .int(sample),
                        .digest(artifact),
                    ]))
            }
        }
        return Value.list(members).digest
    }
}

/// Why a step must run. The planner decides, the presenter words it, the test compares it.
public enum Reason: Sendable, Hashable {
    /// Nothing with this key was ever computed.
    case neverRun
    /// The record is there but its artifact is not: set aside as damaged, or collected.
    case lost(Digest)
    /// It failed before and the user asked to try again.
    case retry
}
