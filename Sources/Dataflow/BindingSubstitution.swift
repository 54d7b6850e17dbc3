import Diagnostics
import GraphLanguage

/// What `$name` means inside one node: its place on an axis, a setting of its class, or one of the graph's definitions.
///
/// An axis hides nothing: the parser refuses one with the name of a setting or definition.
struct BindingScope {
    let file: GraphFile
    let className: String?

    var axes: [Located.Entry] = []

    private var settings: [Located.Entry] {
        axes + (file.classes.first { $0.name == className }?.settings ?? [])
    }

    /// The value with every `$name` replaced by what it stands for, which keeps its own place for messages.
    ///
    /// `$$name` becomes the text `$name`.
    /// - Throws: every name that stands for nothing, and definitions that lead back to themselves.
    func substituted(_ value: Located, trail: [String] = []) throws(DiagnosticList) -> Located {
        if let name = value.referencedName {
            if trail.contains(name) {
                let path = (trail.drop { $0 != name } + [name]).map { "$\($0)" }.joined(separator: " → ")
                throw DiagnosticList([
                    Diagnostic("'$\(name)' stands for itself: \(path)", at: value.range, hint: "give it a value")
                ])
            }
            let definition = settings.first { $0.key == name } ?? file.definitions.first { $0.key == name }
            guard let definition else { throw DiagnosticList([unknown(name, at: value.range)]) }
            return try substituted(definition.value, trail: trail + [name])
        }
        var problems: [Diagnostic] = []
        switch value.content {
        case .scalar(let text, _):
            return text.hasPrefix("$$")
                ? Located(.scalar(String(text.dropFirst()), quoted: true), at: value.range) : value
        case .list(let items):
            var replaced: [Located] = []
            for item in items {
                do { replaced.append(try substituted(item, trail: trail)) } catch { problems += error.diagnostics }
            }
            guard problems.isEmpty else { throw DiagnosticList(problems) }
            return Located(.list(replaced), at: value.range)
        case .mapping(let entries):
            var replaced: [Located.Entry] = []
            for entry in entries {
                do {
                    let inner = try substituted(entry.value, trail: trail)
                    replaced.append(.init(key: entry.key, keyRange: entry.keyRange, value: inner))
                } catch {
                    problems += error.diagnostics
                }
            }
            guard problems.isEmpty else { throw DiagnosticList(problems) }
            return Located(.mapping(replaced), at: value.range)
        }
    }

    private func unknown(_ name: String, at range: SourceRange) -> Diagnostic {
        let owners = file.classes.filter { $0.settings.contains { $0.key == name } }.map(\.name)
        if let className, !owners.isEmpty {
            return Diagnostic(
                "class '\(className)' does not set '\(name)'", at: range,
                hint: "add '\(name):' below classes.\(className), or below 'define' for every class")
        }
        if className == nil, !owners.isEmpty {
            return Diagnostic(
                "'$\(name)' is set by classes, and this node belongs to none", at: range,
                hint: "add 'for: each class' to the node, or '\(name):' below 'define'")
        }
        if let node = file.nodes.first(where: { $0.axes.contains { $0.name == name } }) {
            return Diagnostic(
                "'$\(name)' is an axis of '\(node.name)', and this node has no such axis", at: range,
                hint: "add '\(name):' with its values to the node's 'for'")
        }
        let known = settings.map(\.key) + file.definitions.map(\.key)
        return Diagnostic(
            "'$\(name)' stands for nothing", at: range,
            hint: Spelling.nearest(to: name, among: known).map { "did you mean '$\($0)'?" }
                ?? "add '\(name):' below 'define', or write '$$\(name)' for the text itself")
    }
}
