import Artifacts
import CacheStore

/// A run as the store remembers it: what it said of itself, and the record of each step.
struct RememberedRun {
    struct Node {
        var name: String
        var isSingle: Bool
        /// By sample; 0 for a node that is one step.
        var steps: [Int: Record]
        /// Of the stage; the verdict is an artifact and is compared as one.
        var facts: Value
    }

    let id: String
    let document: Value
    let nodes: [Node]

    func node(_ name: String) -> Node? { nodes.first { $0.name == name } }

    /// - Throws: `RunError` when the store does not remember the run, or no longer what it used.
    init(_ id: String, store: Store) throws {
        self.id = id
        guard let bytes = try store.run(id: id) else {
            throw RunError(
                node: nil, sample: nil, message: "the store remembers no run '\(id)'",
                hint: "'spinweave log' lists them")
        }
        document = try Value(decoding: bytes)
        guard let keys = try store.recordKeys(ofRun: id) else {
            throw RunError(
                node: nil, sample: nil, message: "the steps of run '\(id)' are no longer all in the store",
                hint: "'spinweave log \(id)' still shows what the run said of itself")
        }
        // The run noted its steps node by node in their order.
        var rest = keys[...]
        nodes = try document.list("nodes").map { node in
            let samples = try node.int("samples")
            let answered = try node.int("computed") + node.int("reused") + node.int("failed")
            guard answered <= rest.count else {
                throw RunError(
                    node: nil, sample: nil, message: "what run '\(id)' noted of its steps is incomplete",
                    hint: "run the graph again with the same settings: that gives a run that can be compared")
            }
            let records = try store.records(for: rest.prefix(answered).map { $0 })
            rest = rest.dropFirst(answered)
            var steps: [Int: Record] = [:]
            for (place, record) in records.enumerated() {
                guard let record else { continue }
                // Where steps are missing, only the record knows its sample.
                steps[answered == samples ? place : record.sample ?? place] = record
            }
            return Node(
                name: try node.string("name"),
                isSingle: samples == 1 && records.first.flatMap { $0?.sample } == nil, steps: steps,
                facts: node["facts"] ?? .record([:]))
        }
    }
}
