import Foundation
import Testing

@Suite("Events for other programs")
struct EventTests {
    private struct Event: Decodable {
        struct Report: Decodable { var computed: Int?, reused: Int?, outcome: String?, name: String? }

        var version: Int
        var time: Double
        var event: String
        var run, node, stage, note, message: String?
        var steps, done, missing, reused: Int?
        var nodes: [String]?
        var report: Report?
    }

    private func events(_ text: String) throws -> [Event] {
        try text.split(separator: "\n").map { try JSONDecoder().decode(Event.self, from: Data($0.utf8)) }
    }

    @Test("--events FILE: one object a line, from the start of the run to its report")
    func file() throws {
        let workplace = try QuickGraph.workplace()
        let edit = QuickGraph.options(["noise.gain=0.2"])
        let outcome = try workplace.spinweave(
            ["run", QuickGraph.file, "--events", "events.jsonl", "--format", "json"] + edit)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let document = try JSONDecoder().decode(RunDocument.self, from: Data(outcome.output.utf8))
        let events = try events(workplace.text(of: "events.jsonl"))
        #expect(events.allSatisfy { $0.version == 1 })
        #expect(events.first?.event == "run-started" && events.last?.event == "run-finished")
        #expect(events.first?.run == document.run && events.last?.report?.outcome == "done")
        #expect(events.first?.nodes == document.nodes.map(\.name))
        #expect(events.filter { $0.event == "node-started" }.map(\.node) == document.nodes.map(\.name))
        let finished = events.filter { $0.event == "node-finished" }
        #expect(finished.map { $0.report?.computed } == document.nodes.map(\.computed))
        #expect(finished.map { $0.report?.reused } == document.nodes.map(\.reused))
        // The last step of a node is always told.
        let noise = events.filter { $0.event == "progress" && $0.node == "noise@dimer" }
        #expect(noise.last?.done == 8 && noise.last?.missing == 8)
    }

    @Test("--events - leaves standard output to the events alone")
    func standardOutput() throws {
        let workplace = try QuickGraph.workplace()
        let outcome = try workplace.spinweave(
            ["run", QuickGraph.file, "--events", "-", "--quiet"] + QuickGraph.options())
        #expect(outcome.status == 0)
        let events = try events(outcome.output)
        #expect(events.last?.event == "run-finished")
        #expect(outcome.errors.contains("pcsmo-quick: nothing to compute. "))
        let both = try workplace.spinweave(
            ["run", QuickGraph.file, "--events", "-", "--format", "json"] + QuickGraph.options())
        #expect(both.status == 64 && both.output.isEmpty)
        #expect(both.errors.contains("--events - and --format json both write on standard output"))
    }

    @Test(
        "a place that cannot be written is told before anything runs; one that fails later ends the events, not the run"
    )
    func unwritable() throws {
        let workplace = try QuickGraph.workplace()
        let nowhere = try workplace.spinweave(
            ["run", QuickGraph.file, "--events", "no/such/folder"] + QuickGraph.options())
        #expect(nowhere.status == 1)
        #expect(
            nowhere.errors == """
                error: cannot write events to no/such/folder: No such file or directory
                  hint: --events takes a file, a named pipe, or - for standard output

                """)
        let full = try workplace.spinweave(
            ["run", QuickGraph.file, "--quiet", "--events", "/dev/full"] + QuickGraph.options())
        #expect(full.status == 0)
        #expect(full.errors == "warning: no more events to /dev/full: nobody reads them, or the disk is full\n")
    }

    @Test("--keep-going computes everything that does not depend on the failed step")
    func keepGoing() throws {
        let workplace = try Workplace()
        // The test fails; the measurement and its attribution do not depend on it, the verdict does.
        let options = QuickGraph.options(["test-spectra.limits.time=1 ms", "test-spectra.grid=80"])
        let stopped = try workplace.spinweave(["run", QuickGraph.file, "--quiet", "--format", "json"] + options)
        #expect(stopped.status == 1)
        let first = try JSONDecoder().decode(RunDocument.self, from: Data(stopped.output.utf8))
        #expect(first.node("attribution")?.pending == 1)
        let going = try workplace.spinweave(
            ["run", QuickGraph.file, "--quiet", "--keep-going", "--format", "json"] + options)
        #expect(going.status == 1)
        let document = try JSONDecoder().decode(RunDocument.self, from: Data(going.output.utf8))
        #expect(document.outcome == "failed")
        // What failed in the first run is remembered; what the first run left is computed.
        #expect(document.node("test-spectra@goodenough")?.failed == 4)
        #expect(document.node("test")?.pending == 1)
        #expect(document.node("measurement")?.computed == 1 && document.node("attribution")?.computed == 1)
        #expect(document.node("verdict")?.pending == 1)
        #expect(document.nodes.filter { $0.pending > 0 }.allSatisfy { $0.computed == 0 && $0.failed == 0 })
    }
}
