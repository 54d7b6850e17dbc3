import Artifacts

/// Records by key, and the batch that brings them in.
extension Store {
    /// Records by key, in the order asked; nil where there is none and where the record is damaged.
    public func records(for keys: [Digest]) throws(StoreError) -> [Record?] {
        try meta.read { transaction throws(StoreError) in
            var records: [Record?] = []
            records.reserveCapacity(keys.count)
            for key in keys { records.append(try Self.record(key.bytes, in: transaction)) }
            return records
        }
    }

    static func record(_ key: [UInt8], in transaction: Transaction) throws(StoreError) -> Record? {
        try transaction.get(key, from: Table.records).flatMap { record(sealed: $0, key: key) }
    }

    static func record(sealed: [UInt8], key: [UInt8]) -> Record? {
        guard let content = Sealed.open(sealed, key: key), let record = Record(stored: content), record.key.bytes == key
        else { return nil }
        return record
    }

    /// Filters, compresses and seals a finished step: the slow part of `put`, to be done where the step was computed.
    public static func prepare(_ new: NewRecord) -> PreparedRecord {
        var blob: PreparedBlob?
        if let value = new.artifact, let digest = new.record.artifact {
            blob = PreparedBlob(digest: digest, value: value)
        }
        return PreparedRecord(record: new.record, preimage: new.preimage, blob: blob)
    }

    /// Commits a batch of finished steps. When it returns, they are on the disk.
    public func put(_ batch: [NewRecord]) throws(StoreError) {
        try put(prepared: batch.map(Self.prepare))
    }

    /// Commits a batch of prepared steps: the artifacts that are not there yet, then the records.
    ///
    /// On error nothing of the batch is believed later: a record is only written after its artifact.
    public func put(prepared batch: [PreparedRecord]) throws(StoreError) {
        if access == .readOnly { throw .openedReadOnly(path: path) }
        if batch.isEmpty { return }
        try putBlobs(batch.compactMap(\.blob))
        try meta.write { transaction throws(StoreError) in
            for new in batch {
                let key = new.record.key.bytes
                try transaction.put(Sealed.seal(new.record.stored(), key: key), for: key, in: Table.records)
                try transaction.put(Sealed.seal(new.preimage, key: key), for: key, in: Table.preimages)
                let step = Self.stepKey(graph: new.record.graph, node: new.record.node, sample: new.record.sample)
                try transaction.put(Sealed.seal(key, key: step), for: step, in: Table.latest)
            }
        }
    }

    /// The canonical bytes of a key's preimage; nil where there is none and where it is damaged.
    public func preimage(for key: Digest) throws(StoreError) -> [UInt8]? {
        try meta.read { transaction throws(StoreError) in
            let sealed = try transaction.get(key.bytes, from: Table.preimages)
            return sealed.flatMap { Sealed.open($0, key: key.bytes) }.map(Array.init)
        }
    }

    /// The most recent record of this node and sample in this graph, whatever its key.
    public func latestRecord(graph: String, node: String, sample: Int?) throws(StoreError) -> Record? {
        let step = Self.stepKey(graph: graph, node: node, sample: sample)
        return try meta.read { transaction throws(StoreError) in
            guard let sealed = try transaction.get(step, from: Table.latest), let key = Sealed.open(sealed, key: step)
            else { return nil }
            return try Self.record(Array(key), in: transaction)
        }
    }

    /// What the `latest` table knows a step by.
    static func stepKey(graph: String, node: String, sample: Int?) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(graph)
        writer.put(node)
        writer.put(sample ?? -1)
        return Digest(of: writer.bytes).bytes
    }

    /// Calls `visit` with each record that is not damaged, in the order of keys, until it returns false.
    ///
    /// The store may be used from within `visit`; records added meanwhile may or may not be visited.
    public func allRecords(_ visit: (Record) throws -> Bool) throws {
        var next: [UInt8]? = []
        while let start = next {
            var records: [Record] = []
            // Short transactions: a long one would keep every page alive that changes meanwhile.
            next = try meta.read { transaction throws(StoreError) in
                var seen = 0
                var resume: [UInt8]?
                try transaction.each(in: Table.records, from: start) { key, value in
                    if seen == 1000 {
                        resume = key
                        return false
                    }
                    seen += 1
                    if let record = Self.record(sealed: value, key: key) { records.append(record) }
                    return true
                }
                return resume
            }
            for record in records { if try !visit(record) { return } }
        }
    }
}
