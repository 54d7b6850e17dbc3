import Artifacts
import Diagnostics
import Foundation
import Synchronization

/// What was computed before, by content: records by key, artifacts by digest, and the runs that used them.
///
/// Two LMDB environments lie under the store's directory: `meta` (records and what their keys are made of, runs) and `blobs`
/// (artifacts). Blobs are committed before the records that name them. LMDB does not notice decay, so each entry has a
/// checksum, and the structure of both files is checked on opening: damage is reported and computed anew, never
/// believed. A store may be used from many threads; one of them writes at a time.
public final class Store: Sendable {
    public enum Access: Sendable { case readWrite, readOnly }

    public let path: String
    public let access: Access
    let directory: StoreDirectory
    let meta: Environment
    let blobs: Environment
    let collectionGate: Gate
    let exchangeGate: Gate
    private let identity: String

    enum Table {
        static let records = "records"
        static let contexts = "contexts"
        static let templates = "templates"
        static let latest = "latest"
        static let runs = "runs"
        static let runKeys = "run-keys"
        static let fanouts = "fanouts"
        static let gatherings = "gatherings"
        static let pins = "pins"
        static let blobs = "blobs"
        static let epoch = "epoch"

        static let meta = [records, contexts, templates, latest, runs, runKeys, fanouts, gatherings, pins]
        static let blobsTables = [blobs, epoch]
    }

    /// Sizes of the maps: address space, not disk. Both grow when they are full.
    struct MapSizes {
        var meta = 2 << 30
        var blobs = 64 << 30
    }

    /// Opens the store in `path`; with `readWrite`, creates directory and store where missing.
    ///
    /// A process has at most one `Store` for a directory: opening it again gives the same one.
    public static func open(at path: String, access: Access = .readWrite) throws(StoreError) -> Store {
        try open(at: path, access: access, mapSizes: MapSizes())
    }

    static func open(
        at path: String, access: Access, mapSizes: MapSizes, fileSystem: UInt32? = nil
    ) throws(StoreError) -> Store {
        let identity = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        while true {
            switch openStores.withLock({ $0.claim(identity) }) {
            case .ours: break
            case .theirs(let store):
                if store.access == .readOnly, access == .readWrite {
                    throw .busy(path: path, reason: "this program reads it already")
                }
                return store
            case .closing:
                // The last user let go of it on another thread, and its files are being closed.
                usleep(1000)
                continue
            }
            do throws(StoreError) {
                let store = try Store(
                    path: path, identity: identity, access: access, mapSizes: mapSizes, fileSystem: fileSystem)
                openStores.withLock { $0.stores[identity] = OpenStores.Reference(store: store) }
                return store
            } catch {
                openStores.withLock { $0.stores[identity] = nil }
                throw error
            }
        }
    }

    private init(
        path: String, identity: String, access: Access, mapSizes: MapSizes, fileSystem: UInt32?
    ) throws(StoreError) {
        self.path = path
        self.identity = identity
        self.access = access
        directory = try StoreDirectory(path: path, access: access, fileSystem: fileSystem)
        collectionGate = Gate(store: path, for: .collection, mayWrite: access == .readWrite)
        exchangeGate = Gate(store: path, for: .exchange, mayWrite: access == .readWrite)
        meta = try Environment(
            path: path + "/meta", tables: Table.meta, access: access, mapSize: mapSizes.meta, deep: true,
            exchangeGate: exchangeGate)
        blobs = try Environment(
            path: path + "/blobs", tables: Table.blobsTables, access: access, mapSize: mapSizes.blobs,
            exchangeGate: exchangeGate)
        if access == .readWrite {
            try directory.writeFormat()
            directory.keepReserve()
        }
    }

    /// What the user should know of the place where the store lies; nil for a place that is known to be good.
    public var warning: Diagnostic? {
        guard directory.mayBeNetwork else { return nil }
        return Diagnostic(
            "the store '\(path)' lies on a FUSE file system, which may be a network",
            hint: "if another machine can reach it, put the store on a local disk with --store or SPINWEAVE_STORE")
    }

    deinit {
        meta.close()
        blobs.close()
        Self.openStores.withLock { $0.stores[identity] = nil }
    }

    /// LMDB allows an environment to be open once in a process.
    private struct OpenStores {
        struct Reference {
            /// nil while the store is being opened or closed.
            weak var store: Store?
        }

        enum Claim {
            case ours
            case theirs(Store)
            case closing
        }

        var stores: [String: Reference] = [:]

        mutating func claim(_ identity: String) -> Claim {
            guard let reference = stores[identity] else {
                stores[identity] = Reference(store: nil)
                return .ours
            }
            return reference.store.map(Claim.theirs) ?? .closing
        }
    }

    private static let openStores = Mutex(OpenStores())
}
