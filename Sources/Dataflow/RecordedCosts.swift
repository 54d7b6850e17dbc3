import Artifacts
import CacheStore
import Synchronization

/// What steps cost when they were computed before.
public struct RecordedCost: Sendable, Hashable {
    /// Records looked at.
    public var count: Int
    /// Wall-clock seconds of one step.
    public var meanSeconds: Double
    /// Standard deviation of the seconds, over the records looked at; 0 for a single one.
    public var deviation: Double
    /// Canonical bytes of one artifact.
    public var meanBytes: Double

    public init(count: Int, meanSeconds: Double, deviation: Double, meanBytes: Double) {
        self.count = count
        self.meanSeconds = meanSeconds
        self.deviation = deviation
        self.meanBytes = meanBytes
    }

    /// - Returns: nil when none of the records gave an answer.
    init?(_ records: [Record]) {
        var seconds: [Double] = []
        var bytes = 0
        for record in records {
            guard case .done(_, let size) = record.outcome, record.seconds.isFinite, record.seconds >= 0 else {
                continue
            }
            seconds.append(record.seconds)
            bytes += size
        }
        if seconds.isEmpty { return nil }
        count = seconds.count
        let mean = seconds.reduce(0, +) / Double(count)
        meanSeconds = mean
        let squares = seconds.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        deviation = count > 1 ? (squares / Double(count - 1)).squareRoot() : 0
        meanBytes = Double(bytes) / Double(count)
    }
}

/// Recorded costs of a graph's nodes: those of the node itself, else those of another node of the same stage.
///
/// Looks at 32 records a node at most, so that it costs the same for ten samples and for a million.
public final class RecordedCosts: Sendable {
    /// A node of another graph.
    private struct Lender {
        var graph: String
        var node: String
        var samples: Int?
    }

    static let looks = 32
    /// Runs of other graphs that are asked for nodes of a stage, newest first.
    static let runs = 20

    private let graph: Graph
    private let store: Store
    /// By stage; nil until someone asks.
    private let lenders = Mutex<[String: [Lender]]?>(nil)

    public init(_ graph: Graph, store: Store) {
        self.graph = graph
        self.store = store
    }

    /// - Returns: nil for a stage of which no record is found.
    public func cost(of node: Graph.Node) throws -> RecordedCost? {
        if let own = try cost(graph: graph.name, node: node.name, samples: node.samples) { return own }
        let stage = node.stage.signature.name
        for sibling in graph.nodes where sibling.stage.signature.name == stage && sibling.name != node.name {
            if let cost = try cost(graph: graph.name, node: sibling.name, samples: sibling.samples) { return cost }
        }
        let others = try lenders.withLock { known in
            let read = try known ?? readLenders()
            known = read
            return read[stage] ?? []
        }
        for other in others {
            if let cost = try cost(graph: other.graph, node: other.node, samples: other.samples) { return cost }
        }
        return nil
    }

    /// The nodes of recent runs of other graphs, newest first, by stage.
    private func readLenders() throws -> [String: [Lender]] {
        var lenders: [String: [Lender]] = [:]
        for entry in try store.runs().suffix(Self.runs).reversed() where entry.graph != graph.name {
            // A run of another version of the program may be worded otherwise: it has no costs to tell.
            guard let bytes = try store.run(id: entry.id), let document = try? Value(decoding: bytes),
                let nodes = try? document.list("nodes")
            else { continue }
            for node in nodes {
                guard let stage = try? node.string("stage"), let name = try? node.string("name"),
                    let samples = try? node.int("samples")
                else { continue }
                lenders[stage, default: []].append(
                    Lender(graph: entry.graph, node: name, samples: samples > 1 ? samples : nil))
            }
        }
        return lenders
    }

    private func cost(graph: String, node: String, samples: Int?) throws -> RecordedCost? {
        let records = try Self.probes(samples: samples).compactMap {
            try store.latestRecord(graph: graph, node: node, sample: $0)
        }
        return RecordedCost(records)
    }

    /// The samples to look at: the first sixteen, which are there if any are, and sixteen spread over the rest.
    static func probes(samples: Int?) -> [Int?] {
        guard let samples else { return [nil] }
        if samples <= looks { return (0..<samples).map { $0 } }
        let first = looks / 2
        return (0..<first).map { $0 } + (0..<first).map { first + $0 * (samples - first) / first }
    }
}
