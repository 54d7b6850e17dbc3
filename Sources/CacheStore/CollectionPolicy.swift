import Artifacts

/// What garbage collection may remove.
///
/// A record goes when *every* criterion given (age, runs, dropped runs) lets it go; then, to meet a size, the artifacts go
/// that are cheapest to compute again for the bytes they take. Without any criterion nothing that a record names goes.
/// What is pinned and what a run in progress uses stays in every case.
public struct CollectionPolicy: Sendable, Hashable {
    /// Records that were neither computed nor used by a run in so many days.
    public var olderThanDays: Double?
    /// Records that none of the last so many runs of their graph computed or used.
    public var keepRuns: Int?
    /// Records that only these runs computed or used; the runs are forgotten.
    public var dropRuns: Set<String>?
    /// Compressed bytes of all artifacts together.
    public var maxStoredBytes: Int?

    public init(
        olderThanDays: Double? = nil, keepRuns: Int? = nil, dropRuns: Set<String>? = nil, maxStoredBytes: Int? = nil
    ) {
        self.olderThanDays = olderThanDays
        self.keepRuns = keepRuns
        self.dropRuns = dropRuns
        self.maxStoredBytes = maxStoredBytes
    }
}

/// What garbage collection removed, or would remove.
public struct GarbageCollection: Sendable, Hashable, Codable {
    public var removedRecords = 0
    public var removedArtifacts = 0
    /// Compressed bytes of the removed artifacts.
    public var removedBytes = 0
    /// What it would cost to compute the removed records again.
    public var removedSeconds = 0.0
    public var removedRuns = 0
    public var keptRecords = 0
    public var keptArtifacts = 0
    public var keptBytes = 0
    /// Records that the criteria let go, but a pin or a run in progress keeps.
    public var pinnedRecords = 0
    public var activeRecords = 0
    /// Bytes of the database files.
    public var fileBytesBefore = 0
    public var fileBytesAfter = 0
    public var isDryRun = false
}

/// Who uses which record, as far as garbage collection cares.
struct RunUse {
    var entries: [RunEntry] = []
    var finished: [String: Double] = [:]
    /// What each run used: keys of steps and of fan-outs.
    var keys: [String: [Digest]] = [:]
    var fanouts: [Digest: Fanout] = [:]

    /// The steps under the keys of steps and of fan-outs.
    func steps(under keys: some Sequence<Digest>) -> [Digest] {
        var steps: [Digest] = []
        for key in keys {
            guard let fanout = fanouts[key] else {
                steps.append(key)
                continue
            }
            switch fanout.level {
            case .chunk: for member in fanout.members { steps.append(member.key) }
            case .node:
                for member in fanout.members {
                    for step in fanouts[member.key]?.members ?? [] { steps.append(step.key) }
                }
            }
        }
        return steps
    }

    /// The artifacts that fan-outs name: they are believed even where a record is gone.
    func results(under keys: some Sequence<Digest>) -> [Digest] {
        var results: [Digest] = []
        for key in keys {
            guard let fanout = fanouts[key] else { continue }
            let chunks = fanout.level == .chunk ? [fanout] : fanout.members.compactMap { fanouts[$0.key] }
            for chunk in chunks { for member in chunk.members { results.append(member.result) } }
        }
        return results
    }

    func steps(usedBy isChosen: (_ run: String) -> Bool) -> Set<Digest> {
        keys.reduce(into: []) { if isChosen($1.key) { $0.formUnion(steps(under: $1.value)) } }
    }

    /// When a run last used each step.
    func lastUses() -> [Digest: Double] {
        var last: [Digest: Double] = [:]
        for (run, keys) in keys {
            let time = finished[run] ?? 0
            for step in steps(under: keys) { last[step] = max(last[step] ?? 0, time) }
        }
        return last
    }

    /// The last runs of each graph, counting those that were cut short and left only records.
    func last(_ count: Int, _ records: [Record]) -> Set<String> {
        var byGraph: [String: Set<String>] = [:]
        for entry in entries { byGraph[entry.graph, default: []].insert(entry.id) }
        for record in records { byGraph[record.graph, default: []].insert(record.run) }
        return byGraph.values.reduce(into: []) { $0.formUnion($1.sorted().suffix(count)) }
    }
}
