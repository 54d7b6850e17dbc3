import Artifacts
import Foundation
import Tensors
import Testing

@testable import CacheStore

/// A directory that goes away with the test.
final class TemporaryDirectory {
    let path: String

    init() throws {
        let base = FileManager.default.temporaryDirectory.path
        path = base + "/spinweave-store-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            Issue.record("could not remove \(path): \(error)")
        }
    }

    var store: String { path + "/store" }
}

/// A finished step for tests: its key follows from node, sample and salt.
func finishedStep(
    _ value: Value?, graph: String = "test", node: String = "node", sample: Int? = nil, stage: String = "stage",
    salt: String = "", seconds: Double = 1, run: String = "run-1", created: Double = 1000
) -> NewRecord {
    let template = Value.record(["stage": .string(stage), "node": .string(node), "salt": .string(salt)]).encoded().bytes
    let encoded = value?.encoded()
    let outcome: Record.Outcome =
        encoded.map { .done(artifact: Digest(of: $0.bytes), bytes: $0.bytes.count) }
        ?? .failed(message: "the Hamiltonian is not positive definite")
    let record = Record(
        identity: StepIdentity(
            template: Digest(of: template), inputs: ["spectrum": Digest(of: [1]), "mask": Digest(of: [2])],
            sample: sample, point: Value.double(seconds).encoded().bytes),
        graph: graph, node: node, stage: stage, stageVersion: 1, sample: sample, outcome: outcome, seconds: seconds,
        executor: "cpu", machine: "x86_64 avx512", programVersion: "1.0", run: run, created: created,
        summary: [1, 2, 3])
    return NewRecord(record: record, template: template, artifact: encoded)
}

/// A reproducible image that does not compress to nothing: a Lorentzian line with scatter of a linear congruence.
func image(_ seed: Int, count: Int = 10_000) -> Tensor<Float> {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    return Tensor(
        shape: [count],
        elements: (0..<count).map { index in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let x = Float(index) / Float(count) - 0.5
            return 1 / (1 + 100 * x * x) + Float(state >> 40) * 1e-10
        })
}

@Suite("What goes into the store comes out of it")
struct StoreTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    static let values: [(String, Value)] = [
        ("none", .none), ("bool", .bool(true)), ("int", .int(-7)), ("double", .double(-0.0)),
        ("nan", .double(Double(bitPattern: 0x7FF8_0000_0000_1234))), ("string", .string("S⊥ ∥ Å⁻¹")),
        ("bytes", .bytes([0, 255, 10])), ("list", .list([.int(1), .list([]), .string("")])),
        ("digest", .digest(Digest(of: [1, 2, 3]))), ("scalar", .tensor(Tensor<Double>(shape: [], elements: [.pi]))),
        ("empty", .tensor(Tensor<Float>(shape: [0, 3], elements: []))),
        ("uint8", .tensor(Tensor<UInt8>(shape: [1000], elements: (0..<1000).map { UInt8($0 % 251) }))),
        ("int32", .tensor(.int32(Tensor(shape: [10, 100], elements: (0..<1000).map { $0 * $0 - 500 })))),
        ("int64", .tensor(.int64(Tensor(shape: [1000], elements: (0..<1000).map { Int64.min + $0 })))),
        ("float32", .tensor(image(1))),
        // More than one piece, and an element size that does not divide where the pieces are cut.
        ("large", .tensor(Tensor<Double>(shape: [140_001], elements: (0..<140_001).map { sin(Double($0) / 1000) }))),
        (
            "record",
            .record([
                "a": .tensor(image(2, count: 280_000)), "b": .tensor(image(3, count: 7)), "name": .string("dimer"),
                "c": .list([.tensor(image(4, count: 300)), .tensor(image(5, count: 301))]),
            ])
        ),
    ]

    @Test("every kind of value", arguments: StoreTests.values.map(\.0))
    func roundTrip(name: String) throws {
        let value = try #require(Self.values.first { $0.0 == name }).1
        let step = finishedStep(value)
        let digest = try #require(step.record.artifact)
        do {
            let store = try Store.open(at: directory.store)
            #expect(try store.holds([digest]) == [false])
            #expect(try store.value(for: digest) == nil)
            try store.put([step])
            #expect(try store.holds([digest, Digest(of: [9])]) == [true, false])
        }
        // Again from the disk.
        let store = try Store.open(at: directory.store, access: .readOnly)
        let back = try #require(try store.value(for: digest))
        #expect(back.encoded().bytes == value.encoded().bytes)
        #expect(try store.records(for: [step.record.key]) == [step.record])
        let preimage = try Value(decoding: try #require(try store.preimage(for: step.record.key)))
        #expect(try preimage.string("stage") == "stage")
        #expect(try preimage.field("inputs")["mask"] == .digest(Digest(of: [2])))
        #expect(try preimage.double("point") == 1)
    }

    @Test("records come in the order asked, nil where there is none, and failures without an artifact")
    func records() throws {
        let store = try Store.open(at: directory.store)
        let steps = (0..<5).map { finishedStep(.int($0), sample: $0) } + [finishedStep(nil, sample: 5)]
        try store.put(steps)
        let unknown = Digest(of: [42])
        let keys = [steps[3].record.key, unknown, steps[5].record.key, steps[0].record.key]
        #expect(
            try store.records(for: keys) == [steps[3].record, nil, steps[5].record, steps[0].record])
        #expect(steps[5].record.artifact == nil)
        var seen = 0
        try store.allRecords { _ in
            seen += 1
            return true
        }
        #expect(seen == 6)
    }

    @Test("all records are visited across several transactions, and the visit can stop")
    func allRecords() throws {
        let store = try Store.open(at: directory.store)
        try store.put((0..<2500).map { finishedStep(.int($0 % 3), sample: $0) })
        var samples: Set<Int> = []
        try store.allRecords { record in
            // The store may be used meanwhile.
            _ = try store.holds([record.key])
            samples.insert(record.sample ?? -1)
            return true
        }
        #expect(samples == Set(0..<2500))
        var visits = 0
        try store.allRecords { _ in
            visits += 1
            return visits < 1200
        }
        #expect(visits == 1200)
    }

    @Test("the latest record of a step is the one put last, whatever its key")
    func latestRecord() throws {
        let store = try Store.open(at: directory.store)
        let old = finishedStep(.int(1), sample: 7, salt: "old")
        let new = finishedStep(.int(2), sample: 7, salt: "new")
        try store.put([old])
        #expect(try store.latestRecord(graph: "test", node: "node", sample: 7) == old.record)
        try store.put([new])
        #expect(try store.latestRecord(graph: "test", node: "node", sample: 7) == new.record)
        #expect(try store.latestRecord(graph: "test", node: "node", sample: nil) == nil)
        #expect(try store.latestRecord(graph: "other", node: "node", sample: 7) == nil)
        #expect(try store.records(for: [old.record.key]) == [old.record])
    }

    @Test("equal artifacts are stored once")
    func equalArtifacts() throws {
        let store = try Store.open(at: directory.store)
        let value = Value.tensor(image(1))
        try store.put([finishedStep(value, sample: 0), finishedStep(value, sample: 1)])
        try store.put([finishedStep(value, sample: 2)])
        let usage = try store.usage(by: .node)
        #expect(usage.total.records == 3)
        #expect(usage.total.artifacts == 1)
        #expect(usage.total.rawBytes == value.encoded().bytes.count)
    }

    @Test("runs are listed by id, the newest last, and give their documents back")
    func runs() throws {
        let store = try Store.open(at: directory.store)
        let document = Array(String(repeating: "{\"node\": \"training\"}", count: 100).utf8)
        try store.putRun(id: "2026-02-01T10:00:00", graph: "b", document: [])
        try store.putRun(id: "2026-01-01T10:00:00", graph: "a", document: document, keys: [Digest(of: [1])])
        #expect(try store.runs().map(\.id) == ["2026-01-01T10:00:00", "2026-02-01T10:00:00"])
        #expect(try store.runs().map(\.graph) == ["a", "b"])
        #expect(try store.run(id: "2026-01-01T10:00:00") == document)
        #expect(try store.run(id: "2026-02-01T10:00:00") == [])
        #expect(try store.run(id: "other") == nil)
    }

    @Test("an artifact set aside is gone, and can be put again")
    func setAside() throws {
        let store = try Store.open(at: directory.store)
        let step = finishedStep(.tensor(image(1, count: 280_000)))
        let digest = try #require(step.record.artifact)
        try store.put([step])
        try store.setAside(digest)
        #expect(try store.holds([digest]) == [false])
        #expect(try store.value(for: digest) == nil)
        try store.put([step])
        #expect(try store.value(for: digest) == .tensor(image(1, count: 280_000)))
    }

    @Test("maps that are too small grow")
    func growth() throws {
        let sizes = Store.MapSizes(meta: 64 << 10, blobs: 64 << 10)
        let store = try Store.open(at: directory.store, access: .readWrite, mapSizes: sizes)
        let steps = (0..<40).map { finishedStep(.tensor(image($0, count: 12_000)), sample: $0) }
        for start in stride(from: 0, to: 40, by: 8) { try store.put(Array(steps[start..<start + 8])) }
        try store.put((0..<2000).map { finishedStep(.int($0), node: "small", sample: $0) })
        for (index, step) in steps.enumerated() {
            let digest = try #require(step.record.artifact)
            #expect(try store.value(for: digest) == .tensor(image(index, count: 12_000)))
        }
    }

    @Test("many readers beside a writer see whole batches")
    func concurrency() async throws {
        let sizes = Store.MapSizes(meta: 128 << 10, blobs: 128 << 10)
        let store = try Store.open(at: directory.store, access: .readWrite, mapSizes: sizes)
        let batches = (0..<20).map { batch in
            (0..<5).map { finishedStep(.tensor(image(batch * 5 + $0, count: 2000)), sample: batch * 5 + $0) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for batch in batches { try store.put(batch) } }
            for _ in 0..<3 {
                group.addTask {
                    for _ in 0..<4 {
                        for batch in batches {
                            let records = try store.records(for: batch.map(\.record.key))
                            let present = records.compactMap(\.self)
                            #expect(present.isEmpty || present.count == 5, "a batch is there whole or not at all")
                            for record in present {
                                guard let digest = record.artifact else { continue }
                                #expect(try store.value(for: digest)?.digest == digest)
                            }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try store.verify().isSound)
    }

    @Test("what another process added beyond this one's map is read")
    func growthElsewhere() async throws {
        let path = directory.store
        let store = try Store.open(
            at: path, access: .readWrite, mapSizes: Store.MapSizes(meta: 64 << 10, blobs: 64 << 10))
        try store.put([finishedStep(.int(1))])
        await #expect(processExitsWith: .success) { [path = path as String] in
            let store = try Store.open(at: path)
            try store.put((0..<20).map { finishedStep(.tensor(image($0)), node: "elsewhere", sample: $0) })
        }
        let step = finishedStep(.tensor(image(19)), node: "elsewhere", sample: 19)
        #expect(try store.records(for: [step.record.key]) == [step.record])
        #expect(try store.value(for: try #require(step.record.artifact)) == .tensor(image(19)))
        try store.put([finishedStep(.int(2))])
        #expect(try store.verify().isSound)
    }

    @Test("the same directory opened twice in a process is the same store")
    func sameStore() throws {
        let first = try Store.open(at: directory.store)
        #expect(try Store.open(at: directory.store + "/../store", access: .readOnly) === first)
    }
}
