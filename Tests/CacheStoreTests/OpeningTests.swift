import Artifacts
import Foundation
import Tensors
import Testing

@testable import CacheStore

/// A tmpfs of its own, for what a directory of the build machine cannot show.
final class SmallDisk {
    static var isPossible: Bool { geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/bin/mount") }

    let path: String

    init(path: String, megabytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Self.run("/bin/mount", ["-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", path])
    }

    deinit {
        do {
            try Self.run("/bin/umount", ["-l", path])
        } catch {
            Issue.record("could not unmount \(path): \(error)")
        }
    }

    func makeReadOnly() throws { try Self.run("/bin/mount", ["-o", "remount,ro", path]) }

    private struct Failed: Error { var command: [String] }

    private static func run(_ program: String, _ arguments: [String]) throws {
        let process = try Process.run(URL(fileURLWithPath: program), arguments: arguments)
        process.waitUntilExit()
        if process.terminationStatus != 0 { throw Failed(command: [program] + arguments) }
    }
}

@Suite("Opening: one clear message for whatever is not a store that can be used")
struct OpeningTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func message(_ open: () throws -> Store) -> String? {
        do {
            _ = try open()
            return nil
        } catch {
            return (error as? StoreError)?.diagnostic.message
        }
    }

    @Test("reading where there is no store")
    func missing() throws {
        #expect(
            message { try Store.open(at: directory.store, access: .readOnly) }
                == "there is no store in '\(directory.store)'")
        // The default directory of a fresh checkout: only its description.
        try FileManager.default.createDirectory(atPath: directory.store, withIntermediateDirectories: true)
        try "what this is".write(toFile: directory.store + "/README.md", atomically: true, encoding: .utf8)
        #expect(
            message { try Store.open(at: directory.store, access: .readOnly) }
                == "there is no store in '\(directory.store)'")
        #expect(message { try Store.open(at: directory.store) } == nil)
    }

    @Test("a directory of something else is left alone")
    func foreign() throws {
        try "1,2,3".write(toFile: directory.path + "/data.csv", atomically: true, encoding: .utf8)
        #expect(
            message { try Store.open(at: directory.path) }
                == "'\(directory.path)' is not a Spinweave store: it holds 'data.csv'")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["data.csv"])
    }

    @Test("a store of a later version is refused")
    func newerFormat() throws {
        _ = try Store.open(at: directory.store)
        try "spinweave store\nformat 3\n".write(toFile: directory.store + "/FORMAT", atomically: true, encoding: .utf8)
        for access in [Store.Access.readOnly, .readWrite] {
            #expect(
                message { try Store.open(at: directory.store, access: access) }
                    == "the store '\(directory.store)' has format 3, and this program knows formats up to 2")
        }
    }

    @Test("a store of an earlier version is refused, and left as it is")
    func olderFormat() throws {
        _ = try Store.open(at: directory.store)
        let format = directory.store + "/FORMAT"
        try "spinweave store\nformat 1\n".write(toFile: format, atomically: true, encoding: .utf8)
        for access in [Store.Access.readOnly, .readWrite] {
            #expect(
                message { try Store.open(at: directory.store, access: access) }
                    == "the store '\(directory.store)' has format 1 of an earlier Spinweave; "
                    + "this program works with format 2")
        }
        #expect(try String(contentsOfFile: format, encoding: .utf8) == "spinweave store\nformat 1\n")
    }

    @Test("a FORMAT file of something else is refused")
    func otherFormatFile() throws {
        _ = try Store.open(at: directory.store)
        try "PDF 1.7".write(toFile: directory.store + "/FORMAT", atomically: true, encoding: .utf8)
        #expect(
            message { try Store.open(at: directory.store) }
                == "'\(directory.store)' is not a Spinweave store: it holds a FORMAT file of something else")
    }

    @Test("a store opened for reading cannot be changed")
    func openedReadOnly() throws {
        _ = try Store.open(at: directory.store)
        let store = try Store.open(at: directory.store, access: .readOnly)
        let expected = StoreError.openedReadOnly(path: directory.store)
        #expect(throws: expected) { try store.put([finishedStep(.int(1))]) }
        #expect(throws: expected) { try store.collectGarbage(CollectionPolicy(), now: 0) }
        #expect(throws: expected) { try store.verify(repair: true) }
    }

    @Test("the file system under the tests is not taken for a network")
    func localFileSystem() {
        let kind = StoreDirectory.fileSystem(at: directory.path)
        #expect(kind != 0)
        #expect(StoreDirectory.networkFileSystem(kind) == nil)
    }

    @Test(
        "a network file system is refused before anything is made there",
        arguments: [(UInt32(0x6969), "NFS"), (0xFF53_4D42, "CIFS"), (0xFE53_4D42, "SMB2"), (0x0BD0_0BD0, "Lustre")])
    func networkFileSystem(kind: UInt32, name: String) {
        #expect(throws: StoreError.networkFileSystem(path: directory.store, kind: name)) {
            try Store.open(at: directory.store, access: .readWrite, mapSizes: .init(), fileSystem: kind)
        }
        #expect(!FileManager.default.fileExists(atPath: directory.store + "/meta"))
    }

    @Test("a file system that may be a network is used, with a warning")
    func fuse() throws {
        let store = try Store.open(at: directory.store, access: .readWrite, mapSizes: .init(), fileSystem: 0x6573_5546)
        #expect(
            store.warning?.message
                == "the store '\(directory.store)' lies on a FUSE file system, which may be a network")
        let local = try Store.open(at: directory.path + "/local")
        #expect(local.warning == nil)
    }

    @Test("a store that was moved goes on where it is")
    func moved() throws {
        let step = finishedStep(.tensor(image(1)))
        do {
            try Store.open(at: directory.store).put([step])
        }
        try FileManager.default.moveItem(atPath: directory.store, toPath: directory.path + "/moved")
        let store = try Store.open(at: directory.path + "/moved")
        #expect(try store.records(for: [step.record.key]) == [step.record])
        #expect(try store.value(for: try #require(step.record.artifact)) == .tensor(image(1)))
    }

    @Test("a store that is moved while it is in use is read on, and refuses to write into nowhere")
    func movedWhileOpen() throws {
        let step = finishedStep(.tensor(image(1)))
        let store = try Store.open(at: directory.store)
        try store.put([step])
        try FileManager.default.moveItem(atPath: directory.store, toPath: directory.path + "/moved")
        #expect(try store.value(for: try #require(step.record.artifact)) == .tensor(image(1)))
        #expect(throws: StoreError.self) { try store.put([finishedStep(.int(2))]) }
        try FileManager.default.moveItem(atPath: directory.path + "/moved", toPath: directory.store)
        try store.put([finishedStep(.int(2))])
        #expect(try store.verify().isSound)
    }

    @Test(
        "a store on a disk that cannot be written is read",
        .enabled(if: SmallDisk.isPossible, "mounting needs the superuser"))
    func readOnlyDisk() throws {
        let disk = try SmallDisk(path: directory.path + "/disk", megabytes: 16)
        let step = finishedStep(.tensor(image(1)))
        do {
            try Store.open(at: disk.path).put([step])
        }
        try disk.makeReadOnly()
        let refusal = message { try Store.open(at: disk.path) }
        #expect(refusal == "no permission to write the store '\(disk.path)'")
        let store = try Store.open(at: disk.path, access: .readOnly)
        #expect(try store.value(for: try #require(step.record.artifact)) == .tensor(image(1)))
    }

    @Test(
        "a full disk is a clear error, and what was stored before is kept",
        .enabled(if: SmallDisk.isPossible, "mounting needs the superuser"))
    func fullDisk() throws {
        let disk = try SmallDisk(path: directory.path + "/disk", megabytes: 6)
        var stored: [NewRecord] = []
        var refusal: StoreError?
        do {
            let store = try Store.open(at: disk.path)
            for sample in 0..<200 {
                let step = finishedStep(.tensor(image(sample, count: 30_000)), sample: sample)
                do {
                    try store.put([step])
                    stored.append(step)
                } catch {
                    refusal = error
                    break
                }
            }
            guard case .diskFull? = refusal else {
                Issue.record("expected a full disk, got \(String(describing: refusal))")
                return
            }
            // It still answers, and takes more once there is room.
            #expect(try store.records(for: stored.map(\.record.key)) == stored.map(\.record))
        }
        try emptied(disk, stored)
    }

    /// Collecting garbage is the way out of a full disk: it must not need room.
    private func emptied(_ disk: SmallDisk, _ stored: [NewRecord]) throws {
        let store = try Store.open(at: disk.path)
        #expect(try store.records(for: stored.map(\.record.key)) == stored.map(\.record))
        let verification = try store.verify()
        #expect(verification.isSound)
        #expect(verification.missingArtifacts == [])
        #expect(!stored.isEmpty)
        let done = try store.collectGarbage(CollectionPolicy(maxStoredBytes: 500_000), now: 0)
        #expect(done.removedRecords > 0)
        try store.put([finishedStep(.tensor(image(1000, count: 30_000)), node: "after")])
        #expect(try store.verify().isSound)
    }
}

@Suite("Every error of the store says what, where and what now")
struct StoreErrorTests {
    @Test("texts")
    func texts() {
        let digest = Digest(of: [1])
        let errors: [(StoreError, String)] = [
            (.missing(path: "c"), "there is no store in 'c'"),
            (.foreign(path: "c", found: "'x'"), "'c' is not a Spinweave store: it holds 'x'"),
            (
                .newerFormat(path: "c", found: 3, known: 2),
                "the store 'c' has format 3, and this program knows formats up to 2"
            ),
            (
                .olderFormat(path: "c", found: 1, known: 2),
                "the store 'c' has format 1 of an earlier Spinweave; this program works with format 2"
            ),
            (
                .networkFileSystem(path: "c", kind: "NFS"),
                "the store 'c' lies on a network file system (NFS), where its locks and maps are not safe"
            ),
            (.noPermission(path: "c", operation: "write"), "no permission to write the store 'c'"),
            (.openedReadOnly(path: "c"), "the store 'c' was opened for reading only, and cannot be changed"),
            (.busy(path: "c", reason: "r"), "the store 'c' is in use: r"),
            (.diskFull(path: "c", operation: "write"), "the disk is full: could not write in 'c'"),
            (.damaged(digest, reason: "r"), "the stored artifact \(digest.short) is damaged: r"),
            (.damagedStructure(path: "c", reason: "r"), "the database 'c' is damaged: r"),
            (.failed(path: "c", operation: "write", reason: "r"), "could not write in the store 'c': r"),
        ]
        for (error, message) in errors {
            #expect(error.diagnostic.message == message)
            #expect(error.description.hasPrefix("error: \(message)"))
        }
    }
}
