import Foundation
import Tensors

/// Named arrays in one file, `.safetensors`: the length of a header, the header in JSON, the arrays' bytes one after the
/// other. Format: huggingface/safetensors, "Format".
///
/// Read: U8, BOOL, I32, I64, F16, BF16, F32, F64; half precision is widened to float32. Written: uint8, int32, int64,
/// float32 and float64, in the order of their names, with text beside them.
public struct Safetensors: Sendable {
    public var tensors: [String: AnyTensor]
    /// Text beside the arrays (`__metadata__`).
    public var metadata: [String: String]

    /// Longest header that is read, as in the format's own implementation.
    static let longestHeader = 100_000_000

    public init(tensors: [String: AnyTensor], metadata: [String: String] = [:]) {
        self.tensors = tensors
        self.metadata = metadata
    }

    /// Writes to `path`, atomically.
    public func write(to path: String) throws(InterchangeError) {
        try AtomicFile.write(try encode(name: path), to: path)
    }

    /// The file's bytes: the header is filled up with blanks so that the arrays begin at a multiple of eight bytes.
    public func encode(name: String) throws(InterchangeError) -> [UInt8] {
        var header: [String: Any] = [:]
        if !metadata.isEmpty { header["__metadata__"] = metadata }
        var offset = 0
        // The larger element types first, so that each array is aligned to its elements.
        let ordered = tensors.sorted {
            ($1.value.elementType.size, $0.key) < ($0.value.elementType.size, $1.key)
        }
        for (key, tensor) in ordered {
            let size = tensor.count * tensor.elementType.size
            header[key] = [
                "dtype": Self.code(tensor.elementType), "shape": tensor.shape, "data_offsets": [offset, offset + size],
            ]
            offset += size
        }
        if tensors["__metadata__"] != nil {
            throw InterchangeError("no array may be called '__metadata__'", file: name, hint: "rename it")
        }
        guard let json = try? JSONSerialization.data(withJSONObject: header, options: [.sortedKeys]) else {
            throw InterchangeError("the names of the arrays cannot be written as JSON", file: name, hint: "rename them")
        }
        var text = [UInt8](json)
        text += repeatElement(UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
        var bytes = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
        bytes.reserveCapacity(bytes.count + offset)
        for (_, tensor) in ordered { bytes += tensor.bytes }
        return bytes
    }

    private static func code(_ type: ElementType) -> String {
        switch type {
        case .uint8: "U8"
        case .int32: "I32"
        case .int64: "I64"
        case .float32: "F32"
        case .float64: "F64"
        }
    }
}
