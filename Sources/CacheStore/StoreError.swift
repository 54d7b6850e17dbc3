import Artifacts
import Diagnostics

/// Why the store could not do what was asked: what, where, and what now.
public enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no store in this directory, and it was opened only for reading.
    case missing(path: String)
    /// The directory holds something that is not a store.
    case foreign(path: String, found: String)
    /// The store was written by a later version of Spinweave.
    case newerFormat(path: String, found: Int, known: Int)
    /// The store was written by an earlier version of Spinweave, whose records this one does not read.
    case olderFormat(path: String, found: Int, known: Int)
    /// Memory-mapped files with locks do not work over this file system.
    case networkFileSystem(path: String, kind: String)
    /// The directory or its files may not be written or read.
    case noPermission(path: String, operation: String)
    /// A change was asked of a store that was opened only for reading.
    case openedReadOnly(path: String)
    /// Another program, or another part of this one, has the store in a way that excludes this use.
    case busy(path: String, reason: String)
    /// The disk is full; nothing of the failed batch was kept.
    case diskFull(path: String, operation: String)
    /// The stored bytes of an artifact are not what was written.
    case damaged(Digest, reason: String)
    /// The database file itself is damaged: its pages do not form a tree.
    case damagedStructure(path: String, reason: String)
    /// The operating system or the database refused.
    case failed(path: String, operation: String, reason: String)

    public var diagnostic: Diagnostic {
        switch self {
        case .missing(let path):
            Diagnostic(
                "there is no store in '\(path)'",
                hint: "run a graph first, or name another directory with --store or SPINWEAVE_STORE")
        case .foreign(let path, let found):
            Diagnostic(
                "'\(path)' is not a Spinweave store: it holds \(found)",
                hint: "name an empty or a new directory with --store; nothing was changed")
        case .newerFormat(let path, let found, let known):
            Diagnostic(
                "the store '\(path)' has format \(found), and this program knows formats up to \(known)",
                hint: "use a newer Spinweave, or another directory with --store; nothing was changed")
        case .olderFormat(let path, let found, let known):
            Diagnostic(
                "the store '\(path)' has format \(found) of an earlier Spinweave; this program works with format \(known)",
                hint:
                    "name a new directory with --store and run again; nothing was changed, and the old store may be deleted"
            )
        case .networkFileSystem(let path, let kind):
            Diagnostic(
                "the store '\(path)' lies on a network file system (\(kind)), where its locks and maps are not safe",
                hint: "put the store on a local disk with --store or SPINWEAVE_STORE")
        case .noPermission(let path, let operation):
            Diagnostic(
                "no permission to \(operation) the store '\(path)'",
                hint: "change the permissions, or name another directory with --store")
        case .openedReadOnly(let path):
            Diagnostic("the store '\(path)' was opened for reading only, and cannot be changed")
        case .busy(let path, let reason):
            Diagnostic("the store '\(path)' is in use: \(reason)", hint: "wait for the other program, then try again")
        case .diskFull(let path, let operation):
            Diagnostic(
                "the disk is full: could not \(operation) in '\(path)'",
                hint: "free some space ('spinweave-cache gc' helps), then run again: what was stored before is kept")
        case .damaged(let digest, let reason):
            Diagnostic(
                "the stored artifact \(digest.short) is damaged: \(reason)",
                hint: "run again to compute it anew; 'spinweave-cache verify' looks for more damage")
        case .damagedStructure(let path, let reason):
            Diagnostic(
                "the database '\(path)' is damaged: \(reason)",
                hint: "'spinweave-cache verify --repair' saves what is whole; the rest is computed again")
        case .failed(let path, let operation, let reason):
            Diagnostic("could not \(operation) in the store '\(path)': \(reason)")
        }
    }

    public var description: String { diagnostic.description }
}
