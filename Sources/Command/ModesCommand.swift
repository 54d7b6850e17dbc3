import ArgumentParser
import Artifacts
import Interchange
import Presentation
import SpinWaves

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
        name: .customLong("q"), parsing: .unconditionalSingleValue,
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

    @Option(
        help: ArgumentHelp(
            "Add what each 'ion' or each 'site' contributes to an intensity (shares that add up).",
            valueName: "ion|site"))
    var shares: ShareChoice?

    @OptionGroup var format: FormatOptions

    func run() throws {
        let model = try ModelOptions.load(model)
        let parameters = try ModelOptions.parameters(settings, of: model)
        let points = try points()
        let results = try ModelOptions.checked(model, parameters) {
            let lines = try SpinWaves.modes(
                model, parameters: parameters, at: points.map { Vector3($0[0], $0[1], $0[2]) }, twin: twin)
            return zip(points, lines).map { (q: $0, lines: $1) }
        }
        if let shares { return try printShares(by: shares, model, parameters, points) }
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

    private func points() throws -> [[Double]] {
        var points: [[Double]] = []
        for text in wavevectors {
            let words = text.split { $0 == " " || $0 == "," }
            let numbers = words.compactMap { DispersionText.fraction(String($0)) }
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
