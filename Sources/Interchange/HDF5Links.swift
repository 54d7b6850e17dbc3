/// Members of groups: hard links to objects in the file, and soft links to paths.
enum HDF5Link {
    case hard(Int)
    case soft(String)
    /// To another file, or of a kind that only the program that made it understands.
    case elsewhere

    /// Every link of a group by name; nil where the object is no group.
    static func all(
        of header: HDF5Header, _ image: HDF5Image
    ) throws(InterchangeError) -> [String: HDF5Link]? {
        if var table = header.first(.symbolTable) {
            guard let tree = try table.address(), let heap = try table.address() else { return [:] }
            var links: [String: HDF5Link] = [:]
            try old(image, tree, try heapData(image, heap), level: nil, &links)
            return links
        }
        guard var info = header.first(.linkInfo) else { return nil }
        var links: [String: HDF5Link] = [:]
        for message in header.messages where message.kind == .link {
            let (name, link) = try single(message.body)
            links[name] = link
        }
        try info.skip(1)
        if try info.uint(1) & 1 != 0 { try info.skip(8) }
        if let heap = try info.address(), let index = try info.address() {
            for body in try HDF5DenseHeap(image, at: heap).objects(index: index, idOffset: 4, idSize: 7) {
                let (name, link) = try single(body)
                links[name] = link
            }
        }
        return links
    }

    private static func single(_ message: HDF5Cursor) throws(InterchangeError) -> (String, HDF5Link) {
        var cursor = message
        guard try cursor.uint(1) == 1 else { throw message.image.damage("a link of an unknown version") }
        let flags = try cursor.uint(1)
        let type = flags & 8 != 0 ? try cursor.uint(1) : 0
        if flags & 4 != 0 { try cursor.skip(8) }
        if flags & 16 != 0 { try cursor.skip(1) }
        let name = try cursor.text(try cursor.uint(1 << (flags & 3)))
        switch type {
        case 0:
            guard let address = try cursor.address() else { return (name, .elsewhere) }
            return (name, .hard(address))
        case 1: return (name, .soft(try cursor.text(try cursor.uint(2))))
        default: return (name, .elsewhere)
        }
    }

    // MARK: Groups of the first kind: a tree of tables, names in a heap

    private static func heapData(_ image: HDF5Image, _ address: Int) throws(InterchangeError) -> HDF5Cursor {
        var cursor = try image.cursor(address, expecting: "HEAP")
        try cursor.skip(4)
        let size = try cursor.length()
        _ = try cursor.length()
        guard let data = try cursor.address() else { throw image.damage("a heap without data") }
        var segment = image.cursor(at: data)
        return try segment.part(size)
    }

    private static func text(_ heap: HDF5Cursor, _ offset: Int) throws(InterchangeError) -> String {
        var cursor = heap
        try cursor.skip(offset)
        return try cursor.text(min(cursor.remaining, 4096))
    }

    private static func old(
        _ image: HDF5Image, _ address: Int, _ heap: HDF5Cursor, level: Int?, _ links: inout [String: HDF5Link]
    ) throws(InterchangeError) {
        try image.visit()
        if level == -1 { return try table(image, address, heap, &links) }
        var cursor = try image.cursor(address, expecting: "TREE")
        let type = try cursor.uint(1)
        let found = try cursor.uint(1)
        guard type == 0, found == level ?? found else { throw image.damage("a tree of groups with a strange branch") }
        let count = try cursor.uint(2)
        try cursor.skip(2 * image.offsetSize)
        for _ in 0..<count {
            _ = try cursor.length()
            guard let child = try cursor.address() else { throw image.damage("a tree with a missing branch") }
            try old(image, child, heap, level: found - 1, &links)
        }
    }

    private static func table(
        _ image: HDF5Image, _ address: Int, _ heap: HDF5Cursor, _ links: inout [String: HDF5Link]
    ) throws(InterchangeError) {
        var cursor = try image.cursor(address, expecting: "SNOD")
        try cursor.skip(2)
        for _ in 0..<(try cursor.uint(2)) {
            try image.visit()
            let name = try text(heap, try cursor.uint(image.offsetSize))
            let target = try cursor.address()
            let kind = try cursor.uint(4)
            try cursor.skip(4)
            var scratch = try cursor.part(16)
            if kind == 2 {
                links[name] = .soft(try text(heap, try scratch.uint(4)))
            } else if let target {
                links[name] = .hard(target)
            }
        }
    }
}

/// Many links or attributes of one object: a fractal heap, found through a second-version tree.
struct HDF5DenseHeap {
    private let image: HDF5Image
    private let offsetBytes: Int
    private let width: Int
    private let startSize: Int
    private let largestDirect: Int
    private let root: Int
    private let rows: Int

    init(_ image: HDF5Image, at address: Int) throws(InterchangeError) {
        try image.visit()
        self.image = image
        var cursor = try image.cursor(address, expecting: "FRHP")
        try cursor.skip(3)
        guard try cursor.uint(2) == 0 else { throw image.unread("a filtered heap") }
        try cursor.skip(1 + 4 + image.lengthSize + image.offsetSize + image.lengthSize + image.offsetSize)
        try cursor.skip(8 * image.lengthSize)
        width = try cursor.uint(2)
        startSize = try cursor.length()
        largestDirect = try cursor.length()
        offsetBytes = (try cursor.uint(2) + 7) / 8
        try cursor.skip(2)
        let root = try cursor.address()
        rows = try cursor.uint(2)
        guard let root, width > 0, width <= 4096, startSize > 0, startSize <= 1 << 30, offsetBytes <= 8 else {
            throw image.damage("a heap of an impossible form")
        }
        self.root = root
    }

    /// The objects that the records of the tree at `index` name.
    ///
    /// - Parameter idOffset: where in a record the object's name in the heap stands.
    func objects(index: Int, idOffset: Int, idSize: Int) throws(InterchangeError) -> [HDF5Cursor] {
        var cursor = try image.cursor(index, expecting: "BTHD")
        try cursor.skip(2)
        let nodeSize = try cursor.uint(4)
        let recordSize = try cursor.uint(2)
        let depth = try cursor.uint(2)
        try cursor.skip(2)
        guard let node = try cursor.address() else { return [] }
        let count = try cursor.uint(2)
        guard depth <= 1, recordSize >= idOffset + idSize else { throw image.unread("a group with so many members") }
        var records = depth == 0 ? try self.records(node, "BTLF", count, recordSize) : []
        if depth == 1 {
            // Counts take as many bytes as the most records of a leaf need.
            let most = nodeSize / recordSize
            let countSize = most < 1 << 8 ? 1 : most < 1 << 16 ? 2 : 4
            var inner = try image.cursor(node, expecting: "BTIN")
            try inner.skip(2)
            for _ in 0..<count { records.append(try inner.part(recordSize)) }
            for _ in 0...count {
                guard let leaf = try inner.address() else { throw image.damage("a tree with a missing branch") }
                records += try self.records(leaf, "BTLF", try inner.uint(countSize), recordSize)
            }
        }
        var objects: [HDF5Cursor] = []
        for var record in records {
            try record.skip(idOffset)
            objects.append(try object(try record.part(idSize), size: idSize))
        }
        return objects
    }

    private func records(
        _ address: Int, _ letters: String, _ count: Int, _ size: Int
    ) throws(InterchangeError) -> [HDF5Cursor] {
        try image.visit()
        var cursor = try image.cursor(address, expecting: letters)
        try cursor.skip(2)
        var records: [HDF5Cursor] = []
        for _ in 0..<count {
            try image.visit()
            records.append(try cursor.part(size))
        }
        return records
    }

    /// A managed object: its offset in the heap and its length.
    private func object(_ id: HDF5Cursor, size: Int) throws(InterchangeError) -> HDF5Cursor {
        var id = id
        guard try id.uint(1) & 0xF0 == 0 else { throw image.unread("a very long link or attribute") }
        let offset = try id.uint(offsetBytes)
        let length = try id.uint(max(0, size - 1 - offsetBytes))
        if rows == 0 {
            var block = image.cursor(at: root)
            try block.skip(offset)
            return try block.part(length)
        }
        var cursor = try image.cursor(root, expecting: "FHIB")
        try cursor.skip(1 + image.offsetSize + offsetBytes)
        var (start, blockSize) = (0, startSize)
        for row in 0..<rows {
            if row > 1 { blockSize *= 2 }
            guard blockSize <= largestDirect, blockSize <= 1 << 40 else { break }
            for _ in 0..<width {
                try image.visit()
                let address = try cursor.address()
                if offset >= start, offset < start + blockSize {
                    guard let address else { throw image.damage("a heap with a missing block") }
                    var block = image.cursor(at: address)
                    try block.skip(offset - start)
                    return try block.part(length)
                }
                start += blockSize
            }
        }
        throw image.unread("a group with so many members")
    }
}
