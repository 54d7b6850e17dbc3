import Artifacts
import Foundation
import Testing

@testable import CacheStore

@Suite("Claims: a step is computed by one program at a time, and the dead claim nothing")
struct ClaimTests {
    let directory: TemporaryDirectory
    let store: Store
    let keys = (0..<256).map { Digest(of: [UInt8($0)]) }

    init() throws {
        directory = try TemporaryDirectory()
        store = try Store.open(at: directory.store)
    }

    @Test("two runs of one process exclude each other")
    func oneProcess() throws {
        let first = try store.claims()
        let second = try store.claims()
        for key in keys { #expect(try first.take(key)) }
        for key in keys { #expect(try !second.take(key)) }
        #expect(try first.take(keys[7]), "its own key is no obstacle")
        first.release(keys[7])
        #expect(try second.take(keys[7]))
        #expect(try !first.take(keys[7]))
        first.releaseAll()
        for key in keys { #expect(try second.take(key)) }
    }

    @Test("claims end with the object that holds them")
    func scope() throws {
        do {
            let claims = try store.claims()
            #expect(try claims.take(keys[0]))
        }
        #expect(try store.claims().take(keys[0]))
    }

    @Test("another process is excluded, and its claims end when it is killed")
    func twoProcesses() async throws {
        let path = directory.store
        let mine = try store.claims()
        #expect(try mine.take(keys[0]))
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let claims = try Store.open(at: path).claims()
            let isRight = try !claims.take(Digest(of: [0])) && claims.take(Digest(of: [1]))
            kill(getpid(), isRight ? SIGKILL : SIGTERM)
            while true { pause() }
        }
        #expect(try mine.take(keys[1]))
    }

    @Test("keys that differ only in their first two bits share a claim; that is harmless, and other bits count")
    func offsets() throws {
        func key(_ first: UInt8, _ eighth: UInt8) throws -> Digest {
            var bytes = Array(repeating: UInt8(0), count: 32)
            bytes[0] = first
            bytes[7] = eighth
            return try #require(Digest(bytes: bytes))
        }
        let claims = try store.claims()
        let others = try store.claims()
        #expect(try claims.take(key(255, 255)))
        #expect(try !others.take(key(63, 255)))
        #expect(try others.take(key(255, 254)))
        #expect(try others.take(key(62, 255)))
    }
}

@Suite("Runs in progress: what they note is kept until they end")
struct ActiveRunTests {
    let directory: TemporaryDirectory
    let store: Store

    init() throws {
        directory = try TemporaryDirectory()
        store = try Store.open(at: directory.store)
    }

    @Test("notes are read while the run lasts, and not after")
    func notes() throws {
        let keys = (0..<1000).map { Digest(of: [UInt8($0 & 255), UInt8($0 >> 8)]) }
        let run = try store.beginRun(id: "20260101-000000-1")
        try run.note(Array(keys[..<10]))
        try run.note(Array(keys[10...]))
        let notes = try store.activeNotes(tidies: true)
        #expect(notes.digests == Set(keys))
        #expect(notes.runs == ["20260101-000000-1"])
        #expect(throws: StoreError.self) { try store.beginRun(id: "20260101-000000-1") }
        run.end()
        #expect(try store.activeNotes(tidies: true).runs == [])
        #expect(throws: StoreError.self) { try run.note(keys) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.store + "/active") == [])
    }

    @Test("the notes of a process that died count for nothing")
    func dead() async throws {
        let path = directory.store
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let run = try Store.open(at: path).beginRun(id: "dead")
            try run.note([Digest(of: [1])])
            kill(getpid(), SIGKILL)
        }
        #expect(FileManager.default.fileExists(atPath: path + "/active/dead"))
        #expect(try store.activeNotes(tidies: true).digests == [])
        #expect(!FileManager.default.fileExists(atPath: path + "/active/dead"))
        // The id may be used again, from nothing.
        let run = try store.beginRun(id: "dead")
        #expect(try store.activeNotes(tidies: true).digests == [])
        run.end()
    }

    @Test(
        "an id that is no file name is refused", arguments: ["", "a/b", ".hidden", String(repeating: "x", count: 201)])
    func names(id: String) {
        #expect(throws: StoreError.self) { try store.beginRun(id: id) }
    }

    @Test("holders do not wait for each other, and a collector waits for all of them")
    func gate() throws {
        let order = Order()
        let store = store
        try store.withoutCollection {
            try store.withoutCollection {}
            Thread.detachNewThread {
                do {
                    try store.collectionGate.alone { order.add("collector") }
                } catch {
                    Issue.record(error)
                }
                order.add("done")
            }
            usleep(20_000)
            try store.withoutCollection { order.add("holder") }
        }
        while order.all.last != "done" { usleep(1000) }
        #expect(order.all == ["holder", "collector", "done"])
    }

    @Test("the epoch changes with every removal, and only then")
    func epoch() throws {
        let first = try store.epoch()
        #expect(try store.epoch() == first)
        let step = finishedStep(.tensor(image(1)))
        try store.put([step])
        #expect(try store.epoch() == first)
        try store.setAside(try #require(step.record.artifact))
        let second = try store.epoch()
        #expect(second != first)
        let orphan = finishedStep(.tensor(image(2)))
        try store.putBlobs([try #require(Store.prepare(orphan).blob)])
        _ = try store.collectGarbage(CollectionPolicy(), now: 0)
        #expect(try store.epoch() != second)
        let third = try store.epoch()
        _ = try store.collectGarbage(CollectionPolicy(), now: 0)
        #expect(try store.epoch() == third, "nothing was removed")
    }

    @Test("a lost blobs file does not keep its epoch")
    func lostBlobs() throws {
        let path = directory.path + "/other"
        let before = try Store.open(at: path).epoch()
        try FileManager.default.removeItem(atPath: path + "/blobs")
        #expect(try Store.open(at: path).epoch() != before)
    }
}

/// What happened, in order, from any thread.
final class Order: @unchecked Sendable {
    private let lock = NSLock()
    private var events: [String] = []

    func add(_ event: String) { lock.withLock { events.append(event) } }
    var all: [String] { lock.withLock { events } }
}
