/// Where the elements of a dataset lie, and what they went through.
struct HDF5Storage {
    enum Place {
        case compact(HDF5Cursor)
        /// nil: never written.
        case contiguous(address: Int?, size: Int)
        /// Extents of a chunk in elements, and what leads to the chunks.
        case chunked([Int], index: Index)
    }

    enum Index {
        /// A tree of the first version; nil: nothing was written.
        case tree(Int?)
        /// One chunk that holds everything; `size` as stored, nil without filters.
        case single(Int?, size: Int?, skips: Int)
        /// One chunk after the other, without filters.
        case row(Int?)
        /// An array of places, with sizes where there are filters.
        case array(Int?)
    }

    let image: HDF5Image
    let type: HDF5Datatype
    let shape: [Int]
    let place: Place
    private(set) var filters: [Int] = []
    private var fill: [UInt8] = []

    init(_ image: HDF5Image, _ header: HDF5Header, _ type: HDF5Datatype, shape: [Int]) throws(InterchangeError) {
        guard var layout = header.first(.layout) else { throw image.damage("a dataset without data") }
        guard header.first(.externalFiles) == nil else { throw image.unread("data in other files") }
        self.image = image
        self.type = type
        self.shape = shape
        let version = try layout.uint(1)
        guard version == 3 || version == 4 else { throw image.unread("layout version \(version)") }
        switch try layout.uint(1) {
        case 0: place = .compact(try layout.part(try layout.uint(2)))
        case 1: place = .contiguous(address: try layout.address(), size: try layout.length())
        case 2: place = try Self.chunks(image, &layout, version, rank: shape.count)
        default: throw image.unread("a virtual dataset")
        }
        try readFilters(header)
        try readFill(header)
    }

    private static func chunks(
        _ image: HDF5Image, _ layout: inout HDF5Cursor, _ version: Int, rank: Int
    ) throws(InterchangeError) -> Place {
        let flags = version == 4 ? try layout.uint(1) : 0
        guard try layout.uint(1) == rank + 1 else { throw image.damage("chunks of another rank than the data") }
        let root = version == 3 ? try layout.address() : nil
        let width = version == 3 ? 4 : try layout.uint(1)
        var extents: [Int] = []
        var bytes = 1.0
        for _ in 0..<rank {
            extents.append(try layout.uint(width))
            bytes *= Double(extents[extents.count - 1])
        }
        bytes *= Double(try layout.uint(width))
        guard !extents.contains(0), bytes <= Double(1 << 30) else {
            throw image.damage("chunks of the shape \(extents)")
        }
        if version == 3 { return .chunked(extents, index: .tree(root)) }
        switch try layout.uint(1) {
        case 1:
            let isFiltered = flags & 2 != 0
            let size = isFiltered ? try layout.length() : nil
            let skips = isFiltered ? try layout.uint(4) : 0
            return .chunked(extents, index: .single(try layout.address(), size: size, skips: skips))
        case 2: return .chunked(extents, index: .row(try layout.address()))
        case 3:
            try layout.skip(1)
            return .chunked(extents, index: .array(try layout.address()))
        default: throw image.unread("the chunk index of a dataset that can grow")
        }
    }

    private mutating func readFilters(_ header: HDF5Header) throws(InterchangeError) {
        guard var cursor = header.first(.filters) else { return }
        let version = try cursor.uint(1)
        let count = try cursor.uint(1)
        if version == 1 { try cursor.skip(6) }
        guard count <= 8 else { throw image.damage("\(count) filters") }
        for _ in 0..<count {
            let filter = try cursor.uint(2)
            let nameLength = version == 1 || filter >= 256 ? try cursor.uint(2) : 0
            try cursor.skip(2)
            let values = try cursor.uint(2)
            try cursor.skip(version == 1 ? (nameLength + 7) / 8 * 8 : nameLength)
            try cursor.skip(4 * (version == 1 ? (values + 1) / 2 * 2 : values))
            guard (1...3).contains(filter) else {
                throw InterchangeError(
                    "HDF5: filter \(filter) is not read", file: image.name,
                    hint: "save the file with gzip, which every program reads")
            }
            filters.append(filter)
        }
    }

    /// What elements are where nothing was written: their bytes, empty for zeros.
    private mutating func readFill(_ header: HDF5Header) throws(InterchangeError) {
        var size = 0
        var cursor: HDF5Cursor
        if let message = header.first(.fill) {
            cursor = message
            let version = try cursor.uint(1)
            let flags = try cursor.uint(version == 3 ? 1 : 2)
            let isDefined = version == 3 ? flags & 0x20 != 0 : try cursor.uint(1) != 0
            if isDefined { size = try cursor.uint(4) }
        } else if let message = header.first(.oldFill) {
            cursor = message
            size = try cursor.uint(4)
        } else {
            return
        }
        if size == type.size { fill = Array(try cursor.bytes(size)) }
    }

    // MARK: Reading

    /// The elements of a box as numbers, row-major.
    ///
    /// - Precondition: the type is one of numbers; the box lies in `shape`.
    func numbers(from start: [Int], count: [Int], path: String) throws(InterchangeError) -> [Double] {
        let total = try checked(count, path)
        guard total > 0 else { return [] }
        let initial = fill.isEmpty ? 0 : type.number(0, of: fill)
        var box = HDF5Box(start: start, count: count, elements: Array(repeating: initial, count: total))
        switch place {
        case .compact(var data):
            let bytes = Array(try data.bytes(data.remaining))
            try copy(bytes, origin: start.map { _ in 0 }, extents: shape, to: &box)
        case .contiguous(let address, let size):
            guard let address else { break }
            var data = image.cursor(at: address)
            try copy(Array(try data.bytes(size)), origin: start.map { _ in 0 }, extents: shape, to: &box)
        case .chunked(let extents, .single(let address, let size, let skips)):
            guard let address else { break }
            let whole = extents.reduce(type.size, *)
            var data = image.cursor(at: address)
            let bytes = try unfiltered(Array(try data.bytes(size ?? whole)), skips: skips, size: whole)
            try copy(bytes, origin: start.map { _ in 0 }, extents: extents, to: &box)
        case .chunked(let extents, let index): try read(extents, index, &box)
        }
        return box.elements
    }

    /// The bytes of a small dataset that is not in chunks.
    func plainBytes() throws(InterchangeError) -> HDF5Cursor {
        switch place {
        case .compact(let data): return data
        case .contiguous(let address?, let size):
            var data = image.cursor(at: address)
            return try data.part(size)
        case .contiguous(nil, _), .chunked: throw image.unread("text that is stored in chunks, or was never written,")
        }
    }

    /// The number of elements, where a file of this size can have them.
    private func checked(_ count: [Int], _ path: String) throws(InterchangeError) -> Int {
        if count.contains(0) { return 0 }
        // As floating point first: the product of what a damaged file claims may not fit an integer.
        let claimed = shape.reduce(1.0) { $0 * Double($1) }
        // Deflate makes at most 1032 bytes of one; what is larger was never written.
        guard claimed <= max(Double(1 << 20), 2000 * Double(image.bytes.count)), claimed < Double(1 << 40) else {
            throw InterchangeError(
                "'\(path)' has the shape \(shape), more than a file of \(image.bytes.count) bytes can hold",
                file: image.name, hint: "copy or save the file again")
        }
        let total = count.reduce(1, *)
        guard total <= 1 << 27 else {
            throw InterchangeError(
                "'\(path)' has the shape \(count), more than \(1 << 27) elements", file: image.name,
                hint: "write a smaller range or fewer dimensions")
        }
        return total
    }

    func copy(
        _ bytes: [UInt8], origin: [Int], extents: [Int], to box: inout HDF5Box
    ) throws(InterchangeError) {
        guard bytes.count >= extents.reduce(type.size, *) else {
            throw image.damage("\(bytes.count) bytes where the shape \(extents) has \(extents.reduce(type.size, *))")
        }
        box.fill(origin, extents) { type.number($0, of: bytes) }
    }
}
