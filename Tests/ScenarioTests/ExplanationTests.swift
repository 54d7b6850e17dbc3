import Foundation
import Testing

@Suite("why, log, check and stages")
struct ExplanationTests {
    @Test("why names the field that was edited, with its old and its new value")
    func why() throws {
        let workplace = try QuickGraph.workplace()
        let options = QuickGraph.options(["noise.gain=0.2"])
        let run = try #require(try workplace.runs().first)
        let near = try workplace.spinweave(["why", QuickGraph.file, "noise@dimer#3"] + options)
        #expect(
            near.output == """
                noise@dimer#3: must run: something changed
                  since run \(run):
                    noise.gain 0.15 → 0.2

                """)
        // From far off, it follows the inputs back to the edit.
        let far = try workplace.spinweave(["why", QuickGraph.file, "verdict"] + options)
        #expect(far.status == 0)
        #expect(far.output.hasPrefix("verdict: not known yet: waits for "))
        #expect(far.output.contains("noise@goodenough#0: must run: something changed"))
        #expect(far.output.contains("noise.gain 0.15 → 0.2"))
        #expect(!far.output.contains("spectra"))
    }

    @Test("why of a finished step says which run computed it")
    func whyReused() throws {
        let workplace = try QuickGraph.workplace()
        let run = try #require(try workplace.runs().first)
        let outcome = try workplace.spinweave(["why", QuickGraph.file, "verdict"] + QuickGraph.options())
        #expect(outcome.output.hasPrefix("verdict: reused: computed by run \(run) in "))
    }

    @Test("why in JSON lists the fields that differ")
    func whyDocument() throws {
        struct Document: Decodable {
            struct Difference: Decodable, Equatable {
                var field: String
                var was, now: String?
            }
            var node: String
            var sample: Int?
            var differences: [Difference]
        }
        let workplace = try QuickGraph.workplace()
        let document = try workplace.document(
            Document.self, ["why", QuickGraph.file, "noise@dimer#3"] + QuickGraph.options(["noise.gain=0.2"]))
        #expect((document.node, document.sample) == ("noise@dimer", 3))
        #expect(document.differences == [.init(field: "parameters.gain", was: "0.15", now: "0.2")])
    }

    @Test("a plan says what changed in its own words too")
    func planText() throws {
        let workplace = try QuickGraph.workplace()
        let text = try workplace.spinweave(["plan", QuickGraph.file] + QuickGraph.options(["noise.gain=0.2"])).output
        #expect(text.contains("noise@dimer  run 0–7\n    because noise.gain 0.15 → 0.2\n"))
        #expect(text.contains("spectra@dimer  reuse 0–7\n"))
        #expect(text.contains("network  awaits 0–1 (waits for noise@goodenough)\n"))
        let finished = try workplace.spinweave(["plan", QuickGraph.file] + QuickGraph.options()).output
        #expect(finished.hasSuffix("nothing to compute\n"))
    }

    @Test("log lists runs, oldest first, and shows one in full")
    func log() throws {
        let workplace = try QuickGraph.workplace()
        let first = try #require(try workplace.runs().first)
        let second = try workplace.planAndRun().run
        #expect(try workplace.runs() == [first, second.run])
        let lines = try workplace.spinweave("log", "--store", "store").output.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("\(first)  pcsmo-quick  done  computed "))
        #expect(lines[1].hasPrefix("\(second.run)  pcsmo-quick  done  computed 0, reused "))
        let shown = try workplace.document(RunDocument.self, ["log", second.run, "--store", "store"])
        #expect(shown.run == second.run)
        #expect(shown.nodes.map(\.reused) == second.nodes.map(\.reused))
        let unknown = try workplace.spinweave("log", "20010101-000000-abcde", "--store", "store")
        #expect(unknown.status == 1)
        #expect(
            unknown.errors == """
                error: the store remembers no run '20010101-000000-abcde'
                  hint: 'spinweave log' lists them

                """)
    }

    @Test(
        "check counts nodes and steps, and touches no store",
        arguments: ["pcsmo-quick", "pcsmo-fitted", "square-afm", "pcsmo", "pcsmo-parameters"])
    func check(graph: String) throws {
        struct Document: Decodable {
            struct Node: Decodable {
                var name, stage: String
                var samples: Int?
            }
            var graph: String
            var steps: Int
            var nodes: [Node]
        }
        let workplace = try Workplace()
        let document = try workplace.document(Document.self, ["check", "graphs/\(graph).yaml"])
        #expect(document.graph == graph)
        #expect(document.steps == document.nodes.reduce(0) { $0 + ($1.samples ?? 1) })
        let text = try workplace.spinweave("check", "graphs/\(graph).yaml")
        #expect(text.output == "graphs/\(graph).yaml: ok, \(document.nodes.count) nodes, \(document.steps) steps\n")
        #expect(!FileManager.default.fileExists(atPath: workplace.path("cache").path))
    }

    @Test("every stage documents itself, as text and as JSON")
    func stages() throws {
        struct Stage: Decodable {
            struct Part: Decodable { var name, about: String }
            var name, about, output: String
            var version: Int
            var inputs, parameters: [Part]
        }
        let workplace = try Workplace()
        let stages = try workplace.document([Stage].self, ["stages"])
        #expect(
            Set(stages.map(\.name)).isSuperset(of: [
                "sample-parameters", "fix-parameters", "spin-waves", "resolution", "detector-mask",
                "convolve-resolution", "add-noise", "train-network", "evaluate", "load-measurement", "judge",
                "attribute", "train-posterior", "evaluate-posterior", "estimate-parameters",
            ]))
        let list = try workplace.spinweave("stages").output.split(separator: "\n")
        #expect(list.count == stages.count)
        for stage in stages {
            #expect(stage.version >= 1 && !stage.about.isEmpty)
            let alone = try workplace.document(Stage.self, ["stages", stage.name])
            #expect(alone.parameters.map(\.name) == stage.parameters.map(\.name))
            let text = try workplace.spinweave("stages", stage.name).output
            for part in stage.inputs + stage.parameters {
                #expect(text.contains(part.name), "\(stage.name) \(part.name)")
                #expect(!part.about.isEmpty, "\(stage.name) \(part.name)")
            }
        }
    }
}

extension Workplace {
    /// The runs that a store remembers, oldest first.
    func runs(in store: String = "store") throws -> [String] {
        struct Entry: Decodable { var run: String }
        return try document([Entry].self, ["log", "--store", store]).map(\.run)
    }
}
