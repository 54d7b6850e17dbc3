import CLMDB
import Foundation

/// A lock on one byte of a file, held until `release` or the end of the process.
///
/// It belongs to the open file (Linux, "open file description locks"), so that two holders in one process exclude each
/// other as two processes do. It needs no clock and leaves nothing behind when its process is killed.
final class FileLock: @unchecked Sendable {
    enum Kind {
        case shared, exclusive

        fileprivate var code: Int16 { Int16(self == .shared ? F_RDLCK : F_WRLCK) }
    }

    let path: String
    private let descriptor: Int32

    /// Opens the file; locks nothing yet.
    ///
    /// - Parameter writes: exclusive locks need a file that may be written; it is made when missing.
    init(path: String, writes: Bool) throws(StoreError) {
        self.path = path
        descriptor = open(path, (writes ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Environment.error(errno, path: path, operation: "lock") }
    }

    deinit { close(descriptor) }

    /// Takes the lock, or changes its kind.
    ///
    /// - Returns: false when somebody else holds it; what was held before is then held still.
    func take(_ kind: Kind, at offset: Int = 0, count: Int = 1) throws(StoreError) -> Bool {
        if change(kind.code, at: offset, count: count) { return true }
        switch errno {
        case EAGAIN, EACCES: return false
        default: throw Environment.error(errno, path: path, operation: "lock")
        }
    }

    /// - Parameter count: 0 for all bytes from `offset` on.
    func release(at offset: Int = 0, count: Int = 1) { _ = change(Int16(F_UNLCK), at: offset, count: count) }

    /// Takes the lock as soon as it is free.
    ///
    /// - Parameter error: what to throw after `seconds` of waiting.
    func wait(_ kind: Kind, at offset: Int = 0, seconds: Double, orElse error: StoreError) throws(StoreError) {
        var pause: UInt32 = 50
        var waited = 0.0
        while try !take(kind, at: offset) {
            // Counted, not timed: a clock that is set forward must not end the wait.
            if waited > seconds { throw error }
            usleep(pause)
            waited += Double(pause) * 1e-6
            pause = min(10_000, pause * 2)
        }
    }

    /// Whether the file system knows such locks at all.
    var isLockable: Bool {
        // Giving back what is not held is harmless.
        change(Int16(F_UNLCK), at: 1 << 40, count: 1)
    }

    private func change(_ code: Int16, at offset: Int, count: Int) -> Bool {
        let setLock: Int32 = 37  // F_OFD_SETLK, which glibc declares only for _GNU_SOURCE
        var range = flock(l_type: code, l_whence: Int16(SEEK_SET), l_start: offset, l_len: count, l_pid: 0)
        return fcntl(descriptor, setLock, &range) == 0
    }

    // MARK: The bytes of a file

    func append(_ bytes: [UInt8]) throws(StoreError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, $0.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw Environment.error(count == 0 ? ENOSPC : errno, path: path, operation: "write")
            }
            written += count
        }
    }

    func truncate() throws(StoreError) {
        guard ftruncate(descriptor, 0) == 0 else { throw Environment.error(errno, path: path, operation: "write") }
    }

    /// Whether the file is still the one that its path names.
    var isCurrent: Bool {
        var (mine, named) = (stat(), stat())
        return fstat(descriptor, &mine) == 0 && stat(path, &named) == 0 && mine.st_ino == named.st_ino
            && mine.st_dev == named.st_dev
    }
}
