extension Located {
    /// What stands here, for messages: `nothing`, `a single value`, `a list`, `a mapping`.
    public var kind: String {
        switch content {
        case .scalar: isNull ? "nothing" : "a single value"
        case .list: "a list"
        case .mapping: "a mapping"
        }
    }

    /// The name behind `$` when this value as a whole stands for a class's setting or a definition.
    ///
    /// `$$name` is the text `$name` and no reference.
    public var referencedName: String? {
        guard let text, text.hasPrefix("$"), !text.hasPrefix("$$") else { return nil }
        return String(text.dropFirst())
    }
}
