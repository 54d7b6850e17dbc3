import Foundation
import Synchronization

/// Keeps garbage collection out for a moment; collections keep everyone out for the time of their sweep.
///
/// Shared holders never wait for each other. A collector that waits stops new ones at the door, so that it gets its turn.
/// The gate may be entered again by who is inside; a collector must not be inside.
final class CollectionGate: Sendable {
    private struct State {
        var holders = 0
        var file: FileLock?
    }

    private static let door = 1
    private static let room = 2
    /// A sweep takes seconds; a minute means that something hangs.
    private static let patience = 60.0
    private static let sweeping = "another program is collecting garbage in it"

    private let path: String
    private let mayWrite: Bool
    private let state = Mutex(State())

    /// - Parameter path: the file that holds the locks.
    init(path: String, mayWrite: Bool) {
        self.path = path
        self.mayWrite = mayWrite
    }

    func enter() throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            if state.holders == 0 { state.file = try shared() }
            state.holders += 1
        }
    }

    func leave() {
        state.withLock { state in
            state.holders -= 1
            if state.holders == 0 { state.file = nil }
        }
    }

    private func shared() throws(StoreError) -> FileLock? {
        // Nobody collects garbage in a store that has no lock file and where none can be made.
        if !mayWrite, access(path, R_OK) != 0 { return nil }
        let file = try FileLock(path: path, writes: mayWrite)
        try file.wait(.shared, at: Self.door, seconds: Self.patience, reason: Self.sweeping)
        try file.wait(.shared, at: Self.room, seconds: Self.patience, reason: Self.sweeping)
        file.release(at: Self.door)
        return file
    }

    /// Calls `body` while nobody is inside, in this process or another.
    func alone<T>(_ body: () throws(StoreError) -> T) throws(StoreError) -> T {
        let file = try FileLock(path: path, writes: true)
        try file.wait(.exclusive, at: Self.door, seconds: Self.patience, reason: Self.sweeping)
        try file.wait(
            .exclusive, at: Self.room, seconds: Self.patience, reason: "a run looks up what is known and does not end")
        return try body()
    }
}

extension Store {
    /// Calls `body` while no garbage is collected, by this program or another: what it finds in the store is still there
    /// when it notes it (`ActiveRun.note`).
    ///
    /// Keep it short: a collector waits. Holders do not wait for each other, and calls may be nested.
    public func withoutCollection<T>(_ body: () throws -> T) throws -> T {
        try collectionGate.enter()
        defer { collectionGate.leave() }
        return try body()
    }
}
