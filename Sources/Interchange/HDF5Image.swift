/// The bytes of an HDF5 file, read with every bound checked: whatever they are, reading ends, with a value or an error.
///
/// This reader is the program's own because the library that writes is not made for hostile input: in damaged files it
/// finds addresses that it follows out of memory. Format: HDF5 File Format Specification 3.0 (The HDF Group).
final class HDF5Image {
    let bytes: [UInt8]
    let name: String
    /// Where address 0 lies.
    private(set) var base = 0
    /// Bytes of an address and of a length.
    private(set) var offsetSize = 8
    private(set) var lengthSize = 8
    /// Address of the root group's object header.
    private(set) var root = 0
    /// How many nodes may still be visited: a file that points back into itself would have no end.
    private var budget = 0

    init(_ bytes: [UInt8], name: String) throws(InterchangeError) {
        self.bytes = bytes
        self.name = name
        renewBudget()
        guard let start = Self.signature(in: bytes) else { throw damage("no signature") }
        var cursor = cursor(at: start + 8)
        let version = try cursor.uint(1)
        switch version {
        case 0, 1:
            try cursor.skip(4)
            try readSizes(&cursor)
            try cursor.skip(version == 0 ? 9 : 13)
            try readBase(&cursor)
            // Behind the driver's address begins the root's entry, with the offset of a name.
            try cursor.skip(offsetSize * 2)
        case 2, 3:
            try readSizes(&cursor)
            try cursor.skip(1)
            try readBase(&cursor)
        default:
            throw InterchangeError(
                "HDF5 superblock version \(version) is not read", file: name,
                hint: "save the file for HDF5 1.10 or older, for example with h5repack --high=2")
        }
        guard let address = try cursor.address() else { throw damage("no root group") }
        root = address
    }

    /// Where the signature stands: at the start, or after 512 bytes, 1024, 2048 …
    static func signature(in bytes: [UInt8]) -> Int? {
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        var at = 0
        while at + signature.count <= bytes.count {
            if bytes[at..<at + signature.count].elementsEqual(signature) { return at }
            at = at == 0 ? 512 : at * 2
        }
        return nil
    }

    private func readSizes(_ cursor: inout HDF5Cursor) throws(InterchangeError) {
        offsetSize = try cursor.uint(1)
        lengthSize = try cursor.uint(1)
        guard [2, 4, 8].contains(offsetSize), [2, 4, 8].contains(lengthSize) else {
            throw damage("addresses of \(offsetSize) and lengths of \(lengthSize) bytes")
        }
    }

    /// The base address, an address that is of no use here, and the end of the file.
    private func readBase(_ cursor: inout HDF5Cursor) throws(InterchangeError) {
        let address = try cursor.uint(offsetSize)
        guard address <= bytes.count else { throw damage("the data begin at \(address)") }
        try cursor.skip(offsetSize)
        let end = try cursor.uint(offsetSize)
        guard end <= bytes.count else {
            throw InterchangeError(
                "the file is truncated: it says it has \(end) bytes but \(bytes.count) are there", file: name,
                hint: "copy or save the file again")
        }
        base = address
    }

    func damage(_ what: String) -> InterchangeError {
        InterchangeError("damaged HDF5 file: \(what)", file: name, hint: "copy or save the file again")
    }

    func unread(_ what: String) -> InterchangeError {
        InterchangeError(
            "HDF5: \(what) is not read", file: name,
            hint: "h5repack -f GZIP=4 --high=1 FILE NEW writes a file that is")
    }

    func renewBudget() { budget = 10_000 + bytes.count / 8 }

    /// To be called for every node, block and message.
    func visit() throws(InterchangeError) {
        budget -= 1
        if budget < 0 { throw damage("it points back into itself") }
    }

    /// Reads from a place counted from the first byte of the file.
    func cursor(at position: Int) -> HDF5Cursor { HDF5Cursor(image: self, position: position, end: bytes.count) }

    /// Reads from an address, after the four letters that must stand there.
    func cursor(_ address: Int, expecting letters: String) throws(InterchangeError) -> HDF5Cursor {
        var cursor = cursor(at: address)
        guard try cursor.bytes(4).elementsEqual(letters.utf8) else { throw damage("no \(letters) at byte \(address)") }
        return cursor
    }
}

/// A place in a file that moves on with what is read.
struct HDF5Cursor {
    let image: HDF5Image
    private(set) var position: Int
    /// Nothing is read from here on.
    let end: Int

    init(image: HDF5Image, position: Int, end: Int) {
        self.image = image
        self.position = position
        self.end = min(end, image.bytes.count)
    }

    var remaining: Int { end - position }

    mutating func bytes(_ count: Int) throws(InterchangeError) -> ArraySlice<UInt8> {
        guard position >= 0, count >= 0, position <= end, count <= end - position else {
            throw image.damage("it ends within \(count) bytes at \(position)")
        }
        defer { position += count }
        return image.bytes[position..<position + count]
    }

    mutating func skip(_ count: Int) throws(InterchangeError) { _ = try bytes(count) }

    /// A little-endian number of so many bytes; what exceeds an `Int` is `Int.max`.
    mutating func uint(_ size: Int) throws(InterchangeError) -> Int {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        for byte in try bytes(size) {
            if shift < 64 { value |= UInt64(byte) << shift }
            shift += 8
        }
        return Int(clamping: value)
    }

    mutating func length() throws(InterchangeError) -> Int { try uint(image.lengthSize) }

    /// A place counted from the first byte of the file; nil where there is none.
    mutating func address() throws(InterchangeError) -> Int? {
        let slice = try bytes(image.offsetSize)
        if slice.allSatisfy({ $0 == 0xFF }) { return nil }
        var inner = HDF5Cursor(image: image, position: position - image.offsetSize, end: position)
        let value = try inner.uint(image.offsetSize)
        guard value <= image.bytes.count - image.base else { throw image.damage("an address \(value) beyond its end") }
        return image.base + value
    }

    /// A part of this, from here on, as a cursor of its own; moves past it.
    mutating func part(_ count: Int) throws(InterchangeError) -> HDF5Cursor {
        let start = position
        try skip(count)
        return HDF5Cursor(image: image, position: start, end: start + count)
    }

    mutating func text(_ count: Int) throws(InterchangeError) -> String {
        String(decoding: try bytes(count).prefix { $0 != 0 }, as: UTF8.self)
    }
}
