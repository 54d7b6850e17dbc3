import ArgumentParser
import Artifacts
import CacheStore
import Compute
import Dataflow
import Foundation
import Presentation

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Computes what is missing, reuses the rest, prints the outcome.")

    @OptionGroup var source: GraphOptions
    @OptionGroup var storage: StoreOptions
    @OptionGroup var execution: ExecutionOptions
    @OptionGroup var format: FormatOptions

    @Flag(help: "Try steps again that failed before.")
    var retryFailed = false

    func run() throws {
        let graph = try source.load()
        let store = try storage.open()
        let display = ProgressDisplay(quiet: format.quiet)
        let run = Run(
            graph, store: store,
            options: RunOptions(
                jobs: execution.threads, retriesFailed: retryFailed, strictNumerics: source.strictNumerics,
                programVersion: Spinweave.version, machine: Machine.kind, clock: { Date().timeIntervalSince1970 }),
            events: { display.show($0) })
        let interrupts = Interrupts { run.stop() }
        let report = try withExtendedLifetime(interrupts) { try run.execute() }
        display.finish()
        switch format.format {
        case .json: Output.json(report.document)
        case .text: Output.standardOutput(report.text)
        }
        switch report.outcome {
        case .done: return
        case .failed: throw ExitStatus.stepFailed
        case .interrupted: throw ExitStatus.interrupted
        }
    }
}
