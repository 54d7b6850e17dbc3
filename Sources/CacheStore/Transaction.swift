import CLMDB

/// A snapshot (reading) or a change in progress (writing).
struct Transaction {
    /// What went wrong inside a write, for the retry.
    final class Failures {
        var mapIsFull = false
    }

    let pointer: OpaquePointer
    let tables: [String: MDB_dbi]
    let path: String
    let failures: Failures

    func check(_ status: Int32, _ operation: String) throws(StoreError) {
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

    /// Calls `body` with the value as it lies in the map; the bytes are gone when it returns.
    ///
    /// - Returns: nil where there is no such entry.
    func withBytes<R>(
        of key: [UInt8], in table: String, _ body: (UnsafeRawBufferPointer) -> R
    ) throws(StoreError) -> R? {
        guard let table = tables[table] else { return nil }
        var value = MDB_val()
        let status = Self.withValue(key) { mdb_get(pointer, table, &$0, &value) }
        if status == MDB_NOTFOUND { return nil }
        try check(status, "read")
        return body(UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
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
