import Artifacts
import Foundation

extension Store {
    /// Takes in what `export` wrote.
    ///
    /// Nothing is believed for being written there: the lists are compared with the manifest's hashes, every artifact is
    /// hashed and compared with its name, and every record's key is made again from what it is made of. All lists are
    /// checked before anything is stored; artifacts one by one as they are stored. That an artifact is what the step
    /// would give cannot be checked without computing it: import what you would also cite.
    ///
    /// Where the store has another artifact for a step, its own is kept. Fan-outs come in for the sake of lineage alone,
    /// and no run is settled by them.
    ///
    /// - Parameter now: seconds since 1970. The records count as no older than this for garbage collection.
    /// - Parameter progress: records done, and of how many.
    /// - Throws: `ExchangeError` and `StoreError`. What was stored before is whole and stays.
    public func importExchange(
        from folder: String, now: Double, progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> ImportSummary {
        if access == .readOnly { throw StoreError.openedReadOnly(path: path) }
        let lists = try ExchangeLists(folder: folder)
        var summary = ImportSummary(added: 0, known: 0, differing: [], artifacts: 0, bytes: 0, run: nil)
        var batch: [PreparedRecord] = []
        var batchBytes = 0
        var brought: Set<Digest> = []
        func commit() throws {
            try put(prepared: batch)
            summary.added += batch.count
            (batch, batchBytes) = ([], 0)
        }
        for (index, record) in lists.records.enumerated() {
            progress(index, lists.records.count)
            guard let artifact = record.artifact, let template = lists.templates[record.identity.template] else {
                continue
            }
            if let own = try records(for: [record.key])[0], let ownArtifact = own.artifact,
                try holds([ownArtifact])[0]
            {
                if ownArtifact == artifact { summary.known += 1 } else { summary.differing.append(record.step) }
                continue
            }
            var encoded: EncodedValue?
            if !brought.contains(artifact) {
                let value = try lists.artifact(artifact)
                summary.artifacts += 1
                summary.bytes += value.bytes.count
                encoded = value
                brought.insert(artifact)
            }
            let prepared = Self.prepare(NewRecord(record: record, template: template, artifact: encoded))
            batch.append(prepared)
            batchBytes += prepared.storedBytes
            if batch.count >= 1000 || batchBytes > 64 << 20 { try commit() }
        }
        try commit()
        try putLineage(lists, now: now, &summary)
        progress(lists.records.count, lists.records.count)
        return summary
    }

    private func putLineage(_ lists: ExchangeLists, now: Double, _ summary: inout ImportSummary) throws {
        // Under an epoch that this store does not have: see `fanouts(for:epoch:)`.
        let epoch = try ~self.epoch()
        let fanouts = lists.fanouts.map { key, fanout in
            var fanout = fanout
            fanout.epoch = epoch
            return (key: key, fanout: fanout)
        }
        // Those that the store has are its own, and settle its runs.
        let unknown = try fanouts.filter { entry in
            try meta.read { transaction throws(StoreError) in try Self.fanout(entry.key, in: transaction) } == nil
        }
        try meta.write { transaction throws(StoreError) in
            try Self.put(fanouts: unknown, gatherings: lists.gatherings, in: transaction)
        }
        guard let run = lists.run else { return }
        summary.run = run.id
        if try self.run(id: run.id) != nil { return }
        try putRun(
            id: run.id, graph: run.graph, document: Array(run.document), keys: run.keys, finished: now)
    }
}

/// The lists of an exchange, read and checked against each other.
private struct ExchangeLists {
    let folder: String
    var records: [Record] = []
    var templates: [Digest: [UInt8]] = [:]
    var gatherings: [Gathering] = []
    var fanouts: [(key: Digest, fanout: Fanout)] = []
    var run: Exchange.LineageEntry.Run?

    init(folder: String) throws(ExchangeError) {
        self.folder = folder
        guard FileManager.default.fileExists(atPath: "\(folder)/\(Exchange.manifest)") else {
            throw ExchangeError(
                .foreign, "'\(folder)' holds no export of Spinweave", hint: "name the folder that 'export' wrote")
        }
        let manifest = try Self.manifest(in: folder)
        try readRecords(manifest)
        try readLineage(manifest)
    }

    private static func manifest(in folder: String) throws(ExchangeError) -> Exchange.Manifest {
        let data = try read(Exchange.manifest, in: folder)
        // The number first: a later format may have other fields.
        struct Format: Decodable { var format: Int }
        let format = try decode(Format.self, data, Exchange.manifest, in: folder)
        guard format.format == Exchange.format else {
            throw ExchangeError(
                .foreign,
                "the export in '\(folder)' has format \(format.format), and this program knows format \(Exchange.format)",
                hint: "use a newer Spinweave; nothing was changed")
        }
        return try decode(Exchange.Manifest.self, data, Exchange.manifest, in: folder)
    }

    private mutating func readRecords(_ manifest: Exchange.Manifest) throws(ExchangeError) {
        for template in try list(Exchange.Template.self, Exchange.templates, manifest) {
            let bytes = Array(template.bytes)
            guard Digest(of: bytes) == template.digest else { throw damaged(Exchange.templates, "a digest is wrong") }
            templates[template.digest] = bytes
        }
        records = try list(Record.self, Exchange.records, manifest)
        guard records.count == manifest.records else { throw damaged(Exchange.records, "records are missing") }
        for record in records {
            guard record.identity.key == record.key, templates[record.identity.template] != nil, record.artifact != nil
            else { throw damaged(Exchange.records, "the key of \(record.step) is not that of what it is made of") }
        }
    }

    private mutating func readLineage(_ manifest: Exchange.Manifest) throws(ExchangeError) {
        for entry in try list(Exchange.LineageEntry.self, Exchange.lineage, manifest) {
            if let bytes = entry.gathering {
                guard let gathering = Gathering(stored: Array(bytes)[...]) else {
                    throw damaged(Exchange.lineage, "an entry cannot be read")
                }
                gatherings.append(gathering)
            }
            if let entry = entry.fanout {
                guard let fanout = Fanout(stored: Array(entry.bytes)[...]) else {
                    throw damaged(Exchange.lineage, "an entry cannot be read")
                }
                fanouts.append((entry.key, fanout))
            }
            if let run = entry.run { self.run = run }
        }
    }

    /// - Throws: when the file is missing, or its content does not have the digest of its name.
    func artifact(_ digest: Digest) throws(ExchangeError) -> EncodedValue {
        let file = Exchange.artifactFile(digest)
        let bytes = Array(try Self.read(file, in: folder))
        guard Digest(of: bytes) == digest else { throw damaged(file, "its SHA-256 is not the one in its name") }
        do throws(ValueError) {
            // Decoding also finds where the arrays lie, which are filtered before they are compressed.
            let encoded = try Value(decoding: bytes).encoded()
            if encoded.bytes == bytes { return encoded }
        } catch {
            throw damaged(file, error.description)
        }
        throw damaged(file, "its bytes are not in canonical form")
    }

    private func list<Item: Decodable>(
        _ type: Item.Type, _ name: String, _ manifest: Exchange.Manifest
    ) throws(ExchangeError) -> [Item] {
        let data = try Self.read(name, in: folder)
        guard let expected = manifest.sha256[name], Digest(of: data) == expected else {
            throw damaged(name, "its SHA-256 is not the one in the manifest")
        }
        var items: [Item] = []
        for line in data.split(separator: UInt8(ascii: "\n")) {
            items.append(try Self.decode(type, Data(line), name, in: folder))
        }
        return items
    }

    private func damaged(_ name: String, _ reason: String) -> ExchangeError { Self.damaged(name, reason, in: folder) }

    private static func damaged(_ name: String, _ reason: String, in folder: String) -> ExchangeError {
        ExchangeError(
            .damaged, "'\(folder)/\(name)' is damaged: \(reason)",
            hint: "copy or export it again; what was stored from it before this is whole")
    }

    private static func read(_ name: String, in folder: String) throws(ExchangeError) -> Data {
        do {
            return try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
        } catch {
            throw ExchangeError(
                .damaged, "'\(folder)/\(name)' cannot be read: \(error.localizedDescription)",
                hint: "copy or export it again")
        }
    }

    private static func decode<Item: Decodable>(
        _ type: Item.Type, _ data: Data, _ name: String, in folder: String
    ) throws(ExchangeError) -> Item {
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            throw damaged(name, "a line of it cannot be read", in: folder)
        }
    }
}
