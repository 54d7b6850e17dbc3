import Artifacts

/// A run that the store remembers.
public struct RunEntry: Sendable, Hashable, Codable {
    /// Sorts by time.
    public var id: String
    public var graph: String
}

/// The runs: what the program said about each, and which records each used.
extension Store {
    /// Remembers a run.
    ///
    /// - Parameter id: sorts by time; at most 200 bytes.
    /// - Parameter document: opaque to the store.
    /// - Parameter keys: the records that the run computed or reused, one by one or by their fan-outs, so that garbage
    ///   collection can keep them.
    /// - Parameter finished: seconds since 1970; records that the run used count as no older than this.
    /// - Parameter fanouts: what the run learned of whole nodes.
    /// - Parameter gatherings: what flowed into ports that take everything.
    public func putRun(
        id: String, graph: String, document: [UInt8], keys: [Digest] = [], finished: Double = 0,
        fanouts: [(key: Digest, fanout: Fanout)] = [], gatherings: [Gathering] = []
    ) throws(StoreError) {
        let key = Array(id.utf8)
        guard !key.isEmpty, key.count <= 200 else {
            throw .failed(path: path, operation: "remember the run '\(id)'", reason: "its id must have 1 to 200 bytes")
        }
        var entry = ByteWriter()
        entry.put(graph)
        entry.put(document.count)
        entry.put(Compression.compress(document) ?? document)
        var used = ByteWriter()
        used.put(finished)
        for digest in keys { digest.append(to: &used.bytes) }
        let (sealedEntry, sealedKeys) = (Sealed.seal(entry.bytes, key: key), Sealed.seal(used.bytes, key: key))
        try meta.write { transaction throws(StoreError) in
            try Self.put(fanouts: fanouts, gatherings: gatherings, in: transaction)
            try transaction.put(sealedEntry, for: key, in: Table.runs)
            try transaction.put(sealedKeys, for: key, in: Table.runKeys)
        }
    }

    /// All runs, the newest last. Damaged entries are left out.
    public func runs() throws(StoreError) -> [RunEntry] {
        try meta.read { transaction throws(StoreError) in
            var runs: [RunEntry] = []
            try transaction.each(in: Table.runs) { key, sealed in
                if let (graph, _) = Self.openRun(sealed, key: key) {
                    runs.append(RunEntry(id: String(decoding: key, as: UTF8.self), graph: graph))
                }
                return true
            }
            return runs
        }
    }

    /// The document of a run; nil where there is none and where it is damaged.
    public func run(id: String) throws(StoreError) -> [UInt8]? {
        let key = Array(id.utf8)
        if key.isEmpty || key.count > 200 { return nil }
        let sealed = try meta.read { transaction throws(StoreError) in try transaction.get(key, from: Table.runs) }
        return sealed.flatMap { Self.openRun($0, key: key)?.document() }
    }

    /// The keys of all steps that a run computed or reused; nil where there is no such run, and where a part of what it
    /// used is no longer known.
    public func recordKeys(ofRun id: String) throws(StoreError) -> [Digest]? {
        let key = Array(id.utf8)
        if key.isEmpty || key.count > 200 { return nil }
        return try meta.read { transaction throws(StoreError) -> [Digest]? in
            guard let sealed = try transaction.get(key, from: Table.runKeys),
                let used = Self.openRunKeys(sealed, key: key)
            else { return nil }
            var keys: [Digest] = []
            for key in used.keys {
                guard let steps = try Self.stepKeys(under: key, in: transaction) else { return nil }
                keys += steps
            }
            return keys
        }
    }

    private static func openRun(
        _ sealed: [UInt8], key: [UInt8]
    ) -> (graph: String, document: () -> [UInt8]?)? {
        guard let content = Sealed.open(sealed, key: key) else { return nil }
        do throws(ShortEntry) {
            var reader = ByteReader(content)
            let graph = try reader.text()
            let count = try reader.int()
            let stored = try reader.field()
            return (graph, { stored.count == count ? Array(stored) : Compression.decompress(stored, count: count) })
        } catch {
            return nil
        }
    }

    /// The keys that a run used, of steps and of fan-outs, and when it finished.
    static func openRunKeys(_ sealed: [UInt8], key: [UInt8]) -> (finished: Double, keys: [Digest])? {
        guard let content = Sealed.open(sealed, key: key) else { return nil }
        do throws(ShortEntry) {
            var reader = ByteReader(content)
            let finished = try reader.double()
            var keys: [Digest] = []
            while !reader.isAtEnd { if let key = Digest(bytes: try reader.raw(32)) { keys.append(key) } }
            return (finished, keys)
        } catch {
            return nil
        }
    }
}
