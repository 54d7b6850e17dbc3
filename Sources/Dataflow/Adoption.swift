import Artifacts
import CacheStore
import Compute
import Synchronization

/// Old answers under new keys: after a stage's version rises, some old samples are computed again, and if they come out the
/// same, all old answers count as those of the new version, with that evidence in their records.
///
/// The version says that numbers may have moved. Whether they did for this node, only computing can tell; adoption
/// computes a few and takes their word for the rest.
public struct Adoption: Sendable {
    /// A sample that came out otherwise than before.
    public struct Difference: Sendable {
        public var sample: Int?
        /// Between the old and the new value.
        public var comparison: ValueComparison
        /// Instead: why the new version gave no answer.
        public var failure: String?
    }

    public enum Outcome: Sendable {
        /// So many answers count as those of the new version now.
        case adopted(Int)
        case differs([Difference])
        /// Why there is nothing to adopt.
        case nothing(String)
    }

    public var node: String
    /// nil when there is nothing to adopt.
    public var fromVersion: Int?
    public var toVersion: Int
    /// The samples that were computed again; one for a node that is one step.
    public var compared: [Int]
    /// The largest relative difference among them; nil when all were equal bit by bit.
    public var largest: Double?
    public var outcome: Outcome

    /// How adoption is to be done.
    public struct Settings: Sendable {
        /// How many old samples are computed again; all if there are fewer.
        public var samples: Int
        /// The largest difference that counts as equal, relative to the largest magnitude of the array; nil for equality
        /// bit by bit.
        public var bound: Double?
        public var options: RunOptions

        public init(samples: Int, bound: Double?, options: RunOptions) {
            self.samples = max(1, samples)
            self.bound = bound
            self.options = options
        }
    }

    /// Adopts what there is of one node.
    ///
    /// - Parameter node: a node's name, with its class.
    /// - Parameter random: chooses the samples that are computed again.
    public init(
        _ node: String, in graph: Graph, store: Store, settings: Settings, random: inout some RandomNumberGenerator
    ) throws {
        guard let index = graph.nodes.firstIndex(where: { $0.name == node }) else {
            throw RunError(node: nil, sample: nil, message: "the graph has no node '\(node)'")
        }
        self.node = node
        toVersion = graph.nodes[index].stage.signature.version
        compared = []
        var resolution = try Resolution(
            graph: graph, store: store, executorInKey: settings.options.executorInKey)
        for position in graph.nodes.indices.prefix(index + 1) { try resolution.resolve(position) }
        let missing = resolution.missing(index).map(\.step)
        guard !missing.isEmpty else {
            outcome = .nothing(Self.idle(index, in: resolution))
            return
        }
        guard let old = try OldAnswers(index, steps: missing, in: resolution) else {
            outcome = .nothing("the store has no answers of an earlier version with the same parameters and inputs")
            return
        }
        fromVersion = old.version
        let chosen = Array(old.answers.shuffled(using: &random).prefix(settings.samples)).sorted { $0.step < $1.step }
        compared = chosen.map(\.step)
        let differences = try Self.compare(chosen, index, in: resolution, settings: settings)
        largest = differences.compactMap { $0?.comparison.relative }.max()
        let intolerable = differences.compactMap(\.self).filter { difference in
            difference.failure != nil || settings.bound.map { difference.comparison.relative > $0 } ?? true
        }
        guard intolerable.isEmpty else {
            outcome = .differs(intolerable)
            return
        }
        let evidence: [String: Value] = [
            "from-version": .int(old.version), "samples": .list(chosen.map { .int($0.step) }),
            "max-relative-difference": .double(largest ?? 0), "bound": settings.bound.map { .double($0) } ?? .none,
            "program": .string(settings.options.programVersion), "at": .double(settings.options.clock()),
        ]
        outcome = .adopted(try old.adopt(index, in: resolution, evidence: .record(evidence)))
    }

    private static func idle(_ index: Int, in resolution: Resolution) -> String {
        for entry in resolution.nodes[index].chunks.compactMap(\.entries).joined() {
            if case .awaits(let source) = entry.state {
                return
                    "its inputs are not known: \(resolution.graph.nodes[source].name) must be computed or adopted first"
            }
        }
        return "every step has its answer already"
    }

    /// - Returns: for each step, nil where old and new answer are equal bit by bit.
    private static func compare(
        _ chosen: [OldAnswers.Answer], _ index: Int, in resolution: Resolution, settings: Settings
    ) throws -> [Difference?] {
        let node = resolution.graph.nodes[index]
        let inputs = try NodeInputs(index, steps: chosen.map(\.step), resolution: resolution)
        let stage = try node.stage.init(parameters: node.parameters)
        let options = settings.options
        let isThreaded = node.stage.signature.isThreaded
        return try Parallel.map(chosen.count, threads: isThreaded ? 1 : options.jobs) { position in
            let sample = node.samples == nil ? nil : chosen[position].step
            let (step, _) = try inputs.step(
                position, sample: sample, of: node, seed: resolution.graph.seed, threads: isThreaded ? options.jobs : 1,
                store: resolution.store, progress: { _, _ in }, isCancelled: { false })
            let new: Value
            do {
                if node.limits != nil, let isolated = options.isolated {
                    new = try isolated(node, step).value
                } else {
                    new = try stage.run(step).value
                }
            } catch let failure as StepFailure {
                return Difference(
                    sample: sample, comparison: ValueComparison(was: .none, now: .none), failure: failure.description)
            }
            let artifact = chosen[position].artifact
            if new.digest == artifact { return nil }
            let old = try NodeInputs.load(artifact, from: resolution.store)
            return Difference(sample: sample, comparison: ValueComparison(was: old, now: new), failure: nil)
        }
    }
}

/// What an earlier version of a node's stage gave for its missing steps.
private struct OldAnswers {
    struct Answer {
        var step: Int
        var artifact: Digest
        var record: Record
        /// Of the step as it is now.
        var identity: StepIdentity
    }

    let version: Int
    let answers: [Answer]

    /// - Returns: nil when no earlier version gave any; else those of the latest that did.
    init?(_ index: Int, steps: [Int], in resolution: Resolution) throws {
        let identities = try steps.compactMap { step in
            try resolution.identity(index, step).map { (step: step, identity: $0) }
        }
        let template = try resolution.identities[index].template.asRecord()
        let current = resolution.graph.nodes[index].stage.signature.version
        for version in stride(from: current - 1, through: 1, by: -1) {
            let old = Value.record(template.merging(["version": .int(version)]) { $1 }).digest
            let keys = identities.map { entry in
                var identity = entry.identity
                identity.template = old
                return identity.key
            }
            let records = try resolution.store.records(for: keys)
            let artifacts = records.compactMap { $0?.artifact }
            let held = Set(zip(artifacts, try resolution.store.holds(artifacts)).filter(\.1).map(\.0))
            let found = zip(identities, records).compactMap { entry, record -> Answer? in
                guard let record, let artifact = record.artifact, held.contains(artifact) else { return nil }
                return Answer(step: entry.step, artifact: artifact, record: record, identity: entry.identity)
            }
            if !found.isEmpty {
                (self.version, answers) = (version, found)
                return
            }
        }
        return nil
    }

    /// Enters every answer under its new key, as long as its artifact is there.
    ///
    /// - Returns: how many.
    func adopt(_ index: Int, in resolution: Resolution, evidence: Value) throws -> Int {
        let (graph, store) = (resolution.graph, resolution.store)
        let node = graph.nodes[index]
        var count = 0
        for start in stride(from: 0, to: answers.count, by: Fanout.chunkSize) {
            let batch = answers[start..<min(start + Fanout.chunkSize, answers.count)]
            // Between the look and the record no collection may come.
            try store.withoutCollection {
                let held = try store.holds(batch.map(\.artifact))
                let records = try zip(batch, held).filter(\.1).map { answer, _ -> NewRecord in
                    var record = answer.record
                    record.identity = answer.identity
                    record.key = answer.identity.key
                    record.stageVersion = node.stage.signature.version
                    (record.graph, record.node) = (graph.name, node.name)
                    record.sample = node.samples == nil ? nil : answer.step
                    var facts = record.summary.isEmpty ? [:] : try Value(decoding: record.summary).asRecord()
                    facts[Adoption.fact] = evidence
                    record.summary = Value.record(facts).encoded().bytes
                    return NewRecord(
                        record: record, template: resolution.identities[index].encodedTemplate, artifact: nil)
                }
                try store.put(records)
                count += records.count
            }
        }
        return count
    }
}

extension Adoption {
    /// The name of the evidence among a record's facts.
    public static let fact = "adopted"

    /// Why a record counts for its version, in words; nil for one that was computed.
    public static func evidence(_ record: Record) -> String? {
        guard !record.summary.isEmpty, let facts = try? Value(decoding: record.summary), let evidence = facts[fact],
            let version = try? evidence.int("from-version"), let samples = try? evidence.list("samples"),
            let largest = try? evidence.double("max-relative-difference")
        else { return nil }
        let equality = largest == 0 ? "equal bit by bit" : "within \(largest) of the largest value"
        return "adopted from version \(version): \(samples.count) computed again, \(equality)"
    }
}
