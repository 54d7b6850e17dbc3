import Artifacts

/// Reads an artifact piece by piece, straight from the pages of a snapshot, which must outlive it.
struct BlobPieces {
    let head: BlobHead
    private let artifact: Digest
    private let transaction: Transaction
    private var piece = 0

    /// - Returns: nil where there is no such artifact. A damaged head is thrown.
    init?(of artifact: Digest, in transaction: Transaction) throws(StoreError) {
        guard let head = try Store.head(of: artifact, in: transaction) else { return nil }
        // Before anybody makes room for as much as the head says.
        let last = BlobHead.key(artifact, entry: head.pieceCount)
        guard try transaction.contains(last, in: Store.Table.blobs) else {
            throw .damaged(artifact, reason: "piece \(head.pieceCount) of \(head.pieceCount) is missing")
        }
        self.head = head
        self.artifact = artifact
        self.transaction = transaction
    }

    /// Writes the next piece's canonical bytes to the start of `buffer`, which must have room for them.
    ///
    /// Their checksum is compared first: nothing damaged is decoded, let alone believed.
    ///
    /// - Returns: how many there are; 0 after the last piece.
    mutating func next(into buffer: UnsafeMutableRawBufferPointer) throws(StoreError) -> Int {
        guard piece < head.pieceCount else { return 0 }
        let codec = head.codec(ofPiece: piece)
        let key = BlobHead.key(artifact, entry: piece + 1)
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<codec.byteCount])
        let isWhole = try transaction.withBytes(of: key, in: Store.Table.blobs) { sealed in
            guard let stored = Sealed.open(sealed, key: key) else { return false }
            return CodecWorkspace.withOne { codec.restore(stored, to: target, $0) }
        }
        piece += 1
        switch isWhole {
        case true?: return codec.byteCount
        case false?:
            throw .damaged(artifact, reason: "the checksum of piece \(piece) of \(head.pieceCount) does not match")
        case nil: throw .damaged(artifact, reason: "piece \(piece) of \(head.pieceCount) is missing")
        }
    }
}
