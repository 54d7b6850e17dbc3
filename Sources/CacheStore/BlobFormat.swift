import Artifacts

/// How an artifact lies in the `blobs` environment: a head, and pieces of at most 256 KiB of canonical bytes.
///
/// The head sits under the digest followed by index 0, piece n under the digest followed by n + 1 (32 bits,
/// big-endian). Each entry is sealed with a checksum of its own. `PieceCodec` says how a piece is stored.
struct BlobHead {
    /// Where the elements of a tensor lie among the canonical bytes.
    struct Span {
        var range: Range<Int>
        var wordSize: WordPlanes.Size

        /// The whole words in `place`, counted from its start; nil when there are none.
        func wholeWords(in place: Range<Int>) -> Range<Int>? {
            let size = wordSize.rawValue
            // The first and last word boundaries of the tensor that lie in the place.
            let before = max(0, place.lowerBound - range.lowerBound)
            let first = range.lowerBound + (before + size - 1) / size * size
            let end = min(place.upperBound, range.upperBound)
            guard first < end, (end - first) / size > 0 else { return nil }
            let start = first - place.lowerBound
            return start..<start + (end - first) / size * size
        }
    }

    static let formatVersion: UInt8 = 2
    /// Canonical bytes of one piece; the last may be shorter. What a piece needs while it is coded fits into the cache.
    static let pieceSize = 256 << 10

    /// Canonical bytes of the artifact.
    var rawBytes: Int
    /// Bytes of all pieces as stored.
    var storedBytes: Int
    /// In the order of their places, without overlap.
    var spans: [Span]

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
            writer.bytes.append(UInt8(span.wordSize.rawValue))
        }
        return writer.bytes
    }

    init(rawBytes: Int, spans: [Span]) {
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
                guard start >= spans.last?.range.upperBound ?? 0, length > 0, start <= rawBytes,
                    length <= rawBytes - start,
                    let size = WordPlanes.Size(rawValue: Int(try reader.byte())), length % size.rawValue == 0
                else { return nil }
                spans.append(Span(range: start..<start + length, wordSize: size))
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

    /// How `piece` is stored: its parts are the whole words of tensors that lie in it.
    func codec(ofPiece piece: Int) -> PieceCodec {
        let place = rawRange(ofPiece: piece)
        var parts: [(size: WordPlanes.Size, ranges: [Range<Int>])] = []
        for size in WordPlanes.Size.allCases {
            let ranges = spans[firstSpan(endingAfter: place.lowerBound)...].lazy
                .prefix { $0.range.lowerBound < place.upperBound }
                .filter { $0.wordSize == size }
                .compactMap { $0.wholeWords(in: place) }
            if !ranges.isEmpty { parts.append((size, Array(ranges))) }
        }
        return PieceCodec(parts: parts, byteCount: place.count)
    }

    /// The first of the spans, which are in order, that ends after `place`: a binary search.
    private func firstSpan(endingAfter place: Int) -> Int {
        var low = 0
        var high = spans.count
        while low < high {
            let middle = (low + high) / 2
            if spans[middle].range.upperBound > place { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

struct PreparedBlob: Sendable {
    let digest: Digest
    let head: BlobHead
    /// Sealed.
    let pieces: [[UInt8]]

    /// Smaller tensors are not worth their place in the head.
    private static let smallestListedTensor = 64

    init(digest: Digest, value: EncodedValue) {
        let spans = value.tensors.compactMap { span -> BlobHead.Span? in
            guard span.range.count >= Self.smallestListedTensor else { return nil }
            return WordPlanes.Size(rawValue: span.elementSize).map { BlobHead.Span(range: span.range, wordSize: $0) }
        }
        var head = BlobHead(rawBytes: value.bytes.count, spans: spans)
        let layout = head
        let rows = WordPlanes.Size.allCases.compactMap { size in
            value.tensors.filter { $0.elementSize == size.rawValue }.max { $0.range.count < $1.range.count }
                .map { (size, $0.row) }
        }
        var advice = CodecAdvice(rows: Dictionary(uniqueKeysWithValues: rows))
        pieces = CodecWorkspace.withOne { workspace in
            (0..<layout.pieceCount).map { piece in
                let size = value.bytes.withUnsafeBytes { bytes in
                    layout.codec(ofPiece: piece).store(
                        UnsafeRawBufferPointer(rebasing: bytes[layout.rawRange(ofPiece: piece)]), &advice, workspace)
                }
                return Sealed.seal(
                    UnsafeRawBufferPointer(rebasing: workspace.output[..<size]),
                    key: BlobHead.key(digest, entry: piece + 1))
            }
        }
        head.storedBytes = pieces.reduce(0) { $0 + $1.count }
        self.digest = digest
        self.head = head
    }
}
