import ArgumentParser
import Artifacts
import Compute
import Foundation
import Presentation
import SpinWaves

struct GroundStateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ground-state",
        abstract: "Is a model's spin structure the one that its interactions want? Searches for lower ones.",
        discussion: """
            Judges the structure that the model declares, at T = 0 and for classical spins:

            - torque: the largest |S × ∂E/∂S|. A structure with a torque is not stationary, and linear spin-wave theory about it \
            means nothing.
            - stability: the lowest eigenvalue of the spin-wave Hamiltonian H(q) over the whole zone, searched on a grid and \
            refined from its lowest points. Below zero there is a soft mode: the structure gives way to a modulation with that \
            wavevector. At a Goldstone mode the eigenvalue is zero, which is no instability.
            - search: the classical energy is minimised from random structures in the model's cell (or with its k); the number \
            of starts that arrived at the lowest energy tells how far to trust it. --cells makes the cell larger.
            - Luttinger and Tisza: the wavevector k that exchange wants, over the whole zone and incommensurate ones included, \
            and a bound below which no structure of any cell can lie. A spiral with this k is tried where the interactions \
            allow one.

            Energies are in meV a spin, wavevectors in r.l.u. of the model's cell, directions Cartesian. The same seed gives the \
            same answer.

            Exit status: 0 sound, 1 not stationary, soft or not the lowest, 2 the model is wrong, 64 wrong arguments.
            """)

    @Argument(help: "A model: a name of graphs/models, or the path of a model file.")
    var model: String

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("A parameter's value in meV: --set J=-11.39. May be repeated.", valueName: "name=value"))
    var settings: [String] = []

    @Option(
        help: ArgumentHelp(
            "Search in a cell so many times as large along a, b and c. Wavevectors are then in r.l.u. of that cell.",
            valueName: "\"na nb nc\""))
    var cells: String?

    @Option(help: "From how many random structures to search.")
    var starts = 50

    @Option(help: "Which random structures.")
    var seed = 0

    @OptionGroup var format: FormatOptions

    func validate() throws {
        guard (1...1_000_000).contains(starts) else { throw ValidationError("--starts is a number from 1 to 1000000") }
    }

    func run() throws {
        let plain = try ModelOptions.load(model)
        let parameters = try ModelOptions.parameters(settings, of: plain)
        let repetition = try repetition()
        let model: SpinModel
        let diagnosis: StructureDiagnosis
        do {
            model = try repetition.map { cells throws(SpinWaveError) in try plain.repeated(cells) } ?? plain
            diagnosis = try model.diagnosis(
                values: model.values(overriding: parameters), starts: starts, seed: seed,
                threads: Parallel.availableCores)
        } catch let error as SpinWaveError {
            Output.standardError("error: \(error)")
            throw ExitStatus.wrongArguments
        }
        switch format.format {
        case .json: Output.json(document(diagnosis, model))
        case .text: Output.standardOutput(text(diagnosis, model))
        }
        guard case .sound = diagnosis.verdict else { throw ExitStatus.stepFailed }
    }

    private func repetition() throws -> SIMD3<Int>? {
        guard let cells else { return nil }
        let words = cells.split { $0 == " " || $0 == "," }
        let numbers = words.compactMap { Int($0) }
        guard words.count == 3, numbers.count == 3, numbers.allSatisfy({ (1...100).contains($0) }) else {
            throw ValidationError("--cells \"\(cells)\": write three whole numbers from 1 to 100")
        }
        return SIMD3(numbers[0], numbers[1], numbers[2])
    }

    // MARK: Text

    private func text(_ found: StructureDiagnosis, _ model: SpinModel) -> String {
        var lines = ["as declared:      \(energy(found.energy)), torque \(plain(found.torque.value)) meV"]
        if found.torque.value > 0 { lines[0] += " on site '\(found.torque.site)'" }
        if let softest = found.softest {
            lines.append(
                "softest mode:     eigenvalue of H(q) \(plain(softest.lowestEigenvalue)) meV at q = \(vector(softest.q))"
            )
        }
        var search =
            "lowest found:     \(energy(found.lowest.energy)), by \(found.lowest.arrivals) of \(found.lowest.starts) starts"
        if let spiral = found.lowest.spiral {
            search += ", a spiral with k = \(vector(spiral.k)) about \(vector(spiral.normal))"
        }
        lines.append(search)
        lines.append(
            "Luttinger–Tisza:  \(energy(found.luttingerTisza.energy)) at k = \(vector(found.luttingerTisza.k))"
                + (found.luttingerTisza.isWhole ? "" : ", without field and biquadratic exchange"))
        if found.isProven { lines.append("                  reached: no structure of any cell lies lower") }
        lines += ["", "verdict: \(verdict(found))"]
        if isLower(found) {
            lines += ["", "directions of the lowest structure found:"]
            var table = Table(columns: [Table.Column("site"), .number("x"), .number("y"), .number("z")])
            for (site, n) in zip(model.sites, found.lowest.directions) {
                table.rows.append([site.label] + [n.x, n.y, n.z].map { Wording.fixed($0 + 0, decimals: 6) })
            }
            lines.append(table.text())
        }
        return lines.joined(separator: "\n")
    }

    private func isLower(_ found: StructureDiagnosis) -> Bool {
        if case .sound = found.verdict { return false }
        return true
    }

    private func verdict(_ found: StructureDiagnosis) -> String {
        switch found.verdict {
        case .sound: return "sound"
        case .notStationary(let wrong):
            return "not stationary: a torque of \(plain(wrong.torque)) meV turns the spin of site '\(wrong.site)'"
        case .softMode(let soft):
            return "soft mode at q = \(vector(soft.q)), lowest eigenvalue \(plain(soft.lowestEigenvalue)) meV"
        case .wrongGroundState(let lower):
            return "not the ground state: a structure with \(energy(lower.energy)) was found, lower by "
                + "\(plain(found.energy - lower.energy)) meV"
        }
    }

    private func energy(_ value: Double) -> String { Wording.fixed(value, decimals: 6) + " meV a spin" }

    /// Six digits; what is rounding beside the energies, 0.
    private func plain(_ value: Double) -> String {
        abs(value) < 1e-9 ? "0" : (value < 0 ? "−" : "") + String(format: "%.6g", abs(value))
    }

    private func vector(_ v: Vector3) -> String { "(" + [v.x, v.y, v.z].map(plain).joined(separator: " ") + ")" }

    // MARK: JSON

    private func document(_ found: StructureDiagnosis, _ model: SpinModel) -> Value {
        func components(_ v: Vector3) -> Value { .list([v.x, v.y, v.z].map { .double($0 + 0) }) }
        let lowest = found.lowest
        return .record([
            "verdict": .string(name(found.verdict)), "text": .string(verdict(found)),
            "energy": .double(found.energy),
            "torque": .record(["site": .string(found.torque.site), "value": .double(found.torque.value)]),
            "softest": found.softest.map {
                .record(["q": components($0.q), "eigenvalue": .double($0.lowestEigenvalue)])
            } ?? .none,
            "lowest": .record([
                "energy": .double(lowest.energy), "torque": .double(lowest.torque),
                "starts": .int(lowest.starts), "arrivals": .int(lowest.arrivals),
                "k": lowest.spiral.map { components($0.k) } ?? .none,
                "normal": lowest.spiral.map { components($0.normal) } ?? .none,
                "sites": .list(
                    zip(model.sites, lowest.directions).map {
                        .record(["label": .string($0.label), "direction": components($1)])
                    }),
            ]),
            "luttinger_tisza": .record([
                "k": components(found.luttingerTisza.k), "energy": .double(found.luttingerTisza.energy),
                "whole": .bool(found.luttingerTisza.isWhole),
            ]),
            "proven": .bool(found.isProven),
        ])
    }

    private func name(_ verdict: StructureVerdict) -> String {
        switch verdict {
        case .sound: "sound"
        case .notStationary: "not-stationary"
        case .softMode: "soft-mode"
        case .wrongGroundState: "wrong-ground-state"
        }
    }
}
