import Glibc

/// Whole files in one piece: a reader sees the old content or the new one, never half of it.
public enum AtomicFile {
    /// Writes `bytes` to a new file beside `path`, flushes it to the disk and renames it to `path`.
    ///
    /// On an error the new file is removed and an older file at `path` stays as it was. Folders are not created. A
    /// symbolic link is followed; a device or a pipe (`/dev/stdout`) is written straight.
    public static func write(_ bytes: [UInt8], to path: String) throws(InterchangeError) {
        var status = stat()
        let exists = stat(path, &status) == 0
        if exists, status.st_mode & S_IFMT == S_IFDIR { throw systemError("cannot write", path, EISDIR) }
        if exists, status.st_mode & S_IFMT != S_IFREG { return try writeStraight(bytes, to: path) }
        try replace(exists ? resolved(path) : path, with: bytes, namedBy: path)
    }

    /// The same for a file that is made piece by piece, as large as the disk has room for: `body` hands over its bytes in order.
    ///
    /// - Throws: `InterchangeError`, and what `body` throws; the file is then not there.
    public static func write(
        to path: String, _ body: (_ append: ([UInt8]) throws -> Void) throws -> Void
    ) throws {
        var status = stat()
        let exists = stat(path, &status) == 0
        if exists, status.st_mode & S_IFMT == S_IFDIR { throw systemError("cannot write", path, EISDIR) }
        let isStraight = exists && status.st_mode & S_IFMT != S_IFREG
        let target = exists ? resolved(path) : path
        let (descriptor, temporary) = isStraight ? (try openStraight(path), path) : try createBeside(target)
        var written = 0
        do {
            try body { bytes in
                let failure = writeAll(bytes, to: descriptor)
                if failure != 0 { throw systemError("cannot write \(bytes.count) bytes", path, failure) }
                written += bytes.count
            }
        } catch {
            close(descriptor)
            if !isStraight { unlink(temporary) }
            throw error
        }
        if isStraight {
            if close(descriptor) != 0 { throw systemError("cannot write \(written) bytes", path, errno) }
        } else {
            try finish(descriptor, temporary, target, failure: 0, size: written, namedBy: path)
        }
    }

    private static func replace(
        _ target: String, with bytes: [UInt8], namedBy path: String
    ) throws(InterchangeError) {
        let (descriptor, temporary) = try createBeside(target)
        let failure = writeAll(bytes, to: descriptor)
        try finish(descriptor, temporary, target, failure: failure, size: bytes.count, namedBy: path)
    }

    /// Flushes what was written and gives it its name.
    private static func finish(
        _ descriptor: Int32, _ temporary: String, _ target: String, failure: Int32, size: Int, namedBy path: String
    ) throws(InterchangeError) {
        var failure = failure
        if failure == 0, fsync(descriptor) != 0 { failure = errno }
        if close(descriptor) != 0, failure == 0 { failure = errno }
        if failure == 0, rename(temporary, target) != 0 { failure = errno }
        if failure != 0 {
            unlink(temporary)
            throw systemError("cannot write \(size) bytes", path, failure)
        }
        // The rename itself is durable once the folder is; some filesystems refuse to flush folders, which is no loss
        // of content, so a refusal is not an error.
        let folder = open(self.folder(of: target), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            fsync(folder)
            close(folder)
        }
    }

    /// Writes `text` as UTF-8; see `write(_:to:)` for bytes.
    public static func write(_ text: String, to path: String) throws(InterchangeError) {
        try write(Array(text.utf8), to: path)
    }

    /// Everything in the file at `path`.
    public static func read(_ path: String) throws(InterchangeError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError("cannot open", path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw systemError("cannot read", path, errno) }
        if status.st_mode & S_IFMT == S_IFDIR {
            throw InterchangeError("cannot read: this is a folder", file: path, hint: "name a file inside it")
        }
        // One byte more than the size, so that the read that finds the end has room.
        var bytes = [UInt8](repeating: 0, count: max(0, Int(status.st_size)) + 1)
        var filled = 0
        while true {
            // Pipes and /proc files give no size, so the end is where read() says it is.
            if filled == bytes.count { bytes.append(contentsOf: repeatElement(0, count: max(4096, filled / 2))) }
            let got = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress! + filled, $0.count - filled)
            }
            if got == 0 { break }
            if got < 0 {
                if errno == EINTR { continue }
                throw systemError("cannot read", path, errno)
            }
            filled += got
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    private static func openStraight(_ path: String) throws(InterchangeError) -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemError("cannot open", path, errno) }
        return descriptor
    }

    private static func writeStraight(_ bytes: [UInt8], to path: String) throws(InterchangeError) {
        let descriptor = try openStraight(path)
        var failure = writeAll(bytes, to: descriptor)
        if close(descriptor) != 0, failure == 0 { failure = errno }
        if failure != 0 { throw systemError("cannot write \(bytes.count) bytes", path, failure) }
    }

    /// The file that a chain of symbolic links ends at.
    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// A new, empty file in the folder of `path`, so that the rename stays within one filesystem.
    private static func createBeside(_ path: String) throws(InterchangeError) -> (descriptor: Int32, path: String) {
        for attempt in 0..<1000 {
            let candidate = "\(path).\(getpid())-\(attempt).partial"
            let descriptor = open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if descriptor >= 0 { return (descriptor, candidate) }
            if errno != EEXIST { throw systemError("cannot create", path, errno) }
        }
        throw InterchangeError(
            "cannot create: too many unfinished files beside it", file: path, hint: "remove '\(path).*.partial'")
    }

    /// - Returns: 0, or the errno of the write that failed.
    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            var written = 0
            while written < buffer.count {
                let count = Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
                if count < 0 {
                    if errno == EINTR { continue }
                    return errno
                }
                written += count
            }
            return 0
        }
    }

    private static func systemError(_ what: String, _ path: String, _ code: Int32) -> InterchangeError {
        let text = String(cString: strerror(code))
        let hint: String? =
            switch code {
            case ENOENT: "check the path; the folder '\(folder(of: path))' must exist"
            case EACCES, EPERM, EROFS: "check the permissions of the file and of its folder"
            case ENOSPC: "the disk that holds '\(folder(of: path))' is full: free some space or write elsewhere"
            case EDQUOT: "the disk quota is used up: free some space or write elsewhere"
            case ENOTDIR: "a part of the path is a file, not a folder"
            case EISDIR: "a folder of this name stands in the way"
            default: nil
            }
        return InterchangeError("\(what): \(text)", file: path, hint: hint)
    }
}
