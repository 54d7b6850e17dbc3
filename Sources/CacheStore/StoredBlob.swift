import Artifacts

/// An artifact as the store keeps it, without its seals: for tests that damage it behind their back.
package struct StoredBlob: Sendable {
    package var head: [UInt8]
    package var pieces: [[UInt8]]

    package init(_ value: Value) {
        let encoded = value.encoded()
        let blob = PreparedBlob(digest: Digest(of: encoded.bytes), value: encoded)
        head = blob.head.stored()
        pieces = blob.pieces.map { Array($0.dropLast(8)) }
    }

    /// The canonical bytes; nil for what cannot be decoded.
    package var canonicalBytes: [UInt8]? {
        guard let head = BlobHead(stored: head[...]), head.pieceCount == pieces.count else { return nil }
        var bytes: [UInt8] = []
        for (number, piece) in pieces.enumerated() {
            let codec = head.codec(ofPiece: number)
            var raw = [UInt8](repeating: 0, count: codec.byteCount)
            let isWhole = raw.withUnsafeMutableBytes { raw in
                piece.withUnsafeBytes { piece in CodecWorkspace.withOne { codec.restore(piece, to: raw, $0) } }
            }
            if !isWhole { return nil }
            bytes += raw
        }
        return bytes
    }
}
