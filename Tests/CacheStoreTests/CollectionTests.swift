import Artifacts
import Foundation
import Tensors
import Testing

@testable import CacheStore

@Suite("Garbage collection removes what the policy lets go, and nothing else")
struct CollectionTests {
    let directory: TemporaryDirectory
    let store: Store
    static let day = 86_400.0

    init() throws {
        directory = try TemporaryDirectory()
        store = try Store.open(at: directory.store)
    }

    private func remaining() throws -> Set<String> {
        var steps: Set<String> = []
        try store.allRecords { record in
            steps.insert(record.step)
            return true
        }
        return steps
    }

    @Test("by age: old records go, artifacts shared with younger ones stay, and the file shrinks")
    func age() throws {
        let shared = Value.tensor(image(1000, count: 20_000))
        var batch = (0..<60).map {
            finishedStep(.tensor(image($0, count: 20_000)), node: "old", sample: $0, created: 0)
        }
        batch.append(finishedStep(shared, node: "old-shared", created: 0))
        batch.append(finishedStep(shared, node: "young", created: 100 * Self.day))
        try store.put(batch)
        let policy = CollectionPolicy(olderThanDays: 30)

        let plan = try store.collectGarbage(policy, now: 101 * Self.day, dryRun: true)
        #expect(plan.removedRecords == 61)
        #expect(plan.removedArtifacts == 60)
        #expect(try remaining().count == 62, "a dry run changes nothing")

        let done = try store.collectGarbage(policy, now: 101 * Self.day)
        #expect(done.removedRecords == 61)
        #expect(done.removedArtifacts == 60)
        #expect(done.removedBytes == plan.removedBytes)
        #expect(done.fileBytesAfter < done.fileBytesBefore / 4)
        #expect(try remaining() == ["young"])
        #expect(try store.value(for: shared.digest) == shared)
        #expect(try store.latestRecord(graph: "test", node: "old", sample: 3) == nil)
        #expect(try store.preimage(for: batch[0].record.key) == nil)
        // The store goes on working with the new files.
        try store.put(batch)
        #expect(try remaining().count == 62)
        #expect(try store.verify().isSound)
    }

    @Test("a record that a younger run used counts as young")
    func use() throws {
        let steps = (0..<4).map { finishedStep(.int($0), sample: $0, created: 0) }
        try store.put(steps)
        try store.putRun(
            id: "run-2", graph: "test", document: [], keys: [steps[1].record.key], finished: 100 * Self.day)
        _ = try store.collectGarbage(CollectionPolicy(olderThanDays: 30), now: 101 * Self.day)
        #expect(try remaining() == ["node#1"])
    }

    @Test("by runs: the last runs of each graph keep what they computed and what they used")
    func runs() throws {
        let used = finishedStep(.int(1), node: "used", run: "run-1")
        try store.put([
            used, finishedStep(.int(2), node: "unused", run: "run-1"),
            finishedStep(.int(3), node: "second", run: "run-2"),
            finishedStep(.int(4), node: "third", run: "run-3"),
            finishedStep(.int(5), graph: "other", node: "elsewhere", run: "run-0"),
        ])
        for run in 1...2 { try store.putRun(id: "run-\(run)", graph: "test", document: [], keys: []) }
        try store.putRun(id: "run-3", graph: "test", document: [], keys: [used.record.key])
        try store.putRun(id: "run-0", graph: "other", document: [])
        let done = try store.collectGarbage(CollectionPolicy(keepRuns: 1), now: 0)
        #expect(try remaining() == ["used", "third", "elsewhere"])
        #expect(done.removedRuns == 2)
        #expect(try store.runs().map(\.id) == ["run-0", "run-3"])
    }

    @Test("by size: what is cheapest to compute again for its bytes goes first")
    func size() throws {
        let steps = (0..<10).map {
            finishedStep(.tensor(image($0, count: 5000)), sample: $0, seconds: Double(($0 * 7) % 10 + 1))
        }
        try store.put(steps)
        let all = try store.usage(by: .node).total.storedBytes
        let done = try store.collectGarbage(CollectionPolicy(maxStoredBytes: all / 2), now: 0)
        #expect(done.keptBytes <= all / 2)
        // The images take nearly the same room, so the dearest stay: those with more than about half of ten seconds.
        let kept = try remaining().count
        #expect(kept == 4 || kept == 5)
        let dearest = steps.sorted { $0.record.seconds > $1.record.seconds }.prefix(kept).map(\.record.step)
        #expect(try remaining() == Set(dearest))
    }

    @Test("without a policy only what no record names goes")
    func unclaimed() throws {
        let orphan = finishedStep(.tensor(image(1)))
        try store.putBlobs([try #require(Store.prepare(orphan).blob)])
        try store.put([finishedStep(.int(1))])
        let done = try store.collectGarbage(CollectionPolicy(), now: 0)
        #expect(done.removedArtifacts == 1)
        #expect(done.removedRecords == 0)
        #expect(try store.holds([try #require(orphan.record.artifact)]) == [false])
    }

    @Test("a store is collected and made smaller while another program has it open")
    func busy() async throws {
        try store.put([finishedStep(.int(1), created: 100 * Self.day)])
        try store.put((0..<40).map { finishedStep(.tensor(image($0)), node: "old", sample: $0, created: 0) })
        let path = directory.store
        let before = store.fileBytes
        await #expect(processExitsWith: .success) { [path = path as String] in
            let store = try Store.open(at: path)
            _ = try store.collectGarbage(CollectionPolicy(olderThanDays: 1), now: 100 * 86_400)
        }
        // This program goes on with the new, smaller files.
        #expect(try remaining() == ["node"])
        #expect(store.fileBytes < before / 2)
        let step = finishedStep(.tensor(image(7)), node: "new")
        try store.put([step])
        #expect(try store.value(for: try #require(step.record.artifact)) == .tensor(image(7)))
        await #expect(processExitsWith: .success) { [path = path as String] in
            let record = try Store.open(at: path).latestRecord(graph: "test", node: "new", sample: nil)
            exit(record == nil ? 1 : 0)
        }
    }
}
