import Artifacts
import Diagnostics
import Foundation
import Instruments
import Testing

@testable import Stages

/// The instrument files of `graphs/instruments`.
enum InstrumentFiles {
    static let graphs = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../graphs")
        .standardizedFileURL.path

    static func description(_ name: String) throws -> InstrumentDescription {
        try InstrumentDescription(value: loadInstrument(name: name, directory: graphs))
    }
}

@Suite("Instrument files")
struct InstrumentFileTests {
    /// Units turn by division and constants by multiplication, so that a number may differ in its last bit.
    private func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 4 * a.ulp }

    @Test("the files of MAPS, the built-in texts and the library's instruments are the same")
    func builtIn() throws {
        for (name, expected) in [("maps", Instrument.maps), ("maps-before-2017", .mapsBefore2017)] {
            let file = try loadInstrument(name: name, directory: InstrumentFiles.graphs)
            #expect(try loadInstrument(name: name, directory: "/nowhere") == file)
            let ours = try InstrumentDescription(value: file).instrument
            for (energy, frequency) in [(25.0, 300.0), (70, 250), (140, 400)] {
                for part in 0..<4 {
                    let c = try ours.covariance(
                        incidentEnergy: energy, frequency: frequency, energy: 0.3 * energy,
                        direction: SIMD3(0.8, 0.6, 0))
                    let d = try expected.covariance(
                        incidentEnergy: energy, frequency: frequency, energy: 0.3 * energy,
                        direction: SIMD3(0.8, 0.6, 0))
                    // Sums of a dozen such numbers.
                    #expect(abs(c[part * 5] / d[part * 5] - 1) < 1e-14)
                }
            }
            #expect(ours.name == expected.name)
        }
    }

    @Test("every form of every key is read in its unit")
    func everyKey() throws {
        let text = """
            name: X
            distances: {moderator-chopper: 10 m, chopper-sample: 180 cm, sample-detector: 4 m}
            moderator: {pulse: {ikeda-carpenter-scaled: {depth: 5 cm, slow: 25 us, energy: 200 meV}}}
            aperture: {width: 60 mm, height: 50 mm}
            choppers: {fermi: {one: {slit: 2 mm, radius: 49 mm, curvature: 1.3 m, jitter: 2 us}}}
            package: one
            frequencies: {from: 50 Hz, to: 100 Hz}
            sample: {cylinder: {diameter: 20 mm, height: 40 mm}}
            detector: {tube: {diameter: 25 mm, pixel: 20 mm, pressure: 6}}
            time-channel: {time: 2 us}
            mosaic: 0.5 deg
            """
        let x = try InstrumentDescription(value: instrumentValue(text: text, file: "x.yaml")).instrument
        #expect(x.apertureToChopper == 10 && close(x.chopperToSample, 1.8) && close(x.apertureHeight, 0.05))
        #expect(x.moderatorAngle == 0 && x.mosaic == 0.5 && close(x.timeChannel, 2e-6) && x.energyChannel == 0)
        guard case .ikedaCarpenter(.scaled(let depth, let slow, let energy)) = x.moderator,
            case .fermi(let fermi) = x.chopper, case .cylinder(let diameter, _) = x.sample,
            case .tube(let tube, let pixel) = x.detector
        else {
            Issue.record("a form was read as another")
            return
        }
        #expect(close(depth, 0.05) && close(slow, 25) && energy == 200)
        #expect(close(fermi.jitter, 2e-6) && close(diameter, 0.02) && tube.pressure == 6 && close(pixel, 0.02))
        let other = text.replacingOccurrences(of: "180 cm", with: "1.8 m")
        #expect(try instrumentValue(text: other, file: "y.yaml") == instrumentValue(text: text, file: "x.yaml"))
    }

    /// The `n`-th YAML block of docs/instruments.md.
    private func documented(_ n: Int) throws -> String {
        let path = InstrumentFiles.graphs + "/../docs/instruments.md"
        let pieces = try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: "```yaml\n")
        return try #require(pieces[n].components(separatedBy: "```").first)
    }

    @Test("the documented files are sound, and every key is documented")
    func documented() throws {
        let x = try InstrumentDescription(value: instrumentValue(text: documented(1), file: "every-key.yaml"))
        #expect(x.packages.count == 2 && x.instrument.mosaic == 0.5)
        let text = try documented(1)
        for parameter in InstrumentParameters.all {
            #expect(text.contains("\n\(parameter.name):") || parameter.name == "about")
        }
        let page = try String(contentsOfFile: InstrumentFiles.graphs + "/../docs/instruments.md", encoding: .utf8)
        for part in Instrument.Part.allCases { #expect(page.contains("`\(part.rawValue)`")) }
        // A triple-axis spectrometer, and the file beside the graphs.
        let tas = try tripleAxis(text: documented(4), file: "thermal.yaml")
        let example = try loadTripleAxis(name: "thermal", directory: InstrumentFiles.graphs)
        #expect(tas.spectrometer == example.spectrometer)
        #expect(tas.spectrometer.senses == [.right, .left, .right] && tas.spectrometer.monochromator.mosaic == 0.4)
    }

    @Test("the remaining forms: disks, polynomial and table, annulus, channels of an energy")
    func otherForms() throws {
        let x = try InstrumentFiles.description("let")
        guard case .disks(let pair) = x.packages["high-resolution"],
            case .measured(let table) = x.instrument.moderator, case .polynomial(let powers) = table.below
        else {
            Issue.record("LET has disks and a measured moderator")
            return
        }
        #expect(pair.shaping.frequencyRatio == 0.5 && pair.last.disks == 2 && close(pair.last.slot, 0.015))
        #expect(close(powers[0], 0.535) && close(powers[1], 49.28) && close(powers[2], -3.143))
        #expect(x.packages.keys.sorted() == ["high-flux", "high-resolution", "intermediate"])
        guard case .annulus(let diameter, let height) = try InstrumentFiles.description("mari").instrument.sample else {
            Issue.record("MARI has a can")
            return
        }
        #expect(close(diameter, 0.019) && close(height, 0.05))
        let old = try InstrumentFiles.description("maps-before-2017").instrument
        #expect(old.energyChannel == 0.0118 && old.timeChannel == 0)
    }

    @Test("a triple-axis file names its mistakes too")
    func tripleAxisMistakes() throws {
        let text = try documented(4).replacingOccurrences(of: "collimation: [0.667 deg, ", with: "collimation: [")
        do {
            _ = try tripleAxis(text: text, file: "t.yaml")
            Issue.record("three collimations are one too few")
        } catch let list as DiagnosticList {
            #expect(list.diagnostics.count == 1 && list.description.contains("t.yaml:4:14: error: 'collimation'"))
        }
    }

    static let sound = """
        name: X
        distances: {moderator-chopper: 10 m, chopper-sample: 1.8 m, sample-detector: 4 m}
        moderator: {pulse: {chi-squared: {tau: 70 us}}}
        choppers: {fermi: {one: {slit: 2 mm, radius: 49 mm, curvature: 1.3 m}}}
        package: one
        frequencies: {from: 50 Hz, to: 100 Hz}
        detector: {spread: [5 mm, 5 mm, 5 mm]}
        """

    @Test(
        "mistakes are named with their place and the nearest key",
        arguments: [
            (
                "chopper-sample: 1.8 m", "choper-sample: 1.8 m",
                """
                x.yaml:2:38: error: 'distances' has no 'choper-sample'
                  hint: did you mean 'chopper-sample'?
                """
            ),
            (
                "tau: 70 us", "tau: 70 mm",
                """
                x.yaml:3:40: error: 'mm' is a unit of distance, 'moderator.pulse.chi-squared.tau' takes a time
                  hint: units of time: s, ms, us, µs
                """
            ),
            (
                "chi-squared", "chi-square",
                """
                x.yaml:3:21: error: 'moderator.pulse' has no form 'chi-square'
                  hint: did you mean 'chi-squared'?
                """
            ),
            (
                "package: one", "package: two",
                """
                x.yaml:5:10: error: the package 'two' is none of X, which has one
                  hint: see the parameter's documentation for its range
                """
            ),
        ])
    func mistakes(old: String, new: String, message: String) throws {
        #expect(throws: Never.self) { try instrumentValue(text: Self.sound, file: "x.yaml") }
        let text = Self.sound.replacingOccurrences(of: old, with: new)
        do {
            _ = try instrumentValue(text: text, file: "x.yaml")
            Issue.record("nothing is wrong with \(new)")
        } catch let list as DiagnosticList {
            #expect(list.diagnostics.map(\.description) == [message])
        }
    }

    @Test("an unknown name suggests the nearest")
    func unknown() throws {
        do {
            _ = try loadInstrument(name: "mapps", directory: InstrumentFiles.graphs)
            Issue.record("there is no mapps")
        } catch let problem as Diagnostic {
            #expect(problem.hint == "did you mean 'maps'?")
        }
    }

    @Test("the stage refuses packages, frequencies and energies that the chopper has not")
    func stage() throws {
        func problems(_ package: Value, energy: Double, frequency: Double) throws -> [String] {
            let geometry = try ImageGeometry(
                settings: [.init(incidentEnergy: energy, chopperFrequency: frequency)],
                energyBins: .init(count: 2, from: 0.1, to: 0.7), h: .init(count: 3, minimum: -1, maximum: 1),
                k: .init(count: 3, minimum: -1, maximum: 1), lattice: [5, 5, 10], magneticScale: [1, 1, 1])
            guard case .record(var fields) = geometry.value else { return [] }
            fields["instrument"] = try loadInstrument(name: "maps", directory: InstrumentFiles.graphs)
            fields["package"] = package
            fields["tables"] = Value.none
            return MakeResolution.problems(in: .record(fields)).map {
                "\($0.path.joined(separator: ".")): \($0.message) (\($0.hint ?? ""))"
            }
        }
        #expect(try problems(.none, energy: 70, frequency: 250) == [])
        #expect(try problems(.string("A"), energy: 70, frequency: 250) == [])
        #expect(
            try problems(.string("a"), energy: 70, frequency: 250) == [
                "package: MAPS has no chopper package 'a' (did you mean 'A'?)"
            ])
        #expect(
            try problems(.none, energy: 70, frequency: 260) == [
                "settings.0.frequency: the chopper of MAPS does not run at 260 Hz "
                    + "(it runs at 50 to 600 Hz in steps of 50 Hz)"
            ])
        // PyChop: no transmission of package A at 25 meV and 300 Hz.
        #expect(
            try problems(.string("A"), energy: 25, frequency: 300) == [
                "settings.0: package 'A': the chopper transmits nothing at Ei = 25 meV and 300 Hz "
                    + "(choose a lower frequency, a higher energy or another chopper package)"
            ])
    }
}

/// Values of the PyChop program (mducle/pychop e63b203) for the instruments that have files.
@Suite("Energy widths of the instrument files")
struct InstrumentFileWidthTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var name: String
        var package: String
        var energy: Double
        var frequency: Double
        /// Fractions of Ei.
        var transfers = [0, 0.25, 0.5, 0.75, 0.9]
        /// FWHM, meV.
        var widths: [Double]
        /// Relative: PyChop prints five decimals.
        var tolerance = 1e-4
        /// Scattering angle, degrees.
        var angle = 0.0

        var testDescription: String { "\(name) \(package) \(energy) meV \(frequency) Hz" }
    }

    static let rows = [
        Row(
            name: "maps", package: "S", energy: 120, frequency: 400, transfers: [0], widths: [4.9611687063450995],
            tolerance: 1e-5),
        Row(
            name: "merlin", package: "S", energy: 50, frequency: 400,
            widths: [1.9158, 1.46666, 1.10068, 0.84092, 0.74822]),
        Row(
            name: "merlin", package: "S", energy: 25, frequency: 200,
            widths: [1.32224, 0.97502, 0.68963, 0.48418, 0.40994]),
        Row(
            name: "merlin", package: "G", energy: 50, frequency: 300,
            widths: [2.23573, 1.67656, 1.21944, 0.89377, 0.77763]),
        Row(
            name: "merlin", package: "G", energy: 120, frequency: 400, transfers: [0], widths: [6.8755979524827255],
            tolerance: 1e-5),
        Row(
            name: "mari", package: "G", energy: 30, frequency: 400,
            widths: [0.64449, 0.52948, 0.43755, 0.37325, 0.35007]),
        Row(
            name: "mari", package: "S", energy: 80, frequency: 400, transfers: [0], widths: [2.6049587487601764],
            tolerance: 1e-5),
        Row(
            name: "let", package: "high-flux", energy: 3.7, frequency: 240, transfers: [0],
            widths: [0.08079912729715726], tolerance: 1e-5),
        Row(
            name: "arcs", package: "ARCS-100-1.5-AST", energy: 120, frequency: 300, transfers: [0],
            widths: [10.278744237772832], tolerance: 1e-5),
        Row(
            name: "sequoia", package: "SEQ-100-2.0-AST", energy: 120, frequency: 300, transfers: [0],
            widths: [5.396705255853653], tolerance: 1e-5),
        Row(
            name: "hyspec", package: "only", energy: 45, frequency: 180, transfers: [0],
            widths: [3.6751279831313703], tolerance: 1e-5, angle: 60),
        // PyChop also counts, for disks, a part of the sample that only an aperture makes, 4 % of the sample's 0.015 meV;
        // with it our width is 0.131881.
        Row(
            name: "cncs", package: "high-flux", energy: 3.7, frequency: 300, transfers: [0],
            widths: [0.13188102618129077], tolerance: 6e-4, angle: 60),
        // 0.0368 ± 0.000005 is known to 1.4e-4.
        Row(
            name: "let", package: "high-flux", energy: 3.7, frequency: 240,
            widths: [0.0808, 0.0619, 0.04695, 0.0368, 0.03331], tolerance: 1.6e-4),
        Row(
            name: "let", package: "high-flux", energy: 12, frequency: 240,
            widths: [0.41488, 0.30035, 0.20574, 0.13672, 0.11128]),
        Row(
            name: "let", package: "high-resolution", energy: 3.7, frequency: 240,
            widths: [0.06366, 0.05087, 0.04091, 0.0342, 0.03186], tolerance: 1.6e-4),
        Row(
            name: "let", package: "intermediate", energy: 6, frequency: 240,
            widths: [0.1298, 0.09915, 0.07485, 0.05833, 0.05264]),
    ]

    @Test("are PyChop's", arguments: rows)
    func widths(row: Row) throws {
        let instrument = try InstrumentFiles.description(row.name).instrument(package: row.package)
        for (fraction, width) in zip(row.transfers, row.widths) {
            let fwhm = try instrument.energyFWHM(
                incidentEnergy: row.energy, frequency: row.frequency, energy: fraction * row.energy,
                scatteringAngle: row.angle)
            #expect(abs(fwhm / width - 1) < row.tolerance, "at \(fraction) Ei: \(fwhm), not \(width)")
        }
    }

    /// Numbers of the files that no width above depends on: every file must at least be sound, with all its packages.
    @Test("every file of the folder is sound with each of its packages")
    func sound() throws {
        let names = instrumentNames(directory: InstrumentFiles.graphs)
        #expect(names.count == 9)
        for name in names {
            let description = try InstrumentFiles.description(name)
            for package in description.packages.keys {
                let instrument = try description.instrument(package: package)
                let frequency = description.frequencies.range.lowerBound * 3
                #expect(description.frequencies.allows(frequency))
                let fwhm = try instrument.energyFWHM(incidentEnergy: 80, frequency: frequency, energy: 0)
                #expect(fwhm > 0.1 && fwhm < 80, "\(name) \(package): \(fwhm)")
            }
        }
    }

    @Test("leaving a part out takes its width away, and nothing else")
    func without() throws {
        let description = try InstrumentFiles.description("maps")
        let all = try description.instrument(package: nil).timeWidths(incidentEnergy: 70, frequency: 250, energy: 20)
        let less = try description.instrument(package: nil, without: [.moderator, .sample])
            .timeWidths(incidentEnergy: 70, frequency: 250, energy: 20)
        #expect(less.moderator == 0 && less.sample == 0)
        #expect(less.chopper == all.chopper && less.aperture == all.aperture && less.detector == all.detector)
    }
}
