/// The bytes of one piece, taken apart into streams and compressed.
///
///     piece   := 0, the bytes as they are
///              | 1, one zstd frame
///              | 2, stream of the bytes outside tensors, group of 4-byte words, group of 8-byte words
///     group   := nothing where the piece has no such words
///              | code of `WordPlanes` (1 + 4 bytes), kept words (4), stream of the bitmap if sparse, a stream a plane
///     stream  := 0 as it is | 1 zstd (1 byte), size (4), bytes
///
/// The words of all tensors of the piece that are of one size make one group, so that many small tensors share their
/// streams. What becomes of a group is measured on a sample of it: see `CodecAdvice`. Sizes are little-endian.
struct PieceCodec {
    /// The parts of the piece that are whole words of tensors, by size, in the order of their places.
    var parts: [(size: WordPlanes.Size, ranges: [Range<Int>])]
    var byteCount: Int

    private enum Form: UInt8 { case asIs, frame, streams }

    private var wordBytes: Int { parts.reduce(0) { $0 + $1.ranges.reduce(0) { $0 + $1.count } } }

    /// The ranges outside all parts.
    private var gaps: [Range<Int>] {
        var gaps: [Range<Int>] = []
        var end = 0
        for range in parts.flatMap(\.ranges).sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if end < range.lowerBound { gaps.append(end..<range.lowerBound) }
            end = range.upperBound
        }
        if end < byteCount { gaps.append(end..<byteCount) }
        return gaps
    }

    // MARK: Storing

    /// Writes the stored form to the workspace's output.
    ///
    /// - Returns: its size.
    func store(_ bytes: UnsafeRawBufferPointer, _ advice: inout CodecAdvice, _ workspace: CodecWorkspace) -> Int {
        precondition(bytes.count == byteCount && byteCount <= BlobHead.pieceSize)
        let asStreams = parts.isEmpty ? nil : storeStreams(bytes, &advice, workspace)
        if let asStreams, asStreams <= byteCount { return asStreams }
        workspace.output[0] = Form.frame.rawValue
        let room = UnsafeMutableRawBufferPointer(rebasing: workspace.output[1..<1 + byteCount])
        if let size = workspace.compression.compress(bytes, into: room, .matches), size < byteCount { return 1 + size }
        workspace.output[0] = Form.asIs.rawValue
        room.copyMemory(from: bytes)
        return 1 + byteCount
    }

    /// - Returns: nil when one frame of all bytes promises to be smaller.
    private func storeStreams(
        _ bytes: UnsafeRawBufferPointer, _ advice: inout CodecAdvice, _ workspace: CodecWorkspace
    ) -> Int? {
        var output = StreamWriter(workspace: workspace)
        output.put(Form.streams.rawValue)
        output.putStream(Self.joined(bytes, gaps, workspace.words), .matches)
        for (size, ranges) in parts {
            let words = Self.joined(bytes, ranges, workspace.words)
            guard let choice = advice.choice(for: words, size: size, workspace) else { return nil }
            let stride = words.count / size.rawValue
            let kept = choice.split(
                words, planes: workspace.planes, stride: stride, bitmap: workspace.bitmap)
            output.put(choice.code.manner)
            output.put(choice.code.row)
            output.put(UInt32(kept))
            if choice.isSparse {
                let marks = workspace.bitmap[..<choice.bitmapBytes(stride)]
                output.putStream(UnsafeRawBufferPointer(rebasing: marks), .matches)
            }
            for plane in 0..<size.rawValue {
                let content = UnsafeRawBufferPointer(
                    rebasing: workspace.planes[plane * stride..<plane * stride + kept])
                output.putStream(content, advice.effort(for: content, plane: plane, size: size, workspace))
            }
        }
        return output.position
    }

    /// The bytes of `ranges` side by side: where they lie if there is but one, else copied to `buffer`.
    private static func joined(
        _ bytes: UnsafeRawBufferPointer, _ ranges: [Range<Int>], _ buffer: UnsafeMutableRawBufferPointer
    ) -> UnsafeRawBufferPointer {
        if ranges.count == 1 { return UnsafeRawBufferPointer(rebasing: bytes[ranges[0]]) }
        var end = 0
        for range in ranges {
            UnsafeMutableRawBufferPointer(rebasing: buffer[end..<end + range.count]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[range]))
            end += range.count
        }
        return UnsafeRawBufferPointer(rebasing: buffer[..<end])
    }

    // MARK: Restoring

    /// Writes the piece's bytes to `target`, which has their size.
    ///
    /// - Returns: false for what is no stored form of such a piece; `target` is then undefined.
    func restore(
        _ stored: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, _ workspace: CodecWorkspace
    ) -> Bool {
        precondition(target.count == byteCount && byteCount <= BlobHead.pieceSize)
        guard let form = stored.first.flatMap(Form.init) else { return false }
        let content = UnsafeRawBufferPointer(rebasing: stored.dropFirst())
        switch form {
        case .asIs:
            guard content.count == byteCount else { return false }
            target.copyMemory(from: content)
            return true
        case .frame: return workspace.compression.decompress(content, into: target)
        case .streams:
            var input = StreamReader(rest: content, workspace: workspace)
            return restoreStreams(&input, to: target) && input.rest.isEmpty
        }
    }

    private func restoreStreams(_ input: inout StreamReader, to target: UnsafeMutableRawBufferPointer) -> Bool {
        let workspace = input.workspace
        guard let outside = input.stream(of: byteCount - wordBytes, at: 0) else { return false }
        Self.scatter(outside, to: target, gaps)
        for (size, ranges) in parts {
            let byteCount = ranges.reduce(0) { $0 + $1.count }
            let count = byteCount / size.rawValue
            guard let manner = input.byte(), let row = input.size(),
                let choice = WordPlanes(size: size, manner: manner, row: row), let kept = input.size(), kept <= count
            else { return false }
            var marks = UnsafeRawBufferPointer(start: nil, count: 0)
            if choice.isSparse {
                guard let stream = input.stream(of: choice.bitmapBytes(count), in: workspace.bitmap) else {
                    return false
                }
                marks = stream
            }
            var planes: [UnsafeRawBufferPointer] = []
            for plane in 0..<size.rawValue {
                guard let stream = input.stream(of: kept, at: plane * kept) else { return false }
                planes.append(stream)
            }
            if ranges.count == 1 {
                let words = UnsafeMutableRawBufferPointer(rebasing: target[ranges[0]])
                guard choice.join(planes, kept: kept, bitmap: marks, words: words) else { return false }
            } else {
                let words = UnsafeMutableRawBufferPointer(rebasing: workspace.words[..<byteCount])
                guard choice.join(planes, kept: kept, bitmap: marks, words: words) else { return false }
                Self.scatter(UnsafeRawBufferPointer(words), to: target, ranges)
            }
        }
        return true
    }

    private static func scatter(
        _ bytes: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, _ ranges: [Range<Int>]
    ) {
        var start = 0
        for range in ranges {
            UnsafeMutableRawBufferPointer(rebasing: target[range]).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + range.count]))
            start += range.count
        }
    }
}

/// Appends to a workspace's output.
private struct StreamWriter {
    let workspace: CodecWorkspace
    private(set) var position = 0

    init(workspace: CodecWorkspace) { self.workspace = workspace }

    mutating func put(_ byte: UInt8) {
        workspace.output[position] = byte
        position += 1
    }

    mutating func put(_ size: UInt32) {
        workspace.output.storeBytes(of: size.littleEndian, toByteOffset: position, as: UInt32.self)
        position += 4
    }

    /// - Parameter effort: nil to store the bytes as they are.
    mutating func putStream(_ bytes: UnsafeRawBufferPointer, _ effort: Compression.Effort?) {
        let start = position + 5
        let room = UnsafeMutableRawBufferPointer(rebasing: workspace.output[start..<start + bytes.count])
        // A small gain is not worth the time of every later read.
        let target = UnsafeMutableRawBufferPointer(rebasing: room[..<(bytes.count - bytes.count / 20)])
        let size = effort.flatMap { bytes.isEmpty ? nil : workspace.compression.compress(bytes, into: target, $0) }
        put(UInt8(size == nil ? 0 : 1))
        put(UInt32(size ?? bytes.count))
        if size == nil { room.copyMemory(from: bytes) }
        position += size ?? bytes.count
    }
}

/// Reads a stored piece; trusts no size.
private struct StreamReader {
    var rest: UnsafeRawBufferPointer
    let workspace: CodecWorkspace

    mutating func byte() -> UInt8? {
        guard let byte = rest.first else { return nil }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst())
        return byte
    }

    mutating func size() -> Int? {
        guard rest.count >= 4 else { return nil }
        let size = UInt32(littleEndian: rest.loadUnaligned(as: UInt32.self))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(4))
        return Int(size)
    }

    /// A stream of `count` bytes: where it lies, or decompressed to the planes' buffer from `offset` on.
    mutating func stream(of count: Int, at offset: Int) -> UnsafeRawBufferPointer? {
        stream(of: count, in: UnsafeMutableRawBufferPointer(rebasing: workspace.planes[offset...]))
    }

    mutating func stream(of count: Int, in buffer: UnsafeMutableRawBufferPointer) -> UnsafeRawBufferPointer? {
        guard let form = byte(), let size = size(), size <= rest.count else { return nil }
        let content = UnsafeRawBufferPointer(rebasing: rest.prefix(size))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(size))
        switch form {
        case 0: return size == count ? content : nil
        case 1:
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            return workspace.compression.decompress(content, into: target) ? UnsafeRawBufferPointer(target) : nil
        default: return nil
        }
    }
}
