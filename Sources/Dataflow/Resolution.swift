import Artifacts
import CacheStore

/// What is known of a graph's steps so far: keys of steps whose inputs are known, artifacts of steps that are done.
///
/// The planner fills it from the store alone; a run fills it node by node as answers arrive. Both ask the same
/// question in the same words, so that a plan cannot disagree with the run that follows. A node is asked for as a whole
/// first, then by chunks of 256 samples, and only the chunks that the store does not have as a whole sample by sample.
struct Resolution: Sendable {
    let graph: Graph
    let store: Store
    let identities: [NodeIdentity]
    /// Failed steps count as missing.
    let retriesFailed: Bool
    /// Read before anything is looked up: a fan-out that was written since the last removal of an artifact is whole.
    let epoch: UInt64
    /// Empty until the node was resolved.
    private(set) var nodes: [NodeState]

    /// - Parameter executorInKey: whom a run would prefer, under `--strict-numerics`; else nil.
    init(graph: Graph, store: Store, executorInKey: String? = nil, retriesFailed: Bool = false) throws {
        self.graph = graph
        self.store = store
        self.retriesFailed = retriesFailed
        identities = graph.nodes.map {
            NodeIdentity($0, seed: graph.seed, executor: executorInKey.map($0.executor(preferring:)))
        }
        epoch = try store.epoch()
        nodes = Array(repeating: NodeState(), count: graph.nodes.count)
    }

    /// Looks every step of a node up. Its sources must have been resolved before.
    mutating func resolve(_ index: Int) throws {
        let hasSamples = graph.nodes[index].samples != nil
        var node = NodeState()
        node.count = graph.nodes[index].samples ?? 1
        node.chunks = stride(from: 0, to: node.count, by: Fanout.chunkSize).map { first in
            ChunkState(steps: first..<min(first + Fanout.chunkSize, node.count))
        }
        defer { nodes[index] = node }
        switch inputs(of: index) {
        case .awaits(let source):
            for chunk in node.chunks.indices {
                node.chunks[chunk].entries = node.chunks[chunk].steps.map { _ in .init(state: .awaits(source)) }
            }
        case .known(let inputs):
            if hasSamples {
                node.key = nodeKey(index, inputs)
                if let key = node.key, try settle(&node, key) { return }
                try settleChunks(&node, index, inputs)
            }
            for chunk in node.chunks.indices where node.chunks[chunk].root == nil {
                node.chunks[chunk].entries = try lookUp(node.chunks[chunk].steps, of: index, inputs)
                node.chunks[chunk].sumUp()
            }
            node.sumUp(hasSamples: hasSamples)
        }
    }

    /// Enters the answers of steps.
    mutating func finish(_ index: Int, _ answers: [(step: Int, entry: ChunkState.Entry)]) {
        var touched: Set<Int> = []
        for (step, entry) in answers {
            let chunk = step / Fanout.chunkSize
            touched.insert(chunk)
            nodes[index].chunks[chunk].entries?[step % Fanout.chunkSize] = entry
        }
        for chunk in touched { nodes[index].chunks[chunk].sumUp() }
        nodes[index].sumUp(hasSamples: graph.nodes[index].samples != nil)
    }

    // MARK: Keys

    /// What flows into a node.
    struct Inputs {
        /// The same for all samples, by port.
        var shared: [String: Digest] = [:]
        /// Sample by sample.
        var mapped: [(port: String, source: Int)] = []

        var ports: [String] { (shared.keys + mapped.map(\.port)).sorted() }
    }

    enum InputsState {
        case awaits(Int)
        case known(Inputs)
    }

    func inputs(of index: Int) -> InputsState {
        var inputs = Inputs()
        for edge in graph.nodes[index].edges {
            switch edge.cardinality {
            case .all:
                guard let gathering = gathering(edge) else {
                    return .awaits(edge.sources.first { nodes[$0].result == nil } ?? edge.sources[0])
                }
                inputs.shared[edge.port] = gathering.digest
            case .each where graph.nodes[edge.sources[0]].samples != nil:
                inputs.mapped.append((edge.port, edge.sources[0]))
            case .each:
                guard let artifact = nodes[edge.sources[0]].result else { return .awaits(edge.sources[0]) }
                inputs.shared[edge.port] = artifact
            }
        }
        return .known(inputs)
    }

    /// What flows into an `all` port; nil while something is missing.
    func gathering(_ edge: Graph.Edge) -> Gathering? {
        var parts: [Gathering.Part] = []
        for source in edge.sources {
            let node = graph.nodes[source]
            guard let result = nodes[source].result,
                let key = nodes[source].key ?? nodes[source].chunks.first?.entries?.first?.state.answeredKey
            else { return nil }
            parts.append(
                .init(className: node.className, node: node.name, samples: node.samples, key: key, result: result))
        }
        return Gathering(parts: parts)
    }

    private func nodeKey(_ index: Int, _ inputs: Inputs) -> Digest? {
        var digests = inputs.shared
        for (port, source) in inputs.mapped {
            guard let root = nodes[source].result else { return nil }
            digests[port] = root
        }
        return identities[index].node(samples: graph.nodes[index].samples ?? 1, inputs: digests)
    }

    /// What one step's key is made of; nil while its inputs are not known.
    func identity(_ index: Int, _ step: Int) throws -> StepIdentity? {
        guard case .known(let inputs) = inputs(of: index) else { return nil }
        var digests = inputs.shared
        for (port, source) in inputs.mapped {
            guard let artifact = try state(source, step).artifact else { return nil }
            digests[port] = artifact
        }
        return identities[index].step(inputs: digests, sample: graph.nodes[index].samples == nil ? nil : step)
    }

    // MARK: Look-ups

    /// - Returns: whether the store has the whole node.
    private func settle(_ node: inout NodeState, _ key: Digest) throws -> Bool {
        guard let fanout = try store.fanouts(for: [key], epoch: epoch)[0], fanout.level == .node,
            fanout.steps == node.count, fanout.members.count == node.chunks.count
        else { return false }
        for (chunk, member) in fanout.members.enumerated() {
            node.chunks[chunk].key = member.key
            node.chunks[chunk].root = member.result
        }
        node.isSettled = true
        node.result = fanout.root
        node.facts.add(fanout.facts)
        node.bytes = fanout.bytes
        return true
    }

    /// Takes the chunks that the store has as a whole, and gives all whose inputs are there their keys.
    private func settleChunks(_ node: inout NodeState, _ index: Int, _ inputs: Inputs) throws {
        var keyed: [(chunk: Int, key: Digest)] = []
        for chunk in node.chunks.indices {
            var digests = inputs.shared
            for (port, source) in inputs.mapped { digests[port] = nodes[source].chunks[chunk].root }
            guard digests.count == inputs.shared.count + inputs.mapped.count else { continue }
            let key = identities[index].chunk(node.chunks[chunk].steps, inputs: digests)
            node.chunks[chunk].key = key
            keyed.append((chunk, key))
        }
        let fanouts = try store.fanouts(for: keyed.map(\.key), epoch: epoch)
        for ((chunk, _), fanout) in zip(keyed, fanouts) {
            guard let fanout, fanout.level == .chunk, fanout.members.count == node.chunks[chunk].steps.count else {
                continue
            }
            node.chunks[chunk].root = fanout.root
            node.chunks[chunk].facts.add(fanout.facts)
            node.chunks[chunk].bytes = fanout.bytes
        }
    }

    /// Step by step.
    private func lookUp(_ steps: Range<Int>, of index: Int, _ inputs: Inputs) throws -> [ChunkState.Entry] {
        let hasSamples = graph.nodes[index].samples != nil
        let ports = inputs.ports
        var pattern = identities[index].pattern(ports: ports, hasSamples: hasSamples)
        let sources = try inputs.mapped.map { port, source in
            (port: port, source: source, entries: try entries(source, chunk: steps.lowerBound / Fanout.chunkSize))
        }
        var result = steps.map { _ in ChunkState.Entry(state: .missing(pattern.placeholder, .neverRun)) }
        var keys: [Digest] = []
        var places: [Int] = []
        steps: for (place, step) in steps.enumerated() {
            var digests = inputs.shared
            for (port, source, states) in sources {
                guard let artifact = states[place].state.artifact else {
                    result[place].state = .awaits(source)
                    continue steps
                }
                digests[port] = artifact
            }
            keys.append(
                pattern.key(
                    inputs: ports.compactMap { digests[$0] }, sample: step,
                    point: identities[index].point(hasSamples ? step : nil)))
            places.append(place)
        }
        for (place, entry) in zip(places, try look(up: keys, of: index, retries: retriesFailed)) {
            result[place] = entry
        }
        return result
    }

    /// What the store has under each key.
    ///
    /// - Parameter retries: a remembered failure is no answer.
    func look(up keys: [Digest], retries: Bool) throws -> [ChunkState.Entry] {
        let answers = try store.answers(for: keys)
        var held = try store.holds(answers.compactMap { $0?.artifact }).makeIterator()
        return zip(keys, answers).map { key, answer in
            guard let answer else { return .init(state: .missing(key, .neverRun)) }
            guard let artifact = answer.artifact else {
                return .init(state: retries ? .missing(key, .retry) : .failed(key), summary: answer.summary)
            }
            guard held.next() == true else { return .init(state: .missing(key, .lost(artifact))) }
            return .init(state: .done(key, artifact), bytes: answer.bytes, summary: answer.summary)
        }
    }

    /// The steps of a chunk, read from the store where it has the chunk as a whole.
    func entries(_ index: Int, chunk: Int) throws -> [ChunkState.Entry] {
        let known = nodes[index].chunks[chunk]
        if let entries = known.entries { return entries }
        if let key = known.key, let fanout = try store.fanouts(for: [key], epoch: epoch)[0],
            fanout.root == known.root, fanout.members.count == known.steps.count
        {
            return fanout.members.map { .init(state: .done($0.key, $0.result)) }
        }
        guard case .known(let inputs) = inputs(of: index) else { return [] }
        return try lookUp(known.steps, of: index, inputs)
    }

    func state(_ index: Int, _ step: Int) throws -> StepState {
        try entries(index, chunk: step / Fanout.chunkSize)[step % Fanout.chunkSize].state
    }

    /// The artifacts of all steps in their order; nil where there is none.
    func artifacts(_ index: Int) throws -> [Digest?] {
        try nodes[index].chunks.indices.flatMap { try entries(index, chunk: $0).map(\.state.artifact) }
    }
}
