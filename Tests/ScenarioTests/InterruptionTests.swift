import Foundation
import Testing

@Suite("Interrupted runs keep what they finished")
struct InterruptionTests {
    /// Long enough, a few seconds on one thread, to be stopped in the middle.
    private static let options =
        QuickGraph.options(["parameters.count=40", "spectra.grid=14", "network.epochs=500"]) + ["--jobs", "1"]

    /// The artifacts of all steps of a run that nobody disturbed.
    private static let undisturbed = Result {
        let workplace = try Workplace()
        let outcome = try workplace.spinweave(["run", QuickGraph.file, "--quiet"] + options)
        try #require(outcome.status == 0, "\(outcome.errors)")
        return try workplace.artifacts()
    }

    /// Starts a run and waits until it works on `node` and has finished some of it.
    private func start(_ workplace: Workplace, until node: String) throws -> RunningProgram {
        let run = try Program.spinweave.start(["run", QuickGraph.file] + Self.options, in: workplace.folder)
        while try !run.errorsSoFar.contains("\(node):  "), run.isRunning { usleep(2000) }
        // Some samples, or some epochs; the store is written every 200 ms.
        usleep(250_000)
        return run
    }

    @Test("kill -9, again and again: nothing finished is computed twice, and the answers are those of one quiet run")
    func killed() throws {
        let workplace = try Workplace()
        var known = 0
        for node in ["spectra@goodenough", "spectra@dimer", "images@dimer", "network"] {
            let run = try start(workplace, until: node)
            run.send(SIGKILL)
            #expect(try run.wait().status == -SIGKILL, "the run ended before it was killed at \(node)")
            let records = try workplace.records().count
            #expect(records > known, "\(node)")
            known = records
            let verified = try workplace.inspector("verify", "--store", "store")
            #expect(verified.status == 0 && verified.output.hasSuffix("all is sound\n"), "\(verified.output)")
        }
        let run = try workplace.document(RunDocument.self, ["run", QuickGraph.file] + Self.options)
        #expect(run.outcome == "done")
        #expect(run.nodes.reduce(0) { $0 + $1.reused } == known)
        #expect(try workplace.inspector("verify", "--store", "store").status == 0)
        #expect(try workplace.artifacts() == Self.undisturbed.get())
    }

    @Test("Ctrl-C finishes what is in flight, says so, and ends with 130", arguments: [SIGINT, SIGTERM])
    func interrupted(signal: Int32) throws {
        let workplace = try Workplace()
        let run = try start(workplace, until: "spectra@dimer")
        run.send(signal)
        let outcome = try run.wait()
        #expect(outcome.status == 130)
        #expect(
            outcome.errors.contains(
                "stopping: steps in flight finish and are kept; press Ctrl-C again to stop at once\n"))
        #expect(outcome.output.contains("pcsmo-quick: interrupted; run again to go on from here. "))
        let records = try workplace.records()
        #expect(!records.isEmpty)
        let logged = try workplace.document([RunDocument].self, ["log", "--store", "store"])
        #expect(logged.map(\.outcome) == ["interrupted"])
        #expect(logged[0].computed == records.count)
        #expect(logged[0].nodes.contains { $0.pending > 0 })
        let plan = try workplace.document(PlanDocument.self, ["plan", QuickGraph.file] + Self.planOptions)
        #expect(plan.nodes.reduce(0) { $0 + $1.reuse } == records.count)
    }

    @Test("a second Ctrl-C stops at once: no report, no run in the log, and a sound store to go on from")
    func interruptedTwice() throws {
        let workplace = try Workplace()
        // One step takes many seconds, so that the first Ctrl-C alone would not end the run.
        let slow =
            QuickGraph.options(["parameters.count=4", "images.method=monte-carlo", "images.draws=10000"]) + [
                "--jobs", "1",
            ]
        let run = try Program.spinweave.start(["run", QuickGraph.file] + slow, in: workplace.folder)
        while try !run.errorsSoFar.contains("images@goodenough:  "), run.isRunning { usleep(2000) }
        // That line comes before the step is under way; between steps one Ctrl-C would be enough.
        usleep(250_000)
        run.send(SIGINT)
        while try !run.errorsSoFar.contains("stopping: "), run.isRunning { usleep(2000) }
        #expect(run.isRunning)
        run.send(SIGINT)
        let outcome = try run.wait()
        #expect(outcome.status == 130)
        #expect(outcome.output.isEmpty)
        #expect(try workplace.runs().isEmpty)
        #expect(try workplace.inspector("verify", "--store", "store").status == 0)
        let kept = try workplace.records().count
        #expect(kept > 0)
        let next = try workplace.document(PlanDocument.self, ["plan", QuickGraph.file] + slow.dropLast(2))
        #expect(next.nodes.reduce(0) { $0 + $1.reuse } == kept)
    }

    @Test("Ctrl-C in the middle of training keeps the simulations")
    func interruptedTraining() throws {
        let workplace = try Workplace()
        let run = try start(workplace, until: "network")
        run.send(SIGINT)
        #expect(try run.wait().status == 130)
        let last = try workplace.document(RunDocument.self, ["run", QuickGraph.file] + Self.options)
        #expect(last.outcome == "done")
        #expect(last.node("noise@dimer")?.reused == 40)
        #expect(try workplace.artifacts() == Self.undisturbed.get())
    }

    @Test("two runs on one store at a time share the work and give what one gives")
    func sideBySide() throws {
        let workplace = try Workplace()
        let first = try start(workplace, until: "spectra@goodenough")
        let second = try Program.spinweave.start(
            ["run", QuickGraph.file, "--quiet"] + Self.options, in: workplace.folder)
        #expect(try second.wait().status == 0)
        #expect(try first.wait().status == 0)
        let logged = try workplace.document([RunDocument].self, ["log", "--store", "store"])
        #expect(try logged.reduce(0) { $0 + $1.computed } == workplace.records().count, "no step was computed twice")
        #expect(try workplace.inspector("verify", "--store", "store").status == 0)
        #expect(try workplace.artifacts() == Self.undisturbed.get())
    }

    private static let planOptions = Array(options.dropLast(2))
}
