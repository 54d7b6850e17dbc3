import ArgumentParser
import Artifacts
import Diagnostics
import Foundation
import Interchange
import Presentation
import SpinWaves
import Stages

struct ModesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "modes",
        abstract: "Pocket calculator: spin-wave energies and intensities of a model at given Q.",
        discussion: """
            Q is in r.l.u. of the model's cell; energies in meV; S⊥ in spin² per magnetic cell at T = 0, without and with \
            form factor. Within a degenerate group the group's intensity is shared equally.
            """)

    @Argument(help: "A model: a name of graphs/models, or the path of a model file.")
    var model: String

    @Option(
        name: .customLong("q"), parsing: .singleValue,
        help: ArgumentHelp("A wavevector; may be repeated.", valueName: "\"h k l\""))
    var wavevectors: [String] = []

    @Option(help: ArgumentHelp("A text or CSV file with columns h, k, l.", valueName: "file"))
    var qFile: String?

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("A parameter's value in meV: --set JF1=-11.39. May be repeated.", valueName: "name=value"))
    var settings: [String] = []

    @Option(help: "Which twin, counted from 1 as the model lists them; without it, the crystal as described.")
    var twin: Int?

    @OptionGroup var format: FormatOptions

    func run() throws {
        let model = try SpinModel(value: try Self.load(model))
        let parameters = try parameters(of: model)
        let points = try points()
        var results: [(q: [Double], lines: [ModeLine])] = []
        do {
            if let wrong = try model.disequilibrium(values: model.values(overriding: parameters)) {
                Output.standardError("error: \(wrong)\n  hint: \(wrong.hint)")
                throw ExitStatus.stepFailed
            }
            for q in points {
                results.append(
                    (q, try SpinWaves.modes(model, parameters: parameters, q: Vector3(q[0], q[1], q[2]), twin: twin)))
            }
        } catch let error as SpinWaveError {
            Output.standardError("error: \(error)")
            if case .unstable = error { throw ExitStatus.stepFailed }
            throw ExitStatus.wrongArguments
        }
        switch format.format {
        case .json: Output.json(document(results))
        case .text:
            for (q, lines) in results {
                var table = Table(columns: [
                    .number("energy", unit: "meV"), .number("S⊥", unit: "spin²"), .number("S⊥ f²", unit: "spin²"),
                ])
                for line in lines {
                    table.rows.append([
                        Wording.fixed(line.energy, decimals: 6),
                        line.diverges ? "diverges" : Wording.fixed(line.sperp, decimals: 6),
                        line.diverges ? "diverges" : Wording.fixed(line.sperpFormFactor, decimals: 6),
                    ])
                }
                Output.standardOutput("Q = (\(q.map { "\($0)" }.joined(separator: " ")))")
                Output.standardOutput(table.text())
            }
        }
    }

    /// By path, or by name from ./graphs and then from the current folder.
    private static func load(_ name: String) throws -> Value {
        if name.hasSuffix(".yaml") || name.contains("/") { return try loadModel(name: name, directory: ".") }
        let folder = FileManager.default.fileExists(atPath: "graphs/models") ? "graphs" : "."
        return try loadModel(name: name, directory: folder)
    }

    private func parameters(of model: SpinModel) throws -> [String: Double] {
        var parameters: [String: Double] = [:]
        for setting in settings {
            let parts = setting.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            let number =
                parts.count == 2 ? parts[1].replacing("meV", with: "").trimmingCharacters(in: .whitespaces) : ""
            guard parts.count == 2, let value = Double(number), value.isFinite else {
                throw ValidationError("--set \(setting): write NAME=VALUE, the value in meV")
            }
            guard model.parameterNames.contains(parts[0]) else {
                let hint =
                    Spelling.nearest(to: parts[0], among: model.parameterNames).map { "did you mean '\($0)'?" }
                    ?? "it has \(model.parameterNames.joined(separator: ", "))"
                throw ValidationError("the model has no parameter '\(parts[0])'; \(hint)")
            }
            parameters[parts[0]] = value
        }
        return parameters
    }

    private func points() throws -> [[Double]] {
        var points: [[Double]] = []
        for text in wavevectors {
            let words = text.split { $0 == " " || $0 == "," }
            let numbers = words.compactMap { Double($0) }.filter(\.isFinite)
            guard words.count == 3, numbers.count == 3 else {
                throw ValidationError("--q \"\(text)\": write three numbers, h k l")
            }
            points.append(numbers)
        }
        if let qFile {
            let rows = try NumericTable.read(path: qFile).columns(["h", "k", "l"], file: qFile)
            if let bad = rows.firstIndex(where: { !$0.allSatisfy(\.isFinite) }) {
                throw ValidationError("\(qFile): row \(bad + 1) holds a value that is not a finite number")
            }
            points += rows
        }
        guard !points.isEmpty else { throw ValidationError("give a wavevector with --q \"h k l\" or --q-file") }
        return points
    }

    private func document(_ results: [(q: [Double], lines: [ModeLine])]) -> Value {
        func doubles(_ values: [Double]) -> Value { .list(values.map { .double($0) }) }
        return .record([
            "points": .list(
                results.map { q, lines in
                    .record([
                        "q": doubles(q), "energies": doubles(lines.map(\.energy)),
                        // JSON has no infinity; a divergent intensity is null rather than an arbitrary number.
                        "sperp": .list(lines.map { $0.diverges ? .none : .double($0.sperp) }),
                        "sperp_form_factor": .list(lines.map { $0.diverges ? .none : .double($0.sperpFormFactor) }),
                    ])
                })
        ])
    }
}
