import ArgumentParser
import Artifacts
import Diagnostics
import Foundation
import Instruments
import Presentation
import Quantities
import Stages

struct TripleAxisCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "triple-axis",
        abstract: "Resolution of a triple-axis spectrometer (Cooper and Nathans) at a |Q| and energy transfers.",
        discussion: """
            Full widths at half maximum: "vanadium" of an incoherent elastic scatterer, the others of scans through a Bragg \
            peak along Q, across it in the plane, up, and in energy. JSON has the covariance and the resolution matrix too.

              spinweave triple-axis thermal --ef 14.7meV --q 1.5 --transfers "0 5 10"
            """)

    @Argument(help: "A spectrometer: a name of graphs/triple-axis, or the path of a file.")
    var spectrometer: String

    @Option(help: ArgumentHelp("Fixed incident energy.", valueName: "energy"))
    var ei: String?

    @Option(help: ArgumentHelp("Fixed final energy.", valueName: "energy"))
    var ef: String?

    @Option(help: ArgumentHelp("|Q| in 1/Å.", valueName: "1/Å"))
    var q: Double

    @Option(parsing: .unconditional, help: ArgumentHelp("Energy transfers in meV.", valueName: "\"E E …\""))
    var transfers = "0"

    @OptionGroup var format: FormatOptions

    func validate() throws {
        if (ei == nil) == (ef == nil) { throw ValidationError("give either --ei or --ef, which stays fixed") }
        guard q > 0, q.isFinite else { throw ValidationError("--q must be above 0") }
    }

    private struct Row {
        var incident, final: Double
        var resolution: TripleAxisResolution
    }

    func run() throws {
        let isIncident = ei != nil
        let fixed = try energy(ei ?? ef ?? "", isIncident ? "--ei" : "--ef")
        let words = transfers.split { $0 == " " || $0 == "," }
        let numbers = words.compactMap { Double($0) }.filter(\.isFinite)
        guard !words.isEmpty, numbers.count == words.count else {
            throw ValidationError("--transfers \"\(transfers)\": write numbers in meV")
        }
        let (name, spectrometer) = try load()
        var rows: [Row] = []
        for transfer in numbers {
            let (incident, final) = isIncident ? (fixed, fixed - transfer) : (fixed + transfer, fixed)
            do {
                let resolution = try spectrometer.resolution(
                    incidentEnergy: incident, finalEnergy: final, momentum: q)
                rows.append(Row(incident: incident, final: final, resolution: resolution))
            } catch {
                Output.diagnostics([
                    Diagnostic(
                        "at a transfer of \(Wording.number(transfer)) meV: \(error)",
                        hint: "choose another |Q|, energy or fixed energy")
                ])
                throw ExitStatus.wrongArguments
            }
        }
        show(rows, name)
    }

    private func show(_ rows: [Row], _ name: String) {
        if format.format == .json {
            func doubles(_ values: [Double]) -> Value { .list(values.map { .double($0) }) }
            let points = rows.map { row in
                Value.record([
                    "incident_energy": .double(row.incident), "final_energy": .double(row.final),
                    "transfer": .double(row.incident - row.final),
                    "vanadium_fwhm": .double(row.resolution.vanadiumFWHM),
                    "bragg_fwhm": doubles(row.resolution.braggFWHM),
                    "covariance": doubles(row.resolution.covariance), "matrix": doubles(row.resolution.matrix),
                ])
            }
            Output.json(.record(["spectrometer": .string(name), "q": .double(q), "points": .list(points)]))
            return
        }
        var table = Table(columns: [
            .number("transfer", unit: "meV"), .number("Ei", unit: "meV"), .number("Ef", unit: "meV"),
            .number("vanadium", unit: "meV"), .number("Q∥", unit: "1/Å"), .number("Q⊥", unit: "1/Å"),
            .number("Qz", unit: "1/Å"), .number("E", unit: "meV"),
        ])
        for row in rows {
            let bragg = row.resolution.braggFWHM
            table.rows.append(
                [row.incident - row.final, row.incident, row.final].map { Wording.fixed($0, decimals: 3) }
                    + [Wording.fixed(row.resolution.vanadiumFWHM, decimals: 4)]
                    + bragg[..<3].map { Wording.fixed($0, decimals: 5) } + [Wording.fixed(bragg[3], decimals: 4)])
        }
        Output.standardOutput("\(name), |Q| = \(Wording.number(q)) 1/Å; full widths at half maximum")
        Output.standardOutput(table.text())
    }

    /// By path, or by name from ./graphs and then from the current folder.
    private func load() throws -> (String, TripleAxis) {
        let isPath = spectrometer.hasSuffix(".yaml") || spectrometer.contains("/")
        let folder = !isPath && FileManager.default.fileExists(atPath: "graphs/triple-axis") ? "graphs" : "."
        let loaded = try loadTripleAxis(name: spectrometer, directory: folder)
        return (loaded.name, loaded.spectrometer)
    }

    private func energy(_ text: String, _ option: String) throws -> Double {
        do {
            let value = try Quantity(text, as: .energy).value
            if value > 0 { return value }
        } catch {
            throw ValidationError("\(option) \(text): write an energy with its unit, such as 14.7 meV")
        }
        throw ValidationError("\(option) must be above 0")
    }
}
