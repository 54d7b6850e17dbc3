import ArgumentParser
import Diagnostics
import Foundation
import Instruments
import Interchange
import Presentation
import Quantities
import Stages

struct InstrumentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "instrument",
        abstract: "Energy resolution of a spectrometer and what it is made of, against energy transfer.",
        discussion: """
            Widths are those of vanadium, full widths at half maximum in meV. Contributions add in squares.

              spinweave instrument maps --ei 70meV --frequency 250Hz
              spinweave instrument merlin --ei 50meV --frequency 400Hz --package G --without sample -o merlin.svg
            """)

    @Argument(help: "An instrument: a name of graphs/instruments, maps or maps-before-2017, or the path of a file.")
    var instrument: String

    @Option(help: ArgumentHelp("Incident energy.", valueName: "energy"))
    var ei: String

    @Option(help: ArgumentHelp("Frequency of the last chopper.", valueName: "frequency"))
    var frequency: String

    @Option(help: "Chopper package (Fermi) or setting (disks); the instrument's own without it.")
    var package: String?

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Leave a contribution out: \(Instrument.Part.allCases.map(\.rawValue).joined(separator: ", ")). May be repeated.",
            valueName: "part"))
    var without: [String] = []

    @Option(help: ArgumentHelp("Scattering angle, which the sample's width feels.", valueName: "angle"))
    var angle = "0deg"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Energy transfers in meV (default: 0 to 0.9 Ei in ten).", valueName: "\"E E …\""))
    var transfers: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("A picture of the widths to write.", valueName: "file.svg"))
    var output: String?

    @OptionGroup var format: FormatOptions

    func validate() throws {
        if let output, !output.lowercased().hasSuffix(".svg") {
            throw ValidationError("'\(output)' does not end in .svg, which is what this command writes")
        }
        let parts = Instrument.Part.allCases.map(\.rawValue)
        for part in without where !parts.contains(part) {
            let hint =
                Spelling.nearest(to: part, among: parts).map { "did you mean '\($0)'?" }
                ?? "they are \(parts.joined(separator: ", "))"
            throw ValidationError("--without \(part): there is no such contribution; \(hint)")
        }
    }

    func run() throws {
        let energy = try quantity(ei, .energy, "--ei")
        let hertz = try quantity(frequency, .frequency, "--frequency")
        guard energy > 0 else { throw ValidationError("--ei must be above 0") }
        let result = try computed(energy: energy, frequency: hertz, angle: quantity(angle, .angle, "--angle"))
        if let output { try AtomicFile.write(Array(result.figure.document().utf8), to: output) }
        switch format.format {
        case .json: Output.json(result.document)
        case .text:
            if let output {
                if !format.quiet { Output.standardOutput(output) }
            } else {
                Output.standardOutput(result.text)
            }
        }
    }

    private func computed(energy: Double, frequency: Double, angle: Double) throws -> InstrumentWidths {
        let description = try load()
        guard description.frequencies.allows(frequency) else {
            throw refused(
                "the chopper of \(description.instrument.name) does not run at \(Wording.number(frequency)) Hz",
                hint: "it runs at \(description.frequencies.wording)")
        }
        let name = package ?? description.defaultPackage
        let names = description.packages.keys.sorted()
        guard names.contains(name) else {
            throw refused(
                "\(description.instrument.name) has no chopper package '\(name)'",
                hint: Spelling.nearest(to: name, among: names).map { "did you mean '\($0)'?" }
                    ?? "it has \(names.joined(separator: ", "))")
        }
        let transfers =
            try transfers.map { try numbers($0, below: energy) } ?? (0..<10).map { Double($0) * energy / 10 }
        let parts = Set(without.compactMap { Instrument.Part(rawValue: $0) })
        do {
            let instrument = try description.instrument(package: name, without: parts)
            return try InstrumentWidths(
                instrument, package: name, incidentEnergy: energy, frequency: frequency, angle: angle,
                transfers: transfers)
        } catch {
            throw refused(error.description, hint: error.hint)
        }
    }

    /// By path, or by name from ./graphs and then from the current folder.
    private func load() throws -> InstrumentDescription {
        let isPath = instrument.hasSuffix(".yaml") || instrument.contains("/")
        let folder = !isPath && FileManager.default.fileExists(atPath: "graphs/instruments") ? "graphs" : "."
        return try InstrumentDescription(value: loadInstrument(name: instrument, directory: folder))
    }

    /// Shows a diagnostic; the error to throw.
    private func refused(_ message: String, hint: String) -> ExitStatus {
        Output.diagnostics([Diagnostic(message, hint: hint)])
        return .wrongArguments
    }

    private func quantity(_ text: String, _ dimension: Quantities.Dimension, _ option: String) throws -> Double {
        do {
            return try Quantity(text, as: dimension).value
        } catch {
            throw ValidationError("\(option) \(text): write a number with a unit, such as 250 \(dimension.baseUnit)")
        }
    }

    private func numbers(_ text: String, below energy: Double) throws -> [Double] {
        let words = text.split { $0 == " " || $0 == "," }
        let numbers = words.compactMap { Double($0) }.filter(\.isFinite)
        guard !words.isEmpty, numbers.count == words.count, numbers.allSatisfy({ $0 < energy }) else {
            throw ValidationError("--transfers \"\(text)\": write numbers in meV, each below the incident energy")
        }
        return numbers
    }
}
