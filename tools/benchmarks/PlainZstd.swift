import CZstd

/// The peer: zstd at level 1 of bytes as they are, one frame each. All unsafe use of libzstd here is in this file.
enum PlainZstd {
    static func ratio(_ buffers: [[UInt8]]) -> Double {
        var stored = 0
        for buffer in buffers {
            var frame = [UInt8](repeating: 0, count: ZSTD_compressBound(buffer.count))
            stored += min(buffer.count, ZSTD_compress(&frame, frame.count, buffer, buffer.count, 1))
        }
        return Double(stored) / Double(buffers.reduce(0) { $0 + $1.count })
    }
}
