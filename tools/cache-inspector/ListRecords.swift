import ArgumentParser
import CacheStore
import Diagnostics
import Foundation

/// `spinweave-cache ls`
struct ListRecords: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "Lists what the store remembers, one line a node.")

    @OptionGroup var options: StoreOptions
    @Option(help: "Only records of this stage.") var stage: String?
    @Option(help: "Only records of this node (with or without its class).") var node: String?
    @Option(help: "Only records of this graph.") var graph: String?
    @Flag(help: "One line a sample.") var samples = false

    private struct Document: Encodable {
        var store: String
        var nodes: [NodeLine]?
        var records: [Record]?
    }

    private struct NodeLine: Encodable {
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

    func run() throws {
        try options.withStore(.readOnly) { store in
            let now = Date().timeIntervalSince1970
            var records: [Record] = []
            try store.allRecords { record in
                if matches(record) { records.append(record) }
                return true
            }
            records.sort {
                ($0.graph, $0.node, $0.sample ?? -1, $0.created) < ($1.graph, $1.node, $1.sample ?? -1, $1.created)
            }
            if samples {
                try options.answer(Document(store: store.path, records: records)) { sampleLines(records, now) }
            } else {
                let nodes = nodeLines(records)
                try options.answer(Document(store: store.path, nodes: nodes)) { text(nodes, now) }
            }
        }
    }

    private func matches(_ record: Record) -> Bool {
        if let stage, record.stage != stage { return false }
        if let graph, record.graph != graph { return false }
        if let node, record.node != node, record.node.split(separator: "@").first.map(String.init) != node {
            return false
        }
        return true
    }

    private func nodeLines(_ records: [Record]) -> [NodeLine] {
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
            switch record.outcome {
            case .done(_, let bytes): lines[last].bytes += bytes
            case .failed: lines[last].failed += 1
            }
            lines[last].seconds += record.seconds
            lines[last].created = max(lines[last].created, record.created)
        }
        return lines
    }

    private func text(_ lines: [NodeLine], _ now: Double) -> [String] {
        if lines.isEmpty { return options.quiet ? [] : ["no records"] }
        return Wording.table(
            ["GRAPH", "NODE", "STAGE", "SAMPLES", "RECORDS", "FAILED", "BYTES", "COST", "AGE"],
            lines.map { line in
                [
                    line.graph, line.node, line.stage, line.samples.isEmpty ? "-" : Wording.ranges(line.samples),
                    "\(line.records)", "\(line.failed)", Wording.bytes(line.bytes), Wording.seconds(line.seconds),
                    Wording.age(now - line.created),
                ]
            }, right: [4, 5, 6, 7, 8])
    }

    private func sampleLines(_ records: [Record], _ now: Double) -> [String] {
        if records.isEmpty { return options.quiet ? [] : ["no records"] }
        return Wording.table(
            ["GRAPH", "STEP", "STAGE", "ARTIFACT", "BYTES", "COST", "AGE", "BY"],
            records.map { record in
                let (artifact, size) =
                    switch record.outcome {
                    case .done(let digest, let bytes): (digest.short, Wording.bytes(bytes))
                    case .failed: ("failed", "-")
                    }
                return [
                    record.graph, record.step, "\(record.stage) \(record.stageVersion)", artifact, size,
                    Wording.seconds(record.seconds), Wording.age(now - record.created), record.executor,
                ]
            }, right: [4, 5, 6])
    }
}
