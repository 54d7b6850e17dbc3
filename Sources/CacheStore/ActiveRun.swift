import Artifacts
import Foundation
import Synchronization

/// A run in progress: what it notes here, no garbage collection removes until it ends.
///
/// The notes are a file `active/ID`, 32 bytes a digest, locked by the process: the file of a process that died is
/// unlocked, counts for nothing, and is removed by the next collection.
public final class ActiveRun: Sendable {
    public let id: String
    private let gate: Gate
    /// nil when the run has ended.
    private let file: Mutex<FileLock?>

    fileprivate init(id: String, file: FileLock, gate: Gate) {
        self.id = id
        self.gate = gate
        self.file = Mutex(file)
    }

    deinit { end() }

    /// Keeps steps (by key) or artifacts (by digest) with all that they name.
    ///
    /// To be sure that what was just looked up is still there, look up and note within one `Store.withoutCollection`.
    public func note(_ keys: [Digest]) throws(StoreError) {
        if keys.isEmpty { return }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32 * keys.count)
        for key in keys { key.append(to: &bytes) }
        let notes = bytes
        try gate.enter()
        defer { gate.leave() }
        try file.withLock { file throws(StoreError) in
            guard let file else {
                throw .failed(path: id, operation: "note what a run uses", reason: "the run has ended")
            }
            try file.append(notes)
        }
    }

    /// What the run used may be collected from now on, where nothing else keeps it.
    public func end() {
        file.withLock { file in
            if let file { unlink(file.path) }
            file = nil
        }
    }
}

extension Store {
    /// Announces a run, so that what it uses is kept.
    ///
    /// - Parameter id: the run's, as in `Record.run`; names a file.
    public func beginRun(id: String) throws(StoreError) -> ActiveRun {
        if access == .readOnly { throw .openedReadOnly(path: path) }
        let isName =
            !id.isEmpty && id.utf8.count <= 200 && !id.hasPrefix(".") && !id.contains { $0 == "/" || $0 == "\0" }
        guard isName else { throw .failed(path: path, operation: "begin the run '\(id)'", reason: "its id is no name") }
        let folder = path + "/active"
        if mkdir(folder, 0o755) != 0, errno != EEXIST {
            throw Environment.error(errno, path: path, operation: "write")
        }
        // A collector must not see the file before it is locked.
        try collectionGate.enter()
        defer { collectionGate.leave() }
        let file = try FileLock(path: "\(folder)/\(id)", writes: true)
        guard try file.take(.exclusive) else { throw .busy(path: path, reason: "a run '\(id)' is in progress") }
        // Perhaps that of a run that died.
        try file.truncate()
        return ActiveRun(id: id, file: file, gate: collectionGate)
    }

    /// What runs in progress keep.
    struct ActiveNotes {
        /// Every record of these runs is kept, noted or not.
        var runs: Set<String> = []
        /// Keys of steps and digests of artifacts.
        var digests: Set<Digest> = []
    }

    /// Reads the notes of all runs in progress, here and in other processes, and removes those of the dead.
    ///
    /// The caller holds the collection gate alone, or must not rely on the answer.
    ///
    /// - Parameter tidies: removes the files of runs that died.
    func activeNotes(tidies: Bool) throws(StoreError) -> ActiveNotes {
        var notes = ActiveNotes()
        let folder = path + "/active"
        guard Foundation.access(folder, F_OK) == 0 else { return notes }
        for id in try StoreDirectory.names(in: folder) where !id.hasPrefix(".") {
            let name = "\(folder)/\(id)"
            if Foundation.access(name, F_OK) != 0 { continue }
            let file: FileLock
            do throws(StoreError) {
                file = try FileLock(path: name, writes: false)
            } catch {
                // It ended just now.
                if Foundation.access(name, F_OK) != 0 { continue }
                throw error
            }
            if try file.take(.shared) {
                if tidies { unlink(name) }
                continue
            }
            notes.runs.insert(id)
            guard let bytes = FileManager.default.contents(atPath: name) else { continue }
            for start in stride(from: 0, to: bytes.count - bytes.count % 32, by: 32) {
                if let digest = Digest(bytes: bytes[start..<start + 32]) { notes.digests.insert(digest) }
            }
        }
        return notes
    }
}
