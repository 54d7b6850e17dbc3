import CLMDB
import Foundation

/// Which file a path names: stays the same while the file is open, whatever happens to its name.
struct FileIdentity: Equatable {
    private let device: UInt64
    private let number: UInt64

    /// nil where there is no file.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        device = UInt64(status.st_dev)
        number = UInt64(status.st_ino)
    }
}

/// A database file that LMDB has open, with its tables.
final class OpenFile: @unchecked Sendable {
    let identity: FileIdentity
    private(set) var tables: [String: MDB_dbi] = [:]
    private let path: String
    private let access: Store.Access
    private let environment: OpaquePointer

    /// Opens the file, checking first that LMDB can open it without harm; its tree is not checked yet.
    init(path: String, access: Store.Access, mapSize: Int) throws(StoreError) {
        self.path = path
        self.access = access
        try PageWalk.checkMetaPages(of: path + "/data.mdb")
        var created: OpaquePointer?
        let status = mdb_env_create(&created)
        guard status == MDB_SUCCESS, let created else {
            throw Environment.error(status, path: path, operation: "open")
        }
        do throws(StoreError) {
            identity = try Self.open(created, path, access, mapSize)
        } catch {
            mdb_env_close(created)
            throw error
        }
        environment = created
    }

    deinit { mdb_env_close(environment) }

    private static func open(
        _ created: OpaquePointer, _ path: String, _ access: Store.Access, _ mapSize: Int
    ) throws(StoreError) -> FileIdentity {
        var flags = UInt32(MDB_NOTLS)
        if access == .readOnly {
            flags |= UInt32(MDB_RDONLY)
            // Where the lock file cannot be written, nobody here can be writing either.
            if Foundation.access(path + "/lock.mdb", W_OK) != 0 { flags |= UInt32(MDB_NOLOCK) }
        }
        func check(_ status: Int32) throws(StoreError) {
            if status != MDB_SUCCESS { throw Environment.error(status, path: path, operation: "open") }
        }
        try check(mdb_env_set_maxdbs(created, 32))
        try check(mdb_env_set_maxreaders(created, 510))
        if access == .readWrite { try check(mdb_env_set_mapsize(created, mapSize)) }
        try check(mdb_env_open(created, path, flags, 0o644))
        var dead: Int32 = 0
        if flags & UInt32(MDB_NOLOCK) == 0 { try check(mdb_reader_check(created, &dead)) }
        var descriptor: Int32 = -1
        try check(mdb_env_get_fd(created, &descriptor))
        guard let identity = FileIdentity(descriptor: descriptor) else {
            throw Environment.error(errno, path: path, operation: "open")
        }
        return identity
    }

    func openTables(_ names: [String]) throws(StoreError) {
        // As a reader first: a writer elsewhere must not delay an opening.
        tables = try open(names, reading: true)
        if tables.count < names.count, access == .readWrite { tables = try open(names, reading: false) }
    }

    private func open(_ names: [String], reading: Bool) throws(StoreError) -> [String: MDB_dbi] {
        var tables: [String: MDB_dbi] = [:]
        let (status, pointer) = begin(reading: reading)
        guard let pointer else { throw failure(status, "open") }
        for name in names {
            var table: MDB_dbi = 0
            let status = mdb_dbi_open(pointer, name, reading ? 0 : UInt32(MDB_CREATE), &table)
            // A reader of a store whose writer died before the tables were made sees them empty.
            if status == MDB_NOTFOUND { continue }
            guard status == MDB_SUCCESS else {
                mdb_txn_abort(pointer)
                throw failure(status, "open the table '\(name)'")
            }
            tables[name] = table
        }
        // Committing keeps the table handles.
        try check(mdb_txn_commit(pointer), "open")
        return tables
    }

    func begin(reading: Bool) -> (status: Int32, transaction: OpaquePointer?) {
        var pointer: OpaquePointer?
        let status = mdb_txn_begin(environment, nil, reading ? UInt32(MDB_RDONLY) : 0, &pointer)
        return (status, status == MDB_SUCCESS ? pointer : nil)
    }

    // MARK: The structure of the file

    /// - Parameter known: the tables that there may be. A damaged name would make a table disappear unnoticed.
    /// - Parameter opens: nobody else uses the file yet.
    func checkStructure(deep: Bool, known: [String], opens: Bool = false) throws(StoreError) {
        let walk = try walk(deep: deep, opens: opens)
        if let name = walk.tableNames.first(where: { !known.contains($0) }) {
            throw .damagedStructure(path: path + "/data.mdb", reason: "there is no table of the name '\(name)'")
        }
        if let problem = walk.problems.first {
            throw .damagedStructure(path: path + "/data.mdb", reason: problem)
        }
    }

    /// - Parameter deep: also look at the header of each value that has pages of its own, which only a deletion needs.
    func walk(deep: Bool, opens: Bool = false) throws(StoreError) -> PageWalk {
        var descriptor: Int32 = -1
        try check(mdb_env_get_fd(environment, &descriptor), "read")
        for _ in 0..<20 {
            let (status, transaction) = begin(reading: true)
            guard let transaction else {
                // Another process made the map larger while this file was opened.
                if status == MDB_MAP_RESIZED, opens {
                    try resize(to: 0)
                    continue
                }
                throw failure(status, "read")
            }
            defer { mdb_txn_abort(transaction) }
            let file = try PageFile(descriptor: descriptor, path: path)
            if let walk = try PageWalk(
                file: file, path: path + "/data.mdb", transaction: UInt64(mdb_txn_id(transaction)), deep: deep,
                visit: nil)
            {
                return walk
            }
        }
        throw .busy(path: path, reason: "it changes faster than it can be checked")
    }

    func info() throws(StoreError) -> MDB_envinfo {
        var info = MDB_envinfo()
        try check(mdb_env_info(environment, &info), "read")
        return info
    }

    /// No transaction of this process may be open.
    func resize(to size: Int) throws(StoreError) { try check(mdb_env_set_mapsize(environment, size), "grow") }

    func dropDeadReaders() throws(StoreError) {
        var dead: Int32 = 0
        try check(mdb_reader_check(environment, &dead), "read")
    }

    func copyCompacted(to target: String) throws(StoreError) {
        try check(mdb_env_copy2(environment, target, UInt32(MDB_CP_COMPACT)), "compact")
        let file = Foundation.open(target + "/data.mdb", O_RDWR)
        guard file >= 0 else { throw failure(errno, "compact") }
        defer { close(file) }
        if fsync(file) != 0 { throw failure(errno, "compact") }
    }

    // MARK: Errors

    private func check(_ status: Int32, _ operation: String) throws(StoreError) {
        if status != MDB_SUCCESS { throw failure(status, operation) }
    }

    private func failure(_ status: Int32, _ operation: String) -> StoreError {
        Environment.error(status, path: path, operation: operation)
    }
}
