import ArgumentParser
import Diagnostics
import Foundation
import GraphLanguage
import Interchange

struct FormatCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fmt",
        abstract: "Lays out graph files: two blanks a level, comments kept, nothing changed in meaning.",
        discussion: """
            A file whose layout is not understood is reported and left as it is. With --check nothing is written, and the \
            exit status is 1 when a file would change.
            """)

    @Argument(help: "The graph files.", completion: .file(extensions: ["yaml", "yml"]))
    var files: [String]

    @Flag(help: "Says which files would change, and writes none.")
    var check = false

    func run() throws {
        var changed = false
        var problems: [Diagnostic] = []
        for file in files {
            do throws(DiagnosticList) {
                let text = try readText(path: file)
                let formatted = try formattedGraph(text, file: file)
                guard formatted != text else { continue }
                changed = true
                if check {
                    Output.standardOutput("\(file) would change")
                } else {
                    try write(formatted, to: file)
                    Output.standardOutput("\(file) changed")
                }
            } catch {
                problems += error.diagnostics
            }
        }
        guard problems.isEmpty else { throw DiagnosticList(problems) }
        if check, changed { throw ExitStatus.stepFailed }
    }

    private func write(_ text: String, to file: String) throws(DiagnosticList) {
        do {
            try AtomicFile.write(Array(text.utf8), to: file)
        } catch {
            throw DiagnosticList([Diagnostic("'\(file)' cannot be written: \(error)", hint: "check its permissions")])
        }
    }
}
