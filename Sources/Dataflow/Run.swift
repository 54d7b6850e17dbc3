import Artifacts
import CacheStore
import Compute
import Foundation
import Synchronization

/// How a run should behave.
public struct RunOptions: Sendable {
    /// Threads that compute.
    public var jobs: Int
    /// Steps that failed before are tried again.
    public var retriesFailed: Bool
    /// The executor enters the keys, for those who want one record per device.
    public var strictNumerics: Bool
    /// A failed step ends only what depends on it; otherwise the run stops after its node.
    public var keepsGoing: Bool
    public var programVersion: String
    /// Wall clock in seconds since 1970.
    public var clock: @Sendable () -> Double

    public init(
        jobs: Int, retriesFailed: Bool = false, strictNumerics: Bool = false, keepsGoing: Bool = false,
        programVersion: String,
        clock: @escaping @Sendable () -> Double
    ) {
        self.jobs = max(1, jobs)
        self.retriesFailed = retriesFailed
        self.strictNumerics = strictNumerics
        self.keepsGoing = keepsGoing
        self.programVersion = programVersion
        self.clock = clock
    }
}

/// One pass over a graph: computes what is missing, keeps what is finished, reports both.
///
/// Works node by node in an order in which every node's inputs are there. The steps of a node run side by side; their
/// answers reach the store at once when they took over a second to compute, else with the next step that finishes 200 ms
/// or more after the oldest one waiting, or at 64 MB: a killed run loses a second's work at most.
public final class Run: Sendable {
    public let graph: Graph
    public let id: String
    let store: Store
    let options: RunOptions
    let events: @Sendable (RunEvent) -> Void
    private let stopRequested = Atomic<Bool>(false)

    /// The only executor of this version; CUDA is asked for and refused by the command line.
    static let executor = "cpu"

    public init(
        _ graph: Graph, store: Store, options: RunOptions, events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) {
        self.graph = graph
        self.store = store
        self.options = options
        self.events = events
        // Sortable, readable, and different for two runs that start in the same millisecond.
        let started = options.clock()
        id = Self.identifier(at: started)
    }

    /// Finishes the steps in flight, keeps their answers, and starts no more. Safe to call from a signal source.
    public func stop() {
        if !stopRequested.exchange(true, ordering: .relaxed) { events(.stopping) }
    }

    var isStopping: Bool { stopRequested.load(ordering: .relaxed) }

    /// Runs to the end, to the first node with a failed step, or to `stop()`. The report is in the store afterwards.
    public func execute() throws -> Report {
        let started = options.clock()
        let executorInKey = options.strictNumerics ? Self.executor : nil
        var resolution = Resolution(
            graph: graph, store: store, executorInKey: executorInKey, retriesFailed: options.retriesFailed)
        var reports: [Report.NodeReport] = []
        var failed = false
        for index in graph.nodes.indices {
            try resolution.resolve(index)
            let report: Report.NodeReport
            if failed || isStopping {
                report = summary(of: index, in: resolution, computed: [], seconds: 0)
            } else {
                report = try executeNode(index, &resolution)
                failed = report.failed > 0
            }
            reports.append(report)
        }
        let pending = reports.contains { $0.pending > 0 }
        let report = Report(
            graph: graph.name, file: graph.file, run: id, store: store.path, seed: graph.seed,
            programVersion: options.programVersion, started: started, seconds: options.clock() - started,
            jobs: options.jobs, outcome: failed ? .failed : pending ? .interrupted : .done, nodes: reports)
        try store.putRun(
            id: id, graph: graph.name, document: report.document.encoded().bytes, keys: resolution.answeredKeys,
            finished: options.clock())
        return report
    }

    private func executeNode(_ index: Int, _ resolution: inout Resolution) throws -> Report.NodeReport {
        let node = graph.nodes[index]
        let began = options.clock()
        let missing = resolution.states[index].indices.filter {
            if case .missing = resolution.states[index][$0] { return true }
            return false
        }
        let answered = resolution.states[index].count - missing.count
        events(
            .nodeStarted(
                name: node.name, stage: node.stage.signature.name, steps: resolution.states[index].count,
                reused: answered))
        if missing.isEmpty {
            let report = summary(of: index, in: resolution, computed: [], seconds: options.clock() - began)
            events(.nodeFinished(report))
            return report
        }
        let batch = try NodeBatch(run: self, index: index, resolution: resolution, missing: missing)
        let finished = try batch.execute()
        for (step, key, record) in finished { resolution.finish(index, step, record, key: key) }
        let report = summary(
            of: index, in: resolution, computed: Set(finished.map(\.step)), seconds: options.clock() - began)
        events(.nodeFinished(report))
        return report
    }

    private func summary(
        of index: Int, in resolution: Resolution, computed: Set<Int>, seconds: Double
    ) -> Report.NodeReport {
        let node = graph.nodes[index]
        var report = Report.NodeReport(
            name: node.name, stage: node.stage.signature.name, samples: resolution.states[index].count, computed: 0,
            reused: 0, failed: 0, pending: 0, seconds: seconds, executor: Self.executor, failures: [], artifact: nil,
            facts: [:])
        for (step, state) in resolution.states[index].enumerated() {
            switch state {
            case .done(let record):
                if computed.contains(step) { report.computed += 1 } else { report.reused += 1 }
                if node.samples == nil { report.artifact = record.artifact }
                report.add(factsOf: record, single: node.samples == nil)
            case .failed(_, let record):
                report.failed += 1
                if case .failed(var message) = record.outcome {
                    if record.run != id { message += "\n  (from run \(record.run); --retry-failed tries again)" }
                    report.failures.append(.init(sample: node.samples == nil ? nil : step, message: message))
                }
            case .missing, .awaits: report.pending += 1
            }
        }
        return report
    }

    private static func identifier(at seconds: Double) -> String {
        var whole = time_t(seconds)
        var parts = tm()
        gmtime_r(&whole, &parts)
        func two(_ n: Int32) -> String { n < 10 ? "0\(n)" : "\(n)" }
        // Microseconds keep the order of runs within a second; the process tells apart runs that start together.
        let micro = String(Int(seconds * 1e6) % 1_000_000)
        let tail = String(repeating: "0", count: 6 - micro.count) + micro + "-" + String(getpid() % 46656, radix: 36)
        return "\(parts.tm_year + 1900)\(two(parts.tm_mon + 1))\(two(parts.tm_mday))-"
            + "\(two(parts.tm_hour))\(two(parts.tm_min))\(two(parts.tm_sec))-\(tail)"
    }
}

extension Report.NodeReport {
    /// A single step's facts as they are; over samples, numbers are added up and `true` is counted.
    fileprivate mutating func add(factsOf record: Record, single: Bool) {
        guard let value = try? Value(decoding: record.summary), case .record(let new) = value else { return }
        if single {
            facts = new
            return
        }
        for (name, value) in new {
            switch (facts[name], value) {
            case (nil, .int), (nil, .double): facts[name] = value
            case (.int(let sum)?, .int(let n)): facts[name] = .int(sum + n)
            case (.double(let sum)?, .double(let x)): facts[name] = .double(sum + x)
            case (nil, .bool(let b)): facts[name] = .int(b ? 1 : 0)
            case (.int(let count)?, .bool(let b)): facts[name] = .int(count + (b ? 1 : 0))
            default: break
            }
        }
    }
}
