import Artifacts
import Diagnostics
import GraphLanguage

/// Reads a whole file as one record of parameters, with the checks and messages that a graph's nodes have.
///
/// - Parameter owner: whose parameters they are, for messages: `an instrument`.
/// - Returns: a record with every parameter, defaults filled in, in base units.
/// - Throws: every problem of the file.
public func readRecord(_ file: Located, parameters: [Parameter], of owner: String) throws(DiagnosticList) -> Value {
    guard let entries = file.entries else {
        throw DiagnosticList([
            Diagnostic("\(owner) is a mapping of \(parameters.map(\.name).joined(separator: ", "))", at: file.range)
        ])
    }
    let library = StageLibrary(stages: [], loadModel: { _, _ in .none })
    var reader = ParameterReader(library: library, directory: ".", includedFiles: [])
    let value = reader.record(entries, parameters: parameters, of: owner, prefix: "", missingAt: file.range)
    guard let value, reader.diagnostics.isEmpty else { throw DiagnosticList(reader.diagnostics) }
    return value
}
