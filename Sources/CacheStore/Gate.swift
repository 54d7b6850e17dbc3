import Foundation
import Synchronization

/// Lets many in together, or one alone, over all processes that use the store.
///
/// Those who share never wait for each other. Who wants to be alone stops new ones at the door and so gets its turn. A
/// gate may be entered again by who is inside; who is inside must not ask to be alone.
final class Gate: Sendable {
    /// What a gate is for: which bytes of the lock file it takes.
    enum Purpose: Int, Sendable {
        /// Looking up what is known, against a garbage collection.
        case collection = 1
        /// Writing, against the exchange of a file for a smaller one.
        case exchange = 3
    }

    private struct State {
        var holders = 0
        var file: FileLock?
    }

    /// Who is inside, or alone, takes seconds; minutes mean that something hangs.
    private static let patience = 120.0

    /// The store's directory; its file LOCK holds the locks.
    private let store: String
    private let purpose: Purpose
    private let mayWrite: Bool
    private let state = Mutex(State())

    init(store: String, for purpose: Purpose, mayWrite: Bool) {
        self.store = store
        self.purpose = purpose
        self.mayWrite = mayWrite
    }

    private var path: String { store + "/LOCK" }
    private var door: Int { purpose.rawValue }
    private var room: Int { purpose.rawValue + 1 }

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

    /// nil where there can be no lock, and so nobody to exclude.
    private func shared() throws(StoreError) -> FileLock? {
        if !mayWrite, access(path, R_OK) != 0 { return nil }
        let file = try FileLock(path: path, writes: mayWrite)
        // As on a disk that can only be read, where nobody collects or exchanges either.
        if !mayWrite, !file.isLockable { return nil }
        let reason = "another program is \(purpose == .collection ? "collecting garbage in it" : "making it smaller")"
        let busy = StoreError.busy(path: store, reason: reason)
        try file.wait(.shared, at: door, seconds: Self.patience, orElse: busy)
        try file.wait(.shared, at: room, seconds: Self.patience, orElse: busy)
        file.release(at: door)
        return file
    }

    /// Calls `body` while nobody is inside, in this process or another.
    func alone<T>(_ body: () throws(StoreError) -> T) throws(StoreError) -> T {
        let file = try FileLock(path: path, writes: true)
        let busy = StoreError.busy(path: store, reason: "a program that uses it does not answer")
        try file.wait(.exclusive, at: door, seconds: Self.patience, orElse: busy)
        try file.wait(.exclusive, at: room, seconds: Self.patience, orElse: busy)
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
