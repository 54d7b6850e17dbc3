import Diagnostics

/// A file that could not be read or written: what is wrong, in which file, and what to do now.
public struct InterchangeError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, in one sentence without a full stop: what was expected and what was found.
    public var message: String
    /// Path of the file as the caller gave it, or the name given to the bytes (`runs.npz[arr_0]`).
    public var file: String
    /// Line and column, where the file is text.
    public var range: SourceRange?
    /// What to do now.
    public var hint: String?
    /// Other problems of the same text file, in its order.
    public var further: [Diagnostic]

    public init(
        _ message: String, file: String, at range: SourceRange? = nil, hint: String? = nil, further: [Diagnostic] = []
    ) {
        self.message = message
        self.file = file
        self.range = range
        self.hint = hint
        self.further = further
    }

    /// All problems as diagnostics; where there is no line to point at, the message starts with the file.
    public var diagnostics: [Diagnostic] {
        let text = range == nil ? "\(file): \(message)" : message
        return [Diagnostic(text, at: range, hint: hint)] + further
    }

    /// `file: message` (or `file:line:column: error: message`), then the hint on a line of its own.
    public var description: String {
        if range != nil { return diagnostics.map(\.description).joined(separator: "\n") }
        return "\(file): \(message)" + (hint.map { "\n  hint: \($0)" } ?? "")
    }
}
