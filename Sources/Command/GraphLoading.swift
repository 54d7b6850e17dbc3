import Dataflow
import Diagnostics
import Foundation
import GraphLanguage
import Stages

extension GraphOptions {
    /// Reads and binds the graph.
    ///
    /// - Throws: `DiagnosticList` with every problem of the file.
    func load() throws -> Graph {
        let file = try GraphFile.load(path: graph, overrides: overrides)
        return try Graph.bind(file, library: .spinweave, directory: directory)
    }

    /// The folder of the graph file, to which its paths are relative.
    var directory: String {
        let folder = (graph as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }
}
