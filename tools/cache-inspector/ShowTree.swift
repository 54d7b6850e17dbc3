import ArgumentParser
import CacheStore

/// `spinweave-cache tree`
struct ShowTree: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tree", abstract: "Shows where a result comes from, back to its sources.",
        discussion: """
            Each line is a step, or the samples of one node that were used together, under the port that they entered. \
            With it stand the stage's version, the seed, and all parameters as they are in the step's identity: \
            defaults filled in, in base units, and for files the SHA-256 of what was read. What is used in several \
            places is printed once.

            A node with samples, named without one, means all of them.

            EXAMPLES
              spinweave-cache tree verdict
              spinweave-cache tree 'noise@second#3' --depth 2
              spinweave-cache tree verdict --brief
              spinweave-cache tree 3f9a01 --json
            """)

    @OptionGroup var options: StoreOptions
    @Option(help: "Only records of this graph.") var graph: String?
    @Option(help: ArgumentHelp("How many steps back.", valueName: "number")) var depth: Int?
    @Flag(help: "Without the parameters.") var brief = false

    @Argument(help: ArgumentHelp(StepFinder.help, valueName: "step"))
    var target: String

    private struct Document: Encodable {
        var store: String
        var lineage: Lineage
    }

    func validate() throws {
        if let depth, depth < 0 { throw ValidationError("'--depth \(depth)' is no number of steps") }
    }

    func run() throws {
        try options.withStore(.readOnly) { store in
            let ancestry = try Ancestry(store)
            let latest = try StepFinder(ancestry: ancestry, graph: graph).latest(named: target)
            // The same node in two graphs is two lineages: the younger is meant.
            let newest = latest.max { $0.created < $1.created }
            let steps = latest.filter { $0.graph == newest?.graph && $0.node == newest?.node }
            let lineage = try Lineage(of: steps, in: ancestry, depth: depth)
            try options.answer(Document(store: store.path, lineage: lineage)) {
                LineageText(lineage: lineage, withParameters: !brief).lines
            }
        }
    }
}

/// A lineage as a tree of lines.
struct LineageText {
    let lineage: Lineage
    var withParameters: Bool
    var width = 110

    var lines: [String] {
        var lines: [String] = []
        var shown: Set<Int> = []
        append(lineage.root, label: "", first: "", rest: "", shown: &shown, to: &lines)
        return lines
    }

    private func append(
        _ id: Int, label: String, first: String, rest: String, shown: inout Set<Int>, to lines: inout [String]
    ) {
        let group = lineage.groups[id]
        guard shown.insert(id).inserted else {
            lines.append("\(first)\(label)\(Self.name(group))  (shown above)")
            return
        }
        lines.append("\(first)\(label)\(Self.name(group))  \(Self.origin(group))")
        let stem = group.inputs.isEmpty ? "  " : "│ "
        if withParameters { lines += parameters(group).map { rest + stem + "  " + $0 } }
        for (index, link) in group.inputs.enumerated() {
            let isLast = index == group.inputs.count - 1
            let (branch, below) = (rest + (isLast ? "└─ " : "├─ "), rest + (isLast ? "   " : "│  "))
            let others = link.others > 0 ? " [also given by \(Wording.count(link.others, "other step"))]" : ""
            if let next = link.group {
                append(next, label: "\(link.port)\(others): ", first: branch, rest: below, shown: &shown, to: &lines)
            } else {
                let digests =
                    link.digests.prefix(3).map(\.short).joined(separator: ", ") + (link.digests.count > 3 ? ", …" : "")
                let why = link.end == "depth" ? "…" : "(the store no longer knows where it comes from)"
                lines.append("\(branch)\(link.port): \(digests) \(why)")
            }
        }
    }

    /// `noise@second 0–199`, `verdict`
    private static func name(_ group: Lineage.Group) -> String {
        group.samples.isEmpty
            ? group.node
            : group.samples.count == 1
                ? "\(group.node)#\(group.samples[0])" : "\(group.node) \(Wording.ranges(group.samples))"
    }

    private static func origin(_ group: Lineage.Group) -> String {
        let versions = group.stageVersions.map { "\($0)" }.joined(separator: ", ")
        var words = ["\(group.stage) \(versions)"]
        if !group.seeds.isEmpty { words.append("seed \(group.seeds.map { "\($0)" }.joined(separator: ", "))") }
        if group.keys.count == 1 { words.append(group.artifacts[0]?.short ?? "failed") }
        words.append("on \((group.executors + group.machines).filter { !$0.isEmpty }.joined(separator: ", "))")
        words.append("by spinweave \(group.programVersions.joined(separator: ", "))")
        return words.joined(separator: " · ")
    }

    /// All parameters, as many to a line as fit.
    private func parameters(_ group: Lineage.Group) -> [String] {
        var items = group.parameters.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.inline)" }
        items += group.differing.map { "\($0) differs between samples" }
        var lines: [String] = []
        for item in items {
            if let last = lines.last, last.count + item.count + 2 <= width {
                lines[lines.count - 1] = "\(last), \(item)"
            } else {
                lines.append(item)
            }
        }
        return lines
    }
}
