import Artifacts
import Foundation
import Tensors
import Testing

@testable import CacheStore

@Suite("A store grows and shrinks beside those who use it")
struct StoreLifeTests {
    let directory: TemporaryDirectory
    let store: Store
    static let day = 86_400.0

    init() throws {
        directory = try TemporaryDirectory()
        store = try Store.open(at: directory.store)
    }

    private func steps(_ range: Range<Int>, node: String = "node", created: Double = 0) -> [NewRecord] {
        range.map { finishedStep(.tensor(image($0)), node: node, sample: $0, created: created) }
    }

    @Test("a reader that never ends keeps what it sees, and does not keep the file from shrinking")
    func endlessReader() async throws {
        let old = steps(0..<80)
        try store.put(old)
        let path = directory.store
        let reading = directory.path + "/reading", done = directory.path + "/done"
        async let reader: Void = {
            await #expect(processExitsWith: .success) {
                [path = path as String, reading = reading as String, done = done as String] in
                let store = try Store.open(at: path, access: .readOnly)
                let count = try store.blobs.read { transaction throws(StoreError) in
                    _ = FileManager.default.createFile(atPath: reading, contents: nil)
                    while access(done, F_OK) != 0 { usleep(2000) }
                    var count = 0
                    try transaction.each(in: Store.Table.blobs) { key, sealed in
                        if Sealed.open(sealed, key: key) != nil { count += 1 }
                        return true
                    }
                    return count
                }
                // Its snapshot was whole all the time; afterwards it sees the new file.
                guard count == 160, try store.blobHeads().isEmpty else { exit(1) }
            }
        }()
        // The reader is another task, which may have to wait for this thread.
        while access(reading, F_OK) != 0 { try await Task.sleep(for: .milliseconds(2)) }
        let result = try store.collectGarbage(CollectionPolicy(olderThanDays: 1), now: 10 * Self.day)
        #expect(result.removedRecords == 80)
        #expect(result.fileBytesAfter < result.fileBytesBefore / 4)
        try store.put(steps(100..<110))
        _ = try store.collectGarbage(CollectionPolicy(olderThanDays: 1), now: 10 * Self.day)
        _ = FileManager.default.createFile(atPath: done, contents: nil)
        await reader
    }

    @Test("what was written while the copy was made is in it", arguments: [false, true])
    func catchUp(isLarge: Bool) throws {
        // Over 16 MB the copy is caught up, below it is made again. Squares of a Weyl sequence do not compress.
        var bytes = (0..<(isLarge ? 6_000_000 : 600_000)).map { (index: Int) -> UInt8 in
            let word = UInt64(index) &* 0x9E37_79B9_7F4A_7C15
            return UInt8(truncatingIfNeeded: (word &* word) >> 40)
        }
        let large = (0..<4).map { number in
            bytes[number] = 0
            return finishedStep(
                .tensor(Tensor<UInt8>(shape: [bytes.count], elements: bytes)), node: "large", sample: number)
        }
        try store.put(large)
        // Twice, so that the freed pages are no longer kept for a snapshot.
        for step in large.prefix(2) { try store.setAside(try #require(step.record.artifact)) }
        let late = steps(0..<3, node: "late")
        let epoch = try store.epoch()
        let isDone = try store.shrink(store.blobs, tables: Store.Table.blobsTables) { () throws(StoreError) in
            try store.put(late)
        }
        #expect(isDone)
        #expect(try store.epoch() == epoch)
        #expect(try store.verify().isSound)
        #expect(try store.holds(large.map { try #require($0.record.artifact) }) == [false, false, true, true])
        for (sample, step) in late.enumerated() {
            #expect(try store.value(for: try #require(step.record.artifact)) == .tensor(image(sample)))
        }
    }

    @Test("a collector killed at any moment leaves a sound store", arguments: [3, 15, 40, 80, 130, 200])
    func killedCollector(milliseconds: Int) async throws {
        let path = directory.store
        let kept = steps(0..<20, node: "kept", created: 100 * Self.day)
        try store.put(kept)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, milliseconds = milliseconds as Int] in
            let store = try Store.open(at: path)
            Thread.detachNewThread {
                usleep(UInt32(milliseconds) * 1000)
                kill(getpid(), SIGKILL)
            }
            for round in 0... {
                try store.put(
                    (0..<40).map { finishedStep(.tensor(image($0)), node: "\(round)", sample: $0, created: 0) })
                _ = try store.collectGarbage(CollectionPolicy(olderThanDays: 1), now: 100 * 86_400)
            }
        }
        for (sample, step) in kept.enumerated() {
            #expect(try store.records(for: [step.record.key]) == [step.record])
            #expect(try store.value(for: try #require(step.record.artifact)) == .tensor(image(sample)))
        }
        let verification = try store.verify()
        #expect(verification.isSound)
        #expect(verification.missingArtifacts == [], "a record never outlives its artifact")
        // The same for one that opens it anew.
        await #expect(processExitsWith: .success) { [path = path as String] in
            let verification = try Store.open(at: path).verify()
            #expect(verification.isSound && verification.missingArtifacts == [])
        }
        _ = try store.collectGarbage(CollectionPolicy(olderThanDays: 1), now: 100 * Self.day)
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        #expect(!names.contains { $0.hasSuffix(".new") }, "the next collector cleans up")
        let left = try store.usage(by: .node)
        #expect(left.total.records == 20, "\(left.rows.map { ($0.name, $0.records) })")
    }

    @Test("a run in one process loses nothing to a collector in another")
    func runBesideCollector() async throws {
        let path = directory.store, done = directory.path + "/done"
        async let collector: Void = {
            await #expect(processExitsWith: .success) { [path = path as String, done = done as String] in
                let store = try Store.open(at: path)
                for round in 0... {
                    if access(done, F_OK) == 0 { break }
                    try store.put(
                        (0..<30).map { finishedStep(.tensor(image($0, count: 2000)), node: "\(round)", sample: $0) })
                    _ = try store.collectGarbage(CollectionPolicy(maxStoredBytes: 0), now: 0)
                }
            }
        }()
        do {
            let old = steps(1000..<1010, node: "old")
            let run = try store.beginRun(id: "mine")
            try store.withoutCollection {
                try store.put(old)
                try run.note(old.map(\.record.key))
            }
            let new = (0..<60).map {
                finishedStep(.tensor(image($0, count: 2000)), node: "mine", sample: $0, run: "mine")
            }
            for start in stride(from: 0, to: 60, by: 4) {
                try store.put(Array(new[start..<start + 4]))
                for step in new[..<(start + 4)] {
                    #expect(try store.records(for: [step.record.key]) == [step.record])
                    let artifact = try #require(step.record.artifact)
                    #expect(try store.value(for: artifact)?.digest == artifact)
                }
            }
            for step in old { #expect(try store.holds([try #require(step.record.artifact)]) == [true]) }
            run.end()
        } catch {
            Issue.record(error)
        }
        _ = FileManager.default.createFile(atPath: done, contents: nil)
        await collector
        _ = try store.collectGarbage(CollectionPolicy(maxStoredBytes: 0), now: 0)
        #expect(try store.usage(by: .node).total.records == 0)
        #expect(try store.verify().isSound)
    }

    // MARK: Pins, limits, fan-outs

    @Test("what is pinned stays, whatever the policy, until it is unpinned")
    func pins() throws {
        let all = steps(0..<10)
        try store.put(all)
        let pin = Pin(
            name: "paper", subject: "node", created: 5,
            digests: [all[2].record.key, try #require(all[7].record.artifact)])
        try store.pin(pin)
        #expect(try store.pins() == [pin])
        let everything = CollectionPolicy(olderThanDays: 1, maxStoredBytes: 0)
        let done = try store.collectGarbage(everything, now: 10 * Self.day)
        #expect(done.pinnedRecords == 2)
        #expect(try store.records(for: all.map(\.record.key)).map { $0 != nil } == (0..<10).map { $0 == 2 || $0 == 7 })
        for index in [2, 7] { #expect(try store.holds([try #require(all[index].record.artifact)]) == [true]) }
        #expect(try store.unpin("paper"))
        #expect(try !store.unpin("paper"))
        #expect(try store.collectGarbage(everything, now: 10 * Self.day).keptRecords == 0)
    }

    @Test("a run that is dropped takes with it what only it used")
    func dropRun() throws {
        let (shared, own, other) = (
            finishedStep(.int(1), node: "shared", run: "run-1"), finishedStep(.int(2), node: "own", run: "run-1"),
            finishedStep(.int(3), node: "other", run: "run-2")
        )
        try store.put([shared, own, other])
        try store.putRun(id: "run-1", graph: "test", document: [], keys: [shared.record.key, own.record.key])
        try store.putRun(id: "run-2", graph: "test", document: [], keys: [shared.record.key, other.record.key])
        let use = try store.usage(by: .run)
        #expect(use.rows.map(\.name).sorted() == ["run-1", "run-2"])
        #expect(use.rows.allSatisfy { $0.artifacts == 2 && $0.ownBytes > 0 && $0.ownBytes < $0.storedBytes })
        let done = try store.collectGarbage(CollectionPolicy(dropRuns: ["run-1"]), now: 0)
        #expect(done.removedRuns == 1)
        #expect(
            try store.records(for: [shared, own, other].map(\.record.key)).map { $0 != nil } == [true, false, true])
        #expect(try store.runs().map(\.id) == ["run-2"])
    }

    @Test("the limit of the settings is kept, and only when it is exceeded")
    func limit() throws {
        try store.put((0..<60).map { finishedStep(.tensor(image($0)), sample: $0, seconds: Double($0 + 1)) })
        #expect(try store.enforceLimit(now: 0) == nil, "no limit, nothing done")
        let limit = store.fileBytes * 2 / 3
        try store.set(StoreSettings(limit: limit))
        let done = try #require(try store.enforceLimit(now: 0))
        #expect(done.removedRecords > 0)
        #expect(store.fileBytes <= limit)
        #expect(try store.enforceLimit(now: 0) == nil)
        // The dearest stay.
        #expect(try store.latestRecord(graph: "test", node: "node", sample: 59) != nil)
        #expect(try store.latestRecord(graph: "test", node: "node", sample: 0) == nil)
        try store.set(StoreSettings())
        #expect(try store.settings().limit == nil)
        try "limit lots\n".write(toFile: directory.store + "/settings", atomically: true, encoding: .utf8)
        #expect(throws: StoreError.self) { try store.settings() }
    }

    @Test("a fan-out with a member gone is not believed, one that is whole is, after a collection too")
    func fanouts() throws {
        let epoch = try store.epoch()
        let old = steps(0..<4, node: "old"), young = steps(4..<8, node: "young", created: 100 * Self.day)
        try store.put(old + young)
        func fanout(_ steps: [NewRecord]) throws -> (key: Digest, fanout: Fanout) {
            let members = try steps.map {
                Fanout.Member(key: $0.record.key, result: try #require($0.record.artifact))
            }
            return (
                Digest(of: steps[0].record.node.utf8),
                Fanout(level: .chunk, epoch: epoch, steps: 4, bytes: 0, facts: [], members: members)
            )
        }
        let both = try [fanout(old), fanout(young)]
        // The run used both, and so keeps the members of the broken one known.
        try store.putRun(id: "run-1", graph: "test", document: [], keys: both.map(\.key), finished: 0, fanouts: both)
        #expect(try store.fanouts(for: both.map(\.key), epoch: epoch).allSatisfy { $0 != nil })
        _ = try store.collectGarbage(CollectionPolicy(olderThanDays: 30), now: 101 * Self.day)
        let after = try store.epoch()
        #expect(after != epoch)
        #expect(try store.fanouts(for: both.map(\.key), epoch: epoch) == [nil, nil])
        #expect(try store.fanouts(for: both.map(\.key), epoch: after).map { $0 != nil } == [false, true])
        #expect(try store.recordKeys(ofRun: "run-1")?.count == 8)
        // Damage that is set aside is no longer believed either, not even by who knows the epoch.
        try store.setAside(try #require(young[1].record.artifact))
        #expect(try store.fanouts(for: both.map(\.key), epoch: after) == [nil, nil])
    }

    @Test("a clock that goes back does not go back for the store, and nothing new is taken for old")
    func clock() throws {
        let noon = 1_800_000_000.0
        let first = try store.moment(noon)
        let second = try store.moment(noon - 50 * Self.day)
        let third = try store.moment(noon - 50 * Self.day)
        #expect(first == noon)
        #expect(first < second && second < third && third < noon + 1)
        try store.put([finishedStep(.int(1), created: third)])
        // The clock is wrong still, then right: the record is from the future, then from today.
        for now in [noon - 50 * Self.day, noon + Self.day] {
            #expect(try store.collectGarbage(CollectionPolicy(olderThanDays: 30), now: now).keptRecords == 1)
        }
        let path = directory.store
        #expect(try Store.open(at: path, access: .readOnly).moment(0) > third)
        try "no time".write(toFile: path + "/clock", atomically: true, encoding: .utf8)
        #expect(try store.moment(noon) == noon)
    }
}
