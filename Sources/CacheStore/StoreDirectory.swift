import CLMDB
import Foundation

/// The directory around the two environments: whether it is a store, of which format, and who uses it.
///
///     FORMAT   "spinweave store", and the number of the format
///     meta/    records and what their keys are made of, runs
///     blobs/   artifacts
///     LOCK     held by every program that uses the store
///     claims   locked by those who compute a step
///     active/  what each run in progress uses
///     settings what the user set, as the size to stay below
///     clock    the latest time given to a run
///     reserve  room for collecting garbage on a full disk
///
/// A README.md and a .gitignore may stand beside them.
final class StoreDirectory: Sendable {
    /// The format that this program writes, and the newest it reads.
    static let format = 2

    let path: String
    let mayBeNetwork: Bool
    /// Holds the lock; -1 where the file system allows none.
    private let lockFile: Int32

    private static let title = "spinweave store"
    private static let neighbours: Set<String> = [
        "FORMAT", "LOCK", "active", "claims", "clock", "settings", "reserve", "meta", "meta.new", "blobs", "blobs.new",
        "FORMAT.new", "README.md", ".gitignore", ".gitkeep",
    ]

    /// Checks the directory, makes what is missing (`readWrite`), and announces its use to other programs.
    ///
    /// - Parameter fileSystem: see `fileSystem(at:)`; for tests.
    init(path: String, access: Store.Access, fileSystem: UInt32? = nil) throws(StoreError) {
        self.path = path
        let files = FileManager.default
        if access == .readWrite {
            try Self.make(path, store: path)
        } else if !files.fileExists(atPath: path) {
            throw .missing(path: path)
        }
        let kind = fileSystem ?? Self.fileSystem(at: path)
        if let name = Self.networkFileSystem(kind) { throw .networkFileSystem(path: path, kind: name) }
        mayBeNetwork = Self.mayBeNetwork(kind)
        let isKnown = try Self.checkFormat(path)
        if !isKnown {
            if access == .readOnly { throw .missing(path: path) }
            let others = Set(try Self.names(in: path)).subtracting(Self.neighbours)
            if let other = others.sorted().first { throw .foreign(path: path, found: "'\(other)'") }
            try Self.make(path + "/meta", store: path)
            try Self.make(path + "/blobs", store: path)
        } else if access == .readWrite {
            // Someone emptied the store by hand, perhaps.
            try Self.make(path + "/meta", store: path)
            try Self.make(path + "/blobs", store: path)
        }
        let flags = access == .readWrite ? O_RDWR | O_CREAT : O_RDONLY
        lockFile = open(path + "/LOCK", flags | O_CLOEXEC, 0o644)
        if lockFile < 0, access == .readWrite { throw Environment.error(errno, path: path, operation: "write") }
        // A repair of damaged files excludes everyone; wait a while.
        if lockFile >= 0 {
            for attempt in 0... {
                if Self.lock(lockFile, Int16(F_RDLCK)) { break }
                if attempt == 300 {
                    close(lockFile)
                    throw .busy(path: path, reason: "another program is repairing it")
                }
                usleep(100_000)
            }
        }
    }

    deinit {
        // Closing gives the lock back.
        if lockFile >= 0 { close(lockFile) }
    }

    /// Written last, when both environments exist.
    func writeFormat() throws(StoreError) {
        let file = path + "/FORMAT"
        if access(file, F_OK) == 0 { return }
        try Self.replace(file, with: Array("\(Self.title)\nformat \(Self.format)\n".utf8), store: path)
    }

    /// Whether the directory has a FORMAT file that this program can work with.
    private static func checkFormat(_ path: String) throws(StoreError) -> Bool {
        guard access(path + "/FORMAT", F_OK) == 0 else { return false }
        let text: String
        do {
            text = try String(contentsOfFile: path + "/FORMAT", encoding: .utf8)
        } catch {
            throw .noPermission(path: path, operation: "read")
        }
        let lines = text.split(separator: "\n")
        guard lines.count >= 2, lines[0] == title, lines[1].hasPrefix("format "),
            let number = Int(lines[1].dropFirst(7))
        else { throw .foreign(path: path, found: "a FORMAT file of something else") }
        if number > format { throw .newerFormat(path: path, found: number, known: format) }
        if number < format { throw .olderFormat(path: path, found: number, known: format) }
        return true
    }

    // MARK: Excluding others

    /// Tries to become the only program that uses the store.
    func excludeOthers() -> Bool { lockFile >= 0 && Self.lock(lockFile, Int16(F_WRLCK)) }

    func admitOthers() { _ = Self.lock(lockFile, Int16(F_RDLCK)) }

    /// Locks that belong to the open file, not to the process: changing one's kind keeps the old where it fails.
    private static func lock(_ file: Int32, _ kind: Int16) -> Bool {
        let setLock: Int32 = 37  // F_OFD_SETLK, which glibc declares only for _GNU_SOURCE
        var range = flock(l_type: kind, l_whence: Int16(SEEK_SET), l_start: 0, l_len: 1, l_pid: 0)
        return fcntl(file, setLock, &range) == 0
    }

    // MARK: The file system

    static func make(_ directory: String, store: String) throws(StoreError) {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            let reason = errno
            var status = stat()
            if stat(directory, &status) == 0 {
                if status.st_mode & S_IFMT == S_IFDIR { return }
                throw .foreign(path: store, found: "a file where a directory should be")
            }
            throw Environment.error(reason == 0 ? EACCES : reason, path: store, operation: "create")
        }
    }

    static func names(in path: String) throws(StoreError) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw .noPermission(path: path, operation: "read")
        }
    }

    /// The kind of file system that holds `path`, as statfs(2) numbers them; 0 where it cannot be told.
    static func fileSystem(at path: String) -> UInt32 {
        var status = statfs()
        return statfs(path, &status) == 0 ? UInt32(truncatingIfNeeded: status.f_type) : 0
    }

    /// The name of a file system that other machines, or other kernels, write too; nil for a local one.
    static func networkFileSystem(_ kind: UInt32) -> String? {
        // statfs(2), "Filesystem types", and <linux/magic.h>.
        let kinds: [UInt32: String] = [
            0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x5346_414F: "AFS",
            0x6B41_4653: "AFS", 0x7375_7245: "Coda", 0x0102_1997: "9P", 0x0BD0_0BD0: "Lustre", 0x4750_4653: "GPFS",
            0x00C3_6400: "Ceph", 0x1983_0326: "BeeGFS", 0x0116_1970: "GFS2", 0x7461_636F: "OCFS2",
            0xAAD7_AAEA: "PanFS", 0x786F_4256: "VirtualBox shared folder",
        ]
        return kinds[kind]
    }

    /// FUSE carries disks (ntfs-3g, overlays of containers) as well as networks (sshfs, s3fs): nobody can tell from here.
    static func mayBeNetwork(_ kind: UInt32) -> Bool { kind == 0x6573_5546 }

    // MARK: Room for the way out of a full disk

    private static let reserveBytes = 2 << 20

    /// Keeps some room for a collection: even removing needs to write a few pages. Does nothing where there is none.
    func keepReserve() {
        let file = path + "/reserve"
        if Foundation.access(file, F_OK) == 0 || Self.freeBytes(at: path) < 2 * Self.reserveBytes { return }
        let descriptor = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        if descriptor < 0 { return }
        let status = posix_fallocate(descriptor, 0, Self.reserveBytes)
        close(descriptor)
        if status != 0 { unlink(file) }
    }

    /// - Returns: whether the disk is full, so that the reserve was given up.
    func giveUpReserve() -> Bool {
        guard Self.freeBytes(at: path) < 4 * Self.reserveBytes else { return false }
        unlink(path + "/reserve")
        return true
    }

    static func freeBytes(at path: String) -> Int {
        var status = statfs()
        guard statfs(path, &status) == 0 else { return .max }
        return Int(status.f_bavail) * Int(status.f_bsize)
    }
}
