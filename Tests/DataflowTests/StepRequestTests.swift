import Artifacts
import CacheStore
import Compute
import Diagnostics
import Foundation
import Testing

@testable import Dataflow

/// Everything that a step sees of the world, in its answer.
private struct Mirror: Stage {
    static let signature = Signature(
        "mirror", version: 4, about: "Test.",
        inputs: [InputPort("x", "number", about: "One."), InputPort("all", "number", .all, about: "All.")],
        output: "number", isRandom: true)
    let parameters: Value
    init(parameters: Value) { self.parameters = parameters }

    func run(_ step: Step) throws -> StepOutput {
        let members = try (step.collections["all"] ?? []).map { member in
            Value.list([
                member.className.map { .string($0) } ?? .none, member.sample.map { .int($0) } ?? .none,
                try member.load(),
            ])
        }
        return StepOutput(
            .record([
                "parameters": parameters, "node": .string(step.node), "class": .string(step.className ?? "-"),
                "sample": .int(step.sample ?? -1), "x": step.inputs["x"] ?? .none,
                "digest": step.inputDigests["x"].map { .digest($0) } ?? .none, "members": .list(members),
                "draws": .list((0..<3).map { .double(step.random.uniform(at: $0)) }),
                "shared": .double(step.nodeRandom.uniform(at: 0)), "threads": .int(step.threads),
            ]))
    }
}

@Suite("A step computed elsewhere")
struct StepRequestTests {
    @Test("sees the same inputs, numbers and members as one computed here", arguments: [nil, 0, 41])
    func same(sample: Int?) throws {
        let path = FileManager.default.temporaryDirectory.path + "/spinweave-request-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = try Store.open(at: path)
        func kept(_ value: Value) throws -> Digest {
            let bytes = value.encoded()
            let digest = Digest(of: bytes.bytes)
            let record = Record(
                identity: StepIdentity(template: digest), graph: "g", node: "n", stage: "s", stageVersion: 1,
                sample: nil, outcome: .done(artifact: digest, bytes: bytes.bytes.count), seconds: 0, executor: "cpu",
                programVersion: "test", run: "r", created: 0, summary: [])
            try store.put([NewRecord(record: record, template: bytes.bytes, artifact: bytes)])
            return digest
        }
        let values: [Value] = [.int(7), .double(.pi), .string("third")]
        let digests = try values.map(kept)
        let node = Graph.Node(
            name: "m@a", declaredName: "m", className: "a", stage: Mirror.self,
            parameters: .record(["p": .double(0.1)]), edges: [], samples: sample == nil ? nil : 100,
            range: SourceRange(file: "m.yaml", line: 1, column: 1))
        let random = Step.streams(seed: 9, node: node.name, sample: sample)
        let step = Step(
            node: node.name, className: "a", sample: sample, inputs: ["x": values[0]], inputDigests: ["x": digests[0]],
            collections: [
                "all": [
                    .init(className: "b", sample: 3, digest: digests[1], load: { values[1] }),
                    .init(className: nil, sample: nil, digest: digests[2], load: { values[2] }),
                ]
            ], random: random.sample, nodeRandom: random.node, threads: 5)
        let here = try Mirror(parameters: node.parameters).run(step).value
        let sent = StepRequest(step, of: node, seed: 9).document.encoded().bytes
        let request = try StepRequest(try Value(decoding: sent))
        #expect(request == StepRequest(step, of: node, seed: 9))
        #expect((request.stage, request.stageVersion) == ("mirror", 4))
        let there = try request.perform(
            Mirror(parameters: request.parameters), store: store, progress: { _, _ in }, isCancelled: { false }
        ).value
        #expect(there == here)
        #expect(there.digest == here.digest)
    }
}
