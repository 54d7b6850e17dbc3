import Artifacts
import Testing

@testable import CacheStore

@Suite("Keys and fan-outs")
struct IdentityTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    static let identities: [StepIdentity] = [
        StepIdentity(template: Digest(of: [0])),
        StepIdentity(template: Digest(of: [0]), sample: 0),
        StepIdentity(template: Digest(of: [0]), sample: -1),
        StepIdentity(template: Digest(of: [0]), inputs: ["b": Digest(of: [2]), "a": Digest(of: [1])]),
        StepIdentity(template: Digest(of: [0]), inputs: ["a": Digest(of: [2]), "b": Digest(of: [1])], sample: 1 << 40),
        StepIdentity(template: Digest(of: [0]), sample: 7, point: Value.record(["J": .double(1.5)]).encoded().bytes),
        StepIdentity(
            template: Digest(of: [3]), inputs: ["é": Digest(of: [2])], point: Value.double(2).encoded().bytes),
    ]

    @Test("a key is the digest of the canonical bytes of what it is made of", arguments: identities)
    func canonical(identity: StepIdentity) throws {
        var fields: [String: Value] = [
            "template": .digest(identity.template), "inputs": .record(identity.inputs.mapValues { .digest($0) }),
        ]
        if let sample = identity.sample { fields["sample"] = .int(sample) }
        if !identity.point.isEmpty { fields["point"] = try Value(decoding: identity.point) }
        #expect(identity.key == Value.record(fields).digest)
    }

    @Test("a pattern that made other keys before makes the same ones")
    func pattern() {
        var pattern = KeyPattern(template: Digest(of: [0]), ports: ["a", "b"], hasSample: true)
        for sample in [5, 0, 1 << 50] {
            for point in [[], Value.int(3).encoded().bytes, Value.string("longer than before").encoded().bytes, []] {
                let inputs = [Digest(of: [UInt8(sample % 251)]), Digest(of: [7])]
                let identity = StepIdentity(
                    template: Digest(of: [0]), inputs: ["a": inputs[0], "b": inputs[1]], sample: sample, point: point)
                #expect(pattern.key(inputs: inputs, sample: sample, point: point) == identity.key)
            }
        }
    }

    @Test("no two of them are the same step")
    func distinct() {
        #expect(Set(Self.identities.map(\.key)).count == Self.identities.count)
    }

    @Test("a digest's words keep the order and the content of its bytes")
    func digestWords() {
        let digests = (0..<200).map { Digest(of: [UInt8($0)]) }
        for digest in digests { #expect(Digest(bytes: digest.bytes) == digest) }
        #expect(digests.sorted() == digests.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) })
        var bytes = [UInt8](repeating: 1, count: 40)
        digests[0].write(to: &bytes, at: 4)
        #expect(Array(bytes[4..<36]) == digests[0].bytes && bytes[3] == 1 && bytes[36] == 1)
    }

    private func fanout(_ level: Fanout.Level, _ members: [Fanout.Member], epoch: UInt64) -> Fanout {
        Fanout(level: level, epoch: epoch, steps: members.count, bytes: 12, facts: [9], members: members)
    }

    @Test("a fan-out is believed in its own epoch alone, and leads to its steps")
    func fanouts() throws {
        let store = try Store.open(at: directory.store)
        let steps = (0..<5).map { finishedStep(.int($0), sample: $0) }
        try store.put(steps)
        let members = steps.map { Fanout.Member(key: $0.record.key, result: $0.record.artifact ?? $0.record.key) }
        let chunk = fanout(.chunk, Array(members[0..<3]), epoch: 4)
        let second = fanout(.chunk, Array(members[3..<5]), epoch: 4)
        let keys = (1...3).map { Digest(of: [UInt8($0), 77]) }
        let node = fanout(
            .node, [.init(key: keys[0], result: chunk.root), .init(key: keys[1], result: second.root)], epoch: 4)
        let gathering = Gathering(parts: [
            .init(className: "dimer", node: "images@dimer", samples: 5, key: keys[2], result: node.root),
            .init(className: nil, node: "mask", samples: nil, key: members[0].key, result: members[0].result),
        ])
        try store.putRun(
            id: "run-1", graph: "test", document: [], keys: [keys[2], steps[0].record.key], finished: 1,
            fanouts: [(keys[0], chunk), (keys[2], node)], gatherings: [gathering])
        #expect(try store.fanouts(for: [keys[0], keys[1], keys[2]], epoch: 4) == [chunk, nil, node])
        #expect(try store.fanouts(for: [keys[0]], epoch: 5) == [nil])
        #expect(try store.stepKeys(under: keys[0]) == members[0..<3].map(\.key))
        #expect(try store.stepKeys(under: keys[2]) == nil, "its second chunk is not there")
        #expect(try store.recordKeys(ofRun: "run-1") == nil)
        try store.putRun(id: "run-2", graph: "test", document: [], keys: [keys[2]], fanouts: [(keys[1], second)])
        #expect(try store.recordKeys(ofRun: "run-2") == members.map(\.key))
        #expect(try store.gathering(gathering.digest) == gathering)
        #expect(try store.verify().isSound)
    }

    @Test("a gathering's digest tells classes, counts and results, and not names")
    func gatherings() {
        let part = Gathering.Part(
            className: "a", node: "n", samples: 3, key: Digest(of: [1]), result: Digest(of: [2]))
        func digest(_ change: (inout Gathering.Part) -> Void) -> Digest {
            var part = part
            change(&part)
            return Gathering(parts: [part]).digest
        }
        let same = Gathering(parts: [part]).digest
        #expect(digest { $0.node = "m" } == same && digest { $0.key = Digest(of: [9]) } == same)
        #expect(digest { $0.className = "b" } != same && digest { $0.samples = nil } != same)
        #expect(digest { $0.result = Digest(of: [9]) } != same)
    }
}
