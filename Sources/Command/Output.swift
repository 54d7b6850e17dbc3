import Artifacts
import Diagnostics
import Foundation
import Interchange
import Presentation

/// The two streams: results on standard output, everything else on standard error.
enum Output {
    static func standardOutput(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    static func standardError(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// One JSON document.
    static func json(_ value: Value) {
        FileHandle.standardOutput.write(Data(ValueJSON.encode(value).utf8))
    }

    /// Diagnostics with the lines that they point at.
    static func diagnostics(_ diagnostics: [Diagnostic]) {
        let text = render(diagnostics) { file in
            // A file that cannot be read again is quoted by its position alone.
            (try? String(contentsOfFile: file, encoding: .utf8))?.components(separatedBy: "\n")
        }
        FileHandle.standardError.write(Data(text.utf8))
    }
}
