import CLMDB
import Foundation

/// One LMDB environment: a map of a file, its tables, and transactions over them.
///
/// All unsafe use of LMDB is in this file. Bytes are copied out before a transaction ends. Any number of threads may
/// read while one writes; changing the size of the map waits until no transaction of this process is open.
final class Environment: @unchecked Sendable {
    /// The directory that holds data.mdb and lock.mdb.
    let path: String
    private let access: Store.Access
    private let tableNames: [String]
    private let initialMapSize: Int
    // `environment` and `tables` change only while `gate` is held exclusively.
    private var environment: OpaquePointer?
    private var tables: [String: MDB_dbi] = [:]
    private let gate = ReadersWriterLock()
    /// One writer of this process at a time; LMDB itself excludes those of other processes.
    private let writer = NSLock()

    init(path: String, tables: [String], access: Store.Access, mapSize: Int) throws(StoreError) {
        self.path = path
        self.access = access
        self.tableNames = tables
        self.initialMapSize = mapSize
        try reopen()
    }

    deinit { close() }

    /// The database file.
    var dataFile: String { path + "/data.mdb" }

    func close() {
        gate.lockForWriting()
        defer { gate.unlock() }
        if let environment { mdb_env_close(environment) }
        environment = nil
        tables = [:]
    }

    /// Opens the file again after `close`, checking first that it can be read without harm.
    func reopen() throws(StoreError) {
        try PageWalk.checkMetaPages(of: dataFile)
        var created: OpaquePointer?
        try check(mdb_env_create(&created), "open")
        guard let created else { throw failure(ENOMEM, "open") }
        do throws(StoreError) {
            try check(mdb_env_set_maxdbs(created, 32), "open")
            try check(mdb_env_set_maxreaders(created, 510), "open")
            if access == .readWrite { try check(mdb_env_set_mapsize(created, initialMapSize), "open") }
            try check(mdb_env_open(created, path, flags, 0o644), "open")
        } catch {
            mdb_env_close(created)
            throw error
        }
        gate.lockForWriting()
        environment = created
        gate.unlock()
        do throws(StoreError) {
            // Slots of readers that died would keep old pages alive for ever.
            var dead: Int32 = 0
            if flags & UInt32(MDB_NOLOCK) == 0 { try check(mdb_reader_check(created, &dead), "open") }
            try checkStructure()
            try openTables()
        } catch {
            close()
            throw error
        }
    }

    private var flags: UInt32 {
        var flags = UInt32(MDB_NOTLS)
        if access == .readOnly {
            flags |= UInt32(MDB_RDONLY)
            // Where the lock file cannot be written, nobody here can be writing either.
            if Foundation.access(path + "/lock.mdb", W_OK) != 0 { flags |= UInt32(MDB_NOLOCK) }
        }
        return flags
    }

    /// Walks every page of the tree before LMDB does: LMDB follows damaged pages out of the file.
    func checkStructure(deep: Bool = false) throws(StoreError) {
        let walk = try walk(deep: deep)
        if let problem = walk.problems.first { throw .damagedStructure(path: dataFile, reason: problem) }
    }

    /// A walk over the pages as they are now; see `PageWalk` for what it finds.
    ///
    /// - Parameter deep: also look at the header of each value that has pages of its own, which only a deletion needs.
    func walk(deep: Bool = false, _ visit: PageWalk.Visit? = nil) throws(StoreError) -> PageWalk {
        for _ in 0..<20 {
            let transaction = try begin(reading: true)
            defer { end(transaction) }
            if let walk = try PageWalk(
                file: PageFile(dataFile), path: dataFile, transaction: UInt64(mdb_txn_id(transaction.pointer)),
                deep: deep,
                visit: visit)
            {
                return walk
            }
        }
        throw .busy(path: path, reason: "it changes faster than it can be checked")
    }

    private func openTables() throws(StoreError) {
        let open: (Transaction) throws(StoreError) -> [String: MDB_dbi] = { transaction throws(StoreError) in
            var tables: [String: MDB_dbi] = [:]
            for name in self.tableNames {
                var table: MDB_dbi = 0
                let flags = self.access == .readWrite ? UInt32(MDB_CREATE) : 0
                let status = mdb_dbi_open(transaction.pointer, name, flags, &table)
                // A reader of a store whose writer died before the tables were made sees them empty.
                if status == MDB_NOTFOUND, self.access == .readOnly { continue }
                try transaction.check(status, "open the table '\(name)'")
                tables[name] = table
            }
            return tables
        }
        let opened: [String: MDB_dbi]
        if access == .readWrite {
            opened = try write(open)
        } else {
            let transaction = try begin(reading: true)
            do throws(StoreError) {
                opened = try open(transaction)
            } catch {
                end(transaction)
                throw error
            }
            // Committing keeps the table handles.
            let status = mdb_txn_commit(transaction.pointer)
            gate.unlock()
            try check(status, "open")
        }
        gate.lockForWriting()
        tables = opened
        gate.unlock()
    }

    // MARK: Transactions

    /// Calls `body` with a snapshot. Nothing of the snapshot may outlive the call.
    func read<T>(_ body: (Transaction) throws(StoreError) -> T) throws(StoreError) -> T {
        let transaction = try begin(reading: true)
        defer { end(transaction) }
        return try body(transaction)
    }

    /// Calls `body` and commits durably; all or nothing.
    ///
    /// `body` is called again, from a fresh transaction, when the map turns out too small.
    func write<T>(_ body: (Transaction) throws(StoreError) -> T) throws(StoreError) -> T {
        writer.lock()
        defer { writer.unlock() }
        while true {
            let transaction = try begin(reading: false)
            let result: T
            do throws(StoreError) {
                result = try body(transaction)
            } catch {
                let isFull = transaction.failures.mapIsFull
                end(transaction)
                guard isFull else { throw error }
                try grow()
                continue
            }
            let status = mdb_txn_commit(transaction.pointer)
            gate.unlock()
            if status == MDB_MAP_FULL {
                try grow()
                continue
            }
            try check(status, "write")
            return result
        }
    }

    private func begin(reading: Bool) throws(StoreError) -> Transaction {
        if access == .readOnly, !reading { throw .openedReadOnly(path: path) }
        while true {
            gate.lockForReading()
            guard let environment else {
                gate.unlock()
                throw .failed(path: path, operation: "use", reason: "it is closed")
            }
            var pointer: OpaquePointer?
            let status = mdb_txn_begin(environment, nil, reading ? UInt32(MDB_RDONLY) : 0, &pointer)
            if status == MDB_SUCCESS, let pointer {
                return Transaction(
                    pointer: pointer, tables: tables, path: path, isReader: reading, failures: Transaction.Failures())
            }
            gate.unlock()
            guard status == MDB_MAP_RESIZED else { throw failure(status, reading ? "read" : "write") }
            // Another process made the map larger: follow it.
            try resize(to: 0)
        }
    }

    private func end(_ transaction: Transaction) {
        mdb_txn_abort(transaction.pointer)
        gate.unlock()
    }

    private func grow() throws(StoreError) {
        var info = MDB_envinfo()
        try check(mdb_env_info(environment, &info), "grow")
        try resize(to: info.me_mapsize * 2)
    }

    private func resize(to size: Int) throws(StoreError) {
        gate.lockForWriting()
        defer { gate.unlock() }
        try check(mdb_env_set_mapsize(environment, size), "grow")
    }

    /// Writes a copy without free pages to the empty directory `target`, flushed to disk.
    func copyCompacted(to target: String) throws(StoreError) {
        gate.lockForReading()
        let status = mdb_env_copy2(environment, target, UInt32(MDB_CP_COMPACT))
        gate.unlock()
        try check(status, "compact")
        let file = open(target + "/data.mdb", O_RDWR)
        guard file >= 0 else { throw failure(errno, "compact") }
        defer { Foundation.close(file) }
        if fsync(file) != 0 { throw failure(errno, "compact") }
    }

    // MARK: Errors

    private func check(_ status: Int32, _ operation: String) throws(StoreError) {
        if status != MDB_SUCCESS { throw failure(status, operation) }
    }

    private func failure(_ status: Int32, _ operation: String) -> StoreError {
        Self.error(status, path: path, operation: operation)
    }

    static func error(_ status: Int32, path: String, operation: String) -> StoreError {
        let reason = String(cString: mdb_strerror(status))
        switch status {
        case ENOSPC, EDQUOT: return .diskFull(path: path, operation: operation)
        // LMDB reports a short write as EIO: what the last bytes of a disk give.
        case EIO where StoreDirectory.freeBytes(at: path) < 8 << 20: return .diskFull(path: path, operation: operation)
        case EACCES, EPERM, EROFS: return .noPermission(path: path, operation: operation)
        case MDB_INVALID, MDB_CORRUPTED, MDB_PAGE_NOTFOUND, MDB_VERSION_MISMATCH, MDB_INCOMPATIBLE:
            return .damagedStructure(path: path, reason: reason)
        case MDB_READERS_FULL: return .busy(path: path, reason: "too many programs read it at once")
        default: return .failed(path: path, operation: operation, reason: reason)
        }
    }
}

/// A snapshot (reading) or a change in progress (writing).
struct Transaction {
    /// What went wrong inside a write, for the retry.
    final class Failures {
        var mapIsFull = false
    }

    fileprivate let pointer: OpaquePointer
    fileprivate let tables: [String: MDB_dbi]
    fileprivate let path: String
    fileprivate let isReader: Bool
    fileprivate let failures: Failures

    fileprivate func check(_ status: Int32, _ operation: String) throws(StoreError) {
        if status == MDB_MAP_FULL { failures.mapIsFull = true }
        if status != MDB_SUCCESS { throw Environment.error(status, path: path, operation: operation) }
    }

    private static func withValue<R>(_ bytes: [UInt8], _ body: (inout MDB_val) -> R) -> R {
        bytes.withUnsafeBytes { bytes in
            var value = MDB_val(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
            return body(&value)
        }
    }

    private static func copy(_ value: MDB_val) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
    }

    func get(_ key: [UInt8], from table: String) throws(StoreError) -> [UInt8]? {
        guard let table = tables[table] else { return nil }
        var value = MDB_val()
        let status = Self.withValue(key) { mdb_get(pointer, table, &$0, &value) }
        if status == MDB_NOTFOUND { return nil }
        try check(status, "read")
        return Self.copy(value)
    }

    func contains(_ key: [UInt8], in table: String) throws(StoreError) -> Bool {
        guard let table = tables[table] else { return false }
        var value = MDB_val()
        let status = Self.withValue(key) { mdb_get(pointer, table, &$0, &value) }
        if status == MDB_NOTFOUND { return false }
        try check(status, "read")
        return true
    }

    func put(_ value: [UInt8], for key: [UInt8], in table: String) throws(StoreError) {
        guard let table = tables[table] else { throw .failed(path: path, operation: "write", reason: "no such table") }
        let status = Self.withValue(key) { key in Self.withValue(value) { mdb_put(pointer, table, &key, &$0, 0) } }
        try check(status, "write")
    }

    /// - Returns: whether there was such an entry.
    @discardableResult
    func delete(_ key: [UInt8], from table: String) throws(StoreError) -> Bool {
        guard let table = tables[table] else { return false }
        let status = Self.withValue(key) { mdb_del(pointer, table, &$0, nil) }
        if status == MDB_NOTFOUND { return false }
        try check(status, "write")
        return true
    }

    /// Entries in the order of their keys, from the first key not below `start`, until `body` returns false.
    func each(
        in table: String, from start: [UInt8] = [], _ body: ([UInt8], [UInt8]) throws(StoreError) -> Bool
    ) throws(StoreError) {
        guard let table = tables[table] else { return }
        var cursor: OpaquePointer?
        try check(mdb_cursor_open(pointer, table, &cursor), "read")
        defer { mdb_cursor_close(cursor) }
        var key = MDB_val()
        var value = MDB_val()
        var status: Int32
        if start.isEmpty {
            status = mdb_cursor_get(cursor, &key, &value, MDB_FIRST)
        } else {
            status = start.withUnsafeBytes { start in
                key = MDB_val(mv_size: start.count, mv_data: UnsafeMutableRawPointer(mutating: start.baseAddress))
                return mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)
            }
        }
        while status == MDB_SUCCESS {
            if try !body(Self.copy(key), Self.copy(value)) { return }
            status = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
        }
        if status != MDB_NOTFOUND { try check(status, "read") }
    }

    /// Keys alone, without touching the values.
    func eachKey(in table: String, _ body: ([UInt8]) throws(StoreError) -> Bool) throws(StoreError) {
        guard let table = tables[table] else { return }
        var cursor: OpaquePointer?
        try check(mdb_cursor_open(pointer, table, &cursor), "read")
        defer { mdb_cursor_close(cursor) }
        var key = MDB_val()
        var status = mdb_cursor_get(cursor, &key, nil, MDB_FIRST)
        while status == MDB_SUCCESS {
            if try !body(Self.copy(key)) { return }
            status = mdb_cursor_get(cursor, &key, nil, MDB_NEXT)
        }
        if status != MDB_NOTFOUND { try check(status, "read") }
    }
}

/// Many readers or one writer; a waiting writer goes first.
private final class ReadersWriterLock: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_rwlock_t>.allocate(capacity: 1)

    init() {
        var attributes = pthread_rwlockattr_t()
        pthread_rwlockattr_init(&attributes)
        pthread_rwlockattr_setkind_np(&attributes, Int32(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP))
        pthread_rwlock_init(lock, &attributes)
        pthread_rwlockattr_destroy(&attributes)
    }

    deinit {
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    func lockForReading() { pthread_rwlock_rdlock(lock) }
    func lockForWriting() { pthread_rwlock_wrlock(lock) }
    func unlock() { pthread_rwlock_unlock(lock) }
}
