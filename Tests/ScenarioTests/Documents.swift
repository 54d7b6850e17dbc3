import Foundation

// What the programs print under --format json, as far as the tests look at it.

/// `spinweave run`
struct RunDocument: Decodable {
    struct Node: Decodable {
        struct Failure: Decodable {
            var sample: Int?
            var message: String
        }

        var name: String
        var stage: String
        var samples, computed, reused, failed, pending: Int
        var seconds: Double
        var executor: String
        var failures: [Failure]
        var artifact: String?
        var verdict: Verdict?
    }

    struct Verdict: Decodable {
        var probabilities: [String: Double]
        var deviation: [String: Double]
        var flags: [String]
        var decision: String
    }

    var graph, run, store, outcome: String
    var seconds: Double
    var nodes: [Node]

    /// Nodes that computed anything, by declared name: the class is left out.
    var computedNodes: Set<String> {
        Set(nodes.filter { $0.computed > 0 }.map { String($0.name.prefix { $0 != "@" }) })
    }

    var computed: Int { nodes.reduce(0) { $0 + $1.computed } }

    func node(_ name: String) -> Node? { nodes.first { $0.name == name } }
}

/// `spinweave plan`
struct PlanDocument: Decodable {
    struct Node: Decodable {
        struct Range: Decodable, Equatable {
            var from, to: Int
            var verdict: String
        }

        var name: String
        var samples, reuse, run, awaits, failed: Int
        var because: [String]
        var ranges: [Range]
    }

    var complete: Bool
    var nodes: [Node]

    func node(_ name: String) -> Node? { nodes.first { $0.name == name } }
}

/// `spinweave-cache ls --samples`
struct RecordList: Decodable {
    struct Record: Decodable {
        struct Outcome: Decodable {
            struct Done: Decodable { var artifact: String }
            var done: Done?
        }

        var key: String
        var node: String
        var sample: Int?
        var outcome: Outcome

        var step: String { node + (sample.map { "#\($0)" } ?? "") }
    }

    var records: [Record]
}

extension Workplace {
    /// The records of a store; a reader may look while a run writes.
    func records(in store: String = "store") throws -> [RecordList.Record] {
        let outcome = try inspector("ls", "--samples", "--format", "json", "--store", store)
        return try JSONDecoder().decode(RecordList.self, from: Data(outcome.output.utf8)).records
    }

    /// The artifact of every step in a store that holds one record a step.
    func artifacts(in store: String = "store") throws -> [String: String] {
        var artifacts: [String: String] = [:]
        for record in try records(in: store) { artifacts[record.step] = record.outcome.done?.artifact ?? "failed" }
        return artifacts
    }
}
