import Diagnostics
import Foundation

/// The place where a store lies or would lie, looked at without changing anything.
public struct StorePlace: Sendable {
    public enum State: String, Sendable {
        /// A run would make it.
        case absent
        case present
    }

    public var path: String
    public var state: State
    /// `ext4`, `NFS`; in numbers where the kind has no name here.
    public var fileSystem: String
    /// Bytes that may be written there.
    public var freeBytes: Int
    /// Why a run could not use it; nil for a place that it can.
    public var problem: Diagnostic?
    /// What the user should know of it all the same.
    public var warning: Diagnostic?

    /// Looks at a directory, or where it would be made. A store that is there is opened for reading and closed.
    public init(path: String) {
        self.init(path: path, fileSystem: nil)
    }

    /// - Parameter fileSystem: see `StoreDirectory.fileSystem(at:)`; for tests.
    init(path: String, fileSystem: UInt32?) {
        self.path = path
        let exists = FileManager.default.fileExists(atPath: path + "/FORMAT")
        state = exists ? .present : .absent
        // What is not there yet lies where the nearest folder above it does.
        var folder = URL(fileURLWithPath: path).standardizedFileURL
        while !FileManager.default.fileExists(atPath: folder.path), folder.path != "/" {
            folder = folder.deletingLastPathComponent()
        }
        let kind = fileSystem ?? StoreDirectory.fileSystem(at: folder.path)
        let network = StoreDirectory.networkFileSystem(kind)
        self.fileSystem = network ?? Self.names[kind] ?? "kind 0x\(String(kind, radix: 16))"
        freeBytes = StoreDirectory.freeBytes(at: folder.path)
        if let network {
            problem = StoreError.networkFileSystem(path: path, kind: network).diagnostic
        } else if access(folder.path, W_OK) != 0 {
            problem = StoreError.noPermission(path: path, operation: "write").diagnostic
        } else if exists {
            do throws(StoreError) {
                warning = try Store.open(at: path, access: .readOnly).warning
            } catch {
                problem = error.diagnostic
            }
        }
        if warning == nil, StoreDirectory.mayBeNetwork(kind) {
            warning = Diagnostic("the store '\(path)' would lie on a FUSE file system, which may be a network")
        }
        // A batch of answers is 64 MB, and LMDB writes what is new beside what it replaces.
        if problem == nil, warning == nil, freeBytes < 256 << 20 {
            warning = Diagnostic(
                "the disk of '\(path)' is almost full",
                hint: "a run writes batches of 64 MB; make room, or see spinweave-cache gc")
        }
    }

    /// Local file systems, as statfs(2) numbers them.
    private static let names: [UInt32: String] = [
        0xEF53: "ext4", 0x5846_5342: "XFS", 0x9123_683E: "Btrfs", 0x0102_1994: "tmpfs", 0x794C_7630: "overlay",
        0x2FC1_2FC1: "ZFS", 0xF2F5_2010: "F2FS", 0x6573_5546: "FUSE", 0xCA45_1A4E: "bcachefs",
    ]
}
