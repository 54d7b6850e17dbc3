import Diagnostics
import GraphLanguage

extension Binder {
    /// Reports settings and definitions that nothing reads and that look like a misspelt name that something does.
    ///
    /// `modle: chain` in one class would otherwise leave that class with the model that `define` gives to all.
    mutating func reportMisspeltSettings() {
        var used: Set<String> = []
        for node in file.nodes {
            for entry in node.entries { entry.value.collectReferences(into: &used) }
            for axis in node.axes { axis.written.collectReferences(into: &used) }
        }
        for defaults in file.defaults { for entry in defaults.entries { entry.value.collectReferences(into: &used) } }
        let owners = file.classes.map { ("class '\($0.name)'", $0.settings) } + [("'define'", file.definitions)]
        for (_, settings) in owners { for entry in settings { entry.value.collectReferences(into: &used) } }
        // A name that is set nowhere is reported where it is read.
        used.formIntersection(owners.flatMap { $0.1.map(\.key) })
        for (owner, settings) in owners {
            let own = Set(settings.map(\.key))
            for entry in settings where !used.contains(entry.key) {
                guard let meant = Spelling.nearest(to: entry.key, among: used.subtracting(own).sorted()) else {
                    continue
                }
                report(
                    "no node reads '$\(entry.key)', which \(owner) sets", at: entry.keyRange,
                    hint: "did you mean '\(meant)'?")
            }
        }
    }
}

extension Located {
    fileprivate func collectReferences(into names: inout Set<String>) {
        if let referencedName { names.insert(referencedName) }
        for item in items ?? [] { item.collectReferences(into: &names) }
        for entry in entries ?? [] { entry.value.collectReferences(into: &names) }
    }
}
