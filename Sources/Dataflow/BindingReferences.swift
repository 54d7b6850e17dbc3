import Diagnostics
import GraphLanguage

// Edges: which node, of which class, a name at a port means.
extension Binder {
    mutating func bindReferences(of index: Int) {
        for (port, written) in instances[index].references {
            if written.isNull, port.isOptional { continue }
            var sources: [(index: Int, range: SourceRange)] = []
            for name in names(written, port: port) {
                for source in resolve(name, port: port, from: index) {
                    if sources.contains(where: { $0.index == source }) {
                        report("'\(instances[source].name)' stands twice at '\(port.name)'", at: name.range)
                    } else if checkType(source, port: port, at: name.range, of: instances[index].declaration.name) {
                        sources.append((source, name.range))
                    } else {
                        instances[index].mistyped.append((source, name.range))
                    }
                }
            }
            if !sources.isEmpty { instances[index].edges.append(Edge(port: port, sources: sources)) }
        }
    }

    /// The node names written at a port: one, or for an `all` port one or a list.
    private mutating func names(_ written: Located, port: InputPort) -> [Located] {
        if let items = written.items, port.cardinality == .all {
            if items.isEmpty { report("'\(port.name)' needs at least one node", at: written.range) }
            return items.filter { isName($0, port: port) }
        }
        return isName(written, port: port) ? [written] : []
    }

    private mutating func isName(_ written: Located, port: InputPort) -> Bool {
        if written.text != nil, !written.isNull { return true }
        let what = port.cardinality == .each ? "the name of one node" : "the name of a node or a list of names"
        report("'\(port.name)' takes \(what), found \(written.kind)", at: written.range)
        return false
    }

    private mutating func resolve(_ written: Located, port: InputPort, from index: Int) -> [Int] {
        let text = written.text ?? ""
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let declaration = file.nodes.first(where: { $0.name == parts[0] }) else {
            report(
                "the graph has no node '\(parts[0])'", at: written.range,
                hint: Spelling.nearest(to: parts[0], among: file.nodes.map(\.name)).map { "did you mean '\($0)'?" }
                    ?? "its nodes are \(file.nodes.map(\.name).joined(separator: ", "))")
            return []
        }
        if parts.count == 2 { return explicit(declaration, className: parts[1], at: written.range) }
        guard declaration.forEachClass else { return indexOfName[declaration.name].map { [$0] } ?? [] }
        if let className = instances[index].className {
            return indexOfName["\(declaration.name)@\(className)"].map { [$0] } ?? []
        }
        let classes = file.classes.map(\.name)
        if port.cardinality == .all { return classes.compactMap { indexOfName["\(declaration.name)@\($0)"] } }
        report(
            "'\(declaration.name)' exists once for each class, '\(port.name)' takes one node", at: written.range,
            hint: "write \(classes.map { "'\(declaration.name)@\($0)'" }.joined(separator: " or ")), "
                + "or add 'for: each class' to '\(instances[index].declaration.name)'")
        return []
    }

    /// `name@class`.
    private mutating func explicit(
        _ declaration: GraphFile.NodeDeclaration, className: String, at range: SourceRange
    ) -> [Int] {
        guard declaration.forEachClass else {
            report(
                "'\(declaration.name)' belongs to no class", at: range, hint: "write '\(declaration.name)' alone")
            return []
        }
        guard let index = indexOfName["\(declaration.name)@\(className)"] else {
            let classes = file.classes.map(\.name)
            report(
                "the graph has no class '\(className)'", at: range,
                hint: Spelling.nearest(to: className, among: classes).map {
                    "did you mean '\(declaration.name)@\($0)'?"
                }
                    ?? "its classes are \(classes.joined(separator: ", "))")
            return []
        }
        return [index]
    }

    private mutating func checkType(_ source: Int, port: InputPort, at range: SourceRange, of node: String) -> Bool {
        // A source whose stage is unknown was reported already; its type is anyone's guess.
        guard let output = instances[source].stage?.signature.output, output != port.type else { return true }
        let declared = instances[source].declaration.name
        let fitting = file.nodes.filter { library.stage(named: $0.stage)?.signature.output == port.type }.map(\.name)
            .filter { $0 != node }
        report(
            "'\(declared)' gives \(output.name.withArticle), '\(node).\(port.name)' takes \(port.type.name.withArticle)",
            at: range,
            hint: fitting.isEmpty
                ? "no other node gives \(port.type.name.withArticle)"
                : "\(port.type.name.withArticle) comes from \(fitting.joined(separator: ", "))")
        return false
    }
}
