import Artifacts

/// Records by key, and the batch that brings them in.
extension Store {
    /// Records by key, in the order asked; nil where there is none and where the record is damaged.
    public func records(for keys: [Digest]) throws(StoreError) -> [Record?] {
        try meta.read { transaction throws(StoreError) in
            var reader = RecordReader()
            var records: [Record?] = []
            records.reserveCapacity(keys.count)
            for key in keys { records.append(try reader.record(key.bytes, in: transaction)) }
            return records
        }
    }

    /// What a look-up needs to know of a record.
    public struct Answer: Sendable, Hashable {
        /// nil for a step that failed.
        public var artifact: Digest?
        /// Canonical bytes of the artifact.
        public var bytes: Int
        /// See `Record.summary`.
        public var summary: [UInt8]
    }

    /// The answers of steps, in the order asked; nil where there is none and where the record is damaged.
    ///
    /// Cheaper than `records(for:)`, for tables of thousands.
    public func answers(for keys: [Digest]) throws(StoreError) -> [Answer?] {
        try meta.read { transaction throws(StoreError) in
            var answers: [Answer?] = []
            answers.reserveCapacity(keys.count)
            for key in keys {
                let bytes = key.bytes
                let content = try transaction.get(bytes, from: Table.records).flatMap { Sealed.open($0, key: bytes) }
                answers.append(content.flatMap { RecordFormat.answer($0) })
            }
            return answers
        }
    }

    /// Filters, compresses and seals a finished step: the slow part of `put`, to be done where the step was computed.
    public static func prepare(_ new: NewRecord) -> PreparedRecord {
        var blob: PreparedBlob?
        if let value = new.artifact, let digest = new.record.artifact {
            blob = PreparedBlob(digest: digest, value: value)
        }
        return PreparedRecord(record: new.record, template: new.template, blob: blob)
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
        // A collection between the two would take artifacts that no record names yet.
        try collectionGate.enter()
        defer { collectionGate.leave() }
        try putBlobs(batch.compactMap(\.blob))
        try meta.write { transaction throws(StoreError) in
            var known: (context: RecordContext, key: [UInt8])?
            for new in batch {
                let record = new.record
                let context = RecordContext(record)
                if known?.context != context {
                    known = (context, try Self.put(context, template: new.template, in: transaction))
                }
                let key = record.key.bytes
                let content = RecordFormat.stored(record, context: known?.key ?? [], ports: context.ports)
                try transaction.put(Sealed.seal(content, key: key), for: key, in: Table.records)
                let step = Self.stepKey(graph: record.graph, node: record.node, sample: record.sample)
                try transaction.put(Sealed.seal(key, key: step), for: step, in: Table.latest)
            }
        }
    }

    /// - Returns: the key of the context.
    private static func put(
        _ context: RecordContext, template: [UInt8], in transaction: Transaction
    ) throws(StoreError) -> [UInt8] {
        let stored = context.stored()
        let key = Array(Digest(of: stored).bytes.prefix(RecordContext.keyLength))
        // Written over even when it is there: what is there may be damaged.
        try transaction.put(Sealed.seal(stored, key: key), for: key, in: Table.contexts)
        let digest = context.template.bytes
        try transaction.put(Sealed.seal(template, key: digest), for: digest, in: Table.templates)
        return key
    }

    /// What a step's key is made of, as canonical bytes of one value: the template's fields with `inputs`, `sample` and
    /// `point` beside them.
    ///
    /// - Returns: nil where there is no such record and where it is damaged.
    public func preimage(for key: Digest) throws(StoreError) -> [UInt8]? {
        guard let identity = try records(for: [key])[0]?.identity, let template = try template(identity.template) else {
            return nil
        }
        do {
            return try identity.preimage(template: template).encoded().bytes
        } catch {
            return nil
        }
    }

    /// What all steps of a node share; nil where it is not there and where it is damaged.
    public func template(_ digest: Digest) throws(StoreError) -> Value? {
        let key = digest.bytes
        let content = try meta.read { transaction throws(StoreError) in
            try transaction.get(key, from: Table.templates)
        }.flatMap { Sealed.open($0, key: key) }
        do {
            return try content.map { try Value(decoding: Array($0)) }
        } catch {
            return nil
        }
    }

    /// The most recent record of this node and sample in this graph, whatever its key.
    public func latestRecord(graph: String, node: String, sample: Int?) throws(StoreError) -> Record? {
        let step = Self.stepKey(graph: graph, node: node, sample: sample)
        return try meta.read { transaction throws(StoreError) in
            guard let sealed = try transaction.get(step, from: Table.latest), let key = Sealed.open(sealed, key: step)
            else { return nil }
            var reader = RecordReader()
            return try reader.record(Array(key), in: transaction)
        }
    }

    /// What the `latest` table knows a step by: its node's name in 16 bytes, then the sample's number plus one, so that the
    /// samples of a node lie side by side.
    static func stepKey(graph: String, node: String, sample: Int?) -> [UInt8] {
        var writer = ByteWriter()
        writer.put(graph)
        writer.put(node)
        let number = UInt64((sample ?? -1) + 1)
        return Digest(of: writer.bytes).bytes.prefix(16)
            + stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> UInt64($0)) }
    }

    /// Calls `visit` with each record that is not damaged, in the order of keys, until it returns false.
    ///
    /// The store may be used from within `visit`; records added meanwhile may or may not be visited.
    public func allRecords(_ visit: (Record) throws -> Bool) throws {
        var next: [UInt8]? = []
        var reader = RecordReader()
        while let start = next {
            var records: [Record] = []
            // Short transactions: a long one would keep every page alive that changes meanwhile.
            next = try meta.read { transaction throws(StoreError) in
                var seen = 0
                var resume: [UInt8]?
                try transaction.each(in: Table.records, from: start) { key, value throws(StoreError) in
                    if seen == 1000 {
                        resume = key
                        return false
                    }
                    seen += 1
                    if let record = try reader.record(sealed: value, key: key, in: transaction) {
                        records.append(record)
                    }
                    return true
                }
                return resume
            }
            for record in records { if try !visit(record) { return } }
        }
    }

    /// The steps that gave each artifact: where a result comes from. Reads all records.
    public func producers() throws(StoreError) -> [Digest: [Digest]] {
        var producers: [Digest: [Digest]] = [:]
        try eachRecord { record in
            if let artifact = record.artifact { producers[artifact, default: []].append(record.key) }
        }
        return producers
    }
}

/// Reads records whole, remembering the contexts that they have in common.
struct RecordReader {
    private var contexts: [[UInt8]: RecordContext] = [:]

    /// - Returns: nil where there is none, and where it or its context is damaged.
    mutating func record(_ key: [UInt8], in transaction: Transaction) throws(StoreError) -> Record? {
        guard let sealed = try transaction.get(key, from: Store.Table.records) else { return nil }
        return try record(sealed: sealed, key: key, in: transaction)
    }

    mutating func record(sealed: [UInt8], key: [UInt8], in transaction: Transaction) throws(StoreError) -> Record? {
        guard let content = Sealed.open(sealed, key: key), let digest = Digest(bytes: key),
            let contextKey = RecordFormat.context(content)
        else { return nil }
        if contexts[contextKey] == nil {
            guard let stored = try transaction.get(contextKey, from: Store.Table.contexts) else { return nil }
            contexts[contextKey] = Sealed.open(stored, key: contextKey).flatMap { RecordContext(stored: $0) }
        }
        guard let context = contexts[contextKey] else { return nil }
        return RecordFormat.record(content, key: digest, context: context)
    }
}
