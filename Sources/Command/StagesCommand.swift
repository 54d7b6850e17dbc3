import ArgumentParser
import Artifacts
import Dataflow
import Diagnostics
import Stages

struct StagesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stages", abstract: "Lists the stages, or documents one: inputs, output, parameters with units.")

    @Argument(help: "A stage to document.")
    var name: String?
    @OptionGroup var format: FormatOptions

    func run() throws {
        let library = StageLibrary.spinweave
        guard let name else {
            switch format.format {
            case .json: Output.json(.list(library.stages.map { $0.signature.document }))
            case .text:
                let width = library.stages.map { $0.signature.name.count }.max() ?? 0
                for stage in library.stages {
                    let padded = stage.signature.name.padding(toLength: width, withPad: " ", startingAt: 0)
                    Output.standardOutput("\(padded)  \(stage.signature.about)")
                }
            }
            return
        }
        guard let stage = library.stage(named: name) else {
            let nearest = Spelling.nearest(to: name, among: library.stages.map { $0.signature.name })
            Output.diagnostics([
                Diagnostic(
                    "no stage is called '\(name)'",
                    hint: nearest.map { "did you mean '\($0)'?" } ?? "'spinweave stages' lists them")
            ])
            throw ExitStatus.wrongArguments
        }
        switch format.format {
        case .json: Output.json(stage.signature.document)
        case .text: Output.standardOutput(documentation(of: stage.signature))
        }
    }
}
