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
    /// The runs that used a record.
    var users: [Digest: [String]] = [:]
    var finished: [String: Double] = [:]

    func lastUse(of record: Record) -> Double {
        (users[record.key] ?? []).reduce(record.created) { max($0, finished[$1] ?? 0) }
    }

    /// The last runs of each graph, counting those that were cut short and left only records.
    func last(_ count: Int, _ records: [Record]) -> Set<String> {
        var byGraph: [String: Set<String>] = [:]
        for entry in entries { byGraph[entry.graph, default: []].insert(entry.id) }
        for record in records { byGraph[record.graph, default: []].insert(record.run) }
        return byGraph.values.reduce(into: []) { $0.formUnion($1.sorted().suffix(count)) }
    }

    /// Whether the record was computed or used by one of `runs`.
    func isUsed(_ record: Record, by runs: Set<String>) -> Bool {
        runs.contains(record.run) || (users[record.key] ?? []).contains(where: runs.contains)
    }

    /// Whether nobody but `runs` computed or used the record.
    func isUsed(_ record: Record, onlyBy runs: Set<String>) -> Bool {
        runs.contains(record.run) && (users[record.key] ?? []).allSatisfy(runs.contains)
    }
}
