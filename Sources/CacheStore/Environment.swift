import CLMDB
import Foundation

/// One LMDB environment: a map of a file, its tables, and transactions over them.
///
/// All unsafe use of LMDB is here, in `OpenFile` and in `Transaction`. Bytes are copied out before a transaction ends. Any number
/// of threads may read while one writes; changing the size of the map waits until no transaction of this process is open.
///
/// Another program may put a smaller file in the place of this one (`Store.shrink`). Each transaction first looks whether
/// the file is still the one that its path names, and opens the new one if not.
final class Environment: @unchecked Sendable {
    /// The directory that holds data.mdb and lock.mdb.
    let path: String
    private let access: Store.Access
    private let tableNames: [String]
    private let initialMapSize: Int
    private let isDeep: Bool
    /// Held by writers, and while files are opened, so that the files stay the same; nil where nobody exchanges them.
    private let exchangeGate: Gate?
    // `file` changes only while `lock` is held exclusively.
    private var file: OpenFile?
    private let lock = ReadersWriterLock()
    /// One writer of this process at a time; LMDB itself excludes those of other processes.
    private let writer = NSLock()
    private let following = NSLock()

    /// - Parameter deep: entries are overwritten in place, which is safe only when the headers of values that have pages
    ///   of their own were looked at.
    init(
        path: String, tables: [String], access: Store.Access, mapSize: Int, deep: Bool = false,
        exchangeGate: Gate? = nil
    ) throws(StoreError) {
        self.path = path
        self.access = access
        self.tableNames = tables
        self.initialMapSize = mapSize
        self.isDeep = deep
        self.exchangeGate = exchangeGate
        file = try open()
    }

    deinit { close() }

    /// The database file.
    var dataFile: String { path + "/data.mdb" }

    func close() {
        lock.lockForWriting()
        file = nil
        lock.unlock()
    }

    private func open() throws(StoreError) -> OpenFile {
        try exchangeGate?.enter()
        let opened: OpenFile
        do throws(StoreError) {
            opened = try OpenFile(path: path, access: access, mapSize: initialMapSize)
            exchangeGate?.leave()
        } catch {
            exchangeGate?.leave()
            throw error
        }
        try opened.checkStructure(deep: isDeep, known: tableNames, opens: true)
        try opened.openTables(tableNames)
        return opened
    }

    /// Opens the file that now has this one's name, if it is another.
    func follow() throws(StoreError) {
        following.lock()
        defer { following.unlock() }
        lock.lockForReading()
        let isCurrent = file?.identity == FileIdentity(path: dataFile)
        lock.unlock()
        if isCurrent { return }
        // LMDB forbids to open one file twice in a process; this is another one.
        let opened = try open()
        lock.lockForWriting()
        file = opened
        lock.unlock()
    }

    // MARK: The structure of the file

    /// Walks every page of the tree before LMDB does: LMDB follows damaged pages out of the file.
    func checkStructure(deep: Bool = false) throws(StoreError) {
        // Follows a file that was replaced or has grown.
        try read { _ in }
        try using { file throws(StoreError) in try file.checkStructure(deep: deep, known: tableNames) }
    }

    /// A walk over the pages as they are now; see `PageWalk` for what it finds.
    func walk() throws(StoreError) -> PageWalk {
        try read { _ in }
        return try using { file throws(StoreError) in try file.walk(deep: false) }
    }

    /// The number of the last transaction that anybody committed.
    func lastTransaction() throws(StoreError) -> Int {
        try using { file throws(StoreError) in try file.info().me_last_txnid }
    }

    /// Lets readers see all that was committed.
    ///
    /// A writer that was killed between writing its last page and saying so in the lock file leaves a commit that readers are not
    /// shown. The next writer mends that as it takes the lock; an empty transaction does nothing else.
    func settle() throws(StoreError) { try write { _ in } }

    /// Frees the slots of readers that died: they would keep old pages alive for ever.
    func dropDeadReaders() throws(StoreError) {
        try using { file throws(StoreError) in try file.dropDeadReaders() }
    }

    /// Writes a copy without free pages to the empty directory `target`, flushed to disk.
    func copyCompacted(to target: String) throws(StoreError) {
        try using { file throws(StoreError) in try file.copyCompacted(to: target) }
    }

    private func using<T>(_ body: (OpenFile) throws(StoreError) -> T) throws(StoreError) -> T {
        lock.lockForReading()
        defer { lock.unlock() }
        guard let file else { throw closed }
        return try body(file)
    }

    private var closed: StoreError { .failed(path: path, operation: "use", reason: "it is closed") }

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
        if access == .readOnly { throw .openedReadOnly(path: path) }
        try exchangeGate?.enter()
        defer { exchangeGate?.leave() }
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
            lock.unlock()
            if status == MDB_MAP_FULL {
                try grow()
                continue
            }
            if status != MDB_SUCCESS { throw Self.error(status, path: path, operation: "write") }
            return result
        }
    }

    private func begin(reading: Bool) throws(StoreError) -> Transaction {
        while true {
            lock.lockForReading()
            guard let file else {
                lock.unlock()
                throw closed
            }
            let named = FileIdentity(path: dataFile)
            if named == nil, !reading {
                lock.unlock()
                throw .failed(
                    path: path, operation: "write", reason: "its files were moved or removed while it was in use")
            }
            if let named, named != file.identity {
                lock.unlock()
                try follow()
                continue
            }
            let (status, pointer) = file.begin(reading: reading)
            if let pointer {
                return Transaction(
                    pointer: pointer, tables: file.tables, path: path, failures: Transaction.Failures())
            }
            lock.unlock()
            guard status == MDB_MAP_RESIZED else {
                throw Self.error(status, path: path, operation: reading ? "read" : "write")
            }
            // Another process made the map larger: follow it.
            try resize { _ in 0 }
        }
    }

    private func end(_ transaction: Transaction) {
        mdb_txn_abort(transaction.pointer)
        lock.unlock()
    }

    private func grow() throws(StoreError) { try resize { 2 * $0 } }

    private func resize(_ size: (_ present: Int) -> Int) throws(StoreError) {
        lock.lockForWriting()
        defer { lock.unlock() }
        guard let file else { throw closed }
        try file.resize(to: size(Int(try file.info().me_mapsize)))
    }

    // MARK: Errors

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
