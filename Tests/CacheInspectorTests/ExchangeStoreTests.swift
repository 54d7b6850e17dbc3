import Artifacts
import CacheStore
import Foundation
import Testing

/// The store's half of export and import, on forged and foreign input.
@Suite("Exchange between stores")
struct ExchangeStoreTests {
    private func exported(_ small: SmallStore) throws -> (folder: URL, summary: ExportSummary) {
        let folder = small.folder.appending(path: "exchange")
        let summary = try small.store.export(
            Array(small.records.values), run: small.store.runs().last, to: folder.path)
        return (folder, summary)
    }

    private func target(_ small: SmallStore) throws -> Store {
        try Store.open(at: small.folder.appending(path: "target").path)
    }

    /// Changes a list and puts its new hash into the manifest, as a forger would.
    private func forge(_ folder: URL, _ name: String, _ change: (inout String) -> Void) throws {
        let file = folder.appending(path: name)
        var text = try String(contentsOf: file, encoding: .utf8)
        let before = Digest(of: Array(text.utf8))
        change(&text)
        let manifest = folder.appending(path: "manifest.json")
        let listed = try String(contentsOf: manifest, encoding: .utf8)
            .replacing(before.hex, with: Digest(of: Array(text.utf8)).hex)
        try text.write(to: file, atomically: true, encoding: .utf8)
        try listed.write(to: manifest, atomically: true, encoding: .utf8)
    }

    private func complaint(_ folder: URL, _ store: Store) -> String {
        do {
            _ = try store.importExchange(from: folder.path, now: SmallStore.now)
            return "none"
        } catch {
            return "\(error)"
        }
    }

    @Test("everything but failures goes across, to the last bit of each record")
    func roundTrip() throws {
        let small = try SmallStore()
        let (folder, summary) = try exported(small)
        #expect(summary.records == 9 && summary.artifacts == 9 && summary.missing.isEmpty)
        #expect(summary.failed == ["noise@a#3"])
        let target = try target(small)
        let imported = try target.importExchange(from: folder.path, now: SmallStore.now)
        #expect(imported.added == 9 && imported.artifacts == 9 && imported.bytes == summary.bytes)
        for (step, record) in small.records where record.artifact != nil {
            #expect(try target.records(for: [record.key]) == [record], "\(step)")
            let artifact = try #require(record.artifact)
            #expect(try target.value(for: artifact) == small.store.value(for: artifact))
            #expect(try target.preimage(for: record.key) == small.store.preimage(for: record.key))
        }
        let run = try #require(try target.runs().last?.id)
        #expect(try target.run(id: run) == small.store.run(id: run))
        #expect(try target.recordKeys(ofRun: run)?.count == 9)
    }

    @Test("a record whose key is not that of what it is made of is refused, hash or no hash")
    func forgedRecord() throws {
        let small = try SmallStore()
        let (folder, _) = try exported(small)
        // Another exposure's result under this one's key: the sample's number takes part in the key.
        try forge(folder, "records.jsonl") {
            $0.replace("\"sample\":1,\"template\"", with: "\"sample\":7,\"template\"")
        }
        let target = try target(small)
        let text = complaint(folder, target)
        #expect(text.contains("records.jsonl' is damaged: the key of"), "\(text)")
        #expect(text.contains("#1 is not that of what it is made of"), "\(text)")
        #expect(try Ancestry(target).records.isEmpty)
    }

    @Test("an artifact's file under another's name, and a missing one, are refused")
    func swapped() throws {
        let small = try SmallStore()
        let (folder, _) = try exported(small)
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".value") }.sorted()
        let content = try Data(contentsOf: folder.appending(path: files[0]))
        try content.write(to: folder.appending(path: files[1]))
        let target = try target(small)
        #expect(complaint(folder, target).contains("\(files[1])' is damaged: its SHA-256 is not the one in its name"))
        try FileManager.default.removeItem(at: folder.appending(path: files[1]))
        #expect(complaint(folder, target).contains("\(files[1])' cannot be read"))
        // What came in before is whole.
        #expect(try target.verify().isSound)
    }

    @Test("a later format is refused before anything is read")
    func later() throws {
        let small = try SmallStore()
        let (folder, _) = try exported(small)
        try "{\"format\": 2, \"something\": \"else\"}\n".write(
            to: folder.appending(path: "manifest.json"), atomically: true, encoding: .utf8)
        #expect(complaint(folder, try target(small)).contains("has format 2, and this program knows format 1"))
    }

    @Test("the store's own artifact is kept where the export has another, and the step is named")
    func differing() throws {
        let small = try SmallStore()
        let (folder, _) = try exported(small)
        let target = try target(small)
        let key = try #require(small.records["noise@a#1"]?.key)
        var own = try #require(small.records["noise@a#1"])
        let value = Value.string("as computed here").encoded()
        own.outcome = .done(artifact: Digest(of: value.bytes), bytes: value.bytes.count)
        let template = try #require(try small.store.template(own.identity.template)).encoded().bytes
        try target.put([NewRecord(record: own, template: template, artifact: value)])
        let imported = try target.importExchange(from: folder.path, now: SmallStore.now)
        #expect(imported.differing == ["noise@a#1"])
        #expect(imported.added == 8 && imported.known == 0)
        #expect(try target.records(for: [key])[0]?.artifact == own.artifact)
    }
}
