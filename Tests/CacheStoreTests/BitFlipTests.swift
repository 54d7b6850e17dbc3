import Artifacts
import Foundation
import Tensors
import Testing

@testable import CacheStore

@Suite("A flipped bit anywhere in the store's files is found, or changes no answer")
struct BitFlipTests {
    /// Everything that the store answers, for comparison; nil where it reports damage.
    private struct Answers: Equatable {
        var records: [Record?]
        var preimages: [[UInt8]?]
        var values: [Digest?]
        var latest: [Record?]
        var runs: [RunEntry]
        var document: [UInt8]?
        var runKeys: [Digest]?
        var fanouts: [Fanout?]
        var gathering: Gathering?
        var pins: [Pin]

        init(_ store: Store, _ steps: [NewRecord], fanout: Digest, gathering: Digest) throws {
            records = try store.records(for: steps.map(\.record.key))
            preimages = try steps.map { try store.preimage(for: $0.record.key) }
            values = try steps.map { step in
                // Hashed anew: what comes out is what went in.
                try store.value(for: step.record.artifact ?? step.record.key)?.digest
            }
            latest = try steps.map {
                try store.latestRecord(graph: "test", node: $0.record.node, sample: $0.record.sample)
            }
            runs = try store.runs()
            document = try store.run(id: "run-1")
            runKeys = try store.recordKeys(ofRun: "run-1")
            fanouts = try store.fanouts(for: [fanout], epoch: try store.epoch())
            self.gathering = try store.gathering(gathering)
            pins = try store.pins()
        }
    }

    @Test("1,000 random flips in both files")
    func flips() throws {
        let directory = try TemporaryDirectory()
        let steps =
            (0..<24).map { finishedStep(.tensor(image($0, count: 20 + 90 * $0)), sample: $0) }
            + [finishedStep(nil, node: "failed")]
        let members = steps.compactMap { step in
            step.record.artifact.map { Fanout.Member(key: step.record.key, result: $0) }
        }
        let fanoutKey = Digest(of: [1])
        let gathering = Gathering(
            parts: [.init(className: nil, node: "node", samples: 24, key: fanoutKey, result: Digest(of: [2]))])
        do {
            let store = try Store.open(at: directory.store)
            for start in stride(from: 0, to: steps.count, by: 5) {
                try store.put(Array(steps[start..<min(start + 5, steps.count)]))
            }
            let fanout = Fanout(
                level: .chunk, epoch: try store.epoch(), steps: 24, bytes: 1, facts: [], members: members)
            try store.putRun(
                id: "run-1", graph: "test", document: Array(repeating: 7, count: 5000), keys: [fanoutKey],
                fanouts: [(fanoutKey, fanout)], gatherings: [gathering])
            try store.pin(Pin(name: "p", subject: "node", created: 1, digests: [steps[0].record.key]))
        }
        let files = ["meta", "blobs"].map { URL(fileURLWithPath: "\(directory.store)/\($0)/data.mdb") }
        let whole = try files.map { try Data(contentsOf: $0) }
        func answers() throws -> (Answers, Verification) {
            let store = try Store.open(at: directory.store, access: .readOnly)
            let verification = try store.verify()
            return (try Answers(store, steps, fanout: fanoutKey, gathering: gathering.digest), verification)
        }
        let (right, sound) = try answers()
        #expect(sound.isSound)
        #expect(right.values.compactMap(\.self).count == 24)
        var dice = Dice(state: 20_261_128)
        var (found, harmless) = (0, 0)
        for flip in 0..<1000 {
            let place = dice.roll(whole[0].count + whole[1].count)
            let file = place < whole[0].count ? 0 : 1
            let offset = file == 0 ? place : place - whole[0].count
            let bit = dice.roll(8)
            let handle = try FileHandle(forWritingTo: files[file])
            func write(_ byte: UInt8) throws {
                try handle.seek(toOffset: UInt64(offset))
                try handle.write(contentsOf: [byte])
            }
            try write(whole[file][offset] ^ 1 << UInt8(bit))
            do {
                let (given, verification) = try answers()
                if verification.isSound {
                    harmless += 1
                    // Compared first: the answers are too long to be shown.
                    let isRight = given == right
                    #expect(isRight, "flip \(flip): bit \(bit) of byte \(offset) of file \(file)")
                } else {
                    found += 1
                    // Nothing wrong may be among what is still given.
                    for (one, other) in zip(given.records, right.records) { #expect(one == nil || one == other) }
                    for (one, other) in zip(given.values, right.values) { #expect(one == nil || one == other) }
                    for (one, other) in zip(given.preimages, right.preimages) { #expect(one == nil || one == other) }
                    for (one, other) in zip(given.fanouts, right.fanouts) { #expect(one == nil || one == other) }
                }
            } catch let error as StoreError {
                switch error {
                case .damaged, .damagedStructure, .failed: found += 1
                default: Issue.record("flip \(flip): \(error)")
                }
            }
            try write(whole[file][offset])
            try handle.close()
        }
        #expect(found + harmless == 1000)
        // What is in use (a third of the two files; the rest is free pages and the ends of pages) is all guarded.
        #expect(found > 250, "\(found) found, \(harmless) harmless")
        if let log = ProcessInfo.processInfo.environment["SPINWEAVE_TEST_FIGURES"] {
            try "bit flips: \(found) found, \(harmless) harmless\n".write(
                toFile: log, atomically: true, encoding: .utf8)
        }
    }
}
