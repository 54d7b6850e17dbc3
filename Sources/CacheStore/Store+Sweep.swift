import Artifacts

/// Removing what a collection decided to remove. The one place that knows what each table depends on.
///
/// Records go first, so that none ever names an artifact that went before it; a program that is killed in between leaves
/// artifacts without a record, which the next collection removes, and fan-outs that nobody believes.
extension Store {
    /// The caller holds the collection gate alone.
    func sweep(_ decision: CollectionDecision) throws(StoreError) {
        let isEmpty = decision.removed.isEmpty && decision.artifacts.isEmpty && decision.runs.isEmpty
        if isEmpty { return }
        try meta.checkStructure(deep: true)
        try blobs.checkStructure(deep: true)
        let before = try epoch()
        try meta.write { transaction throws(StoreError) in
            try Self.removeRecords(decision, in: transaction)
            for key in decision.lostFanouts { try transaction.delete(key.bytes, from: Table.fanouts) }
            // Also for runs that know the present epoch and have not looked yet.
            for (key, fanout) in decision.brokenFanouts { try Self.put(fanout, key, epoch: 0, in: transaction) }
        }
        // Some thousand artifacts a transaction: the list of freed pages is kept in memory.
        let artifacts = decision.artifacts
        var after = before
        for start in stride(from: 0, to: artifacts.count, by: 2000) {
            after = try blobs.write { transaction throws(StoreError) in
                for artifact in artifacts[start..<min(start + 2000, artifacts.count)] {
                    try Self.removeBlob(artifact, in: transaction)
                }
                return try Self.renewEpoch(in: transaction)
            }
        }
        if after == before { return }
        let epoch = after
        try meta.write { transaction throws(StoreError) in
            for (key, fanout) in decision.wholeFanouts where fanout.epoch == before {
                try Self.put(fanout, key, epoch: epoch, in: transaction)
            }
        }
    }

    /// Makes the fan-outs that name one of `artifacts` unbelievable, also for those who know the present epoch and have not
    /// looked yet.
    static func disbelieve(fanoutsOf artifacts: Set<Digest>, in transaction: Transaction) throws(StoreError) {
        var chunks: [(key: Digest, fanout: Fanout)] = []
        var nodes: [(key: Digest, fanout: Fanout)] = []
        try transaction.each(in: Table.fanouts) { key, sealed in
            guard let digest = Digest(bytes: key),
                let fanout = Sealed.open(sealed, key: key).flatMap({ Fanout(stored: $0) })
            else { return true }
            switch fanout.level {
            case .chunk:
                if fanout.members.contains(where: { artifacts.contains($0.result) }) { chunks.append((digest, fanout)) }
            case .node: nodes.append((digest, fanout))
            }
            return true
        }
        let broken = Set(chunks.map(\.key))
        nodes.removeAll { !$0.fanout.members.contains { broken.contains($0.key) } }
        for (key, fanout) in chunks + nodes { try put(fanout, key, epoch: 0, in: transaction) }
    }

    private static func put(
        _ fanout: Fanout, _ key: Digest, epoch: UInt64, in transaction: Transaction
    ) throws(StoreError) {
        var fanout = fanout
        fanout.epoch = epoch
        let bytes = key.bytes
        try transaction.put(Sealed.seal(fanout.stored(), key: bytes), for: bytes, in: Table.fanouts)
    }

    private static func removeRecords(
        _ decision: CollectionDecision, in transaction: Transaction
    ) throws(StoreError) {
        let keys = Set(decision.removed.map(\.key))
        for key in keys { try transaction.delete(key.bytes, from: Table.records) }
        for run in decision.runs {
            try transaction.delete(Array(run.utf8), from: Table.runs)
            try transaction.delete(Array(run.utf8), from: Table.runKeys)
        }
        // What each of the other tables keeps depends on the records that stay.
        var contexts: Set<[UInt8]> = []
        try transaction.each(in: Table.records) { key, sealed in
            if let context = Sealed.open(sealed, key: key).flatMap({ RecordFormat.context($0) }) {
                contexts.insert(context)
            }
            return true
        }
        let templates = Set(decision.survivors.map(\.identity.template))
        var inputs: Set<Digest> = []
        for record in decision.survivors { inputs.formUnion(record.identity.inputs.values) }
        try removeEntries(of: Table.latest, in: transaction) { step, sealed in
            guard let key = Sealed.open(sealed, key: step).flatMap({ Digest(bytes: $0) }) else { return false }
            return keys.contains(key)
        }
        try removeEntries(of: Table.contexts, in: transaction) { key, _ in !contexts.contains(key) }
        try removeEntries(of: Table.templates, in: transaction) { key, _ in
            Digest(bytes: key).map { !templates.contains($0) } ?? true
        }
        try removeEntries(of: Table.gatherings, in: transaction) { key, _ in
            Digest(bytes: key).map { !inputs.contains($0) } ?? true
        }
    }

    private static func removeEntries(
        of table: String, in transaction: Transaction, where isGone: (_ key: [UInt8], _ sealed: [UInt8]) -> Bool
    ) throws(StoreError) {
        var gone: [[UInt8]] = []
        try transaction.each(in: table) { key, sealed in
            if isGone(key, sealed) { gone.append(key) }
            return true
        }
        for key in gone { try transaction.delete(key, from: table) }
    }
}
