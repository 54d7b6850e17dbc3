/// A place in a file that a person wrote: where an error points.
public struct SourceRange: Hashable, Sendable, Codable {
    /// Path as the user gave it.
    public var file: String
    /// Counted from 1.
    public var line: Int
    /// Counted from 1, in characters.
    public var column: Int
    /// Number of characters underlined; at least 1.
    public var length: Int

    public init(file: String, line: Int, column: Int, length: Int = 1) {
        self.file = file
        self.line = line
        self.column = column
        self.length = max(1, length)
    }
}

/// One message to the user: what, where, and what now.
public struct Diagnostic: Error, Hashable, Sendable, Codable, CustomStringConvertible {
    public enum Severity: String, Sendable, Codable { case error, warning, note }

    public var severity: Severity
    /// What is wrong, in one sentence without a full stop.
    public var message: String
    /// Where; nil when no file is to blame (a command-line argument, say).
    public var range: SourceRange?
    /// What to do now.
    public var hint: String?

    public init(_ message: String, at range: SourceRange? = nil, hint: String? = nil, severity: Severity = .error) {
        self.severity = severity
        self.message = message
        self.range = range
        self.hint = hint
    }

    /// `file:line:column: error: message`, then the hint on a line of its own.
    public var description: String {
        var text = ""
        if let range { text += "\(range.file):\(range.line):\(range.column): " }
        text += "\(severity.rawValue): \(message)"
        if let hint { text += "\n  hint: \(hint)" }
        return text
    }
}

/// Every problem that one pass over a file found, in the order of the file.
public struct DiagnosticList: Error, Sendable, CustomStringConvertible {
    public var diagnostics: [Diagnostic]

    public init(_ diagnostics: [Diagnostic]) {
        self.diagnostics = diagnostics
    }

    public var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

    public var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}
