import Foundation

/// A walk over the pages of an LMDB data file that trusts nothing it reads.
///
/// LMDB maps the file and follows page numbers, offsets and lengths as they stand: one flipped bit in a branch page can
/// lead it out of the map and end the program. So each environment is walked once when it is opened, with the file read
/// and not mapped: page kinds and numbers, bounds of every node, the order of the keys, no page used twice, the list of
/// free pages. Values in pages of their own are not read (each entry has a checksum for that), only their place is checked.
///
/// Layout: mdb.c of LMDB 0.9 (`MDB_page`, `MDB_node`, `MDB_db`, `MDB_meta`), on machines with 64-bit words.
struct PageWalk {
    /// Called for each entry of each table that could be reached, with a function that reads its value.
    typealias Visit = (_ table: String, _ key: [UInt8], _ value: () -> [UInt8]?) -> Void

    /// What is wrong with the tree; empty for a sound file. At most a few are kept.
    private(set) var problems: [String] = []
    /// Pages in use by tables and by the list of free pages.
    private(set) var usedPages = 2
    let pageSize: Int
    /// Pages that the file has.
    let filePages: Int

    private let file: PageFile
    private let lastPage: Int
    private var seen: [Bool]
    private let isDeep: Bool
    private let visit: Visit?

    /// Walks the snapshot that `transaction` numbers.
    ///
    /// - Returns: nil when the file has moved on since the transaction began.
    init?(file path: String, transaction: UInt64, deep: Bool, visit: Visit?) throws(StoreError) {
        let file = try PageFile(path)
        guard let meta = file.metas.first(where: { $0.transaction == transaction }) else {
            if file.metas.contains(where: { $0.transaction > transaction }) { return nil }
            throw .damagedStructure(path: path, reason: "its first pages disagree")
        }
        self.init(file, meta, deep: deep, visit: visit)
    }

    /// Visits every entry that can still be reached in a file that nobody has open.
    ///
    /// - Returns: what is wrong with the file; empty when all of it could be reached.
    static func problems(ofDamaged path: String, visit: @escaping Visit) throws(StoreError) -> [String] {
        if access(path, F_OK) != 0 { return ["there is no file"] }
        let file = try PageFile(path)
        guard let meta = file.metas.max(by: { $0.transaction < $1.transaction }) else {
            return ["neither of its first pages can be read"]
        }
        let problems = PageWalk(file, meta, deep: true, visit: visit).problems
        return file.metas.count == 2 ? problems : problems + ["one of its first pages cannot be read"]
    }

    private init(_ file: PageFile, _ meta: PageFile.Meta, deep: Bool, visit: Visit?) {
        self.file = file
        pageSize = file.pageSize
        filePages = file.size / pageSize
        lastPage = meta.lastPage
        seen = Array(repeating: false, count: max(2, min(filePages, lastPage + 1)))
        seen[0] = true
        seen[1] = true
        self.isDeep = deep
        self.visit = visit
        var free = [UInt64]()
        walkTable(meta.free, name: nil, isIntegerKeyed: true) { walk, key, value in
            guard let list = value(), list.count >= 8, list.count % 8 == 0 else {
                walk.note("the list of free pages is damaged")
                return
            }
            let words = stride(from: 0, to: list.count, by: 8).map { list.word($0) }
            guard words[0] <= words.count - 1 else { return walk.note("the list of free pages is damaged") }
            free += words[1..<1 + Int(words[0])]
        }
        walkTable(meta.main, name: nil, isIntegerKeyed: false) { walk, key, value in
            guard let value = value(), value.count == Table.size else { return walk.note("a table's root is damaged") }
            let name = String(decoding: key, as: UTF8.self)
            walk.walkTable(Table(value[...]), name: name, isIntegerKeyed: false) { walk, key, value in
                walk.visit?(name, key, value)
            }
        }
        for page in free {
            guard page >= 2, page <= UInt64(lastPage) else {
                note("the list of free pages names page \(page)")
                continue
            }
            // Free pages may lie beyond the end of the file, having never been written.
            guard page < UInt64(seen.count) else { continue }
            if seen[Int(page)] { note("page \(page) is both free and in use") }
            seen[Int(page)] = true
        }
    }

    /// Checks the two first pages, which LMDB believes on opening; a missing file is in order, an empty one is not.
    static func checkMetaPages(of path: String) throws(StoreError) {
        if access(path, F_OK) != 0 { return }
        let file = try PageFile(path)
        guard file.metas.count == 2 else {
            throw .damagedStructure(
                path: path, reason: "its first pages cannot be read (the file is cut or overwritten)")
        }
    }

    private mutating func note(_ problem: String) {
        if problems.count < 16 { problems.append(problem) }
    }

    private typealias Entry = (inout PageWalk, _ key: [UInt8], _ value: () -> [UInt8]?) -> Void

    private mutating func walkTable(_ table: Table, name: String?, isIntegerKeyed: Bool, _ entry: Entry) {
        guard table.flags == (isIntegerKeyed ? 8 : 0) else { return note("a table has unknown flags") }
        guard let root = table.root else { return }
        guard table.depth > 0, table.depth < 32 else { return note("a table has depth \(table.depth)") }
        walkPage(
            root, levelsBelow: table.depth - 1, bounds: Bounds(isIntegerKeyed: isIntegerKeyed),
            holdsTables: name == nil,
            entry)
    }

    private struct Bounds {
        var isIntegerKeyed: Bool
        var lower: [UInt8]?
        var upper: [UInt8]?

        func precedes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
            isIntegerKeyed ? a.word(0) < b.word(0) : a.lexicographicallyPrecedes(b)
        }

        func contains(_ key: [UInt8]) -> Bool {
            if let lower, precedes(key, lower) { return false }
            if let upper, !precedes(key, upper) { return false }
            return true
        }
    }

    private mutating func claim(_ first: UInt64, count: Int = 1) -> Int? {
        guard first >= 2, first <= UInt64(lastPage), Int(first) + count <= seen.count else {
            note("page \(first) lies outside the file of \(filePages) pages")
            return nil
        }
        for page in Int(first)..<Int(first) + count {
            if seen[page] {
                note("page \(page) is used twice")
                return nil
            }
            seen[page] = true
        }
        usedPages += count
        return Int(first)
    }

    private mutating func walkPage(
        _ number: UInt64, levelsBelow: Int, bounds: Bounds, holdsTables: Bool, _ entry: Entry
    ) {
        guard let number = claim(number) else { return }
        guard let page = file.page(number) else { return note("page \(number) cannot be read") }
        let isLeaf = levelsBelow == 0
        guard page.word(0) == UInt64(number), page.half(10) == (isLeaf ? 2 : 1) else {
            return note("page \(number) is not what the page above it says")
        }
        let lower = page.half(12)
        let upper = page.half(14)
        guard lower >= 16, lower % 2 == 0, lower <= upper, upper <= pageSize else {
            return note("the header of page \(number) is damaged")
        }
        let offsets = (0..<(lower - 16) / 2).map { page.half(16 + 2 * $0) }
        var nodes: [Node] = []
        for (index, offset) in offsets.enumerated() {
            guard let node = Node(page: page, offset: offset, isLeaf: isLeaf), offset >= upper,
                !bounds.isIntegerKeyed || node.key.count == 8 || (!isLeaf && index == 0)
            else { return note("an entry of page \(number) is damaged") }
            // The first key of a branch page stands for "anything smaller".
            if isLeaf || index > 0 {
                let isAscending =
                    nodes.last.map { isLeaf || index > 1 ? bounds.precedes($0.key, node.key) : true } ?? true
                guard isAscending, bounds.contains(node.key) else {
                    return note("the keys of page \(number) are damaged")
                }
            }
            nodes.append(node)
        }
        // LMDB keeps no empty page in a tree.
        if nodes.isEmpty { return note("page \(number) is empty") }
        for (index, node) in nodes.enumerated() {
            if isLeaf {
                walkNode(node, of: page, holdsTables: holdsTables, entry)
            } else {
                var inner = bounds
                if index > 0 { inner.lower = node.key }
                if index + 1 < nodes.count { inner.upper = nodes[index + 1].key }
                walkPage(node.child, levelsBelow: levelsBelow - 1, bounds: inner, holdsTables: holdsTables, entry)
            }
        }
    }

    private mutating func walkNode(_ node: Node, of page: [UInt8], holdsTables: Bool, _ entry: Entry) {
        let isTable = holdsTables && node.flags == 2
        guard isTable || node.flags <= 1 else { return note("an entry has unknown flags") }
        guard node.flags == 1 else {
            let content = node.content
            return entry(&self, node.key) { Array(page[content]) }
        }
        // The value has pages of its own; the node holds the number of the first.
        let count = (16 + node.size + pageSize - 1) / pageSize
        guard let first = claim(page.word(node.content.lowerBound), count: count) else { return }
        let file = file
        if isDeep {
            guard let header = file.header(first), header.word(0) == UInt64(first), header.half(10) == 4,
                header.quarter(12) == count
            else { return note("the pages of a value at page \(first) are damaged") }
        }
        let size = node.size
        entry(&self, node.key) { file.bytes(at: first * file.pageSize + 16, count: size) }
    }

    /// An entry of a page: a key with a value, or with the page below.
    private struct Node {
        var flags: Int
        /// Bytes of the value.
        var size: Int
        var key: [UInt8]
        /// The page below, in a branch page.
        var child: UInt64
        /// Where the value, or the number of its first page, lies in the page.
        var content: Range<Int>

        init?(page: [UInt8], offset: Int, isLeaf: Bool) {
            guard offset >= 16, offset + 8 <= page.count else { return nil }
            let low = page.half(offset) | page.half(offset + 2) << 16
            flags = page.half(offset + 4)
            let keyEnd = offset + 8 + page.half(offset + 6)
            guard keyEnd <= page.count, page.half(offset + 6) <= 511 else { return nil }
            key = Array(page[offset + 8..<keyEnd])
            if isLeaf {
                size = low
                child = 0
                let inPage = flags == 1 ? 8 : size
                guard inPage <= page.count - keyEnd, !key.isEmpty else { return nil }
                content = keyEnd..<keyEnd + inPage
            } else {
                size = 0
                child = UInt64(low) | UInt64(flags) << 32
                content = keyEnd..<keyEnd
            }
        }
    }
}

/// A table as its parent describes it (`MDB_db`).
private struct Table {
    static let size = 48

    var flags: Int
    var depth: Int
    /// nil for an empty table.
    var root: UInt64?

    init(_ bytes: ArraySlice<UInt8>) {
        let bytes = Array(bytes)
        flags = bytes.half(4)
        depth = bytes.half(6)
        let page = bytes.word(40)
        root = page == .max ? nil : page
    }
}

/// The data file, read page by page.
private struct PageFile {
    struct Meta {
        var free: Table
        var main: Table
        var lastPage: Int
        var transaction: UInt64
    }

    let size: Int
    let pageSize: Int
    /// Both first pages, or fewer where they are damaged.
    let metas: [Meta]
    private let handle: Handle

    private final class Handle {
        let descriptor: Int32
        init(_ descriptor: Int32) { self.descriptor = descriptor }
        deinit { close(descriptor) }

        func read(_ count: Int, at offset: Int) -> [UInt8]? {
            var isWhole = false
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
                let got = pread(descriptor, buffer.baseAddress, count, offset)
                isWhole = got == count
                initialised = max(0, got)
            }
            return isWhole ? bytes : nil
        }
    }

    init(_ path: String) throws(StoreError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Environment.error(errno, path: path, operation: "read") }
        handle = Handle(descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Environment.error(errno, path: path, operation: "read") }
        size = Int(status.st_size)
        var metas: [Meta] = []
        let first = handle.read(152, at: 0)
        // Both copies give the page size; the second cannot be found without it, so try the usual ones.
        let sizes = (first.map { [$0.quarter(40)] } ?? []) + [4096, 8192, 16384, 32768, 65536]
        var pageSize = 4096
        for candidate in sizes where candidate >= 512 && candidate <= 65536 && candidate & (candidate - 1) == 0 {
            guard let second = handle.read(152, at: candidate), second.quarter(16) == 0xBEEF_C0DE else { continue }
            pageSize = candidate
            break
        }
        self.pageSize = pageSize
        for number in 0...1 {
            guard let bytes = handle.read(152, at: number * pageSize),
                bytes.half(10) & 8 == 8, bytes.quarter(16) == 0xBEEF_C0DE, bytes.quarter(20) == 1,
                bytes.quarter(40) == pageSize, bytes.word(32) < 1 << 46, bytes.word(136) < 1 << 36,
                bytes.word(136) >= 1, bytes.word(24) == 0, bytes.word(0) == UInt64(number)
            else { continue }
            let meta = Meta(
                free: Table(bytes[40..<88]), main: Table(bytes[88..<136]), lastPage: Int(bytes.word(136)),
                transaction: bytes.word(144))
            guard meta.free.flags == 8, meta.main.flags == 0 else { continue }
            metas.append(meta)
        }
        self.metas = metas
    }

    func page(_ number: Int) -> [UInt8]? { bytes(at: number * pageSize, count: pageSize) }

    func header(_ number: Int) -> [UInt8]? { bytes(at: number * pageSize, count: 16) }

    func bytes(at offset: Int, count: Int) -> [UInt8]? {
        guard offset >= 0, count >= 0, count <= size - offset else { return nil }
        return handle.read(count, at: offset)
    }
}

extension [UInt8] {
    fileprivate func half(_ offset: Int) -> Int { Int(self[offset]) | Int(self[offset + 1]) << 8 }

    fileprivate func quarter(_ offset: Int) -> Int { half(offset) | half(offset + 2) << 16 }

    fileprivate func word(_ offset: Int) -> UInt64 {
        UInt64(quarter(offset)) | UInt64(quarter(offset + 4)) << 32
    }
}
