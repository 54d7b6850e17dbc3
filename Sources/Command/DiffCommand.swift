import ArgumentParser
import Artifacts
import CacheStore
import Dataflow
import Presentation

struct DiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Says what differs between two runs: what they were given, and what came out.",
        discussion: """
            'spinweave log' lists the runs. Artifacts are compared by content; those that differ are read, and of \
            arrays the largest and the root-mean-square difference is given, with the place of the largest.
            """)

    @Argument(help: ArgumentHelp("The earlier run, or 'last' and 'previous'.", valueName: "run"))
    var first: String
    @Argument(help: ArgumentHelp("The run to compare it with.", valueName: "run"))
    var second: String
    @Option(help: ArgumentHelp("Samples a node whose values are read at most; 0 for all.", valueName: "n"))
    var samples = 100
    @OptionGroup var storage: StoreOptions
    @OptionGroup var format: FormatOptions

    func validate() throws {
        if samples < 0 { throw ValidationError("--samples must be 0 or more") }
    }

    func run() throws {
        let store = try storage.open(.readOnly)
        let comparison = try RunComparison(
            try Self.identifier(first, store), try Self.identifier(second, store), store: store,
            values: samples == 0 ? .max : samples)
        switch format.format {
        case .json: Output.json(comparison.document)
        case .text: Output.standardOutput(comparison.text)
        }
    }

    /// `last` is the newest run, `previous` the one before.
    private static func identifier(_ text: String, _ store: Store) throws -> String {
        guard text == "last" || text == "previous" else { return text }
        let runs = try store.runs()
        let back = text == "last" ? 1 : 2
        guard runs.count >= back else {
            throw RunError(
                node: nil, sample: nil, message: "there is no '\(text)' run: the store remembers \(runs.count)")
        }
        return runs[runs.count - back].id
    }
}

extension RunComparison {
    var text: String {
        var lines = ["\(first) → \(second)"]
        lines += settings.map { "  \($0)" }
        for node in nodes where !node.isSame { lines += node.lines }
        let same = nodes.filter(\.isSame).map(\.name)
        if !same.isEmpty { lines.append("same: \(same.joined(separator: ", "))") }
        if isSame { lines.append("no difference") }
        return lines.joined(separator: "\n")
    }

    var document: Value {
        .record([
            "first": .string(first), "second": .string(second), "same": .bool(isSame),
            "settings": .list(settings.map(\.document)), "nodes": .list(nodes.map(\.document)),
        ])
    }
}

extension RunComparison.Node {
    fileprivate var lines: [String] {
        if !isInFirst { return ["\(name): only in the second run"] }
        if !isInSecond { return ["\(name): only in the first run"] }
        var parts: [String] = []
        let count = same + different.count
        if different.count == 1, count == 1 {
            parts.append("differs")
        } else if different.isEmpty {
            parts.append("same results (\(Wording.count(same, "step")))")
        } else {
            parts.append("\(Wording.count(different.count)) of \(Wording.count(count, "step")) differ")
        }
        if onlyInFirst > 0 { parts.append("\(Wording.count(onlyInFirst)) only in the first run") }
        if onlyInSecond > 0 { parts.append("\(Wording.count(onlyInSecond)) only in the second run") }
        var lines = ["\(name): \(parts.joined(separator: ", "))"]
        if !because.isEmpty {
            let place = example.map { " (sample \($0))" } ?? ""
            lines.append("  given\(place): \(because.map { $0.words(of: name) }.joined(separator: "; "))")
        }
        if compared < different.count, compared > 0 {
            lines.append("  values of the first \(Wording.count(compared)) that differ:")
        }
        let values = arraysFirst.map(\.words) + words.map { "\($0)" }
        lines += values.prefix(Self.shown).map { "  \($0)" }
        if values.count > Self.shown {
            lines.append("  … and \(Wording.count(values.count - Self.shown)) more (--format json has all)")
        }
        if gone > 0 { lines.append("  \(Wording.count(gone)) can no longer be read: collected since") }
        lines += facts.prefix(Self.shown).map { "  reported: \($0)" }
        return lines
    }

    /// Lines of values a node in the text.
    private static var shown: Int { 8 }

    /// Arrays before single numbers: the picture before the footnotes.
    private var arraysFirst: [RunComparison.ArrayDifference] {
        arrays.filter { !$0.worst.place.isEmpty } + arrays.filter(\.worst.place.isEmpty)
    }

    fileprivate var document: Value {
        .record([
            "name": .string(name), "same": .bool(isSame), "in_first": .bool(isInFirst),
            "in_second": .bool(isInSecond), "given": .list(because.map(\.document)),
            "given_sample": example.map { .int($0) } ?? .none, "equal": .int(same),
            "different": .list(different.map { .int($0) }), "only_in_first": .int(onlyInFirst),
            "only_in_second": .int(onlyInSecond), "compared": .int(compared), "gone": .int(gone),
            "arrays": .list(
                arrays.map { array in
                    .record([
                        "path": .string(array.path), "samples": .int(array.samples),
                        "max": .double(array.worst.maximum), "rms": .double(array.rms),
                        "sample": array.sample.map { .int($0) } ?? .none,
                        "place": .list(array.worst.place.map { .int($0) }), "was": .double(array.worst.was),
                        "now": .double(array.worst.now),
                    ])
                }),
            "words": .list(words.map(\.document)), "facts": .list(facts.map(\.document)),
        ])
    }
}

extension FieldDifference {
    var document: Value {
        .record([
            "field": .string(path), "was": was.map { .string($0) } ?? .none, "now": now.map { .string($0) } ?? .none,
        ])
    }
}

extension RunComparison.ArrayDifference {
    /// `images: max 14 at #117 [0, 3, 8] (22 → 36), rms 0.87`
    fileprivate var words: String {
        let sample = self.sample.map { " #\($0)" } ?? ""
        let place = worst.place.isEmpty ? "" : " [\(worst.place.map(String.init).joined(separator: ", "))]"
        let at = sample.isEmpty && place.isEmpty ? "" : " at\(sample)\(place)"
        return "\(path.isEmpty ? "value" : path): max \(Wording.number(worst.maximum))\(at) "
            + "(\(Wording.number(worst.was)) → \(Wording.number(worst.now))), rms \(Wording.number(rms))"
    }
}
