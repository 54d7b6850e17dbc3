import Diagnostics

/// What a node's `for` may speak of, and what its axes may not be called.
struct LoopNames {
    let hasClasses: Bool
    let classes: [GraphFile.ClassDeclaration]
    let definitions: [Located.Entry]
}

// `for: each class`, and `for: {class: each, exposure: [1, 2, 4]}`.
extension GraphFileInterpreter {
    mutating func loop(
        _ written: Located, of node: String, names: LoopNames
    ) -> (forEachClass: Bool, axes: [GraphFile.Axis]) {
        guard let entries = written.entries, !entries.isEmpty else {
            if written.text?.split(separator: " ").joined(separator: " ") != "each class" {
                report(
                    "'for' takes 'each class' or a mapping of axes", at: written.range,
                    hint: "write for instance 'for: {class: each, exposure: [1, 2]}'; samples need no loop: a stage "
                        + "maps over them by its type")
            } else {
                checkClasses(of: node, names, at: written.range)
            }
            return (true, [])
        }
        var forEachClass = false
        var axes: [GraphFile.Axis] = []
        for entry in entries {
            if entry.key == "class" {
                forEachClass = true
                if entry.value.text != "each" {
                    report("'class' takes 'each' and nothing else", at: entry.value.range, hint: "write 'class: each'")
                } else {
                    checkClasses(of: node, names, at: entry.keyRange)
                }
            } else if checkName(entry.key, of: "axis", at: entry.keyRange), checkFree(entry, names),
                let points = points(of: entry, names)
            {
                axes.append(.init(name: entry.key, range: entry.keyRange, points: points, written: entry.value))
            }
        }
        return (forEachClass, axes)
    }

    private mutating func checkClasses(of node: String, _ names: LoopNames, at range: SourceRange) {
        guard !names.hasClasses else { return }
        report(
            "node '\(node)' stands for each class, but the graph has no classes", at: range,
            hint: "add 'classes:' with a name and settings for each, or remove 'for'")
    }

    /// An axis that hides a value of the same name would change what `$name` means without a word.
    private mutating func checkFree(_ axis: Located.Entry, _ names: LoopNames) -> Bool {
        let all = names.definitions + names.classes.flatMap(\.settings)
        guard let other = all.first(where: { $0.key == axis.key })?.keyRange else { return true }
        report(
            "'\(axis.key)' is an axis here and has a value at \(other.file):\(other.line):\(other.column)",
            at: axis.keyRange, hint: "rename one of them, so that '$\(axis.key)' means one thing")
        return false
    }

    /// The points of an axis: single values by themselves, any value behind a label.
    private mutating func points(of axis: Located.Entry, _ names: LoopNames) -> [GraphFile.Axis.Point]? {
        var value = axis.value
        if let name = value.referencedName {
            guard let definition = names.definitions.first(where: { $0.key == name })?.value else {
                report(
                    "'$\(name)' stands for nothing that all nodes see", at: value.range,
                    hint: "add '\(name):' below 'define', with a list of values")
                return nil
            }
            value = definition
        }
        if let entries = value.entries, !entries.isEmpty {
            return entries.filter { checkName($0.key, of: "point of an axis", at: $0.keyRange) }
                .map { .init(label: $0.key, value: $0.value) }
        }
        guard let items = value.items, !items.isEmpty else {
            report(
                "axis '\(axis.key)' takes a list of values, found \(value.items == nil ? value.kind : "an empty one")",
                at: value.range, hint: "write '\(axis.key): [1, 2]', or '\(axis.key): {NAME: value, …}'")
            return nil
        }
        var points: [GraphFile.Axis.Point] = []
        for item in items {
            guard let label = item.text, !item.isNull, !label.isEmpty, item.referencedName == nil,
                !label.contains(where: { ",@#=\n".contains($0) })
            else {
                report(
                    "a point of '\(axis.key)' cannot stand in a node's name as it is", at: item.range,
                    hint: "give it a label: '\(axis.key): {NAME: value, …}'")
                continue
            }
            if points.contains(where: { $0.label == label }) {
                report("'\(label)' stands twice in axis '\(axis.key)'", at: item.range, hint: "remove one of them")
                continue
            }
            points.append(.init(label: label, value: item))
        }
        return points
    }
}
