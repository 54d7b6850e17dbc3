/// What the elements of a dataset or an attribute are.
enum HDF5Datatype {
    case integer(size: Int, isSigned: Bool, isBigEndian: Bool)
    case floatingPoint(size: Int, isBigEndian: Bool)
    /// Texts of a fixed length.
    case text(size: Int)
    /// Texts of any length, kept in heaps of their own.
    case heapText(size: Int)
    case other(size: Int)

    var size: Int {
        switch self {
        case .integer(let size, _, _), .floatingPoint(let size, _), .text(let size), .heapText(let size),
            .other(let size):
            size
        }
    }

    init(_ message: HDF5Cursor) throws(InterchangeError) {
        var cursor = message
        let kind = try cursor.uint(1) & 15
        let flags = try cursor.uint(3)
        let size = try cursor.uint(4)
        guard size > 0, size <= 1 << 20 else { throw message.image.damage("elements of \(size) bytes") }
        let isBigEndian = flags & 1 != 0
        switch kind {
        case 0:
            let (bit, precision) = (try cursor.uint(2), try cursor.uint(2))
            let isPlain = [1, 2, 4, 8].contains(size) && bit == 0 && precision == 8 * size
            self =
                isPlain ? .integer(size: size, isSigned: flags & 8 != 0, isBigEndian: isBigEndian) : .other(size: size)
        case 1:
            try cursor.skip(4)
            let exponent = (try cursor.uint(1), try cursor.uint(1))
            let mantissa = (try cursor.uint(1), try cursor.uint(1))
            let bias = try cursor.uint(4)
            let isSingle = size == 4 && exponent == (23, 8) && mantissa == (0, 23) && bias == 127
            let isDouble = size == 8 && exponent == (52, 11) && mantissa == (0, 52) && bias == 1023
            let isVAX = flags & 0x40 != 0
            self =
                (isSingle || isDouble) && !isVAX
                ? .floatingPoint(size: size, isBigEndian: isBigEndian) : .other(size: size)
        case 3: self = .text(size: size)
        // An enumeration, which is what h5py makes of truth values: the integers behind the names.
        case 8:
            try message.image.visit()
            let base = try HDF5Datatype(cursor)
            if case .integer(size, _, _) = base { self = base } else { self = .other(size: size) }
        case 9: self = flags & 15 == 1 ? .heapText(size: size) : .other(size: size)
        default: self = .other(size: size)
        }
    }

    /// Element `index` of `bytes` as a number.
    ///
    /// - Precondition: an integer or floating point, and `bytes` has the element.
    func number(_ index: Int, of bytes: [UInt8]) -> Double {
        let start = index * size
        var bits: UInt64 = 0
        switch self {
        case .integer(let size, let isSigned, let isBigEndian):
            for byte in 0..<size {
                bits |= UInt64(bytes[start + byte]) << UInt64(8 * (isBigEndian ? size - 1 - byte : byte))
            }
            if !isSigned { return Double(bits) }
            let shift = UInt64(64 - 8 * size)
            return Double(Int64(bitPattern: bits << shift) >> Int64(shift))
        case .floatingPoint(let size, let isBigEndian):
            for byte in 0..<size {
                bits |= UInt64(bytes[start + byte]) << UInt64(8 * (isBigEndian ? size - 1 - byte : byte))
            }
            return size == 4
                ? Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits))) : Double(bitPattern: bits)
        case .text, .heapText, .other: return .nan
        }
    }

    /// Extents, slowest first; [] for a scalar, [0] for a space without elements.
    static func shape(_ message: HDF5Cursor) throws(InterchangeError) -> [Int] {
        var cursor = message
        let version = try cursor.uint(1)
        let rank = try cursor.uint(1)
        let flags = try cursor.uint(1)
        guard rank <= 32 else { throw message.image.damage("\(rank) dimensions") }
        switch version {
        case 1: try cursor.skip(5)
        case 2: if try cursor.uint(1) == 2 { return [0] }
        default: throw message.image.damage("a dataspace of version \(version), flags \(flags)")
        }
        var shape: [Int] = []
        for _ in 0..<rank { shape.append(try cursor.length()) }
        // So that no product of them overflows, whichever is 0.
        guard shape.reduce(1.0, { $0 * Double(max(1, $1)) }) < Double(1 << 62) else {
            throw message.image.damage("the shape \(shape)")
        }
        return shape
    }

    /// The first of the texts in `data`.
    ///
    /// - Precondition: one of the types of text.
    func firstText(_ data: HDF5Cursor) throws(InterchangeError) -> String {
        var cursor = data
        let image = data.image
        if case .text(let size) = self {
            var text = try cursor.text(size)
            // Fortran's way of filling up.
            while text.last == " " { text.removeLast() }
            return text
        }
        let length = try cursor.uint(4)
        guard let address = try cursor.address(), length > 0 else { return "" }
        let wanted = try cursor.uint(4)
        var heap = try image.cursor(address, expecting: "GCOL")
        try heap.skip(4)
        let size = try heap.length()
        var objects = try heap.part(max(0, size - 8 - image.lengthSize))
        while objects.remaining >= 8 + image.lengthSize {
            try image.visit()
            let index = try objects.uint(2)
            try objects.skip(6)
            let extent = try objects.length()
            if index == 0 { break }
            var object = try objects.part(extent)
            if index == wanted { return try object.text(min(length, extent)) }
            try objects.skip(min((8 - extent % 8) % 8, objects.remaining))
        }
        throw image.damage("a text that is not in its heap")
    }
}
