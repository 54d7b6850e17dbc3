import Tensors

extension Value {
    /// Reads canonical bytes back.
    public init(decoding bytes: [UInt8]) throws(ValueError) {
        var rest = bytes[...]
        let part = 64 << 10
        self = try Value(decoding: bytes.count, largestPart: part) { buffer in
            let next = rest.prefix(part)
            rest = rest.dropFirst(part)
            buffer.copyBytes(from: next)
            return next.count
        }
    }

    /// Reads canonical bytes that come part by part, so that beside the value only one part is in memory.
    ///
    /// - Parameter count: how many bytes there are in all.
    /// - Parameter nextPart: writes the next bytes to the start of a buffer of `largestPart` bytes and says how many
    ///   there are; at least one, until there were `count`.
    public init(
        decoding count: Int, largestPart: Int,
        nextPart: (UnsafeMutableRawBufferPointer) throws(ValueError) -> Int
    ) throws(ValueError) {
        self = try withoutActuallyEscaping(nextPart) { nextPart throws(ValueError) in
            var reader = CanonicalReader(count: count, largestPart: largestPart, nextPart: nextPart)
            let value = try reader.value(depth: 0)
            guard reader.unread == 0 else {
                throw ValueError(expected: "the end", field: nil, found: "\(reader.unread) more bytes")
            }
            return value
        }
    }
}

/// Never trusts a count: no more is asked for than bytes are left, and only what is there is kept.
private struct CanonicalReader {
    typealias NextPart = (UnsafeMutableRawBufferPointer) throws(ValueError) -> Int

    /// The present part: its bytes from `position` to `end` are not read yet.
    private var part: [UInt8]
    private var position = 0
    private var end = 0
    private let count: Int
    /// All bytes not read yet, of this part and of those to come.
    private(set) var unread: Int
    private let nextPart: NextPart

    init(count: Int, largestPart: Int, nextPart: @escaping NextPart) {
        part = [UInt8](repeating: 0, count: min(count, largestPart))
        self.count = count
        self.unread = count
        self.nextPart = nextPart
    }

    private func damaged(_ expected: String) -> ValueError {
        ValueError(expected: expected, field: nil, found: "damaged canonical bytes at \(count - unread)")
    }

    private mutating func advance() throws(ValueError) {
        var failure: ValueError?
        end = part.withUnsafeMutableBytes { buffer in
            do throws(ValueError) {
                return try nextPart(buffer)
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        position = 0
        guard end > 0, end <= min(unread, part.count) else { throw damaged("more bytes") }
    }

    private mutating func byte() throws(ValueError) -> UInt8 {
        guard unread > 0 else { throw damaged("a byte") }
        if position == end { try advance() }
        defer {
            position += 1
            unread -= 1
        }
        return part[position]
    }

    private mutating func word() throws(ValueError) -> UInt64 {
        guard unread >= 8 else { throw damaged("eight bytes") }
        if end - position >= 8 {
            defer {
                position += 8
                unread -= 8
            }
            return UInt64(littleEndian: part.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: UInt64.self) })
        }
        var word: UInt64 = 0
        for shift in stride(from: 0 as UInt64, to: 64, by: 8) { word |= UInt64(try byte()) << shift }
        return word
    }

    /// A count of things that take at least one byte each, so that damage cannot ask for endless memory.
    private mutating func size() throws(ValueError) -> Int {
        guard let size = Int(exactly: try word()), size <= unread else { throw damaged("a count") }
        return size
    }

    /// Fills `target` with the next bytes, of which there must be enough.
    private mutating func read(into target: UnsafeMutableRawBufferPointer) throws(ValueError) {
        guard target.count <= unread else { throw damaged("\(target.count) bytes") }
        var filled = 0
        while filled < target.count {
            if position == end { try advance() }
            let length = min(end - position, target.count - filled)
            part.withUnsafeBytes { part in
                UnsafeMutableRawBufferPointer(rebasing: target[filled..<filled + length]).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: part[position..<position + length]))
            }
            filled += length
            position += length
            unread -= length
        }
    }

    private mutating func bytes(_ count: Int) throws(ValueError) -> [UInt8] {
        guard count <= unread else { throw damaged("\(count) bytes") }
        var failure: ValueError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
            do throws(ValueError) {
                try read(into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
                initialised = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    private mutating func string() throws(ValueError) -> String {
        guard let string = String(validating: try bytes(try size()), as: UTF8.self) else { throw damaged("UTF-8") }
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
        case 6: return .bytes(try bytes(try size()))
        case 7:
            var values: [Value] = []
            for _ in 0..<(try size()) { values.append(try value(depth: depth + 1)) }
            return .list(values)
        case 8:
            var fields: [String: Value] = [:]
            var last: String?
            for _ in 0..<(try size()) {
                let name = try string()
                // Other orders and names twice are no canonical bytes: the value would have another digest.
                guard last.map({ $0.utf8.lexicographicallyPrecedes(name.utf8) }) ?? true, fields[name] == nil else {
                    throw damaged("names in order")
                }
                last = name
                fields[name] = try value(depth: depth + 1)
            }
            return .record(fields)
        case 9: return .tensor(try tensor())
        case 10:
            guard let digest = Digest(bytes: try bytes(32)) else { throw damaged("a digest") }
            return .digest(digest)
        default: throw damaged("a known tag")
        }
    }

    private mutating func tensor() throws(ValueError) -> AnyTensor {
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
        guard size <= unread else { throw damaged("\(size) bytes") }
        return try AnyTensor(elementType: type, shape: shape) { target throws(ValueError) in
            try read(into: target)
        }
    }
}
