import Tensors

/// NumPy's array file, `.npy`: format versions 1.0, 2.0 and 3.0 read, 1.0 (2.0 for very long headers) written.
///
/// Any byte order and memory order is read. Element types that `AnyTensor` does not have are widened without loss:
///
///     bool → uint8 | int8, int16, uint16 → int32 | uint32 → int64 | float16 → float32
///     uint64 → int64 where every element fits; an error otherwise
///
/// long double, complex, object, text, date and record arrays are refused with a hint.
/// Format: NumPy Enhancement Proposal 1 and `numpy.lib.format`.
public enum NPY {
    /// Reads the array in the file at `path`.
    public static func read(path: String) throws(InterchangeError) -> AnyTensor {
        try decode(bytes: try AtomicFile.read(path), name: path)
    }

    /// Reads the array in `bytes`, the whole content of a file; `name` is what errors call it.
    ///
    /// A file that ends early, bytes after the array, and a shape that no memory could hold are errors.
    public static func decode(bytes: [UInt8], name: String) throws(InterchangeError) -> AnyTensor {
        let header = try NPYHeader(parsing: bytes, name: name)
        let count = try header.elementCount(name: name)
        let expected = count * header.type.size
        let found = bytes.count - header.length
        if found < expected {
            throw InterchangeError(
                "the file is truncated: \(header.summary) needs \(expected) bytes of data but \(found) are there",
                file: name, hint: "copy or save the file again")
        }
        if found > expected {
            throw InterchangeError(
                "\(found - expected) extra bytes after the array: \(header.summary) needs \(expected) bytes of data"
                    + " but \(found) are there",
                file: name, hint: "one array per file; several arrays go into an .npz file")
        }
        return try header.tensor(from: bytes[header.length...], count: count, name: name)
    }

    /// The bytes of a `.npy` file: little-endian, C order, data aligned to 64 bytes as NumPy does.
    public static func encode(_ tensor: AnyTensor) -> [UInt8] {
        header(tensor.elementType, shape: tensor.shape) + tensor.bytes
    }

    /// What comes before the numbers.
    public static func header(_ type: ElementType, shape extents: [Int]) -> [UInt8] {
        let list = extents.map(String.init).joined(separator: ", ")
        let shape = extents.count == 1 ? "(\(list),)" : "(\(list))"
        let dictionary = "{'descr': '\(descr(type))', 'fortran_order': False, 'shape': \(shape), }"
        var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8)
        let short = 10 + dictionary.utf8.count + 1 <= 65_535
        let prefix = short ? 10 : 12
        let padded = (prefix + dictionary.utf8.count + 1 + 63) / 64 * 64 - prefix
        bytes += short ? [1, 0] : [2, 0]
        for byte in 0..<(short ? 2 : 4) { bytes.append(UInt8(truncatingIfNeeded: padded >> (8 * byte))) }
        bytes += Array(dictionary.utf8)
        bytes += repeatElement(UInt8(ascii: " "), count: padded - dictionary.utf8.count - 1)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// Writes `tensor` to `path`, atomically.
    public static func write(_ tensor: AnyTensor, to path: String) throws(InterchangeError) {
        try AtomicFile.write(encode(tensor), to: path)
    }

    private static func descr(_ type: ElementType) -> String {
        switch type {
        case .uint8: "|u1"
        case .int32: "<i4"
        case .int64: "<i8"
        case .float32: "<f4"
        case .float64: "<f8"
        }
    }
}
