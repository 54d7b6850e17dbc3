import Artifacts
import CacheStore
import Diagnostics
import Foundation
import GraphLanguage
import Synchronization
import Testing

@testable import Dataflow

/// A device that does what it is told, and keeps count.
private final class TestDevice: Accelerator {
    let executor = "cuda"
    let name: String
    let kind = "Test device"
    /// Steps that find room at once.
    let room: Int
    /// Batches that succeed before the device fails.
    let lifetime: Int
    /// Batches that find room beside each other.
    let concurrent: Int
    private let done = Mutex<[[Int]]>([])
    private let busy = Mutex(0)

    init(_ name: String = "device 0", room: Int = .max, lifetime: Int = .max, concurrent: Int = .max) {
        self.name = name
        self.room = room
        self.lifetime = lifetime
        self.concurrent = concurrent
    }

    /// Samples of each batch that succeeded.
    var batches: [[Int]] { done.withLock { $0 } }

    func take(_ samples: [Int]) throws {
        if samples.count > room { throw AcceleratorFailure("no room for \(samples.count)", isFull: true) }
        let isBeside = busy.withLock { busy in
            if busy >= concurrent { return false }
            busy += 1
            return true
        }
        guard isBeside else { throw AcceleratorFailure("no room beside another", isFull: true) }
        defer { busy.withLock { $0 -= 1 } }
        if concurrent < .max { Thread.sleep(forTimeInterval: 0.002) }
        try done.withLock { done in
            if done.count >= lifetime { throw AcceleratorFailure("it fell off the bus") }
            done.append(samples)
        }
    }
}

/// Sample i is `base + i²`; the sample `failing` has no answer.
private struct Squares: AcceleratedStage {
    static let signature = Signature(
        "squares", version: 1, about: "Test.", output: "number", samplesFrom: "count",
        parameters: [
            Parameter("count", .integer(1...1000), about: "How many samples."),
            Parameter("base", .integer(0...1000), about: "What is added."),
            Parameter("failing", .integer(-1...1000), about: "The sample without an answer."),
            Parameter("batch", .integer(1...64), about: "Steps that a device takes at once."),
        ])

    let base: Int
    let failing: Int
    let batch: Int

    init(parameters: Value) throws {
        base = try parameters.int("base")
        failing = try parameters.int("failing")
        batch = try parameters.int("batch")
    }

    static func obstacle(toAccelerating parameters: Value) -> String? {
        (try? parameters.int("base")) == 13 ? "no device likes 13" : nil
    }

    func batchSize(on accelerator: any Accelerator) -> Int { batch }

    func answer(_ sample: Int) -> Result<StepOutput, StepFailure> {
        sample == failing ? .failure(StepFailure("not this one")) : .success(StepOutput(.int(base + sample * sample)))
    }

    func run(_ step: Step) throws -> StepOutput { try answer(step.sample ?? 0).get() }

    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        let samples = steps.map { $0.sample ?? 0 }
        try #require(accelerator as? TestDevice).take(samples)
        return samples.map(answer)
    }
}

@Suite("Stages may use a device")
final class AcceleratorTests {
    private let path = FileManager.default.temporaryDirectory.path + "/spinweave-device-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: path) }

    private struct Outcome {
        var report: Report
        /// Of each sample.
        var records: [Record?]
        var fallbacks: [String]

        var executors: [String?] { records.map { $0?.executor } }
    }

    private func graph(
        _ count: Int, base: Int = 0, failing: Int = -1, batch: Int = 64, isLimited: Bool = false
    ) -> Graph {
        var node = Graph.Node(
            name: "v", declaredName: "v", className: nil, stage: Squares.self,
            parameters: .record([
                "count": .int(count), "base": .int(base), "failing": .int(failing), "batch": .int(batch),
            ]),
            edges: [],
            samples: count, range: SourceRange(file: "v.yaml", line: 1, column: 1))
        if isLimited { node.limits = StepLimits(seconds: 60) }
        return Graph(file: "v.yaml", name: "v", seed: 1, classes: [], nodes: [node])
    }

    private func run(_ graph: Graph, on devices: [TestDevice] = [], strict: Bool = false) throws -> Outcome {
        var options = RunOptions(
            jobs: 2, strictNumerics: strict, programVersion: "test", clock: { Date().timeIntervalSince1970 })
        options.accelerators = devices
        let store = try Store.open(at: path)
        let fallbacks = Mutex<[String]>([])
        let run = Run(
            graph, store: store, options: options,
            events: { event in
                if case .fallback(let node, let device, let reason) = event {
                    fallbacks.withLock { $0.append("\(node), \(device): \(reason)") }
                }
            })
        let report = try run.execute()
        let records = try KnownArtifacts(graph, store: store, executorInKey: options.executorInKey).records(of: "v")
        return Outcome(report: report, records: records, fallbacks: fallbacks.withLock { $0 })
    }

    @Test("a node's samples go to it in batches, and its answers are the CPU's")
    func batches() throws {
        let device = TestDevice()
        let outcome = try run(graph(300), on: [device])
        #expect(outcome.report.computed == 300 && outcome.report.nodes[0].executor == "cuda")
        #expect(Set(outcome.executors) == ["cuda"])
        #expect(device.batches.flatMap(\.self).sorted() == Array(0..<300))
        #expect(device.batches.map(\.count).sorted() == [44, 64, 64, 64, 64])
        for (sample, record) in outcome.records.enumerated() {
            #expect(record?.artifact == Value.int(sample * sample).digest)
        }
        #expect(outcome.records[0]?.machine.hasSuffix("; Test device") == true)
    }

    /// Two threads of a device, whose steps fit one at a time: as the members of an ensemble on a small card.
    @Test("a step for which there is no room beside another waits for that one, and nothing is left to the CPU")
    func oneAtATime() throws {
        let device = TestDevice(concurrent: 1)
        let outcome = try run(graph(20, batch: 1), on: [device])
        #expect(outcome.report.computed == 20 && outcome.fallbacks == [])
        #expect(Set(outcome.executors) == ["cuda"])
        // One that never fits is the CPU's, and says so once.
        let full = TestDevice(room: 0)
        let left = try run(graph(20, base: 1, batch: 1), on: [full])
        #expect(Set(left.executors) == ["cpu"] && left.fallbacks.count == 1)
    }

    @Test("records of one are the other's, and a mixed run works")
    func reuse() throws {
        let device = TestDevice()
        #expect(try run(graph(100)).report.computed == 100)
        let mixed = try run(graph(150), on: [device])
        #expect(mixed.report.computed == 50 && mixed.report.reused == 100)
        #expect(mixed.executors == Array(repeating: "cpu", count: 100) + Array(repeating: "cuda", count: 50))
        #expect(try run(graph(150)).report.computed == 0)
        #expect(try run(graph(120), on: [device]).report.computed == 0)
    }

    @Test("--strict-numerics keeps them apart")
    func strict() throws {
        #expect(try run(graph(10), strict: true).report.computed == 10)
        let device = TestDevice()
        #expect(try run(graph(10), on: [device], strict: true).report.computed == 10)
        #expect(try run(graph(10), on: [device], strict: true).report.computed == 0)
        #expect(try run(graph(10), strict: true).report.computed == 0)
        // A node that stays on the CPU is the same node with a device and without.
        #expect(try run(graph(10, base: 13), strict: true).report.computed == 10)
        #expect(try run(graph(10, base: 13), on: [device], strict: true).report.computed == 0)
    }

    @Test("a device that fails leaves the rest to the CPU, says so once, and is not asked again")
    func failure() throws {
        let device = TestDevice(lifetime: 2)
        let outcome = try run(graph(300), on: [device])
        #expect(outcome.report.outcome == .done && outcome.report.computed == 300)
        #expect(outcome.executors.count { $0 == "cuda" } == 128 && outcome.executors.count { $0 == "cpu" } == 172)
        #expect(outcome.fallbacks == ["v, device 0: it fell off the bus"])
        #expect(outcome.report.nodes[0].executor == "cpu, cuda")
    }

    @Test("under strict numerics nobody else may do its work")
    func strictFailure() throws {
        #expect {
            try self.run(self.graph(100), on: [TestDevice(lifetime: 0)], strict: true)
        } throws: { error in
            String(describing: error).contains("device 0 failed: it fell off the bus")
                && String(describing: error).contains("use --executor cpu for them")
        }
    }

    @Test("a full device gets smaller batches; one without room for one step gets none")
    func full() throws {
        let small = TestDevice(room: 10)
        let outcome = try run(graph(100), on: [small])
        // 64 → 32 → 16 → 8, by halves.
        #expect(small.batches.allSatisfy { $0.count <= 8 } && small.batches.flatMap(\.self).count == 100)
        #expect(Set(outcome.executors) == ["cuda"] && outcome.fallbacks.isEmpty)
        let none = try run(graph(100, base: 1), on: [TestDevice(room: 0)])
        #expect(Set(none.executors) == ["cpu"] && none.fallbacks == ["v, device 0: no room for 1"])
    }

    @Test("several devices share the samples, and the others take over from one that fails")
    func several() throws {
        let first = TestDevice("device 0", lifetime: 0)
        let second = TestDevice("device 1")
        let outcome = try run(graph(300), on: [first, second])
        #expect(outcome.report.computed == 300 && outcome.fallbacks.count == 1)
        // What the failed device had in hand is the CPU's; the queue is the other's.
        #expect(outcome.executors.count { $0 == "cpu" } <= 128 && second.batches.flatMap(\.self).count >= 172)
    }

    @Test("a step that has no answer on a device is a failed step, and only that")
    func stepFailure() throws {
        let outcome = try run(graph(70, failing: 66), on: [TestDevice()])
        #expect(outcome.report.outcome == .failed && outcome.report.computed == 69)
        #expect(outcome.report.nodes[0].failures == [.init(sample: 66, message: "not this one")])
        #expect(outcome.executors.count { $0 == "cuda" } == 70)
    }

    @Test("parameters and limits may keep a node on the CPU, and it says why")
    func obstacles() throws {
        let device = TestDevice()
        #expect(Set(try run(graph(5, base: 13), on: [device]).executors) == ["cpu"])
        #expect(Set(try run(graph(5, isLimited: true), on: [device]).executors) == ["cpu"])
        #expect(device.batches.isEmpty)
        #expect(graph(5, base: 13).nodes[0].obstacle(to: "cuda") == "no device likes 13")
        #expect(graph(5, isLimited: true).nodes[0].obstacle(to: "cuda")?.contains("limits") == true)
        #expect(graph(5).nodes[0].executor(preferring: "cuda") == "cuda")
        #expect(graph(5).nodes[0].executor(preferring: "cpu") == "cpu")
    }
}

@Suite("What the program keeps for itself")
final class ToolMemoryTests {
    private let path = FileManager.default.temporaryDirectory.path + "/spinweave-tool-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @Test("is found by all that it depends on, by nothing less, and is made anew where it is damaged")
    func keeps() throws {
        let store = try Store.open(at: path)
        let memory = ToolMemory(store, programVersion: "test", machine: "", clock: { 1000 })
        let identity = Value.record(["text": .string("a"), "target": .string("sm_90")])
        #expect(try memory.value(for: identity) == nil)
        try memory.keep(.bytes([1, 2, 3]), for: identity, name: "a for sm_90", tool: "compile-kernel", seconds: 0.2)
        #expect(try memory.value(for: identity) == .bytes([1, 2, 3]))
        #expect(try memory.value(for: .record(["text": .string("a"), "target": .string("sm_80")])) == nil)
        try store.setAside(Value.bytes([1, 2, 3]).digest)
        #expect(try memory.value(for: identity) == nil)
    }
}
