import Artifacts
import Foundation

/// What garbage collection may remove.
///
/// A record goes when *every* criterion given (age, runs) lets it go; then, to meet a size, the artifacts go that are
/// cheapest to compute again for the bytes they take. Without any criterion nothing that a record names goes.
public struct CollectionPolicy: Sendable, Hashable {
    /// Records that were neither computed nor used by a run in so many days.
    public var olderThanDays: Double?
    /// Records that none of the last so many runs of their graph computed or used.
    public var keepRuns: Int?
    /// Compressed bytes of all artifacts together.
    public var maxStoredBytes: Int?

    public init(olderThanDays: Double? = nil, keepRuns: Int? = nil, maxStoredBytes: Int? = nil) {
        self.olderThanDays = olderThanDays
        self.keepRuns = keepRuns
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
    /// Bytes of the database files.
    public var fileBytesBefore = 0
    public var fileBytesAfter = 0
    public var isDryRun = false
}

extension Store {
    /// Removes what `policy` lets go and what no record names, and gives the space back to the disk when that pays.
    ///
    /// Artifacts that a surviving record names stay. Throws `.busy` while another program uses the store. No other thread
    /// may use the store meanwhile: its files are closed and replaced.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Parameter dryRun: changes nothing; `fileBytesAfter` is then the present size.
    public func collectGarbage(
        _ policy: CollectionPolicy, now: Double, dryRun: Bool = false
    ) throws(StoreError) -> GarbageCollection {
        var result = GarbageCollection()
        result.isDryRun = dryRun
        result.fileBytesBefore = fileBytes
        if !dryRun {
            if access == .readOnly { throw .openedReadOnly(path: path) }
            guard directory.excludeOthers() else { throw .busy(path: path, reason: "another program has it open") }
        }
        defer { if !dryRun { directory.admitOthers() } }
        let sizes = try blobSizes()
        let runs = try runsToKeep(policy)
        var survivors: [Record] = []
        var removed: [Record] = []
        var all: [Record] = []
        try eachRecord { all.append($0) }
        let keptRuns = runs.kept(all)
        for record in all {
            let isOld = policy.olderThanDays.map { runs.lastUse(of: record) < now - $0 * 86_400 }
            let isUnused = policy.keepRuns.map { _ in
                !keptRuns.contains(record.run) && !(runs.users[record.key] ?? []).contains(where: keptRuns.contains)
            }
            let verdicts = [isOld, isUnused].compactMap(\.self)
            if !verdicts.isEmpty, verdicts.allSatisfy(\.self) {
                removed.append(record)
            } else {
                survivors.append(record)
            }
        }
        if let limit = policy.maxStoredBytes { Self.evict(&survivors, into: &removed, sizes: sizes, limit: limit) }

        let kept = Set(survivors.compactMap(\.artifact))
        let unclaimed = try blobHeads().map(\.digest).filter { !kept.contains($0) }
        result.removedRecords = removed.count
        result.removedSeconds = removed.reduce(0) { $0 + $1.seconds }
        result.keptRecords = survivors.count
        result.removedArtifacts = unclaimed.count
        result.removedBytes = unclaimed.reduce(0) { $0 + (sizes[$1]?.stored ?? 0) }
        result.keptArtifacts = sizes.count - unclaimed.count
        result.keptBytes = sizes.reduce(0) { $0 + (kept.contains($1.key) ? $1.value.stored : 0) }
        let oldRuns = policy.keepRuns == nil ? [] : runs.entries.map(\.id).filter { !keptRuns.contains($0) }
        result.removedRuns = oldRuns.count
        if !dryRun {
            try remove(records: removed, artifacts: unclaimed, runs: oldRuns)
            try compact(meta)
            try compact(blobs)
        }
        result.fileBytesAfter = fileBytes
        return result
    }

    /// Moves records from `survivors` to `removed`, by whole artifacts, the cheapest to compute again per byte first.
    private static func evict(
        _ survivors: inout [Record], into removed: inout [Record], sizes: [Digest: BlobSize], limit: Int
    ) {
        var seconds: [Digest: Double] = [:]
        for record in survivors {
            if let artifact = record.artifact { seconds[artifact, default: 0] += record.seconds }
        }
        var total = seconds.keys.reduce(0) { $0 + (sizes[$1]?.stored ?? 0) }
        let worth = seconds.map { (digest: $0.key, perByte: $0.value / Double(max(1, sizes[$0.key]?.stored ?? 0))) }
        var evicted: Set<Digest> = []
        for (digest, _) in worth.sorted(by: { ($0.perByte, $0.digest) < ($1.perByte, $1.digest) }) {
            if total <= limit { break }
            total -= sizes[digest]?.stored ?? 0
            evicted.insert(digest)
        }
        func isEvicted(_ record: Record) -> Bool {
            guard let artifact = record.artifact else { return false }
            return evicted.contains(artifact)
        }
        removed += survivors.filter(isEvicted)
        survivors.removeAll(where: isEvicted)
    }

    private func remove(records: [Record], artifacts: [Digest], runs: [String]) throws(StoreError) {
        try meta.checkStructure(deep: true)
        try blobs.checkStructure(deep: true)
        // Records first: a record must never name an artifact that went before it.
        let keys = Set(records.map(\.key.bytes))
        try meta.write { transaction throws(StoreError) in
            for key in keys {
                try transaction.delete(key, from: Table.records)
            }
            var dangling: [[UInt8]] = []
            try transaction.each(in: Table.latest) { step, sealed in
                if let key = Sealed.open(sealed, key: step), keys.contains(Array(key)) { dangling.append(step) }
                return true
            }
            for step in dangling { try transaction.delete(step, from: Table.latest) }
            for run in runs {
                try transaction.delete(Array(run.utf8), from: Table.runs)
                try transaction.delete(Array(run.utf8), from: Table.runKeys)
            }
        }
        // Some thousand artifacts a transaction: the list of freed pages is kept in memory.
        for start in stride(from: 0, to: artifacts.count, by: 2000) {
            try blobs.write { transaction throws(StoreError) in
                for artifact in artifacts[start..<min(start + 2000, artifacts.count)] {
                    try Self.removeBlob(artifact, in: transaction)
                }
                try Self.renewEpoch(in: transaction)
            }
        }
    }

    /// Replaces the environment's file by a copy without free pages, when at least a fifth of it and 256 kB are free.
    ///
    /// The caller has excluded other programs.
    private func compact(_ environment: Environment) throws(StoreError) {
        let walk = try environment.walk()
        let unused = max(0, walk.filePages - walk.usedPages) * walk.pageSize
        guard unused >= 256 << 10, unused * 5 >= walk.filePages * walk.pageSize else { return }
        // A copy needs room beside the file; without it, the free pages simply wait to be used again.
        guard StoreDirectory.freeBytes(at: environment.path) > walk.usedPages * walk.pageSize + (16 << 20) else {
            return
        }
        let copy = environment.path + "/compacting"
        let files = FileManager.default
        do {
            if files.fileExists(atPath: copy) { try files.removeItem(atPath: copy) }
            try files.createDirectory(atPath: copy, withIntermediateDirectories: true)
        } catch {
            throw .failed(path: path, operation: "compact", reason: "\(error.localizedDescription)")
        }
        try environment.copyCompacted(to: copy)
        environment.close()
        let status = rename(copy + "/data.mdb", environment.dataFile) == 0 ? 0 : errno
        // The lock file speaks of the old file's transactions.
        unlink(environment.path + "/lock.mdb")
        rmdir(copy)
        try environment.reopen()
        if status != 0 { throw Environment.error(status, path: path, operation: "compact") }
    }

    // MARK: Runs

    /// The runs as far as garbage collection cares.
    private struct RunUse {
        var entries: [RunEntry] = []
        /// The runs that used a record.
        var users: [Digest: [String]] = [:]
        var finished: [String: Double] = [:]
        var keepRuns: Int?

        func lastUse(of record: Record) -> Double {
            (users[record.key] ?? []).reduce(record.created) { max($0, finished[$1] ?? 0) }
        }

        /// The last runs of each graph, counting those that were cut short and left only records.
        func kept(_ records: [Record]) -> Set<String> {
            guard let keepRuns else { return Set(entries.map(\.id)) }
            var byGraph: [String: Set<String>] = [:]
            for entry in entries { byGraph[entry.graph, default: []].insert(entry.id) }
            for record in records { byGraph[record.graph, default: []].insert(record.run) }
            return byGraph.values.reduce(into: []) { $0.formUnion($1.sorted().suffix(keepRuns)) }
        }
    }

    private func runsToKeep(_ policy: CollectionPolicy) throws(StoreError) -> RunUse {
        var use = RunUse()
        use.keepRuns = policy.keepRuns
        use.entries = try runs()
        let keysOfRuns = try meta.read { transaction throws(StoreError) in
            var keysOfRuns: [(run: String, finished: Double, keys: [Digest])] = []
            try transaction.each(in: Table.runKeys) { key, sealed in
                if let (finished, keys) = Self.openRunKeys(sealed, key: key) {
                    keysOfRuns.append((String(decoding: key, as: UTF8.self), finished, keys))
                }
                return true
            }
            return keysOfRuns
        }
        for (run, finished, keys) in keysOfRuns {
            use.finished[run] = finished
            for key in keys { use.users[key, default: []].append(run) }
        }
        return use
    }
}
