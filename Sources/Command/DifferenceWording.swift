import Dataflow

extension FieldDifference {
    /// The difference as a person would say it: `noise.exposure 2.0 → 3.0`, where the path speaks of keys.
    ///
    /// - Parameter node: the node whose key is compared; parameters are named as `--set` names them.
    func words(of node: String) -> String {
        let declared = String(node.prefix { $0 != "@" })
        let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
        let rest = parts.count > 1 ? parts[1] : ""
        switch parts.first {
        case "parameters": return change(rest.isEmpty ? declared : "\(declared).\(rest)")
        case "point": return change("\(declared).\(rest) at this sample")
        case "inputs": return change("input \(rest)")
        case "version": return change("version of the stage")
        case "random" where rest == "seed": return change("seed")
        case "random" where rest == "node": return change("the node's name, which random numbers follow from,")
        case "domain": return change("format of keys")
        default: return change(path)
        }
    }

    private func change(_ name: String) -> String {
        switch (was, now) {
        case (nil, let now?): "\(name) \(now) is new"
        case (let was?, nil): "\(name) \(was) is gone"
        default: "\(name) \(was ?? "") → \(now ?? "")"
        }
    }
}
