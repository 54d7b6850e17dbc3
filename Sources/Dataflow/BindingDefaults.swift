import Diagnostics
import GraphLanguage

// `defaults:` of a graph file: parameters by the name of a stage, for every node that does not say otherwise.
extension Binder {
    /// What the graph's defaults add to a node.
    func defaults(for node: GraphFile.NodeDeclaration, _ signature: Signature) -> [Located.Entry] {
        guard let defaults = file.defaults.first(where: { $0.stage == node.stage }) else { return [] }
        return defaults.entries.filter { entry in
            !node.entries.contains { $0.key == entry.key } && signature.parameters.contains { $0.name == entry.key }
        }
    }

    /// What one step of a node may take: its own limits, else those of its stage.
    func limits(of node: GraphFile.NodeDeclaration) -> StepLimits? {
        node.hasLimits ? node.limits : file.defaults.first { $0.stage == node.stage }?.limits
    }

    /// Names are checked whether or not a node uses the defaults; values, where a node does.
    mutating func reportUnknownDefaults() {
        for defaults in file.defaults {
            guard let signature = library.stage(named: defaults.stage)?.signature else {
                let names = library.stages.map { $0.signature.name }
                report(
                    "no stage is called '\(defaults.stage)'", at: defaults.range,
                    hint: Spelling.nearest(to: defaults.stage, among: names).map { "did you mean '\($0)'?" }
                        ?? "the stages are \(names.sorted().joined(separator: ", "))")
                continue
            }
            for entry in defaults.entries where !signature.parameters.contains(where: { $0.name == entry.key }) {
                if signature.inputs.contains(where: { $0.name == entry.key }) {
                    report(
                        "'\(entry.key)' is an input of '\(signature.name)', and defaults hold parameters",
                        at: entry.keyRange, hint: "write it in each node")
                } else {
                    reader.reportUnknown(
                        entry, owner: "stage '\(signature.name)'", known: signature.parameters.map(\.name))
                }
            }
        }
    }
}
