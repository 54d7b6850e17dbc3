import CZstd

/// Zstandard, one frame a stream. Nothing here checks content: entries are sealed by their own checksum.
///
/// All unsafe use of libzstd is in this file.
final class Compression {
    /// How hard to look for what repeats.
    enum Effort {
        /// Level 1: matches and Huffman codes. Higher levels gain nothing on float images.
        case matches
        /// Huffman codes alone: what is left to gain in the bytes of noise, in half the time.
        case frequencies
    }

    // One for each effort: changing a context's mind costs as much as a small stream.
    private let matching: OpaquePointer
    private let counting: OpaquePointer
    private let decompressor: OpaquePointer

    /// - Returns: nil when there is no memory.
    init?() {
        let created = (ZSTD_createCCtx(), ZSTD_createCCtx(), ZSTD_createDCtx())
        guard let matching = created.0, let counting = created.1, let decompressor = created.2 else {
            ZSTD_freeCCtx(created.0)
            ZSTD_freeCCtx(created.1)
            ZSTD_freeDCtx(created.2)
            return nil
        }
        ZSTD_CCtx_setParameter(matching, ZSTD_c_compressionLevel, 1)
        ZSTD_CCtx_setParameter(counting, ZSTD_c_compressionLevel, -1000)
        // The literal compression mode: Huffman codes always, which fast levels otherwise leave out.
        ZSTD_CCtx_setParameter(counting, ZSTD_c_experimentalParam5, 1)
        self.matching = matching
        self.counting = counting
        self.decompressor = decompressor
    }

    deinit {
        ZSTD_freeCCtx(matching)
        ZSTD_freeCCtx(counting)
        ZSTD_freeDCtx(decompressor)
    }

    /// Compresses `source` into one frame at the start of `target`.
    ///
    /// - Returns: the frame's size; nil when it does not fit into `target`.
    func compress(
        _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, _ effort: Effort
    ) -> Int? {
        let compressor = effort == .matches ? matching : counting
        let written = ZSTD_compress2(compressor, target.baseAddress, target.count, source.baseAddress, source.count)
        return ZSTD_isError(written) == 0 ? written : nil
    }

    /// - Returns: whether the frame is whole and fills `target` exactly.
    func decompress(_ frame: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Bool {
        let written = ZSTD_decompressDCtx(
            decompressor, target.baseAddress, target.count, frame.baseAddress, frame.count)
        return ZSTD_isError(written) == 0 && written == target.count
    }

    // MARK: Whole arrays

    /// - Returns: nil when compressing gains nothing.
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        CodecWorkspace.withOne { workspace in
            var size: Int?
            let frame = [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, initialised in
                size = bytes.withUnsafeBytes {
                    workspace.compression.compress($0, into: UnsafeMutableRawBufferPointer(buffer), .matches)
                }
                initialised = size ?? 0
            }
            return size.map { $0 < bytes.count } == true ? frame : nil
        }
    }

    /// - Parameter count: the exact number of bytes expected.
    /// - Returns: nil when the frame is damaged or gives another number of bytes.
    static func decompress(_ frame: ArraySlice<UInt8>, count: Int) -> [UInt8]? {
        // A frame says how much it holds: damage must not ask for endless memory.
        let declared = frame.withUnsafeBytes { ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
        guard count >= 0, declared == UInt64(count) else { return nil }
        return CodecWorkspace.withOne { workspace in
            var isWhole = false
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
                isWhole = frame.withUnsafeBytes {
                    workspace.compression.decompress($0, into: UnsafeMutableRawBufferPointer(buffer))
                }
                initialised = isWhole ? count : 0
            }
            return isWhole ? bytes : nil
        }
    }
}
