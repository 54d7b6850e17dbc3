import ArgumentParser
import CacheStore
import Compute
import Dataflow
import Foundation

enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case text, json }

enum ExecutorChoice: String, ExpressibleByArgument, CaseIterable { case auto, cpu, cuda }

/// Options of every command that prints.
struct FormatOptions: ParsableArguments {
    @Option(help: "How results are printed: text, or one JSON document on standard output.")
    var format: OutputFormat = .text

    @Flag(help: "No progress and no remarks; results and errors only.")
    var quiet = false
}

/// Options of every command that reads a graph.
struct GraphOptions: ParsableArguments {
    @Argument(help: "The graph file.", completion: .file(extensions: ["yaml", "yml"]))
    var graph: String

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp(
            "Replaces any value of the graph: --set noise.exposure=3.0. May be repeated.", valueName: "path=value"))
    var overrides: [String] = []

    @Flag(help: "One record per executor: the executor enters every key.")
    var strictNumerics = false

    @Option(
        help:
            "What computes: auto (a CUDA device where one can be used, else the CPU), cpu or cuda (refused without one)."
    )
    var executor: ExecutorChoice = .auto
}

/// Where answers are kept.
struct StoreOptions: ParsableArguments {
    @Option(
        name: .customLong("store"),
        help: ArgumentHelp("The store's directory (default: SPINWEAVE_STORE, else cache).", valueName: "dir"))
    var directory: String?

    var path: String {
        directory ?? ProcessInfo.processInfo.environment["SPINWEAVE_STORE"].flatMap { $0.isEmpty ? nil : $0 } ?? "cache"
    }

    func open(_ access: Store.Access = .readWrite) throws -> Store { try Store.open(at: path, access: access) }
}

/// How steps are computed.
struct ExecutionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads that compute (default: all cores).", valueName: "n"))
    var jobs: Int?

    mutating func validate() throws {
        if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1") }
    }

    var threads: Int { jobs ?? Parallel.availableCores }
}
