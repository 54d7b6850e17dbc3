import Artifacts
import Foundation
import Synchronization

/// What a look at every byte of the store found.
public struct Verification: Sendable, Hashable, Codable {
    public struct DamagedArtifact: Sendable, Hashable, Codable {
        public var digest: Digest
        public var reason: String
        /// Who made it, as `node` or `node#sample`; empty where no record names it.
        public var steps: [String]
    }

    /// How far it has come, for those who wait.
    public struct Progress: Sendable, Hashable {
        public var artifacts: Int
        public var allArtifacts: Int
        /// Compressed bytes.
        public var bytes: Int
        public var allBytes: Int

        public var fraction: Double { allBytes == 0 ? 1 : Double(bytes) / Double(allBytes) }
    }

    public var artifactsChecked = 0
    public var recordsChecked = 0
    /// Canonical bytes read and hashed.
    public var bytesChecked = 0
    public var damagedArtifacts: [DamagedArtifact] = []
    /// Records, templates, runs and index entries whose checksum does not match: what could not be read, by table.
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
    /// Works with two threads. Others may use the store meanwhile.
    ///
    /// - Parameter repair: removes what is damaged, so that the next run computes it again.
    /// - Parameter progress: called from either thread, one call at a time.
    public func verify(
        repair: Bool = false, progress: @Sendable (Verification.Progress) -> Void = { _ in }
    ) throws(StoreError) -> Verification {
        if repair, access == .readOnly { throw .openedReadOnly(path: path) }
        try meta.checkStructure(deep: true)
        try blobs.checkStructure(deep: true)
        var result = Verification()
        var steps: [Digest: [String]] = [:]
        var known: [(step: String, key: Digest, artifact: Digest)] = []
        try eachRecord { record in
            result.recordsChecked += 1
            if let artifact = record.artifact {
                steps[artifact, default: []].append(record.step)
                known.append((record.step, record.key, artifact))
            }
        }
        let checked = try checkArtifacts(progress)
        result.artifactsChecked = checked.artifacts
        result.bytesChecked = checked.bytes
        result.damagedArtifacts = checked.damaged.sorted { $0.digest < $1.digest }.map { digest, reason in
            .init(digest: digest, reason: reason, steps: (steps[digest] ?? []).sorted())
        }
        result.missingArtifacts = try missing(known)
        result.damagedEntries = try meta.read { transaction throws(StoreError) in
            try Self.damagedEntries(in: transaction).mapValues(\.count)
        }
        result.strayPieces = try blobs.read { transaction throws(StoreError) in
            try Self.strayPieces(in: transaction).count
        }
        if repair, !result.isSound {
            try removeDamage(checked.damaged.map(\.digest))
            result.isRepaired = true
        }
        return result
    }

    // MARK: Looking

    private struct Checked {
        var artifacts = 0
        var bytes = 0
        var damaged: [(digest: Digest, reason: String)] = []
        var failure: StoreError?
        var progress: Verification.Progress

        mutating func add(_ outcome: Result<Int?, StoreError>, storedBytes: Int) {
            switch outcome {
            case .success(let bytes?):
                artifacts += 1
                self.bytes += bytes
            // Removed by others meanwhile.
            case .success(nil): break
            case .failure(.damaged(let digest, let reason)): damaged.append((digest, reason))
            case .failure(let error): failure = error
            }
            progress.artifacts += 1
            progress.bytes += storedBytes
        }
    }

    private func checkArtifacts(
        _ progress: @Sendable (Verification.Progress) -> Void
    ) throws(StoreError) -> Checked {
        let heads = try blobHeads()
        let allBytes = heads.reduce(0) { $0 + ($1.head?.storedBytes ?? 0) }
        let next = Atomic<Int>(0)
        let checked = Mutex(
            Checked(progress: .init(artifacts: 0, allArtifacts: heads.count, bytes: 0, allBytes: allBytes)))
        DispatchQueue.concurrentPerform(iterations: 2) { _ in
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < heads.count, checked.withLock({ $0.failure == nil }) else { return }
                let outcome = Result { () throws(StoreError) in try check(heads[index].digest) }
                checked.withLock { checked in
                    checked.add(outcome, storedBytes: heads[index].head?.storedBytes ?? 0)
                    progress(checked.progress)
                }
            }
        }
        let result = checked.withLock { $0 }
        if let failure = result.failure { throw failure }
        return result
    }

    /// - Returns: the artifact's canonical bytes, counted; nil where it is not there.
    private func check(_ digest: Digest) throws(StoreError) -> Int? {
        guard let bytes = try canonicalBytes(of: digest) else { return nil }
        if Digest(of: bytes) != digest { throw .damaged(digest, reason: "its bytes do not hash to its digest") }
        return bytes.count
    }

    /// Steps without their artifact; looked up again, because both may have gone meanwhile.
    private func missing(_ known: [(step: String, key: Digest, artifact: Digest)]) throws(StoreError) -> [String] {
        var missing: [String] = []
        let held = try holds(known.map(\.artifact))
        for (record, isHeld) in zip(known, held) where !isHeld {
            if try answers(for: [record.key])[0]?.artifact == record.artifact { missing.append(record.step) }
        }
        return missing.sorted()
    }

    /// The keys of entries of `meta` that cannot be read, by table.
    private static func damagedEntries(in transaction: Transaction) throws(StoreError) -> [String: [[UInt8]]] {
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

    /// Keys of pieces without a head, which are what remains of a damaged file.
    private static func strayPieces(in transaction: Transaction) throws(StoreError) -> [[UInt8]] {
        var stray: [[UInt8]] = []
        // The head comes before its pieces.
        var head: [UInt8] = []
        try transaction.eachKey(in: Table.blobs) { key in
            if key.count == 36, key[32...].allSatisfy({ $0 == 0 }) {
                head = Array(key[..<32])
            } else if key.count != 36 || !key.starts(with: head) || head.isEmpty {
                stray.append(key)
            }
            return true
        }
        return stray
    }

    // MARK: Repairing

    /// Looks once more at what is to go, since others may have put it right.
    private func removeDamage(_ artifacts: [Digest]) throws(StoreError) {
        try collectionGate.alone { () throws(StoreError) in
            var damaged: [Digest] = []
            for digest in artifacts {
                do throws(StoreError) {
                    _ = try check(digest)
                } catch {
                    guard case .damaged = error else { throw error }
                    damaged.append(digest)
                }
            }
            let gone = damaged
            try meta.write { transaction throws(StoreError) in
                for (table, keys) in try Self.damagedEntries(in: transaction) {
                    for key in keys { try transaction.delete(key, from: table) }
                }
                try Self.disbelieve(fanoutsOf: Set(gone), in: transaction)
            }
            try blobs.write { transaction throws(StoreError) in
                for artifact in gone { try Self.removeBlob(artifact, in: transaction) }
                for key in try Self.strayPieces(in: transaction) { try transaction.delete(key, from: Table.blobs) }
                try Self.renewEpoch(in: transaction)
            }
        }
    }
}
