import Tensors

/// The canonical bytes of a value, and where in them the tensors' elements lie.
///
/// The store takes those spans apart into byte planes before compression; the digest is of `bytes` alone.
public struct EncodedValue: Sendable {
    public struct TensorSpan: Hashable, Sendable {
        public var range: Range<Int>
        public var elementSize: Int
        /// Elements of a row: the last extent.
        public var row: Int
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
            t.withBytes { result.bytes.append(contentsOf: $0) }
            result.tensors.append(.init(range: start..<result.bytes.count, elementSize: t.elementType.size, row: t.shape.last ?? 1))
        case .digest(let d):
            result.bytes.append(10)
            result.bytes.append(contentsOf: d.bytes)
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

    init?(tag: UInt8) {
        guard let type = ElementType.allCases.first(where: { $0.tag == tag }) else { return nil }
        self = type
    }
}
