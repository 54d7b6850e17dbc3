import Artifacts
import CacheStore
import Foundation

/// What the pages of the full-screen view say, from a store as it was when it was last read.
struct BrowserData {
    let ancestry: Ancestry
    /// Seconds since 1970, for ages.
    let now: Double
    private let runs: [RunEntry]

    init(_ store: Store, now: Double) throws {
        ancestry = try Ancestry(store)
        runs = try store.runs()
        self.now = now
    }

    func reread() throws -> BrowserData {
        try BrowserData(ancestry.store, now: Date().timeIntervalSince1970)
    }

    private var path: String { ancestry.store.path }

    // MARK: Runs, nodes, steps

    func runsPage() -> Browser.Page {
        var rows = [["everything", "", "", Wording.count(ancestry.records.count, "record"), ""]]
        for run in runs.reversed() {
            let document = self.document(of: run.id)
            rows.append([
                run.id, run.graph, document.outcome, "\(document.computed) computed, \(document.reused) reused",
                document.started.map { Wording.age(now - $0) } ?? "",
            ])
        }
        let lines = Wording.table(["RUN", "GRAPH", "OUTCOME", "STEPS", "AGE"], rows)
        let targets = [Browser.Target.everything] + runs.reversed().map { .run($0.id) }
        return list("runs", lines, targets)
    }

    func page(for target: Browser.Target) throws -> Browser.Page {
        switch target {
        case .everything: nodesPage("all nodes", ancestry.records)
        case .run(let id): nodesPage("run \(id)", try records(ofRun: id))
        case .node(let graph, let node):
            stepsPage("\(node) of \(graph)", ancestry.records.filter { $0.graph == graph && $0.node == node })
        case .step(let key): try stepPage(key)
        }
    }

    private func records(ofRun id: String) throws -> [Record] {
        let keys = try RecordFilter.keys(ofRun: id, in: ancestry)
        return ancestry.records.filter { keys.contains($0.key) }
    }

    private func nodesPage(_ title: String, _ records: [Record]) -> Browser.Page {
        let sorted = records.sorted {
            ($0.graph, $0.node, $0.sample ?? -1, $0.created) < ($1.graph, $1.node, $1.sample ?? -1, $1.created)
        }
        let nodes = ListRecords.nodeLines(sorted)
        let lines = Wording.table(
            ["NODE", "GRAPH", "STAGE", "RECORDS", "FAILED", "BYTES", "COST", "AGE"],
            nodes.map { line in
                [
                    line.node, line.graph, line.stage, "\(line.records)", "\(line.failed)", Wording.bytes(line.bytes),
                    Wording.seconds(line.seconds), Wording.age(now - line.created),
                ]
            }, right: [3, 4, 5, 6, 7])
        return list(title, lines, nodes.map { .node(graph: $0.graph, node: $0.node) })
    }

    private func stepsPage(_ title: String, _ records: [Record]) -> Browser.Page {
        let sorted = records.sorted { ($0.sample ?? -1, $1.created) < ($1.sample ?? -1, $0.created) }
        let lines = Wording.table(
            ["STEP", "ARTIFACT", "BYTES", "COST", "AGE", "RUN"],
            sorted.map { record in
                [
                    record.step, record.artifact?.short ?? "failed", Wording.bytes(record.canonicalBytes),
                    Wording.seconds(record.seconds), Wording.age(now - record.created), record.run,
                ]
            }, right: [2, 3, 4])
        return list(title, lines, sorted.map { .step($0.key) })
    }

    private func list(_ title: String, _ lines: [String], _ targets: [Browser.Target]) -> Browser.Page {
        Browser.Page(
            title: "\(path): \(title)", header: lines.first,
            rows: zip(lines.dropFirst(), targets).map { Browser.Row(text: Screen.printable($0), target: $1) })
    }

    // MARK: One step

    private func stepPage(_ key: Digest) throws -> Browser.Page {
        guard let record = ancestry.record(for: key) else {
            return Browser.Page(title: "\(path): no record", rows: [Browser.Row(text: "it is no longer in the store")])
        }
        var lines = [
            "machine   \(record.machine)", "stage     \(record.stage) \(record.stageVersion)",
            "graph     \(record.graph)", "key       \(record.key)",
        ]
        var view = Browser.StepView(key: key)
        if let artifact = record.artifact {
            lines.append("artifact  \(artifact)")
            lines.append("size      \(Wording.bytes(record.canonicalBytes))")
        }
        switch try StoredAnswer(of: record, in: ancestry.store) {
        case .missing(let reason): lines.append((record.artifact == nil ? "failed    " : "no value  ") + reason)
        case .damaged(let reason): lines.append("no value  \(reason)")
        case .value(let value):
            view.arrays = ArrayPreview.arrays(in: value).filter { $0.tensor.count > 1 }
                .compactMap { ArrayPreview(path: $0.path, tensor: $0.tensor) }
            if let best = ArrayPreview.best(of: value) {
                view.array = view.arrays.firstIndex { $0.path == best.path } ?? 0
            }
            lines += ValueOutline(value).lines(named: "value", indent: "")
        }
        lines.insert(
            "computed  \(Wording.date(record.created)) in \(Wording.seconds(record.seconds)) on \(record.executor), "
                + "run \(record.run)", at: 2)
        if let preimage = try ancestry.preimage(of: record) {
            lines += ValueOutline(preimage).lines(named: "key made of", indent: "")
        }
        return Browser.Page(
            title: "\(path): \(record.step)", rows: lines.map { Browser.Row(text: Screen.printable($0)) }, step: view)
    }

    func preview(of key: Digest, path: String, layer: Int) throws -> ArrayPreview? {
        guard let artifact = ancestry.record(for: key)?.artifact, let value = try ancestry.store.value(for: artifact),
            let array = ArrayPreview.arrays(in: value).first(where: { $0.path == path })
        else { return nil }
        return ArrayPreview(path: path, tensor: array.tensor, layer: layer)
    }

    func lineagePage(of key: Digest) throws -> Browser.Page {
        let record = ancestry.record(for: key)
        let lineage = try Lineage(of: record.map { [$0] } ?? [], in: ancestry)
        let lines = LineageText(lineage: lineage, withParameters: true, width: 70).lines
        return Browser.Page(
            title: "\(path): lineage of \(record?.step ?? "")",
            rows: lines.map { Browser.Row(text: Screen.printable($0)) })
    }

    // MARK: What a run said

    private func document(of run: String) -> (outcome: String, computed: Int, reused: Int, started: Double?) {
        do {
            guard let bytes = try ancestry.store.run(id: run) else { return ("", 0, 0, nil) }
            let document = try Value(decoding: bytes)
            let nodes = try document.list("nodes")
            return (
                try document.string("outcome"), try nodes.reduce(0) { $0 + (try $1.int("computed")) },
                try nodes.reduce(0) { $0 + (try $1.int("reused")) }, try document.double("started")
            )
        } catch {
            // A run of another version of the program: its name is still worth a line.
            return ("", 0, 0, nil)
        }
    }
}
