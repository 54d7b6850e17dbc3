import Foundation

/// Checks the pages of B-trees, one page in memory for each level: what `PageWalk` is made of.
///
/// Two of them may work on one file at once, on different branches. Nothing is allocated per page, since an opening
/// reads them all. The unsafe pointers of the walk are in this file; each access was checked against the page's size.
final class TreeCheck: @unchecked Sendable {
    typealias Bytes = UnsafeRawBufferPointer
    /// Called for each entry, with a function that reads its value.
    typealias Entry = (_ key: [UInt8], _ value: () -> [UInt8]?) -> Void

    /// What is to be known of a tree to check its pages.
    struct Tree {
        var isIntegerKeyed = false
        /// The main tree names the others.
        var holdsTables = false
        var entry: Entry?
    }

    /// A branch left for later: the page, how many levels lie below it, and between which keys it must be.
    struct Branch: Sendable {
        var page: UInt64
        var levelsBelow: Int
        var lower: [UInt8]?
        var upper: [UInt8]?
    }

    /// At most a few are kept.
    private(set) var problems: [String] = []
    /// One bit a page.
    private(set) var seen: [UInt64]
    private(set) var usedPages = 0

    private let file: PageFile
    private let pageSize: Int
    private let lastPage: Int
    private let pages: Int
    private let isDeep: Bool
    private var buffers: [UnsafeMutableRawBufferPointer?] = Array(repeating: nil, count: 32)
    /// Where branches go that are left for later; nil while none are.
    private var later: [Branch]?

    init(_ file: PageFile, lastPage: Int, deep: Bool) {
        self.file = file
        pageSize = file.pageSize
        self.lastPage = lastPage
        isDeep = deep
        pages = max(2, min(file.size / file.pageSize, lastPage + 1))
        seen = Array(repeating: 0, count: (pages + 63) / 64)
    }

    deinit { for buffer in buffers { buffer?.deallocate() } }

    func note(_ problem: String) {
        if problems.count < 16 { problems.append(problem) }
    }

    // MARK: Which pages are used

    /// Adds what another found on other branches of the same file.
    func merge(_ other: TreeCheck) {
        for problem in other.problems { note(problem) }
        usedPages += other.usedPages
        for index in seen.indices {
            let both = seen[index] & other.seen[index]
            if both != 0 { note("page \(index * 64 + both.trailingZeroBitCount) is used twice") }
            seen[index] |= other.seen[index]
        }
    }

    /// Free pages may lie beyond the end of the file, having never been written.
    func markFree(_ page: UInt64) {
        guard page >= 2, page <= UInt64(lastPage) else { return note("the list of free pages names page \(page)") }
        guard page < UInt64(pages) else { return }
        if !mark(Int(page)) { note("page \(page) is both free and in use") }
    }

    private func mark(_ page: Int) -> Bool {
        let bit = UInt64(1) << UInt64(page & 63)
        defer { seen[page >> 6] |= bit }
        return seen[page >> 6] & bit == 0
    }

    private func claim(_ first: UInt64, count: Int = 1) -> Int? {
        guard first >= 2, first <= UInt64(lastPage), count <= pages, Int(first) + count <= pages else {
            note("page \(first) lies outside the file of \(file.size / pageSize) pages")
            return nil
        }
        for page in Int(first)..<Int(first) + count where !mark(page) {
            note("page \(page) is used twice")
            return nil
        }
        usedPages += count
        return Int(first)
    }

    // MARK: Trees

    func walk(_ table: PageTable, _ tree: Tree) {
        guard table.flags == (tree.isIntegerKeyed ? 8 : 0) else { return note("a table has unknown flags") }
        guard let root = table.root else { return }
        guard table.depth > 0, table.depth < 32 else { return note("a table has depth \(table.depth)") }
        walkPage(root, levelsBelow: table.depth - 1, lower: nil, upper: nil, tree)
    }

    /// Checks the root of a table alone.
    ///
    /// - Returns: the branches below it.
    func branches(of table: PageTable) -> [Branch] {
        later = []
        walk(table, Tree())
        defer { later = nil }
        return later ?? []
    }

    func walk(_ branch: Branch) {
        let walk = { (lower: Bytes?, upper: Bytes?) in
            self.walkPage(branch.page, levelsBelow: branch.levelsBelow, lower: lower, upper: upper, Tree())
        }
        let lower = branch.lower ?? [], upper = branch.upper ?? []
        lower.withUnsafeBytes { lower in
            upper.withUnsafeBytes { upper in
                walk(branch.lower == nil ? nil : lower, branch.upper == nil ? nil : upper)
            }
        }
    }

    private func walkPage(_ first: UInt64, levelsBelow: Int, lower: Bytes?, upper: Bytes?, _ tree: Tree) {
        guard let number = claim(first) else { return }
        let page = buffer(levelsBelow)
        guard file.readPage(number, into: page) else { return note("page \(number) cannot be read") }
        let isLeaf = levelsBelow == 0
        guard let count = check(Bytes(page), number, isLeaf, lower, upper, tree) else { return }
        for index in 0..<count {
            let node = Node(page, index)
            if isLeaf {
                if node.flags != 0 || tree.entry != nil { walkNode(node, of: page, tree) }
                continue
            }
            let innerLower = index > 0 ? key(node, of: page) : lower
            let innerUpper = index + 1 < count ? key(Node(page, index + 1), of: page) : upper
            if later != nil {
                later?.append(
                    Branch(
                        page: node.child, levelsBelow: levelsBelow - 1, lower: innerLower.map(Array.init),
                        upper: innerUpper.map(Array.init)))
            } else {
                walkPage(node.child, levelsBelow: levelsBelow - 1, lower: innerLower, upper: innerUpper, tree)
            }
        }
    }

    /// Checks one page: its header, the bounds of its entries, the order of its keys.
    ///
    /// - Returns: the number of its entries; nil when it is damaged.
    private func check(
        _ page: Bytes, _ number: Int, _ isLeaf: Bool, _ lowest: Bytes?, _ highest: Bytes?, _ tree: Tree
    ) -> Int? {
        guard page.word(0) == UInt64(number), page.half(10) == (isLeaf ? 2 : 1) else {
            note("page \(number) is not what the page above it says")
            return nil
        }
        let lower = page.half(12)
        let upper = page.half(14)
        guard lower >= 16, lower % 2 == 0, lower <= upper, upper <= pageSize else {
            note("the header of page \(number) is damaged")
            return nil
        }
        let count = (lower - 16) / 2
        // LMDB keeps no empty page in a tree.
        guard count > 0 else {
            note("page \(number) is empty")
            return nil
        }
        var previous: Bytes?
        for index in 0..<count {
            let offset = page.half(16 + 2 * index)
            guard offset >= upper, offset >= 16, offset + 8 <= pageSize else {
                note("an entry of page \(number) is damaged")
                return nil
            }
            let node = Node(page, index)
            let keyEnd = offset + 8 + node.keySize
            let inPage = !isLeaf ? 0 : node.flags == 1 ? 8 : node.size
            // The first key of a branch page stands for "anything smaller".
            let isAnything = !isLeaf && index == 0
            guard node.keySize <= 511, keyEnd <= pageSize, inPage <= pageSize - keyEnd, !isLeaf || node.keySize > 0,
                !tree.isIntegerKeyed || node.keySize == 8 || isAnything
            else {
                note("an entry of page \(number) is damaged")
                return nil
            }
            if isAnything { continue }
            let key = key(node, of: page)
            guard previous.map({ precedes($0, key, tree) }) ?? true, lowest.map({ !precedes(key, $0, tree) }) ?? true,
                highest.map({ precedes(key, $0, tree) }) ?? true
            else {
                note("the keys of page \(number) are damaged")
                return nil
            }
            previous = key
        }
        return count
    }

    private func walkNode(_ node: Node, of page: UnsafeMutableRawBufferPointer, _ tree: Tree) {
        let isTable = tree.holdsTables && node.flags == 2
        guard isTable || node.flags <= 1 else { return note("an entry has unknown flags") }
        let valueStart = node.offset + 8 + node.keySize
        guard node.flags == 1 else {
            tree.entry?(Array(key(node, of: page))) { Array(page[valueStart..<valueStart + node.size]) }
            return
        }
        // The value has pages of its own; the node holds the number of the first.
        let count = (16 + node.size + pageSize - 1) / pageSize
        guard let first = claim(Bytes(page).word(valueStart), count: count) else { return }
        if isDeep {
            guard let header = file.header(first), header.word(0) == UInt64(first), header.half(10) == 4,
                header.quarter(12) == count
            else { return note("the pages of a value at page \(first) are damaged") }
        }
        tree.entry?(Array(key(node, of: page))) { [file, pageSize] in
            file.bytes(at: first * pageSize + 16, count: node.size)
        }
    }

    // MARK: Pieces of a page

    private func buffer(_ level: Int) -> UnsafeMutableRawBufferPointer {
        if let buffer = buffers[level] { return buffer }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pageSize, alignment: 16)
        buffers[level] = buffer
        return buffer
    }

    private func key(_ node: Node, of page: UnsafeMutableRawBufferPointer) -> Bytes { key(node, of: Bytes(page)) }

    private func key(_ node: Node, of page: Bytes) -> Bytes {
        Bytes(rebasing: page[node.offset + 8..<node.offset + 8 + node.keySize])
    }

    private func precedes(_ a: Bytes, _ b: Bytes, _ tree: Tree) -> Bool {
        if tree.isIntegerKeyed { return a.word(0) < b.word(0) }
        guard let left = a.baseAddress, let right = b.baseAddress else { return a.count < b.count }
        let order = memcmp(left, right, min(a.count, b.count))
        return order < 0 || (order == 0 && a.count < b.count)
    }

    /// An entry of a page: a key with a value, or with the page below.
    private struct Node {
        let offset: Int
        /// Bytes of the value, in a leaf page.
        let size: Int
        let flags: Int
        let keySize: Int

        /// The header of the entry must lie within the page.
        init(_ page: UnsafeMutableRawBufferPointer, _ index: Int) { self.init(Bytes(page), index) }

        init(_ page: Bytes, _ index: Int) {
            offset = page.half(16 + 2 * index)
            size = page.half(offset) | page.half(offset + 2) << 16
            flags = page.half(offset + 4)
            keySize = page.half(offset + 6)
        }

        /// The page below, in a branch page.
        var child: UInt64 { UInt64(size) | UInt64(flags) << 32 }
    }
}

extension UnsafeRawBufferPointer {
    @inline(__always)
    fileprivate func half(_ offset: Int) -> Int {
        Int(UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    }

    @inline(__always)
    fileprivate func word(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
