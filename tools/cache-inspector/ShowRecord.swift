import ArgumentParser
import Artifacts
import CacheStore
import Diagnostics

/// `spinweave-cache show`
struct ShowRecord: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows a step: its record, what its key is made of, and its value.")

    @OptionGroup var options: StoreOptions
    @Option(help: "Only records of this graph.") var graph: String?

    @Argument(
        help: ArgumentHelp(
            "A node, a sample of one as NODE#SAMPLE, or the first digits (four at least) of a key or an artifact.",
            valueName: "step"))
    var target: String

    private struct Document: Encodable {
        var record: Record
        var summary: ValueOutline?
        var preimage: ValueOutline?
        var value: ValueOutline?
        /// Why the value is not shown.
        var missing: String?
    }

    func run() throws {
        try options.withStore(.readOnly) { store in
            var records: [Record] = []
            var steps: [Digest: String] = [:]
            try store.allRecords { record in
                if let artifact = record.artifact { steps[artifact] = record.step }
                if graph == nil || record.graph == graph { records.append(record) }
                return true
            }
            let found = try find(records)
            guard let record = found.max(by: { ($1.sample ?? -1, $0.created) < ($0.sample ?? -1, $1.created) }) else {
                throw options.wrongArguments(nothingFound(records, store.path))
            }
            var document = Document(record: record)
            document.summary = outline(record.summary, [:])
            document.preimage = try store.preimage(for: record.key).flatMap { outline($0, steps) }
            do {
                switch record.outcome {
                case .failed(let message): document.missing = message
                case .done(let artifact, _):
                    document.value = try store.value(for: artifact).map { ValueOutline($0) }
                    if document.value == nil { document.missing = "the artifact is not in the store" }
                }
            } catch StoreError.damaged(_, let reason) {
                document.missing = "the artifact is damaged: \(reason)"
                try answer(document, others: found.count - 1)
                throw ExitCode(1)
            }
            try answer(document, others: found.count - 1)
        }
    }

    private func outline(_ bytes: [UInt8], _ steps: [Digest: String]) -> ValueOutline? {
        if bytes.isEmpty { return nil }
        do {
            return ValueOutline(try Value(decoding: bytes), steps: steps)
        } catch {
            // Not a value: bytes that only the engine can read.
            return .bytes(bytes.count)
        }
    }

    private func find(_ records: [Record]) throws -> [Record] {
        let parts = target.split(separator: "#", maxSplits: 1)
        if parts.count == 2 {
            guard let sample = Int(parts[1]) else {
                throw options.wrongArguments(
                    Diagnostic("'\(parts[1])' is not the number of a sample", hint: "write NODE#12, for example"))
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
            throw options.wrongArguments(
                Diagnostic("'\(target)' begins \(digests.count) digests: \(list)", hint: "give more digits"))
        }
        return matches
    }

    private func nothingFound(_ records: [Record], _ path: String) -> Diagnostic {
        let name = String(target.prefix { $0 != "#" })
        let nodes = Set(records.map(\.node))
        var hint = "'spinweave-cache ls' lists what there is"
        if nodes.contains(name) {
            hint = "it has the samples \(Wording.ranges(records.filter { $0.node == name }.compactMap(\.sample)))"
        } else if let nearest = Spelling.nearest(to: name, among: nodes.sorted()) {
            hint = "did you mean '\(nearest)'?"
        }
        return Diagnostic("the store '\(path)' has no record of '\(target)'", hint: hint)
    }

    private func answer(_ document: Document, others: Int) throws {
        try options.answer(document) {
            let record = document.record
            var lines = ["\(record.step)  stage \(record.stage) \(record.stageVersion)  graph \(record.graph)"]
            lines.append("  key: \(record.key)")
            if case .done(let artifact, let bytes) = record.outcome {
                lines.append("  artifact: \(artifact) (\(Wording.bytes(bytes)))")
            }
            lines.append(
                "  computed: \(Wording.date(record.created)) in \(Wording.seconds(record.seconds)) on \(record.executor), "
                    + "by spinweave \(record.programVersion) in the run \(record.run)")
            if let summary = document.summary { lines += summary.lines(named: "summary", indent: "  ") }
            if let preimage = document.preimage { lines += preimage.lines(named: "key made of", indent: "  ") }
            if let value = document.value { lines += value.lines(named: "value", indent: "  ") }
            if let missing = document.missing { lines.append("  no value: \(missing)") }
            if others > 0, !options.quiet {
                lines.append(
                    "  (\(Wording.count(others, "more record")) of '\(target)': see 'spinweave-cache ls --samples')")
            }
            return lines
        }
    }
}
