import Artifacts
import CacheStore
import Diagnostics
import Foundation
import GraphLanguage
import Synchronization
import Testing

@testable import Dataflow

/// A device that remembers what it is given, and what it was asked to read.
private final class RememberingDevice: Accelerator {
    let executor = "cuda"
    let name = "device 0"
    let kind = "Test device"
    /// How many remnants it has room for.
    let room: Int
    /// Batches of the second stage that succeed.
    let lifetime: Int
    private struct State {
        var kept: [Digest: Int] = [:]
        var fromRemnants = 0
        var fromInputs = 0
        var batches = 0
    }
    private let state = Mutex(State())

    init(room: Int = .max, lifetime: Int = .max) {
        self.room = room
        self.lifetime = lifetime
    }

    func keep(_ remnant: any Sendable, of digest: Digest) {
        guard let number = remnant as? Int else { return }
        state.withLock { if $0.kept.count < room { $0.kept[digest] = number } }
    }

    func remnant(of digest: Digest) -> (any Sendable)? { state.withLock { $0.kept[digest] } }

    func note(remnants: Int, inputs: Int) throws {
        try state.withLock { state in
            state.batches += 1
            if state.batches > lifetime { throw AcceleratorFailure("it fell off the bus") }
            state.fromRemnants += remnants
            state.fromInputs += inputs
        }
    }

    var counts: [Int] { state.withLock { [$0.fromRemnants, $0.fromInputs] } }
}

/// Sample i is i², of which the device keeps the number.
private struct Source: AcceleratedStage {
    static let signature = Signature(
        "source", version: 1, about: "Test.", output: "number", samplesFrom: "count",
        parameters: [Parameter("count", .integer(1...1000), about: "How many samples.")])

    init(parameters: Value) {}

    static func obstacle(toAccelerating parameters: Value) -> String? { nil }
    func batchSize(on accelerator: any Accelerator) -> Int { 7 }

    func run(_ step: Step) -> StepOutput { StepOutput(.int((step.sample ?? 0) * (step.sample ?? 0))) }

    func run(_ steps: [Step], on accelerator: any Accelerator) -> [Result<StepOutput, StepFailure>] {
        steps.map { step in
            var output = run(step)
            output.remnant = (step.sample ?? 0) * (step.sample ?? 0)
            return .success(output)
        }
    }
}

/// Twice what it gets; from the device's number where there is one.
private struct Doubled: AcceleratedStage {
    static let signature = Signature(
        "doubled", version: 1, about: "Test.", inputs: [InputPort("number", "number", about: "A number.")],
        output: "number", parameters: [])

    init(parameters: Value) {}

    static func obstacle(toAccelerating parameters: Value) -> String? { nil }
    static var remnantPorts: Set<String> { ["number"] }
    func batchSize(on accelerator: any Accelerator) -> Int { 5 }

    func run(_ step: Step) throws -> StepOutput {
        StepOutput(.int(2 * (try #require(step.inputs["number"]).asInt())))
    }

    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        let device = try #require(accelerator as? RememberingDevice)
        let remnants = steps.compactMap { $0.remnants["number"] as? Int }.count
        try device.note(remnants: remnants, inputs: steps.count { $0.inputs["number"] != nil })
        return try steps.map { step in
            guard let number = step.remnants["number"] as? Int else { return .success(try run(step)) }
            // What was not read can be.
            let whole = try step.withAllInputs()
            #expect(whole.inputs["number"] == .int(number) && whole.remnants.isEmpty)
            return .success(StepOutput(.int(2 * number)))
        }
    }
}

@Suite("What a device still has of inputs")
final class RemnantTests {
    private let path = FileManager.default.temporaryDirectory.path + "/spinweave-remnant-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: path) }

    private func run(_ count: Int, on device: RememberingDevice) throws -> [Value?] {
        let range = SourceRange(file: "v.yaml", line: 1, column: 1)
        let source = Graph.Node(
            name: "a", declaredName: "a", className: nil, stage: Source.self,
            parameters: .record(["count": .int(count)]), edges: [], samples: count, range: range)
        let doubled = Graph.Node(
            name: "b", declaredName: "b", className: nil, stage: Doubled.self, parameters: .record([:]),
            edges: [Graph.Edge(port: "number", cardinality: .each, sources: [0])], samples: count, range: range)
        let graph = Graph(file: "v.yaml", name: "v", seed: 1, classes: [], nodes: [source, doubled])
        let store = try Store.open(at: path)
        var options = RunOptions(
            jobs: 2, programVersion: "test", clock: { Date().timeIntervalSince1970 })
        options.accelerators = [device]
        let report = try Run(graph, store: store, options: options).execute()
        #expect(report.outcome == .done)
        let known = try KnownArtifacts(graph, store: store, executorInKey: options.executorInKey)
        return try (0..<count).map { try known.value(of: "b", sample: $0) }
    }

    private func expected(_ count: Int) -> [Value?] { (0..<count).map { .int(2 * $0 * $0) } }

    @Test("goes to the next stage in place of a read; what it has not is read")
    func chain() throws {
        let device = RememberingDevice()
        #expect(try run(40, on: device) == expected(40))
        #expect(device.counts == [40, 0])
        // In the next process nothing is there, and all is answered but twenty.
        let small = RememberingDevice(room: 6)
        #expect(try run(60, on: small) == expected(60))
        #expect(small.counts == [6, 14])
    }

    @Test("a device that fails leaves steps to the CPU, which reads their inputs")
    func failure() throws {
        let device = RememberingDevice(lifetime: 2)
        #expect(try run(40, on: device) == expected(40))
        #expect(device.counts == [10, 0])
    }
}
