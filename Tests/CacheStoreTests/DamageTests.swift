import Artifacts
import Foundation
import Tensors
import Testing

@testable import CacheStore

/// A small reproducible generator for choosing what to break.
struct Dice {
    var state: UInt64

    mutating func roll(_ sides: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % max(1, sides)
    }
}

@Suite("Damage is reported or treated as missing, never believed, and never ends the program")
struct DamageTests {
    let directory: TemporaryDirectory
    let steps = Self.steps
    let prepared = Self.prepared

    /// Values of all sizes: in a page, in pages of their own, in several pieces.
    static let steps: [NewRecord] = {
        // Squares of a Weyl sequence: bytes that do not compress.
        let noise = (0..<1_100_000).map { (index: Int) -> UInt8 in
            let word = UInt64(index) &* 0x9E37_79B9_7F4A_7C15
            return UInt8(truncatingIfNeeded: (word &* word) >> 40)
        }
        return (0..<60).map { finishedStep(.tensor(image($0, count: 40 + 34 * $0)), sample: $0) }
            + (60..<80).map { (index: Int) in finishedStep(.string("small \(index)"), sample: index) }
            + [finishedStep(.bytes(noise), node: "large")]
    }()
    static let prepared = steps.map(Store.prepare)

    init() throws {
        directory = try TemporaryDirectory()
        let store = try Store.open(at: directory.store)
        try store.put(prepared: prepared)
        // Deletions, so that there are free pages and a list of them.
        for step in steps[30..<35] { if let artifact = step.record.artifact { try store.setAside(artifact) } }
        try store.putRun(id: "run-1", graph: "test", document: Array("{}".utf8), keys: steps.map(\.record.key))
    }

    /// A copy of the store with `edit` done to one of its files.
    private func damagedCopy(_ name: String, file: String, _ edit: (inout Data) -> Void) throws -> String {
        let copy = "\(directory.path)/\(name)"
        try FileManager.default.copyItem(atPath: directory.store, toPath: copy)
        let url = URL(fileURLWithPath: "\(copy)/\(file)/data.mdb")
        var data = try Data(contentsOf: url)
        edit(&data)
        try data.write(to: url)
        return copy
    }

    /// Reads everything; every answer must be right, absent, or reported as damage.
    private func readEverything(of store: Store) throws {
        let records = try store.records(for: steps.map(\.record.key))
        for (step, record) in zip(steps, records) {
            if let record { #expect(record == step.record) }
            let preimage = try store.preimage(for: step.record.key)
            if let preimage {
                let template = try Value(decoding: step.template)
                #expect(preimage == (try step.record.identity.preimage(template: template).encoded().bytes))
            }
            guard let artifact = step.record.artifact else { continue }
            do {
                if let value = try store.value(for: artifact) { #expect(value.digest == artifact) }
            } catch {
                guard case .damaged(artifact, _) = error else { throw error }
            }
            let latest = try store.latestRecord(graph: "test", node: step.record.node, sample: step.record.sample)
            if let latest { #expect(latest == step.record) }
        }
        _ = try store.runs()
        _ = try store.run(id: "run-1")
    }

    @Test("flipped bits anywhere", arguments: [("meta", 0..<12), ("blobs", 12..<24), ("pages", 24..<64)])
    func flippedBits(file: String, seeds: Range<Int>) throws {
        var refused = 0
        var reported = 0
        for seed in seeds {
            var dice = Dice(state: UInt64(seed) &* 7919 &+ 1)
            let inner = file == "pages" ? (seed % 2 == 0 ? "meta" : "blobs") : file
            let copy = try damagedCopy("flipped-\(seed)", file: inner) { data in
                for _ in 0...dice.roll(6) {
                    let page = dice.roll(data.count / 4096)
                    // In "pages": only headers, offsets and node heads, where damage leads LMDB astray.
                    let offset =
                        file == "pages" ? [dice.roll(200), 4095 - dice.roll(300)][dice.roll(2)] : dice.roll(4096)
                    data[page * 4096 + offset] ^= 1 << UInt8(dice.roll(8))
                }
            }
            do {
                let store = try Store.open(at: copy)
                try readEverything(of: store)
                if try !store.verify(repair: true).isSound { reported += 1 }
                try readEverything(of: store)
                try store.put(prepared: prepared)
                try store.put([finishedStep(.tensor(image(99, count: 3000)), node: "new")])
                try readEverything(of: store)
            } catch {
                guard case .damagedStructure? = error as? StoreError else { throw error }
                refused += 1
                let salvage = try Store.salvage(at: copy)
                #expect(!salvage.problems.isEmpty)
                let store = try Store.open(at: copy)
                try readEverything(of: store)
                try store.put(prepared: prepared)
                for step in steps {
                    guard let artifact = step.record.artifact else { continue }
                    #expect(try store.value(for: artifact)?.digest == artifact)
                }
                #expect(try store.verify().isSound)
            }
            try FileManager.default.removeItem(atPath: copy)
        }
        // Flips of a handful of bits in about a hundred pages do not all miss.
        #expect(refused + reported > seeds.count / 10)
    }

    @Test("a flipped bit in an image: that artifact is damaged, repair removes it, the rest stays")
    func flippedImage() throws {
        let large = try #require(steps.last?.record.artifact)
        let copy = try damagedCopy("image", file: "blobs") { data in
            // Most of the file is the large image: its middle surely is.
            data[data.count - 200_000] ^= 4
        }
        let store = try Store.open(at: copy)
        let verification = try store.verify()
        #expect(verification.damagedArtifacts.map(\.digest) == [large])
        #expect(verification.damagedArtifacts.first?.steps == ["large"])
        #expect(throws: StoreError.self) { try store.value(for: large) }
        #expect(try store.verify(repair: true).isRepaired)
        #expect(try store.holds([large]) == [false])
        let after = try store.verify()
        #expect(after.isSound)
        #expect(after.missingArtifacts.contains("large"))
        try store.put([try #require(steps.last)])
        #expect(try store.value(for: large)?.digest == large)
    }

    @Test(
        "a file cut short is refused with one clear message, and what is whole can be saved",
        arguments: [
            "meta", "blobs",
        ])
    func truncated(file: String) throws {
        for (index, keep) in [0.0, 0.0001, 0.01, 0.3, 0.9].enumerated() {
            let copy = try damagedCopy("cut-\(index)", file: file) { data in
                data = data.prefix(Int(Double(data.count) * keep))
            }
            do {
                let store = try Store.open(at: copy)
                // Only free pages were cut off.
                try readEverything(of: store)
                #expect(keep == 0.9)
            } catch {
                guard case .damagedStructure(let path, _)? = error as? StoreError else { throw error }
                #expect(path.hasSuffix("\(file)/data.mdb"))
                _ = try Store.salvage(at: copy)
                let store = try Store.open(at: copy)
                try readEverything(of: store)
                #expect(try store.verify().isSound)
            }
        }
    }

    @Test("a lost blobs file makes every artifact missing, and nothing else")
    func lostBlobs() throws {
        try FileManager.default.removeItem(atPath: directory.store + "/blobs")
        let store = try Store.open(at: directory.store)
        #expect(try store.holds(steps.compactMap(\.record.artifact)).allSatisfy { !$0 })
        #expect(try store.records(for: [steps[0].record.key]) == [steps[0].record])
        try store.put(prepared: prepared)
        #expect(try store.value(for: try #require(steps[0].record.artifact)) == .tensor(image(0, count: 40)))
    }

    @Test("a writer killed at any moment leaves a sound store", arguments: [5, 40, 90, 150])
    func killedWriter(milliseconds: Int) async throws {
        let path = directory.path + "/killed"
        _ = try Store.open(at: path)
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, milliseconds = milliseconds as Int] in
            let store = try Store.open(at: path)
            Thread.detachNewThread {
                usleep(UInt32(milliseconds) * 1000)
                kill(getpid(), SIGKILL)
            }
            for batch in 0... {
                try store.put(
                    (0..<4).map { finishedStep(.tensor(image(batch * 4 + $0, count: 3000)), sample: batch * 4 + $0) })
            }
        }
        let store = try Store.open(at: path)
        let verification = try store.verify()
        #expect(verification.isSound)
        #expect(verification.missingArtifacts == [], "a record never comes before its artifact")
    }
}
