import Artifacts
import Foundation

extension Store {
    /// Removes what `policy` lets go and what no record names, and gives the space back to the disk when that pays.
    ///
    /// Artifacts that a surviving record names stay. Other programs go on using the store: runs wait while it is swept,
    /// which takes seconds at most, and readers do not wait.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Parameter dryRun: changes nothing; `fileBytesAfter` is then the present size.
    public func collectGarbage(
        _ policy: CollectionPolicy, now: Double, dryRun: Bool = false
    ) throws(StoreError) -> GarbageCollection {
        if !dryRun, access == .readOnly { throw .openedReadOnly(path: path) }
        let before = fileBytes
        var result: GarbageCollection
        if dryRun {
            result = try decide(policy, now: now, notes: activeNotes(tidies: false)).result
            result.isDryRun = true
        } else {
            try meta.dropDeadReaders()
            try blobs.dropDeadReaders()
            // What is decided must still hold when it is done: nobody looks up or notes meanwhile.
            result = try collectionGate.alone { () throws(StoreError) in
                let decision = try decide(policy, now: now, notes: activeNotes(tidies: true))
                try remove(decision)
                return decision.result
            }
            _ = try shrink(meta, tables: Table.meta)
            _ = try shrink(blobs, tables: Table.blobsTables)
        }
        result.fileBytesBefore = before
        result.fileBytesAfter = fileBytes
        return result
    }

    // MARK: Deciding

    private struct Decision {
        var result = GarbageCollection()
        var removed: [Record] = []
        var survivors: [Record] = []
        var artifacts: [Digest] = []
        var runs: [String] = []
    }

    private func decide(
        _ policy: CollectionPolicy, now: Double, notes: ActiveNotes
    ) throws(StoreError) -> Decision {
        var decision = Decision()
        let sizes = try blobSizes()
        let use = try runUse()
        var all: [Record] = []
        try eachRecord { all.append($0) }
        let pinned = try pinnedDigests()
        func isActive(_ record: Record) -> Bool {
            notes.runs.contains(record.run) || notes.digests.contains(record.key)
                || record.artifact.map(notes.digests.contains) ?? false
        }
        func isPinned(_ record: Record) -> Bool {
            pinned.contains(record.key) || record.artifact.map(pinned.contains) ?? false
        }
        let lastRuns = policy.keepRuns.map { use.last($0, all) }
        for record in all {
            var verdicts: [Bool] = []
            // A record from the future, by a clock that was wrong, is not old.
            if let days = policy.olderThanDays { verdicts.append(use.lastUse(of: record) < now - days * 86_400) }
            if let lastRuns { verdicts.append(!use.isUsed(record, by: lastRuns)) }
            if let dropped = policy.dropRuns { verdicts.append(use.isUsed(record, onlyBy: dropped)) }
            if verdicts.isEmpty || verdicts.contains(false) {
                decision.survivors.append(record)
            } else if isActive(record) {
                decision.result.activeRecords += 1
                decision.survivors.append(record)
            } else if isPinned(record) {
                decision.result.pinnedRecords += 1
                decision.survivors.append(record)
            } else {
                decision.removed.append(record)
            }
        }
        if let limit = policy.maxStoredBytes {
            let held = Set(decision.survivors.filter { isActive($0) || isPinned($0) }.compactMap(\.artifact))
            Self.evict(&decision.survivors, into: &decision.removed, sizes: sizes, limit: limit, held: held)
        }
        let kept = Set(decision.survivors.compactMap(\.artifact)).union(pinned).union(notes.digests)
        decision.artifacts = try blobHeads().map(\.digest).filter { !kept.contains($0) }
        if let lastRuns { decision.runs = use.entries.map(\.id).filter { !lastRuns.contains($0) } }
        if let dropped = policy.dropRuns {
            decision.runs =
                policy.keepRuns == nil
                ? use.entries.map(\.id).filter(dropped.contains) : decision.runs.filter(dropped.contains)
        }
        decision.runs.removeAll(where: notes.runs.contains)
        decision.result.removedRecords = decision.removed.count
        decision.result.removedSeconds = decision.removed.reduce(0) { $0 + $1.seconds }
        decision.result.keptRecords = decision.survivors.count
        decision.result.removedArtifacts = decision.artifacts.count
        decision.result.removedBytes = decision.artifacts.reduce(0) { $0 + (sizes[$1]?.stored ?? 0) }
        decision.result.keptArtifacts = sizes.count - decision.artifacts.count
        decision.result.keptBytes = sizes.reduce(0) { $0 + (kept.contains($1.key) ? $1.value.stored : 0) }
        decision.result.removedRuns = decision.runs.count
        return decision
    }

    /// Moves records from `survivors` to `removed`, by whole artifacts, the cheapest to compute again per byte first.
    private static func evict(
        _ survivors: inout [Record], into removed: inout [Record], sizes: [Digest: BlobSize], limit: Int,
        held: Set<Digest>
    ) {
        var seconds: [Digest: Double] = [:]
        for record in survivors {
            if let artifact = record.artifact { seconds[artifact, default: 0] += record.seconds }
        }
        var total = seconds.keys.reduce(0) { $0 + (sizes[$1]?.stored ?? 0) }
        let worth = seconds.filter { !held.contains($0.key) }
            .map { (digest: $0.key, perByte: $0.value / Double(max(1, sizes[$0.key]?.stored ?? 0))) }
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

    // MARK: Removing

    private func remove(_ decision: Decision) throws(StoreError) {
        if decision.removed.isEmpty, decision.artifacts.isEmpty, decision.runs.isEmpty { return }
        try meta.checkStructure(deep: true)
        try blobs.checkStructure(deep: true)
        // Records first: a record must never name an artifact that went before it.
        let keys = Set(decision.removed.map(\.key.bytes))
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
            for run in decision.runs {
                try transaction.delete(Array(run.utf8), from: Table.runs)
                try transaction.delete(Array(run.utf8), from: Table.runKeys)
            }
        }
        // Some thousand artifacts a transaction: the list of freed pages is kept in memory.
        let artifacts = decision.artifacts
        for start in stride(from: 0, to: artifacts.count, by: 2000) {
            try blobs.write { transaction throws(StoreError) in
                for artifact in artifacts[start..<min(start + 2000, artifacts.count)] {
                    try Self.removeBlob(artifact, in: transaction)
                }
                try Self.renewEpoch(in: transaction)
            }
        }
    }

    private func runUse() throws(StoreError) -> RunUse {
        var use = RunUse()
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
