import Artifacts

/// What a look at every byte of the store found.
public struct Verification: Sendable, Hashable, Codable {
    public struct DamagedArtifact: Sendable, Hashable, Codable {
        public var digest: Digest
        public var reason: String
        /// Who made it, as `node` or `node#sample`; empty where no record names it.
        public var steps: [String]
    }

    public var artifactsChecked = 0
    public var recordsChecked = 0
    /// Canonical bytes read and hashed.
    public var bytesChecked = 0
    public var damagedArtifacts: [DamagedArtifact] = []
    /// Records, preimages, runs and index entries whose checksum does not match: what could not be read, by table.
    public var damagedEntries: [String: Int] = [:]
    /// Steps whose artifact is not there, as `node` or `node#sample`: not damage, but they will run again.
    public var missingArtifacts: [String] = []
    /// Pieces of artifacts without a head.
    public var strayPieces = 0
    /// Whether the damage was taken out of the store.
    public var isRepaired = false

    public var isSound: Bool { damagedArtifacts.isEmpty && damagedEntries.isEmpty && strayPieces == 0 }

    public init() {}
}

extension Record {
    /// `node`, or `node#sample`: how listings name a step.
    public var step: String { sample.map { "\(node)#\($0)" } ?? node }
}

extension Store {
    /// Reads everything again, hashes every artifact and every key, and says what is damaged and whose it is.
    ///
    /// - Parameter repair: removes what is damaged, so that the next run computes it again.
    /// - Parameter progress: called with the artifacts done and all artifacts.
    public func verify(
        repair: Bool = false, progress: (_ done: Int, _ of: Int) -> Void = { _, _ in }
    ) throws(StoreError) -> Verification {
        if repair, access == .readOnly { throw .openedReadOnly(path: path) }
        try meta.checkStructure(deep: true)
        try blobs.checkStructure(deep: true)
        var result = Verification()
        var steps: [Digest: [String]] = [:]
        var known: [(step: String, artifact: Digest)] = []
        try eachRecord { record in
            result.recordsChecked += 1
            if let artifact = record.artifact {
                steps[artifact, default: []].append(record.step)
                known.append((record.step, artifact))
            }
        }
        let heads = try blobHeads()
        for (index, (digest, _)) in heads.enumerated() {
            do throws(StoreError) {
                if let bytes = try canonicalBytes(of: digest) {
                    result.artifactsChecked += 1
                    result.bytesChecked += bytes.count
                    if Digest(of: bytes) != digest {
                        throw .damaged(digest, reason: "its bytes do not hash to its digest")
                    }
                }
            } catch {
                guard case .damaged(_, let reason) = error else { throw error }
                result.damagedArtifacts.append(
                    .init(digest: digest, reason: reason, steps: (steps[digest] ?? []).sorted()))
            }
            progress(index + 1, heads.count)
        }
        let present = Set(heads.map(\.digest))
        result.missingArtifacts = known.filter { !present.contains($0.artifact) }.map(\.step).sorted()
        let entries = try damagedEntries()
        result.damagedEntries = entries.mapValues(\.count)
        let stray = try strayPieces(present)
        result.strayPieces = stray.count
        if repair, !result.isSound {
            try blobs.write { transaction throws(StoreError) in
                for artifact in result.damagedArtifacts { try Self.removeBlob(artifact.digest, in: transaction) }
                try Self.renewEpoch(in: transaction)
                for key in stray { try transaction.delete(key, from: Table.blobs) }
            }
            try meta.write { transaction throws(StoreError) in
                for (table, keys) in entries { for key in keys { try transaction.delete(key, from: table) } }
            }
            result.isRepaired = true
        }
        return result
    }

    /// The keys of entries of `meta` that cannot be read, by table.
    private func damagedEntries() throws(StoreError) -> [String: [[UInt8]]] {
        try meta.read { transaction throws(StoreError) in
            var damaged: [String: [[UInt8]]] = [:]
            var reader = RecordReader()
            for table in Table.meta {
                try transaction.each(in: table) { key, sealed throws(StoreError) in
                    let isWhole =
                        switch table {
                        // The key is the digest of what it is made of.
                        case Table.records:
                            try reader.record(sealed: sealed, key: key, in: transaction)
                                .map { $0.identity.key == $0.key } ?? false
                        case Table.templates: Sealed.open(sealed, key: key).map { Digest(of: $0).bytes == key } ?? false
                        default: Sealed.open(sealed, key: key) != nil
                        }
                    if !isWhole { damaged[table, default: []].append(key) }
                    return true
                }
            }
            return damaged
        }
    }

    private func strayPieces(_ present: Set<Digest>) throws(StoreError) -> [[UInt8]] {
        try blobs.read { transaction throws(StoreError) in
            var stray: [[UInt8]] = []
            try transaction.eachKey(in: Table.blobs) { key in
                let digest = Digest(bytes: key.prefix(32))
                if key.count != 36 || !(digest.map(present.contains) ?? false) { stray.append(key) }
                return true
            }
            return stray
        }
    }
}
