import ArgumentParser
import Foundation

/// `spinweave`: from a graph file to a verdict.
@main
struct Spinweave: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "spinweave",
        abstract:
            "Which magnetic Hamiltonian explains a neutron measurement? Declare a graph, run it, edit it, run it again.",
        discussion: """
            Exit status: 0 done, 1 a step failed, 2 the graph is wrong, 3 the store is unusable, 64 wrong arguments, \
            130 interrupted.
            """,
        version: version,
        subcommands: [
            RunCommand.self, CheckCommand.self, PlanCommand.self, WhyCommand.self, LogCommand.self, DiffCommand.self,
            AdoptCommand.self, ExportCommand.self, ReportCommand.self, StagesCommand.self, ModesCommand.self,
            GroundStateCommand.self, CrystalCommand.self, DispersionCommand.self, SliceCommand.self,
            ZeroPointCommand.self, InstrumentCommand.self, TripleAxisCommand.self, FitNoiseCommand.self,
            SchemaCommand.self, FormatCommand.self, GraphCommand.self, DoctorCommand.self,
            WorkerCommand.self,
        ])

    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let status as ExitStatus {
            Foundation.exit(status.rawValue)
        } catch {
            if exitCode(for: error) == .failure, !(error is any ExpressibleByArgument) {
                // Not an argument error: one of ours that reached the top.
                Foundation.exit(Failure.show(error).rawValue)
            }
            exit(withError: error)
        }
    }
}

/// What the program tells the shell.
enum ExitStatus: Int32, Error {
    case done = 0
    case stepFailed = 1
    case wrongGraph = 2
    case unusableStore = 3
    case wrongArguments = 64
    case interrupted = 130
}
