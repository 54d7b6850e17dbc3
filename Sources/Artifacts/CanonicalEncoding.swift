import Tensors

/// The canonical bytes of a value, and where in them the tensors' elements lie.
///
/// The store filters those spans (byte shuffle) before compression; the digest is of `bytes` alone.
public struct EncodedValue: Sendable {
    public struct TensorSpan: Hashable, Sendable {
        public var range: Range<Int>
        public var elementSize: Int
    }

    public var bytes: [UInt8]
    public var tensors: [TensorSpan]
}

// Format: one tag byte, then the content; integers little-endian; counts as unsigned 64 bits.
//   0 none | 1 false | 2 true | 3 int64 | 4 double bits | 5 string (count, UTF-8) | 6 bytes (count, bytes)
//   7 list (count, values) | 8 record (count, then name as in 5 without tag, value; names sorted by UTF-8)
//   9 tensor (element-type byte, rank byte, extents, elements) | 10 digest (32 bytes)
extension Value {
    public func encoded() -> EncodedValue {
        var result = EncodedValue(bytes: [], tensors: [])
        result.bytes.reserveCapacity(encodedSizeHint)
        encode(into: &result)
        return result
    }

    private var encodedSizeHint: Int {
        switch self {
        case .tensor(let t): t.count * t.elementType.size + 80
        case .record(let fields): fields.reduce(16) { $0 + $1.key.utf8.count + 9 + $1.value.encodedSizeHint }
        case .list(let values): values.reduce(16) { $0 + $1.encodedSizeHint }
        case .string(let s): s.utf8.count + 9
        case .bytes(let b): b.count + 9
        default: 33
        }
    }

    private func encode(into result: inout EncodedValue) {
        switch self {
        case .none: result.bytes.append(0)
        case .bool(let b): result.bytes.append(b ? 2 : 1)
        case .int(let i):
            result.bytes.append(3)
            result.append(UInt64(bitPattern: Int64(i)))
        case .double(let d):
            result.bytes.append(4)
            result.append(d.bitPattern)
        case .string(let s):
            result.bytes.append(5)
            result.append(s)
        case .bytes(let b):
            result.bytes.append(6)
            result.append(UInt64(b.count))
            result.bytes.append(contentsOf: b)
        case .list(let values):
            result.bytes.append(7)
            result.append(UInt64(values.count))
            for value in values { value.encode(into: &result) }
        case .record(let fields):
            result.bytes.append(8)
            result.append(UInt64(fields.count))
            for (name, value) in fields.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                result.append(name)
                value.encode(into: &result)
            }
        case .tensor(let t):
            result.bytes.append(9)
            result.bytes.append(t.elementType.tag)
            result.bytes.append(UInt8(t.shape.count))
            for extent in t.shape { result.append(UInt64(extent)) }
            let start = result.bytes.count
            result.bytes.append(contentsOf: t.bytes)
            result.tensors.append(.init(range: start..<result.bytes.count, elementSize: t.elementType.size))
        case .digest(let d):
            result.bytes.append(10)
            result.bytes.append(contentsOf: d.bytes)
        }
    }

    /// Reads canonical bytes back.
    public init(decoding bytes: [UInt8]) throws(ValueError) {
        var reader = CanonicalReader(bytes: bytes)
        self = try reader.value(depth: 0)
        guard reader.position == bytes.count else {
            throw ValueError(expected: "the end", field: nil, found: "\(bytes.count - reader.position) more bytes")
        }
    }
}

extension EncodedValue {
    fileprivate mutating func append(_ word: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
    }

    fileprivate mutating func append(_ string: String) {
        append(UInt64(string.utf8.count))
        bytes.append(contentsOf: string.utf8)
    }
}

extension ElementType {
    fileprivate var tag: UInt8 {
        switch self {
        case .uint8: 0
        case .int32: 1
        case .int64: 2
        case .float32: 3
        case .float64: 4
        }
    }

    fileprivate init?(tag: UInt8) {
        guard let type = ElementType.allCases.first(where: { $0.tag == tag }) else { return nil }
        self = type
    }
}

private struct CanonicalReader {
    let bytes: [UInt8]
    var position = 0

    private func damaged(_ expected: String) -> ValueError {
        ValueError(expected: expected, field: nil, found: "damaged canonical bytes at \(position)")
    }

    mutating func byte() throws(ValueError) -> UInt8 {
        guard position < bytes.count else { throw damaged("a byte") }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func word() throws(ValueError) -> UInt64 {
        guard bytes.count - position >= 8 else { throw damaged("eight bytes") }
        var word: UInt64 = 0
        for i in 0..<8 { word |= UInt64(bytes[position + i]) << UInt64(8 * i) }
        position += 8
        return word
    }

    /// A count of things that take at least one byte each, so that damage cannot ask for endless memory.
    mutating func count() throws(ValueError) -> Int {
        guard let count = Int(exactly: try word()), count <= bytes.count - position else { throw damaged("a count") }
        return count
    }

    mutating func slice(_ count: Int) throws(ValueError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.count - position else { throw damaged("\(count) bytes") }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func string() throws(ValueError) -> String {
        let utf8 = try slice(try count())
        guard let string = String(validating: utf8, as: UTF8.self) else { throw damaged("UTF-8") }
        return string
    }

    mutating func value(depth: Int) throws(ValueError) -> Value {
        guard depth < 200 else { throw damaged("a shallower tree") }
        switch try byte() {
        case 0: return .none
        case 1: return .bool(false)
        case 2: return .bool(true)
        case 3: return .int(Int(Int64(bitPattern: try word())))
        case 4: return .double(Double(bitPattern: try word()))
        case 5: return .string(try string())
        case 6: return .bytes(Array(try slice(try count())))
        case 7:
            var values: [Value] = []
            for _ in 0..<(try count()) { values.append(try value(depth: depth + 1)) }
            return .list(values)
        case 8:
            var fields: [String: Value] = [:]
            for _ in 0..<(try count()) {
                let name = try string()
                fields[name] = try value(depth: depth + 1)
            }
            return .record(fields)
        case 9:
            guard let type = ElementType(tag: try byte()) else { throw damaged("an element type") }
            var shape: [Int] = []
            for _ in 0..<(try byte()) {
                guard let extent = Int(exactly: try word()), extent < 1 << 40 else { throw damaged("an extent") }
                shape.append(extent)
            }
            var size = type.size
            for extent in shape {
                let (product, overflow) = size.multipliedReportingOverflow(by: extent)
                guard !overflow else { throw damaged("a shape that fits") }
                size = product
            }
            guard let tensor = AnyTensor(elementType: type, shape: shape, bytes: try slice(size)) else {
                throw damaged("a tensor")
            }
            return .tensor(tensor)
        case 10:
            guard let digest = Digest(bytes: try slice(32)) else { throw damaged("a digest") }
            return .digest(digest)
        default: throw damaged("a known tag")
        }
    }
}
