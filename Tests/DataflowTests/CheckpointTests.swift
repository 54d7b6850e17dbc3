import Artifacts
import CacheStore
import Diagnostics
import Foundation
import Synchronization
import Testing

@testable import Dataflow

/// Adds `add` in each of `turns` turns, keeps every turn, and dies after the turns that it is told to.
private struct Adding: Stage {
    struct Died: Error {}

    static let signature = Signature(
        "adding", version: 1, about: "Test.", output: "number",
        parameters: [
            Parameter("add", .integer(1...1000), about: "What is added."),
            Parameter("turns", .integer(1...1000), about: "How often."),
        ])

    /// Turns made since the last look, and after how many of them to die.
    static let turns = Mutex((made: 0, limit: Int.max))

    let add: Int
    let count: Int

    static func checkpointParameters(_ parameters: Value) -> Value? {
        guard case .record(var fields) = parameters else { return nil }
        fields["turns"] = nil
        return .record(fields)
    }

    init(parameters: Value) throws {
        add = try parameters.int("add")
        count = try parameters.int("turns")
    }

    func run(_ step: Step) throws -> StepOutput {
        let checkpoint = try #require(step.checkpoint)
        var (turn, sum) = (0, 0)
        if let kept = try checkpoint.load(), try kept.int("turn") <= count {
            (turn, sum) = (try kept.int("turn"), try kept.int("sum"))
        }
        while turn < count {
            let dies = Self.turns.withLock { turns in
                turns.made += 1
                return turns.made > turns.limit
            }
            if dies { throw Died() }
            turn += 1
            sum += add
            if checkpoint.isDue() { try checkpoint.save(.record(["turn": .int(turn), "sum": .int(sum)])) }
        }
        return StepOutput(.int(sum))
    }
}

@Suite("A long step keeps checkpoints", .serialized)
final class CheckpointTests {
    private let path = FileManager.default.temporaryDirectory.path + "/spinweave-checkpoint-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// - Returns: the node's answer, and the turns that it took; an answer of nil for a run that died.
    private func run(
        add: Int = 3, turns: Int, dyingAfter limit: Int = .max, interval: Double = 0,
        clock: @escaping @Sendable () -> Double = { 1000 }
    ) throws -> (answer: Value?, turns: Int) {
        let node = Graph.Node(
            name: "v", declaredName: "v", className: nil, stage: Adding.self,
            parameters: .record(["add": .int(add), "turns": .int(turns)]), edges: [], samples: nil,
            range: SourceRange(file: "v.yaml", line: 1, column: 1))
        let graph = Graph(file: "v.yaml", name: "v", seed: 1, classes: [], nodes: [node])
        Adding.turns.withLock { $0 = (0, limit) }
        var options = RunOptions(jobs: 1, programVersion: "test", clock: clock)
        options.checkpointInterval = interval
        let store = try Store.open(at: path)
        var answer: Value?
        do {
            let report = try Run(graph, store: store, options: options).execute()
            if let artifact = report.nodes[0].artifact { answer = try store.value(for: artifact) }
        } catch is RunError {}
        return (answer, Adding.turns.withLock { min($0.made, limit) })
    }

    @Test("one that died goes on from the last; one that wants more goes on from the end")
    func goesOn() throws {
        #expect(try run(turns: 10, dyingAfter: 4) == (nil, 4))
        #expect(try run(turns: 10, dyingAfter: 3) == (nil, 3))
        #expect(try run(turns: 10) == (.int(30), 3))
        #expect(try run(turns: 12) == (.int(36), 2))
        // Nothing else may differ.
        #expect(try run(add: 5, turns: 12) == (.int(60), 12))
        // Fewer turns cannot go on from more.
        #expect(try run(turns: 9) == (.int(27), 9))
    }

    @Test("one whose checkpoint was lost begins anew")
    func lost() throws {
        #expect(try run(turns: 10, dyingAfter: 4) == (nil, 4))
        let store = try Store.open(at: path)
        var kept: [Digest] = []
        try store.allRecords { record in
            if let artifact = record.artifact { kept.append(artifact) }
            return true
        }
        // Each replaces the one before.
        #expect(kept.count == 1)
        try store.setAside(try #require(kept.first))
        #expect(try run(turns: 10) == (.int(30), 10))
    }

    @Test("is due after the interval asked for, not before")
    func interval() throws {
        // Every look at the clock is a second later.
        let time = Mutex(1000.0)
        let clock: @Sendable () -> Double = {
            time.withLock { now in
                now += 1
                return now
            }
        }
        #expect(try run(turns: 1000, dyingAfter: 50, interval: 100, clock: clock) == (nil, 50))
        #expect(try run(turns: 60, interval: 100, clock: clock) == (.int(180), 60))
        #expect(try run(turns: 1000, dyingAfter: 150, interval: 100, clock: clock) == (nil, 150))
        let (answer, turns) = try run(turns: 1000, interval: 100, clock: clock)
        #expect(answer == .int(3000))
        // Looked at once a turn, the clock reaches the interval by the hundredth.
        #expect(turns >= 890 && turns < 910)
    }
}
