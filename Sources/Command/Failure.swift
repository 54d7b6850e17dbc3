import CacheStore
import Dataflow
import Diagnostics
import Foundation
import Interchange

/// Words an error for a person on standard error, and gives the exit status that goes with it.
enum Failure {
    static func show(_ error: any Error) -> ExitStatus {
        switch error {
        case let list as DiagnosticList:
            Output.diagnostics(list.diagnostics)
            return .wrongGraph
        case let diagnostic as Diagnostic:
            Output.diagnostics([diagnostic])
            return .wrongGraph
        case let failure as StoreError:
            Output.diagnostics([failure.diagnostic])
            return .unusableStore
        default:
            Output.standardError("error: \(error)")
            return .stepFailed
        }
    }
}
