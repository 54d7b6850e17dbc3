import Foundation
import Synchronization

/// Reads the pages of an LMDB file without LMDB, trusting nothing.
///
/// LMDB follows page numbers as they stand: a damaged one leads it out of the file, which ends the program. So every page
/// of the tree is checked before LMDB is let at it: page kinds and numbers, bounds of every node, the order of the keys,
/// no page used twice, the list of free pages. Values in pages of their own are not read (each entry has a checksum for
/// that), only their place is checked.
///
/// Layout: mdb.c of LMDB 0.9 (`MDB_page`, `MDB_node`, `MDB_db`, `MDB_meta`), on machines with 64-bit words.
struct PageWalk {
    /// Called for each entry of each table that could be reached, with a function that reads its value.
    typealias Visit = (_ table: String, _ key: [UInt8], _ value: () -> [UInt8]?) -> Void

    /// What is wrong with the tree; empty for a sound file. At most a few are kept.
    let problems: [String]
    let tableNames: [String]
    /// Pages in use by tables and by the list of free pages.
    let usedPages: Int
    let pageSize: Int
    /// Pages that the file has.
    let filePages: Int

    /// Walks the snapshot that `transaction` numbers.
    ///
    /// - Returns: nil when the file has moved on since the transaction began.
    init?(file: PageFile, path: String, transaction: UInt64, deep: Bool, visit: Visit?) throws(StoreError) {
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
        pageSize = file.pageSize
        filePages = file.size / file.pageSize
        let check = TreeCheck(file, lastPage: meta.lastPage, deep: deep)
        var free: [UInt64] = []
        check.walk(
            meta.free,
            .init(isIntegerKeyed: true) { _, value in
                guard let list = value(), list.count >= 8, list.count % 8 == 0,
                    list.word(0) <= UInt64(list.count / 8 - 1)
                else { return check.note("the list of free pages is damaged") }
                for index in 0..<Int(list.word(0)) { free.append(list.word(8 + 8 * index)) }
            })
        var tables: [(name: String, table: PageTable)] = []
        check.walk(
            meta.main,
            .init(holdsTables: true) { key, value in
                guard let value = value(), value.count == PageTable.size else {
                    return check.note("a table's root is damaged")
                }
                tables.append((String(decoding: key, as: UTF8.self), PageTable(value[...])))
            })
        if let visit {
            for (name, table) in tables { check.walk(table, .init { key, value in visit(name, key, value) }) }
        } else {
            let branches = tables.flatMap { check.branches(of: $0.table) }
            Self.share(branches, check, TreeCheck(file, lastPage: meta.lastPage, deep: deep))
        }
        for page in free { check.markFree(page) }
        problems = check.problems
        tableNames = tables.map(\.name)
        // The two first pages are always there.
        usedPages = check.usedPages + 2
    }

    /// Checks the branches with two threads; what both found is then in `first`.
    private static func share(_ branches: [TreeCheck.Branch], _ first: TreeCheck, _ second: TreeCheck) {
        if branches.count < 16 {
            for branch in branches { first.walk(branch) }
            return
        }
        let next = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 2) { worker in
            let check = worker == 0 ? first : second
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                if index >= branches.count { return }
                check.walk(branches[index])
            }
        }
        first.merge(second)
    }

    /// Checks the two first pages, which LMDB believes on opening; a missing file is in order, an empty one is not.
    static func checkMetaPages(of path: String) throws(StoreError) {
        if access(path, F_OK) != 0 { return }
        let file = try PageFile(path)
        guard file.metas.count == 2 else {
            throw .damagedStructure(
                path: path, reason: "its first pages cannot be read (the file is cut or overwritten)")
        }
        // Transactions take turns between the two pages; a wrong number would make an old state the present one.
        let (even, odd) = (file.metas[0].transaction, file.metas[1].transaction)
        let isNew = even == 0 && odd == 0
        guard isNew || (even % 2 == 0 && odd % 2 == 1 && max(even, odd) - min(even, odd) == 1) else {
            throw .damagedStructure(path: path, reason: "the numbers of its last transactions do not fit")
        }
    }
}
