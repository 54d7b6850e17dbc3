import ArgumentParser
import Artifacts
import CacheStore
import Dataflow
import Foundation
import Presentation

struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Lists the runs that the store remembers, newest last.")

    @Argument(help: "A run to show in full; without it, one line a run.")
    var runID: String?
    @OptionGroup var storage: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        let store = try storage.open(.readOnly)
        if let runID {
            guard let bytes = try store.run(id: runID) else {
                Output.standardError("error: the store remembers no run '\(runID)'\n  hint: 'spinweave log' lists them")
                throw ExitStatus.stepFailed
            }
            // A run in full is a document in either format: it has no shorter truth.
            Output.json(try Value(decoding: bytes))
            return
        }
        var documents: [Value] = []
        for entry in try store.runs() {
            guard let bytes = try store.run(id: entry.id) else { continue }
            documents.append(try Value(decoding: bytes))
        }
        switch format.format {
        case .json: Output.json(.list(documents))
        case .text:
            for document in documents { Output.standardOutput(try line(document)) }
            if documents.isEmpty { Output.standardOutput("no runs yet in \(store.path)") }
        }
    }

    private func line(_ document: Value) throws -> String {
        let nodes = try document.list("nodes")
        func total(_ field: String) throws -> Int { try nodes.reduce(0) { $0 + (try $1.int(field)) } }
        return "\(try document.string("run"))  \(try document.string("graph"))  \(try document.string("outcome"))  "
            + "computed \(Wording.count(try total("computed"))), reused \(Wording.count(try total("reused"))), "
            + "failed \(try total("failed")) in \(Wording.duration(try document.double("seconds")))"
    }
}
