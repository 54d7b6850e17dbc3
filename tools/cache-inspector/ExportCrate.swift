import ArgumentParser
import Artifacts
import CacheStore
import Diagnostics
import Foundation
import Interchange

/// `spinweave-cache export`
struct ExportCrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Packs results and all that they rest on, for a paper or another store.",
        discussion: """
            Writes a folder that is an RO-Crate 1.1 (Process Run Crate 0.5): ro-crate-metadata.json says in JSON-LD how \
            every result came about, step by step, with parameters, seeds, versions and SHA-256. Under results/ lie the \
            named artifacts as .npy and .json, readable by anything; of a run those of all nodes that are one step, \
            and of nodes named besides. Under store/ lie those artifacts and all before them exactly as the store \
            knows them: 'spinweave-cache import' puts them into another store, and the same graph then runs with \
            everything reused.

            The store does not keep graph files and measurements, only their digests: add them with --include.

            EXAMPLES
              spinweave-cache export --run last -o crate --include graphs/square-afm.yaml
              spinweave-cache export verdict 'noise@second#3' -o crate --author 'A. Person <https://orcid.org/0000-0000-0000-0000>'
              spinweave-cache export --run 20261128-1329 attribution -o crate --license https://spdx.org/licenses/CC-BY-4.0
            """)

    @OptionGroup var options: StoreOptions
    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("All that this run computed or reused; 'last' for the latest.", valueName: "run"))
    var wantedRun: String?
    @Option(help: "Only records of this graph.") var graph: String?
    @Option(name: .shortAndLong, help: ArgumentHelp("The folder to make.", valueName: "folder")) var output: String
    @Option(
        help: ArgumentHelp("A file that belongs with it: graphs, models, data. May be repeated.", valueName: "file"))
    var include: [String] = []
    @Option(help: "The title of the crate.") var name: String?
    @Option(help: "A sentence on what it is.") var description: String?
    @Option(
        help: ArgumentHelp("An author: 'Name' or 'Name <https://orcid.org/…>'. May be repeated.", valueName: "person"))
    var author: [String] = []
    @Option(help: ArgumentHelp("Address of the licence of the data.", valueName: "url")) var license: String?
    @Argument(help: ArgumentHelp("\(StepFinder.help) A node with samples means all of them.", valueName: "step"))
    var targets: [String] = []

    private struct Document: Encodable {
        var folder: String
        var results: [String]
        var export: ExportSummary
    }

    func validate() throws {
        if wantedRun == nil, targets.isEmpty { throw ValidationError("name steps or a run: 'export verdict -o crate'") }
    }

    func run() throws {
        try options.withStore(.readOnly) { store in
            if FileManager.default.fileExists(atPath: output) {
                throw Diagnostic("'\(output)' is there already", hint: "name a folder that does not exist yet")
            }
            let ancestry = try Ancestry(store)
            let contents = try CrateContents(
                ancestry: ancestry, run: wantedRun.map { try RecordFilter.run(named: $0, in: store) }, targets: targets,
                graph: graph)
            // Under another name until it is whole.
            let unfinished = URL(filePath: output).standardizedFileURL.path + ".\(getpid()).partial"
            var isDone = false
            defer {
                if !isDone, FileManager.default.fileExists(atPath: unfinished) {
                    do {
                        try FileManager.default.removeItem(atPath: unfinished)
                    } catch {
                        options.say("the unfinished folder '\(unfinished)' could not be removed: delete it")
                    }
                }
            }
            let summary = try store.export(contents.records, run: contents.run, to: unfinished + "/store")
            var crate = Crate(
                name: name ?? contents.title, description: description ?? contents.description, license: license,
                authors: author, now: Date().timeIntervalSince1970)
            let results = try ResultFiles.write(contents.results, of: store, into: unfinished, crate: &crate)
            for path in include { try crate.include(path, into: unfinished) }
            try crate.describeStore(in: unfinished, records: contents.records)
            try crate.describe(contents, in: ancestry, results: results)
            try crate.write(into: unfinished)
            try move(unfinished)
            isDone = true
            try options.answer(Document(folder: output, results: results.map(\.path), export: summary)) {
                text(summary, results: results.count)
            }
        }
    }

    private func move(_ unfinished: String) throws(InterchangeError) {
        if rename(unfinished, URL(filePath: output).standardizedFileURL.path) != 0 {
            throw InterchangeError(
                "cannot be made: \(String(cString: strerror(errno)))", file: output,
                hint: "check the path and its permissions")
        }
    }

    private func text(_ summary: ExportSummary, results: Int) -> [String] {
        if options.quiet { return [output] }
        var lines = [
            "\(output): \(Wording.count(results, "readable file")), \(Wording.count(summary.records, "step")), "
                + "\(Wording.count(summary.artifacts, "artifact")) (\(Wording.bytes(summary.bytes)))"
        ]
        func left(_ steps: [String], _ why: String) {
            guard !steps.isEmpty else { return }
            lines.append(
                "left out, \(why): \(steps.prefix(4).joined(separator: ", "))"
                    + (steps.count > 4 ? " and \(steps.count - 4) more" : ""))
        }
        left(summary.missing, "the store no longer has their artifacts")
        left(summary.failed, "they failed")
        return lines
    }
}

/// Which steps go into a crate.
struct CrateContents {
    var run: RunEntry?
    /// All steps, with those before them.
    var records: [Record] = []
    /// Those whose artifacts are written readably.
    var results: [Record] = []
    var roots: [[Record]] = []

    init(ancestry: Ancestry, run: RunEntry?, targets: [String], graph: String?) throws {
        self.run = run
        var start: [Record] = []
        if let run {
            let keys = try RecordFilter.keys(ofRun: run.id, in: ancestry)
            start = ancestry.records.filter { keys.contains($0.key) }
            if start.isEmpty {
                throw Diagnostic(
                    "the store has none of the steps of the run '\(run.id)' any longer", hint: "run the graph again")
            }
            results = start.filter { $0.sample == nil && $0.artifact != nil }
        }
        let finder = StepFinder(ancestry: ancestry, graph: graph ?? run?.graph)
        for target in targets {
            let named = try finder.latest(named: target)
            start += named
            results += named.filter { $0.artifact != nil }
        }
        var seen: Set<Digest> = []
        results = results.filter { seen.insert($0.key).inserted }
        records = try Self.withAncestors(of: start, in: ancestry)
    }

    /// These steps and all steps before them.
    static func withAncestors(of start: [Record], in ancestry: Ancestry) throws -> [Record] {
        var seen: Set<Digest> = []
        var all: [Record] = []
        var open = start
        while let record = open.popLast() {
            guard seen.insert(record.key).inserted else { continue }
            all.append(record)
            for input in try ancestry.inputs(of: record) { open += input.steps }
        }
        return all.sorted {
            ($0.graph, $0.node, $0.sample ?? -1, $0.key) < ($1.graph, $1.node, $1.sample ?? -1, $1.key)
        }
    }

    var title: String {
        let graphs = Set((results.isEmpty ? records : results).map(\.graph)).sorted().joined(separator: ", ")
        return "Results of \(graphs)"
    }

    var description: String {
        let nodes = Set(results.map(\.node)).sorted().joined(separator: ", ")
        return "Artifacts of \(nodes.isEmpty ? "the run" : nodes), computed by Spinweave, with all that they rest on."
    }
}
