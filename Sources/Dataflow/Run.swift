import Artifacts
import CacheStore
import Foundation
import Synchronization

/// One pass over a graph: computes what is missing, keeps what is finished, reports both.
///
/// Works node by node in an order in which every node's inputs are there. The steps of a node run side by side; their
/// answers reach the store at once when they took over a second to compute, else within a fifth of a second or at 64 MB: a
/// killed run loses a second's work at most. A step that another program computes at the time is waited for.
public final class Run: Sendable {
    public let graph: Graph
    public let id: String
    let store: Store
    let options: RunOptions
    let events: @Sendable (RunEvent) -> Void
    private let stopRequested = Atomic<Bool>(false)

    /// Devices that failed during this run, by their numbers among its accelerators.
    private let lost = Mutex<Set<LostDevice>>([])

    /// The executor that is always there.
    static let cpu = "cpu"

    public init(
        _ graph: Graph, store: Store, options: RunOptions, events: @escaping @Sendable (RunEvent) -> Void = { _ in }
    ) {
        self.graph = graph
        self.store = store
        self.events = events
        // Times go on from those that the store knows, even where the machine's clock went back. A store that keeps no
        // time has the machine's.
        let now = options.clock()
        let started = (try? store.moment(now)) ?? now
        var options = options
        let clock = options.clock
        options.clock = { clock() + (started - now) }
        self.options = options
        // Sortable, readable, and different for two runs that start in the same millisecond.
        id = Self.identifier(at: started)
    }

    /// Finishes the steps in flight, keeps their answers, and starts no more. Safe to call from a signal source.
    public func stop() {
        if !stopRequested.exchange(true, ordering: .relaxed) { events(.stopping) }
    }

    var isStopping: Bool { stopRequested.load(ordering: .relaxed) }

    private struct LostDevice: Hashable {
        var accelerator: Int
        /// nil for all nodes.
        var node: String?
    }

    func isWorking(_ accelerator: Int, for node: String) -> Bool {
        lost.withLock {
            !$0.contains(LostDevice(accelerator: accelerator, node: nil))
                && !$0.contains(LostDevice(accelerator: accelerator, node: node))
        }
    }

    /// - Parameter node: for which alone the device is lost.
    /// - Returns: false where it was lost before.
    func lose(_ accelerator: Int, for node: String?) -> Bool {
        lost.withLock { $0.insert(LostDevice(accelerator: accelerator, node: node)).inserted }
    }

    /// Runs to the end, to the first node with a failed step (unless `keepsGoing`), or to `stop()`. The report is in the
    /// store afterwards.
    public func execute() throws -> Report {
        let started = options.clock()
        // What this run uses stays, whatever a garbage collection meanwhile thinks of it.
        let use = try store.beginRun(id: id)
        defer { use.end() }
        var resolution = try Resolution(
            graph: graph, store: store, executorInKey: options.executorInKey,
            retriesFailed: options.retriesFailed)
        var reports: [Report.NodeReport] = []
        var failed = false
        for index in graph.nodes.indices {
            try store.withoutCollection {
                try resolution.resolve(index)
                try use.note(resolution.usedKeys(index))
            }
            let report: Report.NodeReport
            if (failed && !options.keepsGoing) || isStopping {
                report = try summary(of: index, in: resolution, computed: 0, seconds: 0)
            } else {
                report = try executeNode(index, &resolution)
            }
            failed = failed || report.failed > 0
            reports.append(report)
        }
        let pending = reports.contains { $0.pending > 0 }
        let report = Report(
            graph: graph.name, file: graph.file, run: id, store: store.path, seed: graph.seed,
            programVersion: options.programVersion, started: started, seconds: options.clock() - started,
            jobs: options.jobs, outcome: failed ? .failed : pending ? .interrupted : .done, nodes: reports)
        try store.putRun(
            id: id, graph: graph.name, document: report.document.encoded().bytes,
            keys: graph.nodes.indices.flatMap(resolution.rememberedKeys), finished: options.clock(),
            fanouts: resolution.newFanouts, gatherings: resolution.gatherings)
        use.end()
        if let collected = try store.enforceLimit(now: options.clock()) { events(.collected(collected)) }
        return report
    }

    private func executeNode(_ index: Int, _ resolution: inout Resolution) throws -> Report.NodeReport {
        let node = graph.nodes[index]
        let began = options.clock()
        let missing = resolution.missing(index)
        let steps = resolution.nodes[index].count
        events(
            .nodeStarted(
                name: node.name, stage: node.stage.signature.name, steps: steps, reused: steps - missing.count))
        var computed = 0
        var executors: Set<String> = []
        if !missing.isEmpty {
            let finished = try NodeBatch(run: self, index: index, resolution: resolution, missing: missing).execute()
            resolution.finish(index, finished.map { ($0.step, $0.entry) })
            computed = finished.count { $0.isComputed && $0.entry.state.artifact != nil }
            executors = Set(finished.compactMap(\.executor))
        }
        var report = try summary(
            of: index, in: resolution, computed: computed, seconds: options.clock() - began)
        if !executors.isEmpty { report.executor = executors.sorted().joined(separator: ", ") }
        events(.nodeFinished(report))
        return report
    }

    /// - Parameter computed: steps to which this run gave the answer.
    private func summary(
        of index: Int, in resolution: Resolution, computed: Int, seconds: Double
    ) throws -> Report.NodeReport {
        let node = graph.nodes[index]
        let state = resolution.nodes[index]
        var report = Report.NodeReport(
            name: node.name, stage: node.stage.signature.name, samples: state.count, computed: computed,
            reused: 0, failed: 0, pending: 0, seconds: seconds, executor: Self.cpu, failures: [],
            artifact: node.samples == nil ? state.result : nil, facts: state.facts.fields)
        var done = 0
        var failures: [(step: Int, key: Digest)] = []
        for chunk in state.chunks {
            guard let entries = chunk.entries else {
                done += chunk.steps.count
                continue
            }
            for (step, entry) in zip(chunk.steps, entries) {
                switch entry.state {
                case .done: done += 1
                case .failed(let key): failures.append((step, key))
                case .missing, .awaits: report.pending += 1
                }
            }
        }
        report.reused = done - computed
        report.failed = failures.count
        // A single step's facts as they are: words and lists too.
        if node.samples == nil, let summary = state.chunks.first?.entries?.first?.summary, !summary.isEmpty,
            state.result != nil
        {
            report.facts = try Value(decoding: summary).asRecord()
        }
        let records = try store.records(for: failures.map(\.key))
        for (failure, record) in zip(failures, records) {
            guard let record, case .failed(var message) = record.outcome else { continue }
            if record.run != id { message += "\n  (from run \(record.run); --retry-failed tries again)" }
            report.failures.append(.init(sample: node.samples == nil ? nil : failure.step, message: message))
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
