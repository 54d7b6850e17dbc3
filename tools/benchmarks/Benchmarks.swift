import Compute
import Foundation

/// `spinweave-bench NAME [--format json] [--pictures DIRECTORY]`: runs one benchmark, prints its figures, draws its pictures.
@main
enum Benchmarks {
    static var all: [any Benchmark.Type] {
        [
            EngineBenchmark.self, StoreBenchmark.self, SpinWaveBenchmark.self, ConvolutionBenchmark.self,
            TrainingBenchmark.self,
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
        guard arguments.count == 1, let benchmark = all.first(where: { $0.name == arguments[0] }) else {
            let known = all.map { "  \($0.name): \($0.about)" }.joined(separator: "\n")
            refuse("usage: bench NAME [--format text|json] [--pictures DIRECTORY], where NAME is one of\n\(known)")
        }
        do {
            let figures = try benchmark.init().run()
            if let directory {
                for (name, drawing) in figures.pictures {
                    try Data(drawing.utf8).write(to: URL(filePath: directory).appending(path: "\(name).svg"))
                }
            }
            print(isJSON ? document(benchmark.name, figures) : table(benchmark.name, figures))
        } catch {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            exit(1)
        }
    }

    private static var machine: String { "\(ProcessInfo.processInfo.activeProcessorCount) cores of \(Machine.kind)" }

    private static func refuse(_ message: String) -> Never {
        FileHandle.standardError.write(Data("\(message)\n".utf8))
        exit(64)
    }

    private static func table(_ name: String, _ figures: Figures) -> String {
        let width = figures.all.map(\.name.count).max() ?? 0
        let rows = figures.all.map { figure in
            let name = figure.name.padding(toLength: width, withPad: " ", startingAt: 0)
            let value = text(figure.value)
            return "  \(name)  \(String(repeating: " ", count: max(0, 9 - value.count)))\(value)  \(figure.meaning)"
        }
        return (["\(name) on \(machine)"] + rows).joined(separator: "\n")
    }

    private static func document(_ name: String, _ figures: Figures) -> String {
        let pairs = figures.all.map { "\"\($0.name)\": \(text($0.value))" }.joined(separator: ", ")
        let machine = Self.machine.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "{\"name\": \"\(name)\", \"machine\": \"\(machine)\", \"figures\": {\(pairs)}}"
    }

    /// Four digits are more than a measurement is good for.
    private static func text(_ value: Double) -> String {
        value >= 1000 ? String(Int(value.rounded())) : String(format: value >= 10 ? "%.1f" : "%.3f", value)
    }
}
