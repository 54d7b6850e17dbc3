/// Writes the fields of an entry one after another, little-endian.
struct ByteWriter {
    var bytes: [UInt8] = []

    mutating func put(_ word: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift))) }
    }

    mutating func put(_ count: Int) { put(UInt64(bitPattern: Int64(count))) }

    mutating func put(_ number: Double) { put(number.bitPattern) }

    /// The count, then the bytes.
    mutating func put(_ field: some Collection<UInt8>) {
        put(field.count)
        bytes.append(contentsOf: field)
    }

    mutating func put(_ text: String) { put(Array(text.utf8)) }
}

/// The bytes ended before the field did, or a count made no sense.
struct ShortEntry: Error {}

/// Reads what `ByteWriter` wrote; never trusts a count.
struct ByteReader {
    let bytes: ArraySlice<UInt8>
    private var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        self.position = bytes.startIndex
    }

    var isAtEnd: Bool { position == bytes.endIndex }

    mutating func byte() throws(ShortEntry) -> UInt8 {
        guard position < bytes.endIndex else { throw ShortEntry() }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func word() throws(ShortEntry) -> UInt64 {
        guard bytes.endIndex - position >= 8 else { throw ShortEntry() }
        var word: UInt64 = 0
        for index in 0..<8 { word |= UInt64(bytes[position + index]) << UInt64(8 * index) }
        position += 8
        return word
    }

    mutating func int() throws(ShortEntry) -> Int { Int(Int64(bitPattern: try word())) }

    mutating func double() throws(ShortEntry) -> Double { Double(bitPattern: try word()) }

    mutating func raw(_ count: Int) throws(ShortEntry) -> ArraySlice<UInt8> {
        guard count >= 0, count <= bytes.endIndex - position else { throw ShortEntry() }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func field() throws(ShortEntry) -> ArraySlice<UInt8> { try raw(try int()) }

    mutating func text() throws(ShortEntry) -> String {
        guard let text = String(validating: try field(), as: UTF8.self) else { throw ShortEntry() }
        return text
    }
}
