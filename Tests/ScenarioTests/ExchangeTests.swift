import Artifacts
import Foundation
import Testing

/// From one store to another by a crate: nothing is computed again, and nothing is believed unseen.
@Suite("Export and import")
struct ExchangeTests {
    /// A copy of the finished workplace with its run exported to `crate`.
    private static let exported: Result<Workplace, any Error> = Result {
        let workplace = try QuickGraph.workplace()
        let outcome = try workplace.inspector(
            "export", "--run", "last", "noise@dimer#3", "-o", "crate", "--store", "store", "--include", QuickGraph.file,
            "--author", "A. Person <https://orcid.org/0000-0002-1825-0097>")
        try #require(outcome.status == 0, "\(outcome.errors)")
        atexit {
            guard case .success(let workplace) = ExchangeTests.exported else { return }
            try? FileManager.default.removeItem(at: workplace.folder)
        }
        return workplace
    }

    private func workplace() throws -> Workplace { try Workplace(copying: Self.exported.get()) }

    @Test("after import into an empty store the graph runs with everything reused")
    func reuse() throws {
        let workplace = try workplace()
        let imported = try workplace.inspector("import", "crate", "--store", "other")
        #expect(imported.status == 0, "\(imported.errors)")
        let run = try workplace.document(
            RunDocument.self, ["run", QuickGraph.file, "--quiet"] + QuickGraph.options(store: "other"))
        #expect(run.computed == 0)
        #expect(run.node("verdict")?.verdict != nil)
        #expect(try workplace.artifacts(in: "other") == workplace.artifacts(in: "store"))
        let verified = try workplace.inspector("verify", "--store", "other")
        #expect(verified.status == 0, "\(verified.output)")
        // Lineage came along, through ports that take everything too.
        let tree = try workplace.inspector("tree", "verdict", "--store", "other", "--brief")
        #expect(tree.output == (try workplace.inspector("tree", "verdict", "--store", "store", "--brief")).output)
        #expect(tree.output.contains("parameters@dimer 0–7"))
        // And an edit recomputes from there as it would at home.
        let edited = try workplace.document(
            RunDocument.self,
            ["run", QuickGraph.file, "--quiet"] + QuickGraph.options(["noise.gain=0.2"], store: "other"))
        #expect(edited.computedNodes.isDisjoint(with: ["parameters", "spectra", "images", "resolution"]))
    }

    @Test("importing twice, and into the store that it came from, changes nothing")
    func twice() throws {
        let workplace = try workplace()
        let before = try workplace.artifacts(in: "store")
        let outcome = try workplace.inspector("import", "crate", "--store", "store", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        struct Document: Decodable {
            struct Imported: Decodable { var added, known, artifacts: Int }
            var imported: Imported
        }
        let imported = try JSONDecoder().decode(Document.self, from: Data(outcome.output.utf8)).imported
        #expect(imported.added == 0 && imported.artifacts == 0 && imported.known == before.count)
        #expect(try workplace.artifacts(in: "store") == before)
    }

    @Test("the crate's description holds together, and every file has the SHA-256 that it says")
    func description() throws {
        let workplace = try Self.exported.get()
        let document = try JSONSerialization.jsonObject(
            with: Data(contentsOf: workplace.path("crate/ro-crate-metadata.json")))
        let fields = try #require(document as? [String: Any])
        let entities = try #require(fields["@graph"] as? [[String: Any]])
        let identities = entities.compactMap { $0["@id"] as? String }
        #expect(identities.count == entities.count)
        #expect(Set(identities).count == identities.count, "identities are unique")
        func entity(_ id: String) -> [String: Any]? { entities.first { $0["@id"] as? String == id } }
        func references(_ value: Any?) -> [String] {
            if let list = value as? [Any] { return list.flatMap(references) }
            if let one = value as? [String: Any], let id = one["@id"] as? String { return [id] }
            return []
        }
        // RO-Crate 1.1, 3.1: the descriptor is about the root, which has these.
        #expect(references(entity("ro-crate-metadata.json")?["about"]) == ["./"])
        let root = try #require(entity("./"))
        for key in ["name", "description", "datePublished", "license"] { #expect(root[key] != nil, "\(key)") }
        // All that is mentioned is described, but for the specification itself.
        let known = Set(identities)
        for entity in entities {
            for (key, value) in entity where key != "@id" {
                for id in references(value) where id != "https://w3id.org/ro/crate/1.1" {
                    #expect(known.contains(id), "\(key) of \(entity["@id"] ?? "")")
                }
            }
        }
        // Files: all there, all as described, all reachable from the root.
        let files = entities.filter { $0["@type"] as? String == "File" }
        var reachable = Set(references(root["hasPart"]))
        reachable.formUnion(references(entity("store/")?["hasPart"]))
        for file in files {
            let id = try #require(file["@id"] as? String)
            let path = try #require(id.removingPercentEncoding)
            let content = try Data(contentsOf: workplace.path("crate/\(path)"))
            #expect(file["sha256"] as? String == Digest(of: content).hex, "\(id)")
            #expect(file["contentSize"] as? String == "\(content.count)", "\(id)")
            #expect(reachable.contains(id), "\(id)")
        }
        let onDisk = try FileManager.default.subpathsOfDirectory(atPath: workplace.path("crate").path).filter {
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(
                atPath: workplace.path("crate/\($0)").path, isDirectory: &isFolder) && !isFolder.boolValue
        }
        #expect(onDisk.count == files.count + 1, "each file but the description is described")
        // Process Run Crate 0.5: every action has an instrument, and comes from the root.
        let actions = entities.filter { $0["@type"] as? String == "CreateAction" }
        #expect(actions.count >= 20)
        let mentioned = Set(references(root["mentions"]))
        for action in actions {
            #expect(references(action["instrument"]).allSatisfy { $0.hasPrefix("#spinweave-") })
            #expect(!references(action["result"]).isEmpty)
            #expect(mentioned.contains(action["@id"] as? String ?? ""))
        }
    }

    @Test("readable results: arrays for NumPy, and the rest as JSON")
    func results() throws {
        let workplace = try Self.exported.get()
        #expect(try workplace.text(of: "crate/results/noise@dimer/3/value.json").contains("\"file\": \"images.npy\""))
        #expect(try Data(contentsOf: workplace.path("crate/results/noise@dimer/3/images.npy")).count > 1000)
        #expect(try workplace.text(of: "crate/results/verdict/value.json").contains("\"probabilities\""))
        #expect(try workplace.text(of: "crate/files/pcsmo-quick.yaml") == workplace.text(of: QuickGraph.file))
    }

    @Test("what was changed on the way is refused, and named")
    func tampering() throws {
        let workplace = try workplace()
        let folder = workplace.path("crate/store/artifacts")
        let file = try #require(
            try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".value") }.max {
                let sizes = try [$0, $1].map { try Data(contentsOf: folder.appending(path: $0)).count }
                return sizes[0] < sizes[1]
            })
        var bytes = try Data(contentsOf: folder.appending(path: file))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: folder.appending(path: file))
        let refused = try workplace.inspector("import", "crate", "--store", "other")
        #expect(refused.status == 1)
        #expect(
            refused.errors == """
                error: 'crate/store/artifacts/\(file)' is damaged: its SHA-256 is not the one in its name
                  hint: copy or export it again; what was stored from it before this is whole

                """)
        let verified = try workplace.inspector("verify", "--store", "other")
        #expect(verified.status == 0, "\(verified.output)\(verified.errors)")

        var records = try workplace.text(of: "crate/store/records.jsonl")
        records.replace("noise@dimer", with: "noise@diner")
        try workplace.write(records, to: "crate/store/records.jsonl")
        let edited = try workplace.inspector("import", "crate", "--store", "third")
        #expect(edited.status == 1)
        #expect(
            edited.errors.hasPrefix(
                "error: 'crate/store/records.jsonl' is damaged: its SHA-256 is not the one in the manifest"))
        #expect(try workplace.inspector("ls", "--store", "third").output == "no records\n")
    }

    @Test("a folder that is there, a run that is not, and a folder that is no export")
    func refusals() throws {
        let workplace = try QuickGraph.workplace()
        let there = try workplace.inspector("export", "verdict", "-o", "graphs", "--store", "store")
        #expect(there.status == 64)
        #expect(
            there.errors == "error: 'graphs' is there already\n  hint: name a folder that does not exist yet\n")
        let noRun = try workplace.inspector("export", "--run", "1999", "-o", "crate", "--store", "store")
        #expect(noRun.status == 64)
        #expect(noRun.errors.hasPrefix("error: the store 'store' remembers no run '1999'"))
        let noExport = try workplace.inspector("import", "graphs", "--store", "other")
        #expect(noExport.status == 64)
        #expect(noExport.errors.hasPrefix("error: 'graphs' holds no export of Spinweave"))
        #expect(!FileManager.default.fileExists(atPath: workplace.path("other").path))
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: workplace.folder.path).allSatisfy {
                !$0.hasSuffix(".partial")
            })
    }
}
