import Artifacts

/// Removing what a collection decided to remove. The one place that knows what each table depends on.
///
/// Records go first, so that none ever names an artifact that went before it; a program that is killed in between leaves
/// artifacts without a record, which the next collection removes, and fan-outs that nobody believes.
extension Store {
    /// The caller holds the collection gate alone.
    ///
    /// - Parameter batch: artifacts of one transaction: what it frees is kept in memory, and only later ones can use it.
    func sweep(_ decision: CollectionDecision, batch: Int) throws(StoreError) {
        let isEmpty = decision.removed.isEmpty && decision.artifacts.isEmpty && decision.runs.isEmpty
        if isEmpty { return }
        try meta.checkStructure(deep: true)
        try blobs.checkStructure(deep: true)
        let before = try epoch()
        for start in stride(from: 0, to: decision.removed.count, by: batch) {
            let records = decision.removed[start..<min(start + batch, decision.removed.count)]
            try meta.write { transaction throws(StoreError) in
                for record in records { try Self.remove(record, in: transaction) }
            }
        }
        try meta.write { transaction throws(StoreError) in
            try Self.removeDependents(decision, in: transaction)
            for key in decision.lostFanouts { try transaction.delete(key.bytes, from: Table.fanouts) }
            // Also for runs that know the present epoch and have not looked yet.
            for (key, fanout) in decision.brokenFanouts { try Self.put(fanout, key, epoch: 0, in: transaction) }
        }
        let artifacts = decision.artifacts
        var after = before
        for start in stride(from: 0, to: artifacts.count, by: batch) {
            after = try blobs.write { transaction throws(StoreError) in
                for artifact in artifacts[start..<min(start + batch, artifacts.count)] {
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

    private static func remove(_ record: Record, in transaction: Transaction) throws(StoreError) {
        let key = record.key.bytes
        try transaction.delete(key, from: Table.records)
        let step = stepKey(graph: record.graph, node: record.node, sample: record.sample)
        guard let sealed = try transaction.get(step, from: Table.latest), Sealed.open(sealed, key: step) == key[...]
        else { return }
        try transaction.delete(step, from: Table.latest)
    }

    /// Removes runs, and the entries of the other tables that only removed records needed.
    private static func removeDependents(
        _ decision: CollectionDecision, in transaction: Transaction
    ) throws(StoreError) {
        for run in decision.runs {
            try transaction.delete(Array(run.utf8), from: Table.runs)
            try transaction.delete(Array(run.utf8), from: Table.runKeys)
        }
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
        try removeEntries(of: Table.contexts, in: transaction) { key in !contexts.contains(key) }
        try removeEntries(of: Table.templates, in: transaction) { key in
            Digest(bytes: key).map { !templates.contains($0) } ?? true
        }
        try removeEntries(of: Table.gatherings, in: transaction) { key in
            Digest(bytes: key).map { !inputs.contains($0) } ?? true
        }
    }

    private static func removeEntries(
        of table: String, in transaction: Transaction, where isGone: (_ key: [UInt8]) -> Bool
    ) throws(StoreError) {
        var gone: [[UInt8]] = []
        try transaction.eachKey(in: table) { key in
            if isGone(key) { gone.append(key) }
            return true
        }
        for key in gone { try transaction.delete(key, from: table) }
    }
}
