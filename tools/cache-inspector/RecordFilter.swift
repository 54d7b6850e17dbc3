import ArgumentParser
import Artifacts
import CacheStore
import Diagnostics
import Foundation

/// The options that say which records are meant.
struct RecordFilter: ParsableArguments {
    @Option(help: "Only records of this stage.") var stage: String?
    @Option(
        help: ArgumentHelp(
            "Only records of these nodes, with or without their class: noise, '*@second'.", valueName: "pattern"))
    var node: String?
    @Option(help: "Only records of this graph.") var graph: String?
    @Option(help: ArgumentHelp("Only records that this run used, or 'last'.", valueName: "run")) var run: String?
    @Option(
        help: ArgumentHelp("Only these samples: 3, 3..7, 3.. or ..7.", valueName: "range"), transform: Measure.samples)
    var sample: ClosedRange<Int>?
    @Option(
        help: ArgumentHelp("Only records made longer ago than this: 12h, '3 d', 2w.", valueName: "duration"),
        transform: Measure.duration)
    var older: Double?
    @Option(
        help: ArgumentHelp("Only records made within this time.", valueName: "duration"), transform: Measure.duration)
    var newer: Double?
    @Option(
        help: ArgumentHelp(
            "Only artifacts of at least this size before compression: 20kB, '1.5 MB'.", valueName: "size"),
        transform: Measure.size)
    var larger: Int?
    @Option(help: ArgumentHelp("Only artifacts of at most this size.", valueName: "size"), transform: Measure.size)
    var smaller: Int?
    @Flag(help: "Only steps that failed.") var failed = false
    @Option(
        name: .customLong("where"),
        help: ArgumentHelp(
            "Only steps for which this holds: 'J1 > 2 meV', 'J1 in 1..2 meV', 'unstable = true'. May be repeated.",
            valueName: "condition"), transform: { try Condition($0) })
    var conditions: [Condition] = []

    /// The records that are meant, in the order of keys.
    func records(in ancestry: Ancestry, now: Double) throws -> [Record] {
        let ofRun = try run.map { try Self.keys(ofRun: $0, in: ancestry) }
        var records = ancestry.records.filter { record in
            if let ofRun, !ofRun.contains(record.key) { return false }
            return matches(record, now: now)
        }
        if conditions.isEmpty { return records }
        var facts = StepFacts(ancestry)
        var met: Set<String> = []
        let candidates = records
        records = try records.filter { record in
            var holds = true
            for condition in conditions {
                guard let value = try facts.value(condition.name, of: record) else {
                    holds = false
                    continue
                }
                met.insert(condition.source)
                if !condition.holds(for: value) { holds = false }
            }
            return holds
        }
        // An empty answer because of a slip of the pen would look like an answer.
        for condition in conditions where !met.contains(condition.source) && !candidates.isEmpty {
            let name = condition.name.joined(separator: ".")
            throw Diagnostic(
                "none of these steps, nor any before them, has a parameter or fact '\(name)'",
                hint: Spelling.nearest(to: condition.name.last ?? "", among: facts.names.sorted()).map {
                    "did you mean '\($0)'?"
                } ?? "'spinweave-cache show NODE' lists what a step has")
        }
        return records
    }

    private func matches(_ record: Record, now: Double) -> Bool {
        if let stage, record.stage != stage { return false }
        if let graph, record.graph != graph { return false }
        if let node, !Glob(pattern: node).matches(node: record.node) { return false }
        if let sample, !(record.sample.map(sample.contains) ?? false) { return false }
        // A record from the future (the clock was set back) is as young as can be.
        let age = max(0, now - record.created)
        if let older, age <= older { return false }
        if let newer, age > newer { return false }
        switch record.outcome {
        case .done(_, let bytes):
            if failed { return false }
            if let larger, bytes < larger { return false }
            if let smaller, bytes > smaller { return false }
        case .failed: if larger != nil || smaller != nil { return false }
        }
        return true
    }

    /// The run's name in full: as given, the beginning of one, or the last of all.
    static func run(named name: String, in store: Store) throws -> RunEntry {
        let runs = try store.runs()
        if name == "last", let last = runs.last { return last }
        let matches = runs.filter { $0.id.hasPrefix(name) }
        if let exact = matches.first(where: { $0.id == name }) ?? (matches.count == 1 ? matches.first : nil) {
            return exact
        }
        throw Diagnostic(
            matches.isEmpty
                ? "the store '\(store.path)' remembers no run '\(name)'"
                : "'\(name)' begins \(matches.count) runs: \(matches.prefix(4).map(\.id).joined(separator: ", "))",
            hint: matches.isEmpty ? "'spinweave log' lists the runs" : "give more of the name")
    }

    /// The keys of the records that a run computed or reused.
    static func keys(ofRun name: String, in ancestry: Ancestry) throws -> Set<Digest> {
        let run = try run(named: name, in: ancestry.store)
        // Where parts of what it used were collected: what it computed and is still there.
        let keys = try ancestry.store.recordKeys(ofRun: run.id) ?? []
        return Set(keys).union(ancestry.records.lazy.filter { $0.run == run.id }.map(\.key))
    }
}
