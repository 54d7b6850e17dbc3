import ArgumentParser
import Dataflow
import Stages

struct SchemaCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Prints a JSON Schema of graph files, with which editors complete and check them.",
        discussion: """
            Save it beside the graphs ('spinweave schema > graph.schema.json') and begin a graph file with the line \
            '# yaml-language-server: $schema=graph.schema.json'.
            """)

    func run() throws { Output.json(StageLibrary.spinweave.schema) }
}
