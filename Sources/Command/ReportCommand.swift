import ArgumentParser
import Artifacts
import CacheStore
import Dataflow
import Interchange
import Presentation

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes one self-contained HTML page: the verdict, why, and how it was reached.")

    @OptionGroup var source: GraphOptions
    @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file"))
    var output = "report.html"
    @OptionGroup var storage: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let graph = try source.load()
        let store = try storage.open(.readOnly)
        let known = try KnownArtifacts(graph, store: store, executorInKey: try source.executorInKey(for: graph))
        let page = try ReportPage(graph, known: known, store: store).page()
        try AtomicFile.write(page.html(), to: output)
        switch format.format {
        case .json: Output.json(.record(["file": .string(output), "graph": .string(graph.name)]))
        case .text: if !format.quiet { Output.standardOutput("report: \(output)") }
        }
    }
}
