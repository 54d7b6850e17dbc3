import Foundation

/// What the engine costs beyond the stages: the program itself on graphs whose steps are trivial (drawing three numbers),
/// from the start of the process to its end.
struct EngineBenchmark: Benchmark {
    static let name = "engine"
    static let about = "runs of 10,000 and 100,000 trivial samples: cold, unchanged, one sample edited"

    func run() throws -> Figures {
        try withTemporaryDirectory { folder in
            let work = Work(folder: folder)
            try work.write()
            var figures = Figures()

            let cold = try work.run("g10k.yaml", store: "a")
            let noop = try best(10) { try work.run("g10k.yaml", store: "a").wallSeconds }
            figures.add("noop_10k_ms", 1e3 * noop, "nothing to do for 10,000 samples (target 50)")
            try _ = work.run("g100k.yaml", store: "b")
            let large = try (0..<5).map { _ in try work.run("g100k.yaml", store: "b") }
            let slowest = large.map(\.wallSeconds).min() ?? 0
            figures.add("noop_100k_ms", 1e3 * slowest, "nothing to do for 100,000 samples (target 400)")
            // The first of these computes its one new sample, the others find it: each growth is a new graph.
            let growths = try (1...5).map { extra in
                try work.writeGrown(by: extra)
                return try work.run("grown.yaml", store: "a").wallSeconds
            }
            let grown = (growths.min() ?? 0) - noop
            figures.add("edit_one_extra_ms", 1e3 * grown, "one sample more of 10,000, beyond nothing to do (target 20)")
            try work.writeSweep(changed: 0)
            _ = try work.run("sweep.yaml", store: "c")
            let sweep = try best(5) { try work.run("sweep.yaml", store: "c").wallSeconds }
            let edits = try (1...5).map { change in
                try work.writeSweep(changed: change)
                return try work.run("sweep.yaml", store: "c").wallSeconds
            }
            let edited = (edits.min() ?? 0) - sweep
            figures.add("edit_point_extra_ms", 1e3 * edited, "one point of a sweep of 10,000, beyond nothing to do")

            figures.add("cold_10k_cpu_s", cold.cpuSeconds, "all of 10,000 samples, user and system time (target 1)")
            figures.add("cold_10k_s", cold.wallSeconds, "the same by the clock")
            let bare = try BareLMDB.batchesCPUSeconds(entries: 10_000, bytes: 300, batch: 256)
            figures.add(
                "bare_lmdb_10k_cpu_s", bare, "peer: 10,000 plain entries of 300 bytes in durable batches of 256")
            figures.add(
                "noop_100k_peak_MB", Double(large.map(\.peakBytes).max() ?? 0) / 1e6, "memory of the unchanged run")
            figures.add("start_ms", 1e3 * (try best(10) { try work.start() }), "spinweave --version: the start alone")
            return figures
        }
    }

    private func best(_ rounds: Int, _ body: () throws -> Double) rethrows -> Double {
        var best = Double.infinity
        for _ in 0..<rounds { best = min(best, try body()) }
        return best
    }
}

/// The folder with the graphs of this benchmark, and the program beside this one.
private struct Work {
    let folder: String

    private var program: String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/spinweave"
    }

    func run(_ graph: String, store: String) throws -> ChildProcess.Cost {
        try ChildProcess.run(program, ["run", "\(folder)/\(graph)", "--store", "\(folder)/\(store)", "--quiet"])
    }

    func start() throws -> Double { try ChildProcess.run(program, ["--version"]).wallSeconds }

    func write() throws {
        let model = "graphs/models/square-afm-nn.yaml"
        guard let text = FileManager.default.contents(atPath: model) else {
            throw BenchmarkFailure(description: "\(model) is not here: run this from the top of the package")
        }
        try FileManager.default.createDirectory(atPath: "\(folder)/models", withIntermediateDirectories: true)
        try text.write(to: URL(fileURLWithPath: "\(folder)/models/square-afm-nn.yaml"))
        try write(graph(count: 10_000), to: "g10k.yaml")
        try write(graph(count: 100_000), to: "g100k.yaml")
    }

    func writeGrown(by extra: Int) throws { try write(graph(count: 10_000 + extra), to: "grown.yaml") }

    /// 10,000 points given one by one; one of them is another for each `changed`.
    func writeSweep(changed: Int) throws {
        var points = (0..<10_000).map { "\(500 + $0) ueV" }
        points[5000] = "\(20_000 + changed) ueV"
        try write(
            """
            graph: sweep
            seed: 1
            nodes:
              parameters:
                stage: sweep-parameters
                model: square-afm-nn
                values:
                  J1: [\(points.joined(separator: ", "))]
            """, to: "sweep.yaml")
    }

    private func graph(count: Int) -> String {
        """
        graph: trivial
        seed: 1
        nodes:
          parameters:
            stage: sample-parameters
            model: square-afm-nn
            priors: {J1: {uniform: [0.5 meV, 0.8 meV]}, D: {uniform: [-0.03 meV, -0.005 meV]}}
            count: \(count)
            stability-grid: 2
        """
    }

    private func write(_ text: String, to name: String) throws {
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }
}
