import Compute
import Foundation

/// `spinweave-bench NAME [--format json] [--pictures DIRECTORY] [--only PARTS] [--small]`: runs one benchmark, prints its figures, draws its pictures.
///
/// Ends with 3 where nothing that was asked for can be measured here.
@main
enum Benchmarks {
    static var all: [any Benchmark.Type] {
        [
            EngineBenchmark.self, StoreBenchmark.self, SpinWaveBenchmark.self, ConvolutionBenchmark.self,
            TrainingBenchmark.self, DevicesBenchmark.self,
        ]
    }

    static func main() {
        var arguments = Array(CommandLine.arguments.dropFirst())
        var isJSON = false
        if let option = arguments.firstIndex(of: "--format") {
            guard option + 1 < arguments.count, ["json", "text"].contains(arguments[option + 1]) else {
                refuse("--format takes text or json")
            }
            isJSON = arguments[option + 1] == "json"
            arguments.removeSubrange(option...option + 1)
        }
        var directory: String?
        if let option = arguments.firstIndex(of: "--pictures") {
            guard option + 1 < arguments.count else { refuse("--pictures takes a directory") }
            directory = arguments[option + 1]
            arguments.removeSubrange(option...option + 1)
        }
        var parts: Set<String>?
        if let option = arguments.firstIndex(of: "--only") {
            guard option + 1 < arguments.count else { refuse("--only takes names, separated by commas") }
            parts = Set(arguments[option + 1].split(separator: ",").map(String.init))
            arguments.removeSubrange(option...option + 1)
        }
        let isSmall = arguments.contains("--small")
        arguments.removeAll { $0 == "--small" }
        guard arguments.count == 1, let benchmark = all.first(where: { $0.name == arguments[0] }) else {
            let known = all.map { "  \($0.name): \($0.about)" }.joined(separator: "\n")
            refuse(
                "usage: bench NAME [--format text|json] [--pictures DIRECTORY] [--only PARTS] [--small], where NAME is one of\n\(known)"
            )
        }
        do {
            let figures = try measure(benchmark, parts, isSmall)
            if let directory {
                for (name, drawing) in figures.pictures {
                    try Data(drawing.utf8).write(to: URL(filePath: directory).appending(path: "\(name).svg"))
                }
            }
            print(isJSON ? document(benchmark.name, figures) : table(benchmark.name, figures))
            if figures.hasFailed { exit(1) }
            if figures.all.isEmpty, !figures.unshown.isEmpty { exit(3) }
        } catch {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func measure(
        _ benchmark: any Benchmark.Type, _ parts: Set<String>?, _ isSmall: Bool
    ) throws -> Figures {
        guard let partial = benchmark as? any PartialBenchmark.Type else {
            if parts != nil || isSmall { refuse("\(benchmark.name) knows neither --only nor --small") }
            return try benchmark.init().run()
        }
        if let unknown = parts?.first(where: { !partial.parts.contains($0) }) {
            refuse("\(benchmark.name) has no part '\(unknown)'; it has \(partial.parts.joined(separator: ", "))")
        }
        return try partial.init(parts: parts, isSmall: isSmall).run()
    }

    private static func refuse(_ message: String) -> Never {
        FileHandle.standardError.write(Data("\(message)\n".utf8))
        exit(64)
    }
}
