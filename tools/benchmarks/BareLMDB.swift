import CLMDB
import Foundation

/// The floor of the store: raw bytes in one durable transaction, and copied out again. All unsafe use of LMDB here is
/// in this file.
enum BareLMDB {
    static func megabytesPerSecond(_ buffers: [[UInt8]], rounds: Int) throws -> (put: Double, get: Double) {
        let megabytes = Double(buffers.reduce(0) { $0 + $1.count }) / 1e6
        var put = Double.infinity
        var get = Double.infinity
        for _ in 0..<rounds {
            try withTemporaryDirectory { path in
                var environment: OpaquePointer?
                try check(mdb_env_create(&environment))
                defer { mdb_env_close(environment) }
                try check(mdb_env_set_mapsize(environment, 1 << 32))
                try check(mdb_env_open(environment, path, UInt32(MDB_NOTLS), 0o644))
                var table: MDB_dbi = 0
                put = min(
                    put,
                    try seconds {
                        var transaction: OpaquePointer?
                        try check(mdb_txn_begin(environment, nil, 0, &transaction))
                        try check(mdb_dbi_open(transaction, nil, 0, &table))
                        for (index, buffer) in buffers.enumerated() {
                            var number = UInt64(index).bigEndian
                            try buffer.withUnsafeBytes { bytes in
                                try withUnsafeMutableBytes(of: &number) { number in
                                    var key = MDB_val(mv_size: 8, mv_data: number.baseAddress)
                                    var value = MDB_val(
                                        mv_size: bytes.count,
                                        mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
                                    try check(mdb_put(transaction, table, &key, &value, 0))
                                }
                            }
                        }
                        try check(mdb_txn_commit(transaction))
                    })
                var sum = 0
                get = min(
                    get,
                    try bestOf(3) { _ in
                        for index in buffers.indices {
                            var transaction: OpaquePointer?
                            try check(mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &transaction))
                            defer { mdb_txn_abort(transaction) }
                            var number = UInt64(index).bigEndian
                            try withUnsafeMutableBytes(of: &number) { number in
                                var key = MDB_val(mv_size: 8, mv_data: number.baseAddress)
                                var value = MDB_val()
                                try check(mdb_get(transaction, table, &key, &value))
                                sum += Array(UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size)).count
                            }
                        }
                    })
                guard sum % buffers.reduce(0, { $0 + $1.count }) == 0 else {
                    throw BenchmarkFailure(description: "LMDB gave back another number of bytes")
                }
            }
        }
        return (megabytes / put, megabytes / get)
    }

    private static func check(_ status: Int32) throws {
        if status != MDB_SUCCESS {
            throw BenchmarkFailure(description: "LMDB: \(String(cString: mdb_strerror(status)))")
        }
    }
}
