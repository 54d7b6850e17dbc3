import Artifacts

/// How an artifact lies in the `blobs` environment: a head, and pieces of at most 1 MiB of canonical bytes.
///
/// The head sits under the digest followed by index 0, piece n under the digest followed by n + 1 (32 bits,
/// big-endian). Each entry is sealed with a checksum of its own. Within a piece, the whole elements of each listed
/// tensor are filtered, then all is compressed as one zstd frame.
struct BlobHead {
    struct FilteredSpan {
        var range: Range<Int>
        var elementSize: Int
        var filter: ByteFilter
    }

    static let formatVersion: UInt8 = 1
    /// Canonical bytes of one piece; the last may be shorter.
    static let pieceSize = 1 << 20

    /// Canonical bytes of the artifact.
    var rawBytes: Int
    /// Bytes of all pieces as stored.
    var storedBytes: Int
    var spans: [FilteredSpan]

    var pieceCount: Int { (rawBytes + Self.pieceSize - 1) / Self.pieceSize }

    func rawRange(ofPiece piece: Int) -> Range<Int> {
        piece * Self.pieceSize..<min((piece + 1) * Self.pieceSize, rawBytes)
    }

    func stored() -> [UInt8] {
        var writer = ByteWriter(bytes: [Self.formatVersion])
        writer.put(rawBytes)
        writer.put(storedBytes)
        writer.put(spans.count)
        for span in spans {
            writer.put(span.range.lowerBound)
            writer.put(span.range.count)
            writer.bytes.append(UInt8(span.elementSize))
            writer.bytes.append(span.filter.rawValue)
        }
        return writer.bytes
    }

    init(rawBytes: Int, spans: [FilteredSpan]) {
        self.rawBytes = rawBytes
        self.storedBytes = 0
        self.spans = spans
    }

    /// - Returns: nil for bytes that are no head of a known format.
    init?(stored bytes: ArraySlice<UInt8>) {
        do throws(ShortEntry) {
            var reader = ByteReader(bytes)
            guard try reader.byte() == Self.formatVersion else { return nil }
            rawBytes = try reader.int()
            storedBytes = try reader.int()
            let count = try reader.int()
            guard rawBytes >= 0, rawBytes < 1 << 46, storedBytes >= 0, count >= 0, count <= bytes.count else {
                return nil
            }
            spans = []
            for _ in 0..<count {
                let start = try reader.int()
                let length = try reader.int()
                let elementSize = Int(try reader.byte())
                guard start >= 0, length >= 0, start <= rawBytes, length <= rawBytes - start,
                    elementSize > 0, length % elementSize == 0, let filter = ByteFilter(rawValue: try reader.byte())
                else { return nil }
                spans.append(FilteredSpan(range: start..<start + length, elementSize: elementSize, filter: filter))
            }
            guard reader.isAtEnd else { return nil }
        } catch {
            return nil
        }
    }

    static func key(_ artifact: Digest, entry: Int = 0) -> [UInt8] {
        let index = UInt32(truncatingIfNeeded: entry)
        return artifact.bytes + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: index >> UInt32($0)) }
    }

    /// The parts of `piece` that are whole elements of a filtered tensor, counted from the piece's first byte.
    private func filteredParts(ofPiece piece: Range<Int>) -> [FilteredSpan] {
        spans.compactMap { span in
            // The first and last element boundaries of the tensor that lie in the piece.
            let before = max(0, piece.lowerBound - span.range.lowerBound)
            let first = span.range.lowerBound + (before + span.elementSize - 1) / span.elementSize * span.elementSize
            let end = min(piece.upperBound, span.range.upperBound)
            guard first < end else { return nil }
            let whole = (end - first) / span.elementSize * span.elementSize
            let start = first - piece.lowerBound
            return FilteredSpan(range: start..<start + whole, elementSize: span.elementSize, filter: span.filter)
        }
    }

    /// Filters and compresses one piece: a byte that says how (0 as it is, 1 zstd), then the bytes.
    func storedPiece(_ piece: Int, of bytes: [UInt8]) -> [UInt8] {
        let range = rawRange(ofPiece: piece)
        var content = Array(bytes[range])
        for part in filteredParts(ofPiece: range) {
            part.filter.apply(to: &content, range: part.range, elementSize: part.elementSize)
        }
        if let frame = Compression.compress(content) { return [1] + frame }
        return [0] + content
    }

    /// - Returns: the canonical bytes of one piece; nil when it is damaged.
    func rawPiece(_ piece: Int, from stored: ArraySlice<UInt8>) -> [UInt8]? {
        let range = rawRange(ofPiece: piece)
        guard let codec = stored.first else { return nil }
        var content: [UInt8]
        switch codec {
        case 0:
            content = Array(stored.dropFirst())
            guard content.count == range.count else { return nil }
        case 1:
            guard let bytes = Compression.decompress(stored.dropFirst(), count: range.count) else { return nil }
            content = bytes
        default: return nil
        }
        for part in filteredParts(ofPiece: range) {
            part.filter.undo(in: &content, range: part.range, elementSize: part.elementSize)
        }
        return content
    }
}

struct PreparedBlob: Sendable {
    let digest: Digest
    let head: BlobHead
    /// Sealed.
    let pieces: [[UInt8]]

    /// Tensors smaller than this are not worth a filter.
    private static let smallestFilteredTensor = 256

    init(digest: Digest, value: EncodedValue) {
        let spans = value.tensors.filter { $0.range.count >= Self.smallestFilteredTensor }.map { span in
            BlobHead.FilteredSpan(
                range: span.range, elementSize: span.elementSize,
                filter: ByteFilter.best(for: value.bytes, range: span.range, elementSize: span.elementSize))
        }
        var head = BlobHead(rawBytes: value.bytes.count, spans: spans.filter { $0.filter != .none })
        let layout = head
        pieces = (0..<head.pieceCount).map { piece in
            Sealed.seal(
                layout.storedPiece(piece, of: value.bytes), key: BlobHead.key(digest, entry: piece + 1))
        }
        head.storedBytes = pieces.reduce(0) { $0 + $1.count }
        self.digest = digest
        self.head = head
    }
}
