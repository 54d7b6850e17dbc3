import Diagnostics

/// A YAML value that knows where it was written.
///
/// Scalars keep the text as written: only a stage's signature knows whether `1` is a count, an energy without a
/// unit, or a name.
public struct Located: Sendable, Hashable {
    public indirect enum Content: Sendable, Hashable {
        /// Text as written; `quoted` when it stood in quotation marks and so cannot be null or a number.
        case scalar(String, quoted: Bool)
        case list([Located])
        /// In the order of the file; keys are unique (duplicates were reported by the parser).
        case mapping([Entry])
    }

    public struct Entry: Sendable, Hashable {
        public var key: String
        public var keyRange: SourceRange
        public var value: Located

        public init(key: String, keyRange: SourceRange, value: Located) {
            self.key = key
            self.keyRange = keyRange
            self.value = value
        }
    }

    public var content: Content
    public var range: SourceRange

    public init(_ content: Content, at range: SourceRange) {
        self.content = content
        self.range = range
    }

    /// The value of a key; nil for other kinds and missing keys.
    public subscript(key: String) -> Located? {
        entries?.first { $0.key == key }?.value
    }

    public var entries: [Entry]? {
        if case .mapping(let entries) = content { return entries }
        return nil
    }

    public var items: [Located]? {
        if case .list(let items) = content { return items }
        return nil
    }

    public var text: String? {
        if case .scalar(let text, _) = content { return text }
        return nil
    }

    /// YAML's null: nothing, `~` or `null`, unquoted.
    public var isNull: Bool {
        if case .scalar(let text, quoted: false) = content { return text.isEmpty || text == "~" || text == "null" }
        return false
    }
}
