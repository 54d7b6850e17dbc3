import Synchronization

/// What coding one piece needs beside its input and output: a zstd context and buffers. One thread uses it at a time.
///
/// Making one costs more than coding a small piece, so they wait in a pool for their next use.
final class CodecWorkspace: @unchecked Sendable {
    let compression: Compression
    /// Byte planes of a piece, one after another.
    let planes = UnsafeMutableRawBufferPointer.allocate(byteCount: BlobHead.pieceSize + 64, alignment: 64)
    /// Words of several tensors side by side.
    let words = UnsafeMutableRawBufferPointer.allocate(byteCount: BlobHead.pieceSize + 64, alignment: 64)
    /// Which words are not zero: a bit for each word of a piece, and up to seven more for each row.
    let bitmap = UnsafeMutableRawBufferPointer.allocate(byteCount: BlobHead.pieceSize / 16 + 64, alignment: 64)
    /// A piece as it will be stored. Streams that would not fit are stored as they are, which does.
    let output = UnsafeMutableRawBufferPointer.allocate(byteCount: BlobHead.pieceSize * 9 / 8 + 4096, alignment: 64)

    /// Room for the frame of a sample.
    let trial = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 64)

    private init() {
        guard let compression = Compression() else { fatalError("no memory for a zstd context") }
        self.compression = compression
    }

    deinit {
        for buffer in [planes, words, bitmap, output, trial] { buffer.deallocate() }
    }

    static func withOne<R, E: Error>(_ body: (CodecWorkspace) throws(E) -> R) throws(E) -> R {
        let workspace = idle.withLock { $0.popLast() } ?? CodecWorkspace()
        defer { idle.withLock { $0.append(workspace) } }
        return try body(workspace)
    }

    private static let idle = Mutex<[CodecWorkspace]>([])
}
