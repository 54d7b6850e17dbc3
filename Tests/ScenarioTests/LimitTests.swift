import Foundation
import Testing

@Suite("Limits of time and memory, in processes of their own")
struct LimitTests {
    /// Training that takes many minutes.
    private static let endless = ["network.epochs=100000"]

    private static let generous = ["spectra", "noise", "network", "verdict", "resolution"].map {
        "\($0).limits={time: 10 min, memory: 8 GB}"
    }

    /// Processes that work for a run in this folder, as the system lists them.
    private func workers(in workplace: Workplace) throws -> [String] {
        let folder = workplace.folder.resolvingSymlinksInPath().path
        return try FileManager.default.contentsOfDirectory(atPath: "/proc").filter { name in
            guard Int(name) != nil,
                let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(name)/cwd"),
                place == folder, let command = FileManager.default.contents(atPath: "/proc/\(name)/cmdline")
            else { return false }
            return String(decoding: command, as: UTF8.self).hasPrefix("spinweave\0worker\0")
        }
    }

    private func waitForWorkers(in workplace: Workplace, _ wanted: (Int) -> Bool) throws -> Bool {
        for _ in 0..<3000 {
            if wanted(try workers(in: workplace).count) { return true }
            usleep(10_000)
        }
        return false
    }

    @Test("steps computed in worker processes give the same bits under the same keys")
    func sameBits() throws {
        let workplace = try Workplace()
        let limited = try workplace.document(
            RunDocument.self, ["run", QuickGraph.file, "--quiet"] + QuickGraph.options(Self.generous))
        #expect(limited.outcome == "done")
        #expect(try workplace.artifacts() == QuickGraph.finished.get().artifacts())
        // Limits are in no key.
        let free = try workplace.document(RunDocument.self, ["run", QuickGraph.file, "--quiet"] + QuickGraph.options())
        #expect(free.computed == 0)
        #expect(try workers(in: workplace).isEmpty)
    }

    @Test("a step that takes too long fails, says so, is remembered, and is tried again with a higher limit")
    func time() throws {
        let workplace = try QuickGraph.workplace()
        func run(_ limit: String) throws -> RunDocument.Node {
            let outcome = try workplace.spinweave(
                ["run", QuickGraph.file, "--quiet", "--format", "json"]
                    + QuickGraph.options(["spectra.grid=80", "spectra.limits.time=\(limit)", "parameters.count=2"]))
            let document = try JSONDecoder().decode(RunDocument.self, from: Data(outcome.output.utf8))
            return try #require(document.nodes.first { $0.name.hasPrefix("spectra") && $0.failed + $0.computed > 0 })
        }
        let first = try run("1 ms")
        #expect((first.failed, first.computed) == (2, 0))
        let message = """
            exceeded its time limit of 1 ms
              hint: raise 'limits' of node 'spectra' and run again (limits change no answer), or make the step smaller
            """
        #expect(first.failures.map(\.message) == [message, message])
        let again = try run("1 ms")
        #expect(again.failed == 2 && again.failures[0].message.contains("--retry-failed tries again"))
        let raised = try run("10 min")
        #expect((raised.failed, raised.computed) == (0, 2))
    }

    @Test("a step that takes too much memory fails, and says so")
    func memory() throws {
        let workplace = try QuickGraph.workplace()
        let outcome = try workplace.spinweave(
            ["run", QuickGraph.file, "--quiet", "--format", "json"]
                + QuickGraph.options(Self.endless + ["network.members=1", "network.limits.memory=1 MB"]))
        #expect(outcome.status == 1)
        let document = try JSONDecoder().decode(RunDocument.self, from: Data(outcome.output.utf8))
        let network = try #require(document.node("network"))
        #expect(network.failures.map(\.message).first?.hasPrefix("exceeded its memory limit of 1 MB\n") == true)
        #expect(try workers(in: workplace).isEmpty)
    }

    @Test("Ctrl-C reaches a worker in order: the run ends with 130 and leaves no process behind")
    func interrupt() throws {
        let workplace = try QuickGraph.workplace()
        let run = try Program.spinweave.start(
            ["run", QuickGraph.file] + QuickGraph.options(Self.endless + ["network.limits.time=10 h"]),
            in: workplace.folder)
        #expect(try waitForWorkers(in: workplace) { $0 > 0 })
        usleep(200_000)
        run.send(SIGINT)
        let outcome = try run.wait()
        #expect(outcome.status == 130)
        #expect(outcome.output.contains("pcsmo-quick: interrupted; run again to go on from here. "))
        #expect(try workers(in: workplace).isEmpty)
    }

    @Test("a worker does not outlive a run that is killed")
    func orphan() throws {
        let workplace = try QuickGraph.workplace()
        let run = try Program.spinweave.start(
            ["run", QuickGraph.file] + QuickGraph.options(Self.endless + ["network.limits.time=10 h"]),
            in: workplace.folder)
        #expect(try waitForWorkers(in: workplace) { $0 > 0 })
        run.send(SIGKILL)
        #expect(try run.wait().status == -SIGKILL)
        #expect(try waitForWorkers(in: workplace) { $0 == 0 })
        #expect(try workplace.inspector("verify", "--store", "store").status == 0)
    }

    @Test("a worker that crashes is a failed step; one that somebody kills says nothing of its step")
    func death() throws {
        let workplace = try QuickGraph.workplace()
        let options = QuickGraph.options(Self.endless + ["network.limits.time=10 h", "network.members=1"])
        func run(_ signal: Int32) throws -> Program.Outcome {
            let run = try Program.spinweave.start(
                ["run", QuickGraph.file, "--quiet", "--format", "json"] + options, in: workplace.folder,
                // The language's own handler of crashes would take a signal sent from outside for its own.
                environment: ["SWIFT_BACKTRACE": "enable=no"])
            #expect(try waitForWorkers(in: workplace) { $0 > 0 })
            usleep(200_000)
            for worker in try workers(in: workplace) { if let number = Int32(worker) { kill(number, signal) } }
            return try run.wait()
        }
        let killed = try run(SIGKILL)
        #expect(killed.status == 1 && killed.output.isEmpty)
        #expect(
            killed.errors == """
                error: network#0: its worker process was killed from outside (signal 9)
                  hint: the machine may have run out of memory: use fewer --jobs or give the node a memory limit

                """)
        // Not remembered: the step is tried again.
        let crashed = try run(SIGFPE)
        #expect(crashed.status == 1)
        let document = try JSONDecoder().decode(RunDocument.self, from: Data(crashed.output.utf8))
        let message = try #require(document.node("network")?.failures.first?.message)
        #expect(message.hasPrefix("its worker process crashed (Floating point exception)\n  hint: "))
    }
}
