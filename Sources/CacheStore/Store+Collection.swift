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
            let isFull = directory.giveUpReserve()
            defer { directory.keepReserve() }
            try meta.dropDeadReaders()
            try blobs.dropDeadReaders()
            try meta.settle()
            try blobs.settle()
            // What is decided must still hold when it is done: nobody looks up or notes meanwhile.
            result = try collectionGate.alone { () throws(StoreError) in
                let decision = try decide(policy, now: now, notes: activeNotes(tidies: true))
                try sweep(decision, batch: isFull ? 50 : 2000)
                return decision.result
            }
            _ = try shrink(meta, tables: Table.meta)
            _ = try shrink(blobs, tables: Table.blobsTables)
        }
        result.fileBytesBefore = before
        result.fileBytesAfter = fileBytes
        return result
    }

    private func decide(
        _ policy: CollectionPolicy, now: Double, notes: ActiveNotes
    ) throws(StoreError) -> CollectionDecision {
        var decision = CollectionDecision()
        let sizes = try blobSizes()
        let use = try runUse()
        var all: [Record] = []
        try eachRecord { all.append($0) }
        let pinned = try pinnedDigests()
        let noted = Set(use.steps(under: notes.digests)).union(use.results(under: notes.digests))
        func isHeld(_ record: Record, by digests: Set<Digest>) -> Bool {
            if digests.contains(record.key) { return true }
            guard let artifact = record.artifact else { return false }
            return digests.contains(artifact)
        }
        let lets = verdict(policy, use, all, now: now)
        for record in all {
            if !lets(record) {
                decision.survivors.append(record)
            } else if notes.runs.contains(record.run) || isHeld(record, by: noted) {
                decision.result.activeRecords += 1
                decision.survivors.append(record)
            } else if isHeld(record, by: pinned) {
                decision.result.pinnedRecords += 1
                decision.survivors.append(record)
            } else {
                decision.removed.append(record)
            }
        }
        if let limit = policy.maxStoredBytes {
            var held: Set<Digest> = []
            for record in decision.survivors
            where notes.runs.contains(record.run) || isHeld(record, by: noted) || isHeld(record, by: pinned) {
                if let artifact = record.artifact { held.insert(artifact) }
            }
            decision.evict(sizes: sizes, limit: limit, held: held)
        }
        let kept = Set(decision.survivors.compactMap(\.artifact)).union(pinned).union(noted)
        decision.artifacts = try blobHeads().map(\.digest).filter { !kept.contains($0) }
        decision.runs = runsToForget(policy, use, all).filter { !notes.runs.contains($0) }
        decision.chooseFanouts(use, held: Set(sizes.keys).subtracting(decision.artifacts))
        decision.sumUp(sizes, kept: kept)
        return decision
    }

    /// Whether the criteria let a record go.
    private func verdict(
        _ policy: CollectionPolicy, _ use: RunUse, _ all: [Record], now: Double
    ) -> (Record) -> Bool {
        var criteria: [(Record) -> Bool] = []
        if let days = policy.olderThanDays {
            let lastUses = use.lastUses()
            // A record from the future, by a clock that was wrong, is not old.
            criteria.append { max($0.created, lastUses[$0.key] ?? 0) < now - days * 86_400 }
        }
        if let count = policy.keepRuns {
            let runs = use.last(count, all)
            let steps = use.steps(usedBy: runs.contains)
            criteria.append { !runs.contains($0.run) && !steps.contains($0.key) }
        }
        if let runs = policy.dropRuns {
            let steps = use.steps { !runs.contains($0) }
            criteria.append { runs.contains($0.run) && !steps.contains($0.key) }
        }
        return { record in !criteria.isEmpty && criteria.allSatisfy { $0(record) } }
    }

    private func runsToForget(_ policy: CollectionPolicy, _ use: RunUse, _ all: [Record]) -> [String] {
        var runs = policy.keepRuns == nil && policy.dropRuns == nil ? [] : use.entries.map(\.id)
        if let count = policy.keepRuns {
            let last = use.last(count, all)
            runs.removeAll(where: last.contains)
        }
        if let dropped = policy.dropRuns { runs.removeAll { !dropped.contains($0) } }
        return runs
    }

    func runUse() throws(StoreError) -> RunUse {
        let entries = try runs()
        return try meta.read { transaction throws(StoreError) in
            var use = RunUse()
            use.entries = entries
            try transaction.each(in: Table.runKeys) { key, sealed in
                guard let (finished, keys) = Self.openRunKeys(sealed, key: key) else { return true }
                let run = String(decoding: key, as: UTF8.self)
                use.finished[run] = finished
                use.keys[run] = keys
                return true
            }
            try transaction.each(in: Table.fanouts) { key, sealed in
                if let digest = Digest(bytes: key) {
                    use.fanouts[digest] = Sealed.open(sealed, key: key).flatMap { Fanout(stored: $0) }
                }
                return true
            }
            return use
        }
    }
}
