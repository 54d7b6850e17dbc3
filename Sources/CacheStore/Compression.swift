import CZstd
import Synchronization

/// Zstandard at level 1, one frame a piece. Higher levels gain nothing on float images.
///
/// All unsafe use of libzstd is in this file.
enum Compression {
    static let level: Int32 = 1

    /// Compresses into one frame with a content checksum.
    ///
    /// - Returns: nil when that gains nothing (the bytes do not compress).
    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        let context = contexts.takeCompressor()
        defer { contexts.give(compressor: context) }
        guard let context else { return nil }
        let bound = ZSTD_compressBound(bytes.count)
        var written = 0
        let frame = [UInt8](unsafeUninitializedCapacity: bound) { buffer, initialised in
            written = ZSTD_compress2(context, buffer.baseAddress, bound, bytes, bytes.count)
            initialised = ZSTD_isError(written) == 0 ? written : 0
        }
        return ZSTD_isError(written) == 0 && written < bytes.count ? frame : nil
    }

    /// - Parameter count: the exact number of bytes expected.
    /// - Returns: nil when the frame is damaged or gives another number of bytes.
    static func decompress(_ frame: ArraySlice<UInt8>, count: Int) -> [UInt8]? {
        let context = contexts.takeDecompressor()
        defer { contexts.give(decompressor: context) }
        guard let context else { return nil }
        var written = 0
        let bytes = frame.withUnsafeBytes { frame in
            [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
                written = ZSTD_decompressDCtx(context, buffer.baseAddress, count, frame.baseAddress, frame.count)
                initialised = ZSTD_isError(written) == 0 ? written : 0
            }
        }
        return ZSTD_isError(written) == 0 && written == count ? bytes : nil
    }

    private static let contexts = Contexts()

    /// Contexts that wait for their next use: making one costs more than compressing a small piece.
    private final class Contexts: Sendable {
        private struct Idle {
            var compressors: [OpaquePointer] = []
            var decompressors: [OpaquePointer] = []
        }

        private let idle = Mutex(Idle())

        func takeCompressor() -> OpaquePointer? {
            if let address = idle.withLock({ $0.compressors.popLast().map(UInt.init(bitPattern:)) }) {
                return OpaquePointer(bitPattern: address)
            }
            guard let context = ZSTD_createCCtx() else { return nil }
            ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Compression.level)
            ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
            return context
        }

        func takeDecompressor() -> OpaquePointer? {
            if let address = idle.withLock({ $0.decompressors.popLast().map(UInt.init(bitPattern:)) }) {
                return OpaquePointer(bitPattern: address)
            }
            return ZSTD_createDCtx()
        }

        func give(compressor: OpaquePointer?) {
            guard let address = compressor.map(UInt.init(bitPattern:)) else { return }
            idle.withLock { if let context = OpaquePointer(bitPattern: address) { $0.compressors.append(context) } }
        }

        func give(decompressor: OpaquePointer?) {
            guard let address = decompressor.map(UInt.init(bitPattern:)) else { return }
            idle.withLock { if let context = OpaquePointer(bitPattern: address) { $0.decompressors.append(context) } }
        }
    }
}
