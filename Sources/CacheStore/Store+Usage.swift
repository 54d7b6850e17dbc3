import Artifacts
import Foundation

/// What the store holds and what it takes, by node, stage, graph or run.
public struct Usage: Sendable, Hashable, Codable {
    public enum Grouping: String, Sendable, CaseIterable, Codable { case node, stage, graph, run }

    public struct Row: Sendable, Hashable, Codable {
        public var name: String
        public var records: Int
        public var failed: Int
        /// Distinct artifacts. One that several rows share is counted in each of them, and once in the total.
        public var artifacts: Int
        /// Bytes of the compressed artifacts.
        public var storedBytes: Int
        /// Those of artifacts that no other row has: what would be free without this one.
        public var ownBytes: Int
        /// Bytes of the artifacts in canonical form.
        public var rawBytes: Int
        /// What it cost to compute.
        public var seconds: Double
    }

    /// By falling stored bytes.
    public var rows: [Row]
    public var total: Row
    /// Artifacts that no record names: the leavings of an interrupted run.
    public var unclaimedArtifacts: Int
    public var unclaimedBytes: Int
    /// Bytes of both database files on the disk, with their free pages.
    public var fileBytes: Int
}

extension Store {
    /// Sums over all records.
    ///
    /// By run, a record counts for each run that computed or used it.
    public func usage(by grouping: Usage.Grouping) throws(StoreError) -> Usage {
        let sizes = try blobSizes()
        let use = grouping == .run ? try runUse() : RunUse()
        var users: [Digest: [String]] = [:]
        for (run, keys) in use.keys { for step in use.steps(under: keys) { users[step, default: []].append(run) } }
        func names(_ record: Record) -> Set<String> {
            switch grouping {
            case .node: [record.node]
            case .stage: [record.stage]
            case .graph: [record.graph]
            case .run: Set((users[record.key] ?? []) + [record.run])
            }
        }
        var groups: [String: UsageSum] = [:]
        var total = UsageSum()
        // The only row that has an artifact; nil for several.
        var owners: [Digest: String?] = [:]
        try eachRecord { record in
            total.add(record, sizes)
            for name in names(record) {
                groups[name, default: UsageSum()].add(record, sizes)
                guard let artifact = record.artifact else { continue }
                if let owner = owners[artifact] {
                    if owner != name { owners[artifact] = .some(nil) }
                } else {
                    owners[artifact] = name
                }
            }
        }
        var own: [String: Int] = [:]
        for (artifact, owner) in owners {
            if let owner { own[owner, default: 0] += sizes[artifact]?.stored ?? 0 }
        }
        let rows = groups.map { $0.value.row(named: $0.key, own: own[$0.key] ?? 0) }
        let unclaimed = sizes.filter { !total.artifacts.contains($0.key) }
        return Usage(
            rows: rows.sorted { ($1.storedBytes, $0.name) < ($0.storedBytes, $1.name) },
            total: total.row(named: "total", own: total.stored),
            unclaimedArtifacts: unclaimed.count, unclaimedBytes: unclaimed.values.reduce(0) { $0 + $1.stored },
            fileBytes: fileBytes)
    }

    struct BlobSize {
        var stored: Int
        var raw: Int
    }

    /// The sizes of all artifacts whose head is whole.
    func blobSizes() throws(StoreError) -> [Digest: BlobSize] {
        var sizes: [Digest: BlobSize] = [:]
        for (digest, head) in try blobHeads() {
            if let head { sizes[digest] = BlobSize(stored: head.storedBytes, raw: head.rawBytes) }
        }
        return sizes
    }

    /// All artifacts with a head, in the order of digests; nil for a damaged head.
    func blobHeads() throws(StoreError) -> [(digest: Digest, head: BlobHead?)] {
        try blobs.read { transaction throws(StoreError) in
            var digests: [Digest] = []
            try transaction.eachKey(in: Table.blobs) { key in
                if key.count == 36, key[32...].allSatisfy({ $0 == 0 }), let digest = Digest(bytes: key[..<32]) {
                    digests.append(digest)
                }
                return true
            }
            var heads: [(digest: Digest, head: BlobHead?)] = []
            for digest in digests {
                let key = BlobHead.key(digest)
                let content = try transaction.get(key, from: Table.blobs).flatMap { Sealed.open($0, key: key) }
                heads.append((digest, content.flatMap { BlobHead(stored: $0) }))
            }
            return heads
        }
    }

    /// `allRecords` with the store's errors alone.
    func eachRecord(_ visit: (Record) -> Void) throws(StoreError) {
        do {
            try allRecords { record in
                visit(record)
                return true
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw .failed(path: path, operation: "list records", reason: "\(error)")
        }
    }

    /// Bytes of both database files.
    public var fileBytes: Int {
        Self.bytes(ofFile: meta.dataFile) + Self.bytes(ofFile: blobs.dataFile)
    }

    static func bytes(ofFile path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}

private struct UsageSum {
    var records = 0
    var failed = 0
    var seconds = 0.0
    var artifacts: Set<Digest> = []
    var stored = 0
    var raw = 0

    mutating func add(_ record: Record, _ sizes: [Digest: Store.BlobSize]) {
        records += 1
        seconds += record.seconds
        guard let artifact = record.artifact else {
            failed += 1
            return
        }
        guard let size = sizes[artifact], artifacts.insert(artifact).inserted else { return }
        stored += size.stored
        raw += size.raw
    }

    func row(named name: String, own: Int) -> Usage.Row {
        Usage.Row(
            name: name, records: records, failed: failed, artifacts: artifacts.count, storedBytes: stored,
            ownBytes: own, rawBytes: raw, seconds: seconds)
    }
}
