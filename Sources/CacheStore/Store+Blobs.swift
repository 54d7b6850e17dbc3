import Artifacts

/// Artifacts by digest.
extension Store {
    /// Whether each artifact is there in full. Its bytes are not read: pieces and head are committed together.
    public func holds(_ artifacts: [Digest]) throws(StoreError) -> [Bool] {
        try blobs.read { transaction throws(StoreError) in
            var answers: [Bool] = []
            answers.reserveCapacity(artifacts.count)
            for artifact in artifacts {
                answers.append(try transaction.contains(BlobHead.key(artifact), in: Table.blobs))
            }
            return answers
        }
    }

    /// The artifact; nil where there is none. Damage is thrown.
    ///
    /// It is decoded piece by piece: beside the value, one piece is in memory.
    public func value(for artifact: Digest) throws(StoreError) -> Value? {
        try blobs.read { transaction throws(StoreError) -> Value? in
            guard var pieces = try BlobPieces(of: artifact, in: transaction) else { return nil }
            var failure: StoreError?
            do throws(ValueError) {
                return try Value(decoding: pieces.head.rawBytes, largestPart: BlobHead.pieceSize) {
                    buffer throws(ValueError) in
                    do throws(StoreError) {
                        return try pieces.next(into: buffer)
                    } catch {
                        failure = error
                        throw ValueError(expected: "a piece", field: nil, found: "damage")
                    }
                }
            } catch {
                throw failure ?? .damaged(artifact, reason: error.description)
            }
        }
    }

    /// The artifact's canonical bytes; nil where there is none. Damage is thrown.
    func canonicalBytes(of artifact: Digest) throws(StoreError) -> [UInt8]? {
        try blobs.read { transaction throws(StoreError) -> [UInt8]? in
            guard var pieces = try BlobPieces(of: artifact, in: transaction) else { return nil }
            var failure: StoreError?
            let bytes = [UInt8](unsafeUninitializedCapacity: pieces.head.rawBytes) { buffer, initialised in
                do throws(StoreError) {
                    while initialised < pieces.head.rawBytes {
                        initialised += try pieces.next(
                            into: UnsafeMutableRawBufferPointer(
                                rebasing: UnsafeMutableRawBufferPointer(buffer)[initialised...]))
                    }
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            return bytes
        }
    }

    static func head(of artifact: Digest, in transaction: Transaction) throws(StoreError) -> BlobHead? {
        let key = BlobHead.key(artifact)
        guard let sealed = try transaction.get(key, from: Table.blobs) else { return nil }
        guard let content = Sealed.open(sealed, key: key), let head = BlobHead(stored: content) else {
            throw .damaged(artifact, reason: "the checksum of its head does not match")
        }
        return head
    }

    /// Removes an artifact, damaged or not, so that the next run computes it anew.
    ///
    /// Records that name it stay, but are not reusable while `holds` is false for it.
    public func setAside(_ artifact: Digest) throws(StoreError) {
        // LMDB frees the pages that a value's first page claims: make sure of them first.
        try blobs.checkStructure(deep: true)
        try blobs.write { transaction throws(StoreError) in
            try Self.removeBlob(artifact, in: transaction)
            try Self.renewEpoch(in: transaction)
        }
    }

    static func removeBlob(_ artifact: Digest, in transaction: Transaction) throws(StoreError) {
        // By listing, not by the head's count of pieces, which may be what is damaged.
        var keys: [[UInt8]] = []
        try transaction.each(in: Table.blobs, from: artifact.bytes) { key, _ in
            guard key.starts(with: artifact.bytes) else { return false }
            keys.append(key)
            return true
        }
        for key in keys { try transaction.delete(key, from: Table.blobs) }
    }

    /// Commits artifacts, without those that are there already.
    ///
    /// Several transactions where the batch is large: fewer dirty pages in memory at once. Those of a failed batch stay
    /// without a record, which nothing believes and garbage collection removes.
    func putBlobs(_ batch: [PreparedBlob]) throws(StoreError) {
        let largest = 64 << 20
        var rest = batch[...]
        while !rest.isEmpty {
            var size = 0
            let part = rest.prefix { blob in
                defer { size += blob.head.storedBytes }
                return size < largest
            }
            rest = rest.dropFirst(part.count)
            let isPresent = try holds(part.map(\.digest))
            let missing = zip(part, isPresent).filter { !$0.1 }.map(\.0)
            if missing.isEmpty { continue }
            try blobs.write { transaction throws(StoreError) in
                for blob in missing {
                    let headKey = BlobHead.key(blob.digest)
                    // The same artifact may come twice in a batch, or from another process just now.
                    if try transaction.contains(headKey, in: Table.blobs) { continue }
                    for (piece, sealed) in blob.pieces.enumerated() {
                        try transaction.put(sealed, for: BlobHead.key(blob.digest, entry: piece + 1), in: Table.blobs)
                    }
                    try transaction.put(Sealed.seal(blob.head.stored(), key: headKey), for: headKey, in: Table.blobs)
                }
            }
        }
    }
}
