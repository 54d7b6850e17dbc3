import CLMDB
import Foundation

/// Gives the space of free pages back to the disk, while others go on using the store.
///
/// LMDB never makes its file smaller. So a copy without free pages is made in `meta.new` or `blobs.new`, and the two
/// directories are exchanged by one system call: at any moment the name `meta` or `blobs` stands for a whole database,
/// whenever the program may be killed. Who has the old file open reads on in it, and opens the new one with its next
/// transaction (`Environment.follow`). Writers wait for the exchange itself, and not while the large file is copied.
extension Store {
    /// - Parameter least: the free part of the file at which a copy pays.
    /// - Parameter whenCopied: called before writers are stopped; for tests.
    /// - Returns: false when nothing was done: it would not pay, there is no room for a copy, or another does it.
    func shrink(
        _ environment: Environment, tables: [String], least: Double = 0.2,
        whenCopied: () throws(StoreError) -> Void = {}
    ) throws(StoreError) -> Bool {
        let turn = try FileLock(path: path + "/LOCK", writes: true)
        guard try turn.take(.exclusive, at: Self.shrinkingByte) else { return false }
        let copy = environment.path + ".new"
        // The leavings of a program that was killed.
        try StoreDirectory.removeTree(copy, store: path)
        let walk = try environment.walk()
        let unused = max(0, walk.filePages - walk.usedPages) * walk.pageSize
        guard unused >= 256 << 10, Double(unused) >= least * Double(walk.filePages * walk.pageSize) else {
            return false
        }
        // Without room for the copy the free pages simply wait to be used again.
        guard StoreDirectory.freeBytes(at: environment.path) > walk.usedPages * walk.pageSize + (16 << 20) else {
            return false
        }
        try StoreDirectory.make(copy, store: path)
        // The copy is of what readers see; the number is that of the last commit.
        try environment.settle()
        let copied = try environment.lastTransaction()
        let epoch = try self.epoch()
        try environment.copyCompacted(to: copy)
        try whenCopied()
        let isExchanged = try exchangeGate.alone { () throws(StoreError) in
            if try environment.lastTransaction() != copied {
                try catchUp(environment, copy: copy, tables: tables, epoch: epoch)
            }
            // Walks it: never put a file in place that was not looked at.
            try Environment(path: copy, tables: tables, access: .readOnly, mapSize: 0, deep: true).close()
            return try StoreDirectory.exchange(environment.path, copy)
        }
        try environment.follow()
        try StoreDirectory.removeTree(copy, store: path)
        return isExchanged
    }

    private static let shrinkingByte = 5

    /// Brings into the copy what was written while it was made. Nobody writes now.
    private func catchUp(
        _ environment: Environment, copy: String, tables: [String], epoch: UInt64
    ) throws(StoreError) {
        let isSmall = try environment.walk().usedPages < 4096
        guard environment === blobs, !isSmall, try self.epoch() == epoch else {
            // Entries may have changed in place, or gone: the small file is simply copied again.
            try StoreDirectory.removeTree(copy, store: path)
            try StoreDirectory.make(copy, store: path)
            try environment.copyCompacted(to: copy)
            return
        }
        // Artifacts go by their content: what has the same key is the same, and with the epoch nothing went.
        let target = try Environment(path: copy, tables: tables, access: .readWrite, mapSize: MapSizes().blobs)
        defer { target.close() }
        var there: Set<[UInt8]> = []
        try target.read { transaction throws(StoreError) in
            try transaction.eachKey(in: Table.blobs) { there.insert($0).inserted || true }
        }
        var missing: [[UInt8]] = []
        try environment.read { transaction throws(StoreError) in
            try transaction.eachKey(in: Table.blobs) { key in
                if !there.contains(key) { missing.append(key) }
                return true
            }
        }
        for start in stride(from: 0, to: missing.count, by: 64) {
            let keys = missing[start..<min(start + 64, missing.count)]
            let entries = try environment.read { transaction throws(StoreError) in
                var entries: [([UInt8], [UInt8])] = []
                for key in keys {
                    if let value = try transaction.get(key, from: Table.blobs) { entries.append((key, value)) }
                }
                return entries
            }
            try target.write { transaction throws(StoreError) in
                for (key, value) in entries { try transaction.put(value, for: key, in: Table.blobs) }
            }
        }
    }
}

extension StoreDirectory {
    /// Exchanges two directories in one step, and makes it last.
    ///
    /// - Returns: false where the file system cannot do that.
    static func exchange(_ one: String, _ other: String) throws(StoreError) -> Bool {
        let thisDirectory: Int32 = -100  // AT_FDCWD
        let exchange: UInt32 = 2  // RENAME_EXCHANGE
        guard renameat2(thisDirectory, one, thisDirectory, other, exchange) == 0 else {
            if errno == EINVAL || errno == ENOSYS { return false }
            throw Environment.error(errno, path: one, operation: "make smaller")
        }
        let parent = open(one + "/..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if parent >= 0 {
            fsync(parent)
            close(parent)
        }
        return true
    }

    static func removeTree(_ path: String, store: String) throws(StoreError) {
        guard FileManager.default.fileExists(atPath: path) else { return }
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            throw .failed(path: store, operation: "remove '\(path)'", reason: error.localizedDescription)
        }
    }
}
