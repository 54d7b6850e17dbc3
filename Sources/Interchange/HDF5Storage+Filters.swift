import CZlib

// What chunks went through on the way to the file.
extension HDF5Storage {
    /// What the bytes of a chunk were before the filters; `size` bytes are expected.
    func unfiltered(_ stored: [UInt8], skips: Int, size: Int) throws(InterchangeError) -> [UInt8] {
        var bytes = stored
        for (index, filter) in filters.enumerated().reversed() where skips & 1 << index == 0 {
            switch filter {
            // A checksum that was there before was deflated with the rest.
            case 1: bytes = try inflated(bytes, size: size + 4 * filters[..<index].count { $0 == 3 })
            case 2: bytes = unshuffled(bytes)
            default:
                guard bytes.count >= 4 else { throw image.damage("a chunk without its checksum") }
                bytes.removeLast(4)
            }
        }
        return bytes
    }

    private func inflated(_ bytes: [UInt8], size: Int) throws(InterchangeError) -> [UInt8] {
        guard size <= 1100 * bytes.count + 1024 else {
            throw image.damage("a chunk of \(bytes.count) bytes for \(size)")
        }
        var result = [UInt8](repeating: 0, count: size)
        var length = uLong(size)
        let status = uncompress(&result, &length, bytes, uLong(bytes.count))
        guard status == Z_OK, Int(length) == size else { throw image.damage("a chunk that cannot be inflated") }
        return result
    }

    /// First bytes of all elements, then second bytes, and so on: put together again.
    private func unshuffled(_ bytes: [UInt8]) -> [UInt8] {
        let (width, count) = (type.size, bytes.count / type.size)
        var result = bytes
        for byte in 0..<width {
            for element in 0..<count { result[element * width + byte] = bytes[byte * count + element] }
        }
        return result
    }
}
