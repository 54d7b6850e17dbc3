import CZlib

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

    private let image: HDF5Image
    private let type: HDF5Datatype
    let shape: [Int]
    private let place: Place
    private var filters: [Int] = []
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

    private func read(_ extents: [Int], _ index: Index, _ box: inout HDF5Box) throws(InterchangeError) {
        var room = 1
        for (extent, chunk) in zip(shape, extents) { room *= (extent - 1) / chunk + 1 }
        let work = extents.reduce(Double(room * type.size)) { $0 * Double($1) }
        guard work <= max(Double(1 << 24), 8000 * Double(image.bytes.count)) else {
            throw image.damage("chunks of the shape \(extents) for data of the shape \(shape)")
        }
        switch index {
        case .tree(let root?): try tree(root, extents, level: nil, room: &room, &box)
        case .row(let start?): try row(start, extents, count: room, &box)
        case .array(let header?): try array(header, extents, count: room, &box)
        case .single, .tree(nil), .row(nil), .array(nil): break
        }
    }

    /// Where chunk `number` begins, as the chunks are counted row by row.
    private func origin(_ number: Int, _ extents: [Int]) -> [Int] {
        var (rest, origin) = (number, shape)
        for axis in shape.indices.reversed() {
            let chunks = (shape[axis] - 1) / extents[axis] + 1
            origin[axis] = rest % chunks * extents[axis]
            rest /= chunks
        }
        return origin
    }

    private func row(
        _ start: Int, _ extents: [Int], count: Int, _ box: inout HDF5Box
    ) throws(InterchangeError) {
        let size = extents.reduce(type.size, *)
        var data = image.cursor(at: start)
        for number in 0..<count {
            try image.visit()
            let bytes = try data.bytes(size)
            let origin = origin(number, extents)
            if box.meets(origin, extents) { try copy(Array(bytes), origin: origin, extents: extents, to: &box) }
        }
    }

    private func array(
        _ header: Int, _ extents: [Int], count: Int, _ box: inout HDF5Box
    ) throws(InterchangeError) {
        var cursor = try image.cursor(header, expecting: "FAHD")
        try cursor.skip(1)
        let isFiltered = try cursor.uint(1) == 1
        let entry = try cursor.uint(1)
        let pageBits = try cursor.uint(1)
        guard try cursor.length() == count else { throw image.unread("the chunk index of a dataset that can grow") }
        guard let place = try cursor.address() else { return }
        // Beyond one page the entries come in pages, each with a checksum.
        guard pageBits < 31, count <= 1 << pageBits else { throw image.unread("a dataset of \(count) chunks") }
        var entries = try image.cursor(place, expecting: "FADB")
        try entries.skip(2 + image.offsetSize)
        let size = extents.reduce(type.size, *)
        let sizeBytes = entry - image.offsetSize - 4
        guard !isFiltered || (1...8).contains(sizeBytes) else { throw image.damage("an index of strange entries") }
        for number in 0..<count {
            try image.visit()
            let address = try entries.address()
            let stored = isFiltered ? try entries.uint(sizeBytes) : size
            let skips = isFiltered ? try entries.uint(4) : 0
            let origin = origin(number, extents)
            guard let address, box.meets(origin, extents) else { continue }
            var data = image.cursor(at: address)
            let bytes = try unfiltered(Array(try data.bytes(stored)), skips: skips, size: size)
            try copy(bytes, origin: origin, extents: extents, to: &box)
        }
    }

    private func tree(
        _ address: Int, _ extents: [Int], level: Int?, room: inout Int, _ box: inout HDF5Box
    ) throws(InterchangeError) {
        try image.visit()
        var cursor = try image.cursor(address, expecting: "TREE")
        let type = try cursor.uint(1)
        let found = try cursor.uint(1)
        guard type == 1, found == level ?? found else { throw image.damage("a tree of chunks with a strange branch") }
        let count = try cursor.uint(2)
        try cursor.skip(2 * image.offsetSize)
        for _ in 0..<count {
            let size = try cursor.uint(4)
            let skips = try cursor.uint(4)
            var origin: [Int] = []
            for _ in extents { origin.append(try cursor.uint(8)) }
            try cursor.skip(8)
            guard let child = try cursor.address() else { throw image.damage("a tree with a missing branch") }
            if found > 0 {
                try tree(child, extents, level: found - 1, room: &room, &box)
                continue
            }
            room -= 1
            guard room >= 0, zip(origin, shape).allSatisfy({ $0 < $1 }) else {
                throw image.damage("more chunks than the data have")
            }
            guard box.meets(origin, extents) else { continue }
            var data = image.cursor(at: child)
            let bytes = try unfiltered(
                Array(try data.bytes(size)), skips: skips, size: extents.reduce(self.type.size, *))
            try copy(bytes, origin: origin, extents: extents, to: &box)
        }
    }

    private func copy(
        _ bytes: [UInt8], origin: [Int], extents: [Int], to box: inout HDF5Box
    ) throws(InterchangeError) {
        guard bytes.count >= extents.reduce(type.size, *) else {
            throw image.damage("\(bytes.count) bytes where the shape \(extents) has \(extents.reduce(type.size, *))")
        }
        box.fill(origin, extents) { type.number($0, of: bytes) }
    }

    // MARK: Filters

    /// What the bytes of a chunk were before the filters; `size` bytes are expected.
    private func unfiltered(_ stored: [UInt8], skips: Int, size: Int) throws(InterchangeError) -> [UInt8] {
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

/// The part of a dataset that is wanted.
struct HDF5Box {
    let start: [Int]
    let count: [Int]
    var elements: [Double]

    /// Whether a chunk has elements of this.
    func meets(_ origin: [Int], _ extents: [Int]) -> Bool {
        start.indices.allSatisfy { start[$0] < origin[$0] + extents[$0] && origin[$0] < start[$0] + count[$0] }
    }

    /// Takes what a chunk has of this: `element` gives the chunk's elements by their place in it.
    mutating func fill(_ origin: [Int], _ extents: [Int], element: (Int) -> Double) {
        let rank = start.count
        guard rank > 0 else {
            elements[0] = element(0)
            return
        }
        let low = start.indices.map { max(start[$0], origin[$0]) }
        let high = start.indices.map { min(start[$0] + count[$0], origin[$0] + extents[$0]) }
        guard zip(low, high).allSatisfy({ $0 < $1 }) else { return }
        var at = low
        while true {
            var (from, to) = (0, 0)
            for axis in 0..<rank {
                from = from * extents[axis] + at[axis] - origin[axis]
                to = to * count[axis] + at[axis] - start[axis]
            }
            for step in 0..<high[rank - 1] - low[rank - 1] { elements[to + step] = element(from + step) }
            // The next row: as an odometer counts.
            var axis = rank - 2
            while axis >= 0 {
                at[axis] += 1
                if at[axis] < high[axis] { break }
                at[axis] = low[axis]
                axis -= 1
            }
            if axis < 0 { return }
        }
    }
}
