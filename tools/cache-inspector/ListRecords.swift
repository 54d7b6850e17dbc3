import ArgumentParser
import CacheStore
import Diagnostics
import Foundation

/// `spinweave-cache ls`
struct ListRecords: ParsableCommand {
    enum Order: String, ExpressibleByArgument, CaseIterable { case name, age, size, cost }

    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "Lists what the store remembers, one line a node or (--samples) a step.",
        discussion: """
            Filters narrow the list, and all must hold. --where compares what is known of a step by name: its facts, \
            the parameters in its key, and its answer where that is small; where the step itself has no such name, the \
            nearest step before it that has. So noisy images can be chosen by the exchange constants they were \
            simulated with. Numbers compare in base units (meV, angstrom, K, T, deg, Hz); a unit may be written.

            EXAMPLES
              spinweave-cache ls --node 'noise@*' --newer 12h
              spinweave-cache ls --samples --node noise@second --where 'J1 in 0.6..0.7 meV' --where 'J2 > 0.1 meV'
              spinweave-cache ls --samples --failed
              spinweave-cache ls --samples --larger 1MB --sort size --limit 20
              spinweave-cache ls --run last --json
            """)

    @OptionGroup var options: StoreOptions
    @OptionGroup(title: "Filters") var filter: RecordFilter
    @Flag(help: "One line a step: each sample on its own.") var samples = false
    @Option(help: "What comes first: name, age (the youngest), size (the largest) or cost (the dearest).")
    var sort = Order.name
    @Flag(help: "The other way round.") var reverse = false
    @Option(help: ArgumentHelp("At most so many lines.", valueName: "number")) var limit: Int?

    struct Document: Encodable {
        var store: String
        var nodes: [NodeLine]?
        var records: [Record]?
        /// Lines that --limit left out.
        var omitted: Int
    }

    struct NodeLine: Encodable {
        var graph: String
        var node: String
        var stage: String
        var records: Int
        var failed: Int
        /// Sorted; empty for a node that is one step.
        var samples: [Int]
        /// Canonical bytes of the artifacts.
        var bytes: Int
        var seconds: Double
        /// Seconds since 1970 of the youngest record.
        var created: Double
    }

    func validate() throws {
        if let limit, limit < 0 { throw ValidationError("'--limit \(limit)' is no number of lines") }
    }

    func run() throws {
        try options.withStore(.readOnly) { store in
            let now = Date().timeIntervalSince1970
            let records = try filter.records(in: Ancestry(store), now: now).sorted {
                ($0.graph, $0.node, $0.sample ?? -1, $0.created) < ($1.graph, $1.node, $1.sample ?? -1, $1.created)
            }
            if samples {
                let (shown, omitted) = arranged(records, age: \.created, size: \.canonicalBytes, cost: \.seconds)
                try options.answer(Document(store: store.path, records: shown, omitted: omitted)) {
                    more(Self.text(shown, now), omitted)
                }
            } else {
                let (shown, omitted) = arranged(
                    Self.nodeLines(records), age: \.created, size: \.bytes, cost: \.seconds)
                try options.answer(Document(store: store.path, nodes: shown, omitted: omitted)) {
                    more(Self.text(shown, now), omitted)
                }
            }
        }
    }

    /// Sorted and cut as asked; `lines` come sorted by name.
    private func arranged<Line>(
        _ lines: [Line], age: KeyPath<Line, Double>, size: KeyPath<Line, Int>, cost: KeyPath<Line, Double>
    ) -> (shown: [Line], omitted: Int) {
        var lines = lines
        switch sort {
        case .name: break
        case .age: lines.sort { $0[keyPath: age] > $1[keyPath: age] }
        case .size: lines.sort { $0[keyPath: size] > $1[keyPath: size] }
        case .cost: lines.sort { $0[keyPath: cost] > $1[keyPath: cost] }
        }
        if reverse { lines.reverse() }
        let shown = Array(lines.prefix(limit ?? .max))
        return (shown, lines.count - shown.count)
    }

    private func more(_ lines: [String], _ omitted: Int) -> [String] {
        if lines.count <= 1, omitted == 0 { return options.quiet ? [] : ["no records"] }
        if omitted == 0 || options.quiet { return lines }
        return lines + ["… \(Wording.count(omitted, "more line")): leave --limit out to see them"]
    }

    static func nodeLines(_ records: [Record]) -> [NodeLine] {
        var lines: [NodeLine] = []
        for record in records {
            if lines.last?.node != record.node || lines.last?.graph != record.graph {
                lines.append(
                    NodeLine(
                        graph: record.graph, node: record.node, stage: record.stage, records: 0, failed: 0, samples: [],
                        bytes: 0, seconds: 0, created: record.created))
            }
            let last = lines.count - 1
            lines[last].records += 1
            if let sample = record.sample { lines[last].samples.append(sample) }
            if record.artifact == nil { lines[last].failed += 1 }
            lines[last].bytes += record.canonicalBytes
            lines[last].seconds += record.seconds
            lines[last].created = max(lines[last].created, record.created)
        }
        return lines
    }

    private static func text(_ lines: [NodeLine], _ now: Double) -> [String] {
        Wording.table(
            ["GRAPH", "NODE", "STAGE", "SAMPLES", "RECORDS", "FAILED", "BYTES", "COST", "AGE"],
            lines.map { line in
                [
                    line.graph, line.node, line.stage, line.samples.isEmpty ? "-" : Wording.ranges(line.samples),
                    "\(line.records)", "\(line.failed)", Wording.bytes(line.bytes), Wording.seconds(line.seconds),
                    Wording.age(now - line.created),
                ]
            }, right: [4, 5, 6, 7, 8])
    }

    private static func text(_ records: [Record], _ now: Double) -> [String] {
        Wording.table(
            ["GRAPH", "STEP", "STAGE", "ARTIFACT", "BYTES", "COST", "AGE", "BY"],
            records.map { record in
                [
                    record.graph, record.step, "\(record.stage) \(record.stageVersion)",
                    record.artifact?.short ?? "failed",
                    record.artifact == nil ? "-" : Wording.bytes(record.canonicalBytes),
                    Wording.seconds(record.seconds), Wording.age(now - record.created), record.executor,
                ]
            }, right: [4, 5, 6])
    }
}

extension Record {
    /// The artifact's size before compression; 0 for a failed step.
    var canonicalBytes: Int {
        if case .done(_, let bytes) = outcome { return bytes }
        return 0
    }
}
