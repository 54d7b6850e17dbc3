import Foundation
import Testing

@Suite("What a run prints, where, and what it tells the shell")
struct RunDocumentTests {
    @Test("the document has every field that its readers rely on")
    func fields() throws {
        let workplace = try QuickGraph.workplace()
        let outcome = try workplace.spinweave(
            ["run", QuickGraph.file, "--format", "json"] + QuickGraph.options(["noise.gain=0.2"]))
        #expect(outcome.status == 0)
        // One document and nothing else on standard output.
        let object = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        for field in [
            "graph", "file", "run", "seconds", "store", "seed", "jobs", "outcome", "started", "program", "nodes",
        ] {
            #expect(object[field] != nil, "\(field)")
        }
        let nodes = try #require(object["nodes"] as? [[String: Any]])
        for node in nodes {
            for field in [
                "name", "stage", "samples", "computed", "reused", "failed", "pending", "seconds", "executor",
                "failures",
            ] {
                #expect(node[field] != nil, "\(field)")
            }
        }
        let document = try JSONDecoder().decode(RunDocument.self, from: Data(outcome.output.utf8))
        #expect((document.graph, document.store, document.outcome) == ("pcsmo-quick", "store", "done"))
        #expect(document.nodes.allSatisfy { $0.computed + $0.reused + $0.failed + $0.pending == $0.samples })
        // On a machine with a device some are that one's.
        #expect(document.nodes.allSatisfy { $0.executor.hasPrefix("cpu") || $0.executor == "cuda" })
        let verdict = try #require(document.node("verdict")?.verdict)
        #expect(Set(verdict.probabilities.keys) == ["goodenough", "dimer"])
        #expect(Set(verdict.deviation.keys) == ["goodenough", "dimer"])
        // Two divisions by the same sum: a few units in the last place.
        #expect(abs(verdict.probabilities.values.reduce(0, +) - 1) < 1e-14)
        #expect(verdict.flags.contains("simulated: no measurement file was given"))
        // Progress went to the other stream.
        #expect(outcome.errors.contains("noise@dimer: 8 computed in "))
        #expect(outcome.errors.contains("spectra@dimer: 8 reused\n"))
    }

    @Test("--quiet leaves results alone on standard output and nothing on standard error")
    func quiet() throws {
        let workplace = try QuickGraph.workplace()
        let outcome = try workplace.spinweave(
            ["run", QuickGraph.file, "--quiet"] + QuickGraph.options(["noise.gain=0.2"]))
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty)
        #expect(outcome.output.contains("verdict: "))
        #expect(outcome.output.contains("pcsmo-quick: done. "))
        let again = try workplace.spinweave(
            ["run", QuickGraph.file, "--quiet"] + QuickGraph.options(["noise.gain=0.2"]))
        #expect(again.output.contains("pcsmo-quick: nothing to compute. 0 computed, "))
    }

    @Test("the store is --store, else SPINWEAVE_STORE, else ./cache")
    func whichStore() throws {
        let workplace = try Workplace()
        let arguments = ["run", "graphs/pcsmo-fitted.yaml", "--quiet"] + Self.smallFitted
        func exists(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: workplace.path("\(name)/FORMAT").path)
        }
        try workplace.spinweave(arguments + ["--store", "named"], environment: ["SPINWEAVE_STORE": "environment"])
        #expect(exists("named") && !exists("environment") && !exists("cache"))
        try workplace.spinweave(arguments, environment: ["SPINWEAVE_STORE": "environment"])
        #expect(exists("environment") && !exists("cache"))
        try workplace.spinweave(arguments)
        #expect(exists("cache"))
        let listed = try workplace.inspector("ls", environment: ["SPINWEAVE_STORE": "environment"])
        #expect(listed.status == 0 && listed.output.contains("dimer-image"))
    }

    /// The fitted graph with few pixels and few wavevectors.
    static let smallFitted = [
        "resolution.settings=[{energy: 50 meV, frequency: 200 Hz}]",
        "resolution.energy-bins={count: 2, from: 0.1, to: 0.7}",
        "resolution.h={count: 6, from: -1, to: 1}", "resolution.k={count: 6, from: -1, to: 1}",
        "goodenough-spectrum.grid=4", "dimer-spectrum.grid=4",
    ].flatMap { ["--set", $0] }

    @Test("wrong arguments end with 64")
    func wrongArguments() throws {
        let workplace = try Workplace()
        for arguments in [
            ["frobnicate"], ["run"], ["run", QuickGraph.file, "--jobs", "0"],
            ["run", QuickGraph.file, "--format", "xml"],
            ["stages", "convolve-resolutoin"], ["run", QuickGraph.file, "--executor", "gpu"],
        ] {
            let outcome = try workplace.spinweave(arguments)
            #expect(outcome.status == 64, "\(arguments)")
            #expect(outcome.output.isEmpty && !outcome.errors.isEmpty, "\(arguments)")
        }
        #expect(try workplace.spinweave("--help").status == 0)
        #expect(try workplace.spinweave("--version").status == 0)
    }

    @Test("auto and cpu are the same executor, and --strict-numerics puts it into the keys")
    func executors() throws {
        let workplace = try Workplace()
        let arguments = ["run", "graphs/pcsmo-fitted.yaml"] + Self.smallFitted
        #expect(try workplace.document(RunDocument.self, arguments).computed == 7)
        #expect(try workplace.document(RunDocument.self, arguments + ["--executor", "cpu"]).computed == 0)
        #expect(try workplace.document(RunDocument.self, arguments + ["--strict-numerics"]).computed == 7)
    }
}
