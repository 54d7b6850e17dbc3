import Artifacts
import CacheStore
import Compute
import Diagnostics
import Foundation
import GraphLanguage
import Synchronization
import Tensors
import Testing

@testable import Dataflow

/// A stage in three versions: the second gives the same numbers, the third others from sample 5 on.
private protocol Versioned: Stage {
    static var version: Int { get }
    static func value(_ sample: Int) -> Float
    static func make() -> Self
}

extension Versioned {
    static var signature: Signature {
        Signature(
            "versioned", version: version, about: "Test.", output: "number", samplesFrom: "count",
            parameters: [Parameter("count", .integer(1...1000), about: "Samples.")])
    }
    init(parameters: Value) { self = Self.make() }
    func run(_ step: Step) throws -> StepOutput {
        AdoptionTests.ran.withLock { $0 += 1 }
        let value = Self.value(step.sample ?? 0)
        return StepOutput(.tensor(Tensor<Float>(shape: [2], elements: [100, value])), summary: ["fact": .int(1)])
    }
}

private struct First: Versioned {
    static let version = 1
    static func value(_ sample: Int) -> Float { Float(sample) }
    static func make() -> Self { Self() }
}

private struct Second: Versioned {
    static let version = 2
    static func value(_ sample: Int) -> Float { Float(sample) }
    static func make() -> Self { Self() }
}

private struct Third: Versioned {
    static let version = 3
    static func value(_ sample: Int) -> Float { Float(sample) + (sample >= 5 ? 0.5 : 0) }
    static func make() -> Self { Self() }
}

@Suite("Adoption", .serialized)
final class AdoptionTests {
    static let ran = Mutex(0)
    private let path = FileManager.default.temporaryDirectory.path + "/spinweave-adoption-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: path) }

    private func graph(_ stage: any Stage.Type, count: Int = 20) -> Graph {
        let node = Graph.Node(
            name: "v", declaredName: "v", className: nil, stage: stage, parameters: .record(["count": .int(count)]),
            edges: [], samples: count, range: SourceRange(file: "v.yaml", line: 1, column: 1))
        return Graph(file: "v.yaml", name: "v", seed: 1, classes: [], nodes: [node])
    }

    private let options = RunOptions(jobs: 1, programVersion: "test", clock: { 1000 })

    private func run(_ stage: any Stage.Type, _ store: Store) throws -> (computed: Int, reused: Int) {
        let report = try Run(graph(stage), store: store, options: options).execute()
        return (report.computed, report.reused)
    }

    private func adopt(
        _ stage: any Stage.Type, _ store: Store, samples: Int = 5, within bound: Double? = nil
    ) throws -> Adoption {
        var random = SystemRandomNumberGenerator()
        return try Adoption(
            "v", in: graph(stage), store: store,
            settings: .init(samples: samples, bound: bound, options: options), random: &random)
    }

    @Test("equal samples: all old answers count for the new version, with the evidence in each record")
    func adopted() throws {
        let store = try Store.open(at: path)
        #expect(try run(First.self, store) == (20, 0))
        Self.ran.withLock { $0 = 0 }
        let adoption = try adopt(Second.self, store)
        guard case .adopted(20) = adoption.outcome else {
            Issue.record("\(adoption.outcome)")
            return
        }
        #expect(Self.ran.withLock { $0 } == 5)
        #expect((adoption.fromVersion, adoption.toVersion, adoption.compared.count, adoption.largest) == (1, 2, 5, nil))
        #expect(try run(Second.self, store) == (0, 20))
        let record = try #require(try store.latestRecord(graph: "v", node: "v", sample: 7))
        #expect(record.stageVersion == 2)
        #expect(Adoption.evidence(record) == "adopted from version 1: 5 computed again, equal bit by bit")
        #expect(try Value(decoding: record.summary).int("fact") == 1)
        // The key is that of the new version, field by field.
        let preimage = try Value(decoding: try #require(try store.preimage(for: record.key)))
        #expect(try preimage.int("version") == 2)
        // The old version's answers are there still.
        #expect(try run(First.self, store) == (0, 20))
        guard case .nothing("every step has its answer already") = try adopt(Second.self, store).outcome else {
            Issue.record("adopted twice")
            return
        }
    }

    @Test("other numbers: nothing is kept, and the place of the difference is told")
    func differs() throws {
        let store = try Store.open(at: path)
        _ = try run(First.self, store)
        // All twenty are computed again, so that 5 to 19 are seen to differ.
        let adoption = try adopt(Third.self, store, samples: 20)
        guard case .differs(let differences) = adoption.outcome else {
            Issue.record("\(adoption.outcome)")
            return
        }
        #expect(differences.compactMap(\.sample) == Array(5..<20))
        guard case .numbers(let numbers)? = differences[2].comparison.leaves.first?.kind else {
            Issue.record("no numbers")
            return
        }
        #expect((numbers.maximum, numbers.place, numbers.was, numbers.now) == (0.5, [1], 7, 7.5))
        #expect(try run(Third.self, store) == (20, 0))
    }

    @Test("a bound is relative to the largest value, and is written down")
    func bound() throws {
        let store = try Store.open(at: path)
        _ = try run(First.self, store)
        // 0.5 of 100.
        guard case .differs = try adopt(Third.self, store, samples: 20, within: 0.0049).outcome else {
            Issue.record("too lenient")
            return
        }
        let adoption = try adopt(Third.self, store, samples: 20, within: 0.005)
        guard case .adopted(20) = adoption.outcome else {
            Issue.record("\(adoption.outcome)")
            return
        }
        #expect(adoption.largest == 0.005)
        let record = try #require(try store.latestRecord(graph: "v", node: "v", sample: 7))
        #expect(
            Adoption.evidence(record) == "adopted from version 1: 20 computed again, within 0.005 of the largest value")
    }

    @Test("without answers of an earlier version there is nothing to adopt")
    func nothing() throws {
        let store = try Store.open(at: path)
        guard case .nothing(let reason) = try adopt(Second.self, store).outcome else {
            Issue.record("adopted from nothing")
            return
        }
        #expect(reason == "the store has no answers of an earlier version with the same parameters and inputs")
    }

    @Test("a failure by a limit is tried again when the limit was raised or lifted, and not before")
    func raisedLimit() throws {
        let store = try Store.open(at: path)
        func run(_ limits: StepLimits?, fails: Bool) throws -> (computed: Int, failed: Int) {
            var graph = graph(First.self, count: 1)
            graph.nodes[0].limits = limits
            var options = options
            options.isolated = { node, step in
                if fails { throw StepFailure.timeLimit(of: node) }
                return try First.make().run(step)
            }
            let report = try Run(graph, store: store, options: options).execute()
            if report.failed > 0 {
                #expect(report.nodes[0].failures[0].message.hasPrefix("exceeded its time limit of 2 s\n  hint: raise"))
            }
            return (report.computed, report.failed)
        }
        let two = StepLimits(seconds: 2, secondsText: "2 s")
        #expect(try run(two, fails: true) == (0, 1))
        #expect(try run(two, fails: false) == (0, 1))
        #expect(try run(StepLimits(seconds: 1, secondsText: "1 s"), fails: false) == (0, 1))
        #expect(try run(StepLimits(seconds: 3, secondsText: "3 s"), fails: false) == (1, 0))
        // Limits are in no key: the answer serves any.
        #expect(try run(nil, fails: true) == (0, 0))
    }
}
