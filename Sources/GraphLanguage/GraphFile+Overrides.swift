import Diagnostics

/// One `--set path=value`: a value of the graph replaced from the command line.
///
/// `noise.exposure=3.0` speaks of a node's parameter, `train.layers.0.conv.channels=16` of the first element of a
/// list, `seed=7`, `classes.dimer.model=…` and `define.exposure=…` of the graph. The value is YAML, flow style
/// allowed.
struct Override {
    let path: [String]
    let value: Located
    /// The whole option, which stands for the file in places: `--set noise.exposure=3.0`.
    let option: String

    /// - Throws: a missing `=`, an empty path, or YAML errors of the value.
    init(_ text: String) throws(DiagnosticList) {
        option = "--set \(text)"
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw DiagnosticList([
                Diagnostic(
                    "--set takes path=value", at: SourceRange(file: option, line: 1, column: 7, length: text.count),
                    hint: "write for instance --set noise.exposure=3.0")
            ])
        }
        path = text[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        if let empty = path.firstIndex(of: "") {
            let column = 7 + path[..<empty].reduce(0) { $0 + $1.count + 1 }
            throw DiagnosticList([
                Diagnostic(
                    "the path has an empty name", at: SourceRange(file: option, line: 1, column: column),
                    hint: "write names with single dots between them: node.parameter=value")
            ])
        }
        // Blanks in place of `--set path=` put every column of the value where it stands in the option.
        let head = option.count - text[text.index(after: equals)...].count
        let (value, diagnostics) = try readYAML(
            text: String(repeating: " ", count: head) + text[text.index(after: equals)...], file: option)
        guard diagnostics.isEmpty else { throw DiagnosticList(diagnostics) }
        self.value =
            value
            ?? Located(
                .scalar("", quoted: false), at: SourceRange(file: option, line: 1, column: max(1, head)))
    }

    /// The place of a component of the path.
    private func range(of component: Int) -> SourceRange {
        let column = 7 + path[..<component].reduce(0) { $0 + $1.count + 1 }
        return SourceRange(file: option, line: 1, column: column, length: path[component].count)
    }

    private func problem(_ message: String, at component: Int, hint: String?) -> DiagnosticList {
        DiagnosticList([Diagnostic(message, at: range(of: component), hint: hint)])
    }

    /// The graph file's mapping with this value in it.
    func applied(to root: Located) throws(DiagnosticList) -> Located {
        if path[0] == "include" {
            throw problem(
                "files are included before --set is read", at: 0, hint: "write 'include:' in the graph file")
        }
        let isOfGraph = GraphFile.topLevelKeys.contains(path[0])
        var names = path
        var offset = 0
        if !isOfGraph {
            let nodes = root["nodes"]?.entries?.map(\.key) ?? []
            guard nodes.contains(path[0]) else {
                let nearest = Spelling.nearest(to: path[0], among: nodes + GraphFile.topLevelKeys)
                throw problem(
                    "the graph has no node '\(path[0])'", at: 0,
                    hint: nearest.map { "did you mean '\($0)'?" } ?? "its nodes are \(nodes.joined(separator: ", "))")
            }
            names = ["nodes"] + path
            offset = 1
        }
        return try set(names[...], offset: offset, in: root, root: root)
    }

    /// Replaces what `names` leads to below `value`; `offset` is how many names stand before the path's own.
    private func set(
        _ names: ArraySlice<String>, offset: Int, in value: Located, root: Located
    ) throws(DiagnosticList) -> Located {
        guard let name = names.first else { return self.value }
        let component = names.startIndex - offset
        let so = path[..<max(0, component)].joined(separator: ".")
        if let setting = value.referencedName {
            return try set(
                names, offset: offset, in: definition(setting, so: so, at: component, root: root), root: root)
        }
        switch value.content {
        case .mapping(var entries):
            if let index = entries.firstIndex(where: { $0.key == name }) {
                entries[index].value = try set(names.dropFirst(), offset: offset, in: entries[index].value, root: root)
            } else {
                try checkNew(name, beside: entries.map(\.key), at: component, names: names)
                if let given = defaultValue(name, at: component, root: root), names.count > 1 {
                    // The value that the graph's defaults give here, changed for this node alone.
                    let new = try set(names.dropFirst(), offset: offset, in: given, root: root)
                    entries.append(.init(key: name, keyRange: range(of: component), value: new))
                    return Located(.mapping(entries), at: value.range)
                }
                if let next = names.dropFirst().first, Int(next) != nil {
                    let list = path[...component].joined(separator: ".")
                    throw problem(
                        "'\(list)' is not written in the graph file, so it has no element '\(next)'", at: component + 1,
                        hint: "set '\(list)' as a whole")
                }
                let empty = Located(.mapping([]), at: self.value.range)
                let new = try set(names.dropFirst(), offset: offset, in: empty, root: root)
                entries.append(.init(key: name, keyRange: range(of: max(0, component)), value: new))
            }
            return Located(.mapping(entries), at: value.range)
        case .list(var items):
            guard let index = Int(name), items.indices.contains(index) else {
                throw problem(
                    "'\(so)' has \(items.count) elements and no element '\(name)'", at: component,
                    hint: items.isEmpty ? nil : "they are numbered from 0 to \(items.count - 1)")
            }
            items[index] = try set(names.dropFirst(), offset: offset, in: items[index], root: root)
            return Located(.list(items), at: value.range)
        case .scalar(let text, _):
            if value.isNull {
                return try set(names, offset: offset, in: Located(.mapping([]), at: self.value.range), root: root)
            }
            throw problem(
                "'\(so)' is '\(text)', which has no '\(name)' in it", at: component, hint: "set '\(so)' as a whole")
        }
    }

    /// A new name may stand inside a node, where the binder checks it; elsewhere nothing would read it.
    private func checkNew(
        _ name: String, beside known: [String], at component: Int, names: ArraySlice<String>
    ) throws(DiagnosticList) {
        guard component == 1, ["define", "classes", "defaults", "nodes"].contains(path[0]) else {
            if component == 2, path[0] == "classes" {
                throw unknown("class '\(path[1])' does not set '\(name)'", name, known, at: component)
            }
            return
        }
        switch path[0] {
        case "define": throw unknown("the graph does not define '\(name)'", name, known, at: component)
        case "classes": throw unknown("the graph has no class '\(name)'", name, known, at: component)
        case "defaults": throw unknown("the graph has no defaults for '\(name)'", name, known, at: component)
        default: throw unknown("the graph has no node '\(name)'", name, known, at: component)
        }
    }

    /// What the graph's defaults say of a node's parameter that the node leaves to them.
    private func defaultValue(_ name: String, at component: Int, root: Located) -> Located? {
        let isOfNodes = path[0] == "nodes"
        guard component == (isOfNodes ? 2 : 1), isOfNodes || !GraphFile.topLevelKeys.contains(path[0]),
            let stage = root["nodes"]?[path[component - 1]]?["stage"]?.text
        else { return nil }
        return root["defaults"]?[stage]?[name]
    }

    private func unknown(_ message: String, _ name: String, _ known: [String], at component: Int) -> DiagnosticList {
        let nearest = Spelling.nearest(to: name, among: known)
        return problem(
            message, at: component,
            hint: nearest.map { "did you mean '\($0)'?" }
                ?? (known.isEmpty ? nil : "there is \(known.joined(separator: ", "))"))
    }

    /// What `$setting` stands for where a path leads into it.
    private func definition(
        _ setting: String, so: String, at component: Int, root: Located
    ) throws(DiagnosticList) -> Located {
        let classes = root["classes"]?.entries ?? []
        if let owner = classes.first(where: { $0.value[setting] != nil }) {
            let rest = path[component...].joined(separator: ".")
            throw problem(
                "'\(so)' is '$\(setting)', which each class sets for itself", at: component,
                hint: "write --set classes.\(owner.key).\(setting).\(rest)=…")
        }
        guard let value = root["define"]?[setting], value.referencedName != setting else {
            throw problem(
                "'\(so)' is '$\(setting)', which nothing defines", at: component, hint: "set '\(so)' as a whole")
        }
        return value
    }
}
