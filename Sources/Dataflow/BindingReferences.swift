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
        // What the name says, then what the taking node has in common with the named one.
        guard var wanted = parts.count == 2 ? selection(parts[1], of: declaration, at: written.range) : [:] else {
            return []
        }
        let isNamed = Set(wanted.keys)
        for (axis, label) in instances[index].places where wanted[axis] == nil { wanted[axis] = label }
        let all = indices(of: declaration)
        let axes = Set(all.first.map { instances[$0].places.map(\.axis) } ?? [])
        let found = all.filter { candidate in
            instances[candidate].places.allSatisfy { wanted[$0.axis] == nil || wanted[$0.axis] == $0.label }
        }
        if found.isEmpty {
            // Names in selections were checked, so an axis of the taking node has a point that the source has not.
            let lacking = instances[index].places.filter { axes.contains($0.axis) && !isNamed.contains($0.axis) }
            if !lacking.isEmpty {
                let place = lacking.map { "\($0.axis)=\($0.label)" }.joined(separator: ",")
                report(
                    "'\(declaration.name)' does not exist at \(place), which '\(instances[index].declaration.name)' takes "
                        + "from it", at: written.range,
                    hint: "give both nodes the same values, for instance by one list under 'define'")
            }
            return []
        }
        if found.count == 1 || port.cardinality == .all { return found }
        let open = instances[found[0]].places.map(\.axis).filter { wanted[$0] == nil }
        let names = found.prefix(4).map { "'\(instances[$0].name)'" } + (found.count > 4 ? ["another"] : [])
        let loop =
            open == [Instance.classAxis]
            ? "'for: each class'" : "the same \(open.map { "'\($0)'" }.joined(separator: " and ")) below 'for'"
        report(
            "'\(declaration.name)' exists once for each \(open.joined(separator: " and ")), '\(port.name)' takes one node",
            at: written.range,
            hint: "write \(names.joined(separator: " or ")), or add \(loop) to '\(instances[index].declaration.name)'")
        return []
    }

    /// `class,axis=label` behind a node's name, in any order and not necessarily all; nil when a problem was reported.
    private mutating func selection(
        _ text: String, of declaration: GraphFile.NodeDeclaration, at range: SourceRange
    ) -> [String: String]? {
        guard declaration.forEachClass || !declaration.axes.isEmpty else {
            report("'\(declaration.name)' belongs to no class", at: range, hint: "write '\(declaration.name)' alone")
            return nil
        }
        var wanted: [String: String] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2 else {
                guard declaration.forEachClass else {
                    report(
                        "'\(declaration.name)' belongs to no class", at: range,
                        hint: "its axes are \(declaration.axes.map(\.name).joined(separator: ", ")): write "
                            + "'\(declaration.name)@\(declaration.axes[0].name)=…'")
                    return nil
                }
                let classes = file.classes.map(\.name)
                guard classes.contains(sides[0]) else {
                    report(
                        "the graph has no class '\(sides[0])'", at: range,
                        hint: Spelling.nearest(to: sides[0], among: classes).map {
                            "did you mean '\(declaration.name)@\($0)'?"
                        } ?? "its classes are \(classes.joined(separator: ", "))")
                    return nil
                }
                wanted[Instance.classAxis] = sides[0]
                continue
            }
            guard let axis = declaration.axes.first(where: { $0.name == sides[0] }) else {
                let names = declaration.axes.map(\.name)
                report(
                    "'\(declaration.name)' has no axis '\(sides[0])'", at: range,
                    hint: Spelling.nearest(to: sides[0], among: names).map { "did you mean '\($0)=\(sides[1])'?" }
                        ?? (names.isEmpty ? "it exists once for each class" : "it has \(names.joined(separator: ", "))")
                )
                return nil
            }
            let labels = axis.points.map(\.label)
            guard labels.contains(sides[1]) else {
                report(
                    "'\(declaration.name)' has no '\(axis.name)=\(sides[1])'", at: range,
                    hint: "'\(axis.name)' is one of \(labels.joined(separator: ", "))")
                return nil
            }
            wanted[axis.name] = sides[1]
        }
        return wanted
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
