import Artifacts
import CacheStore
import Diagnostics

/// Finds the steps that a person names: `NODE`, `NODE#SAMPLE`, or the first digits of a key or an artifact.
struct StepFinder {
    /// One short form of the help, for all commands that take a step.
    static let help =
        "A node, a sample of one as NODE#SAMPLE, or the first digits (four at least) of a key or an artifact."

    let ancestry: Ancestry
    var graph: String?

    private var records: [Record] {
        graph.map { graph in ancestry.records.filter { $0.graph == graph } } ?? ancestry.records
    }

    /// All records of that name; at least one. For a node without a sample: those of all its samples.
    func records(named target: String) throws(Diagnostic) -> [Record] {
        let found = try matches(target)
        if found.isEmpty { throw nothingFound(target) }
        return found
    }

    /// The record that is meant where one is wanted: the first sample, and of several records of it the youngest.
    func record(named target: String) throws(Diagnostic) -> (record: Record, others: Int) {
        let found = try records(named: target)
        let first = found.max { ($1.sample ?? -1, $0.created) < ($0.sample ?? -1, $1.created) }
        guard let first else { throw nothingFound(target) }
        return (first, found.count - 1)
    }

    /// The youngest record of each step of that name, by sample.
    func latest(named target: String) throws(Diagnostic) -> [Record] {
        var latest: [String: Record] = [:]
        for record in try records(named: target) {
            let step = "\(record.graph)\n\(record.step)"
            if latest[step].map({ $0.created < record.created }) ?? true { latest[step] = record }
        }
        return latest.values.sorted { ($0.graph, $0.node, $0.sample ?? -1) < ($1.graph, $1.node, $1.sample ?? -1) }
    }

    private func matches(_ target: String) throws(Diagnostic) -> [Record] {
        let parts = target.split(separator: "#", maxSplits: 1)
        if parts.count == 2 {
            guard let sample = Int(parts[1]) else {
                throw Diagnostic("'\(parts[1])' is not the number of a sample", hint: "write NODE#12, for example")
            }
            return records.filter { $0.node == parts[0] && $0.sample == sample }
        }
        let ofNode = records.filter { $0.node == target }
        if !ofNode.isEmpty { return ofNode }
        guard target.count >= 4, target.allSatisfy(\.isHexDigit) else { return [] }
        let prefix = target.lowercased()
        let byKey = records.filter { $0.key.hex.hasPrefix(prefix) }
        let matches = byKey.isEmpty ? records.filter { $0.artifact?.hex.hasPrefix(prefix) ?? false } : byKey
        let digests = Set(matches.map { byKey.isEmpty ? $0.artifact ?? $0.key : $0.key })
        if digests.count > 1 {
            let list = digests.sorted().prefix(5).map(\.short).joined(separator: ", ")
            throw Diagnostic("'\(target)' begins \(digests.count) digests: \(list)", hint: "give more digits")
        }
        return matches
    }

    private func nothingFound(_ target: String) -> Diagnostic {
        let name = String(target.prefix { $0 != "#" })
        let nodes = Set(records.map(\.node))
        var hint = "'spinweave-cache ls' lists what there is"
        if nodes.contains(name) {
            hint = "it has the samples \(Wording.ranges(records.filter { $0.node == name }.compactMap(\.sample)))"
        } else if let withClass = nodes.filter({ $0.prefix { $0 != "@" } == name }).min() {
            hint = "did you mean '\(withClass)'?"
        } else if let nearest = Spelling.nearest(to: name, among: nodes.sorted()) {
            hint = "did you mean '\(nearest)'?"
        }
        return Diagnostic("the store '\(ancestry.store.path)' has no record of '\(target)'", hint: hint)
    }
}
