import Artifacts
import Diagnostics
import Foundation
import Interchange
import Presentation

/// The two streams: results on standard output, everything else on standard error.
enum Output {
    static func standardOutput(_ text: String) { write(result: text + "\n") }

    static func standardError(_ text: String) { write(remark: text + "\n") }

    /// One JSON document.
    static func json(_ value: Value) { write(result: ValueJSON.encode(value)) }

    /// A result that cannot be written is an error, unless nobody reads: `spinweave log | head`.
    private static func write(result text: String) {
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
        } catch {
            let code = ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError)?.code
            if code == Int(EPIPE) { return }
            let reason = code.map { String(cString: strerror(Int32($0))) } ?? String(describing: error)
            standardError("error: cannot write on standard output: \(reason)")
            exit(ExitStatus.stepFailed.rawValue)
        }
    }

    /// A reader of remarks that went away must not end the program.
    private static func write(remark text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// Diagnostics with the lines that they point at.
    static func diagnostics(_ diagnostics: [Diagnostic]) {
        let text = render(diagnostics) { file in
            // A file that cannot be read again is quoted by its position alone.
            (try? String(contentsOfFile: file, encoding: .utf8))?.components(separatedBy: "\n")
        }
        write(remark: text)
    }
}
