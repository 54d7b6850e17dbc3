import ArgumentParser
import Artifacts
import CacheStore
import Compute
import Dataflow
import Foundation
import Presentation

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Computes what is missing, reuses the rest, prints the outcome.",
        discussion: """
            Ctrl-C once finishes the steps in flight, keeps them and ends; twice stops at once. What was finished is \
            kept in either case, and the next run goes on from there.
            """)

    @OptionGroup var source: GraphOptions
    @OptionGroup var storage: StoreOptions
    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var format: FormatOptions

    @Flag(help: "Try steps again that failed before.")
    var retryFailed = false

    @Flag(help: "After a failed step go on with everything that does not depend on it.")
    var keepGoing = false

    @Option(
        help: ArgumentHelp(
            "Work that a killed run may lose of a training under way; it takes at most a twentieth of the time, too.",
            valueName: "seconds"))
    var checkpointEvery = 10.0

    @Option(
        help: ArgumentHelp(
            "Write what happens to a file or named pipe, one JSON object a line; - is standard output.",
            valueName: "file"))
    var events: String?

    mutating func validate() throws {
        if events == "-", format.format == .json {
            throw ValidationError(
                "--events - and --format json both write on standard output; the last event holds the same document")
        }
    }

    func run() throws {
        let graph = try source.load()
        var devices = try DeviceChoice(source.executor, for: graph)
        let store = try storage.open()
        let clock: @Sendable () -> Double = { Date().timeIntervalSince1970 }
        let stream = try events.map { try EventStream(path: $0, clock: clock) }
        let costs = RecordedCosts(graph, store: store)
        let jobs = execution.threads
        let display = ProgressDisplay(quiet: format.quiet) { name, steps in
            // A remark that cannot be had is left out: the run itself meets the same store, and words its errors.
            guard let node = graph.node(named: name), let cost = try? costs.cost(of: node) else { return nil }
            return Prediction.seconds(
                steps: steps, cost: cost, isThreaded: node.stage.signature.isThreaded, jobs: jobs)?.likely
        }
        let workers = WorkerPool(store: store, seed: graph.seed)
        var options = RunOptions(
            jobs: jobs, retriesFailed: retryFailed, strictNumerics: source.strictNumerics, keepsGoing: keepGoing,
            programVersion: Spinweave.version, machine: Machine.kind,
            isolated: { try workers.compute($0, $1) }, clock: clock)
        options.checkpointInterval = max(0, checkpointEvery)
        let accelerators = devices.accelerators(store: store)
        defer { for accelerator in accelerators { accelerator.giveBack() } }
        options.accelerators = accelerators
        if !format.quiet { devices.remarks.forEach { Output.standardError($0) } }
        let run = Run(
            graph, store: store, options: options,
            events: { event in
                display.show(event)
                stream?.show(event)
            })
        stream?.started(run, jobs: jobs)
        let interrupts = Interrupts { run.stop() }
        let report: Report
        do {
            report = try withExtendedLifetime(interrupts) { try run.execute() }
        } catch {
            display.finish()
            stream?.failed(run, error)
            throw error
        }
        display.finish()
        stream?.finished(report)
        switch format.format {
        case .json: Output.json(report.document)
        // Standard output is the events' alone when they go there.
        case .text where stream?.isStandardOutput == true: Output.standardError(report.text)
        case .text: Output.standardOutput(report.text)
        }
        switch report.outcome {
        case .done: return
        case .failed: throw ExitStatus.stepFailed
        case .interrupted: throw ExitStatus.interrupted
        }
    }
}
