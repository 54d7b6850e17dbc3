import Foundation
import Testing

@Suite("instrument")
struct InstrumentCommandTests {
    private struct Document: Decodable {
        struct Width: Decodable {
            var transfer, fwhm: Double
            var parts: [String: Double]
        }
        var instrument, package: String
        var widths: [Width]
    }

    /// Values of the PyChop program for MAPS at 70 meV and 250 Hz, at −10, 0 and 20 meV; it prints nine digits.
    @Test("gives PyChop's widths, and parts that add in squares")
    func widths() throws {
        let workplace = try Workplace()
        let document = try workplace.document(
            Document.self,
            ["instrument", "maps", "--ei", "70meV", "--frequency", "250Hz", "--transfers", "-10 0 20"])
        #expect(document.instrument == "MAPS" && document.package == "S")
        for (width, expected) in zip(document.widths, [3.50227882, 3.09971212, 2.3960852]) {
            #expect(abs(width.fwhm / expected - 1) < 1e-4)
            let sum = width.parts.values.reduce(0) { $0 + $1 * $1 }
            #expect(abs(sum.squareRoot() / width.fwhm - 1) < 1e-12)
        }
    }

    @Test("leaves contributions out, takes packages and edited files")
    func choices() throws {
        let workplace = try Workplace()
        func fwhm(_ arguments: String...) throws -> Double {
            let document = try workplace.document(
                Document.self, ["instrument"] + arguments + ["--ei", "70meV", "--frequency", "250Hz"])
            return document.widths[0].fwhm
        }
        let full = try fwhm("maps")
        let chopper = try fwhm(
            "maps", "--without", "moderator", "--without", "sample", "--without", "aperture", "--without", "detector")
        #expect(chopper < full && chopper > 0.8 * full)
        // PyChop's A and S at the elastic line.
        #expect(abs(try fwhm("maps", "--package", "A") / 1.76303 - 1) < 1e-4)
        let text = try String(
            contentsOf: Package.folder.appending(path: "graphs/instruments/maps.yaml"), encoding: .utf8)
        try workplace.write(text.replacing("sample-detector: 6 m", with: "sample-detector: 12 m"), to: "long.yaml")
        #expect(try fwhm("./long.yaml") < 0.8 * full)
    }

    @Test("writes a picture")
    func picture() throws {
        let workplace = try Workplace()
        let outcome = try workplace.spinweave(
            "instrument", "maps", "--ei", "70meV", "--frequency", "250Hz", "-o", "maps.svg")
        #expect(outcome.status == 0 && outcome.output == "maps.svg\n", "\(outcome.errors)")
        let svg = try workplace.text(of: "maps.svg")
        #expect(svg.hasPrefix("<?xml"))
        for word in ["moderator", "chopper", "energy transfer (meV)", "FWHM (meV)"] { #expect(svg.contains(word)) }
        #expect(!svg.contains("channel"), "MAPS has no time channels in its file")
    }

    @Test(
        "says what cannot be",
        arguments: [
            (["mapps", "--frequency", "250Hz"], 2, "there is no instrument 'mapps'\n  hint: did you mean 'maps'?"),
            (
                ["maps", "--frequency", "260Hz"], 64,
                "does not run at 260 Hz\n  hint: it runs at 50 to 600 Hz in steps of 50 Hz"
            ),
            (["maps", "--frequency", "600Hz", "--package", "A"], 64, "transmits nothing at Ei = 70 meV and 600 Hz"),
            (["maps", "--frequency", "250Hz", "--without", "sampel"], 64, "did you mean 'sample'?"),
            (["maps", "--frequency", "250"], 64, "write a number with a unit"),
            (["maps", "--frequency", "250Hz", "--transfers", "80"], 64, "each below the incident energy"),
            (["maps", "--frequency", "250Hz", "-o", "x.png"], 64, "does not end in .svg"),
        ])
    func mistakes(arguments: [String], status: Int, message: String) throws {
        let workplace = try Workplace()
        let outcome = try workplace.spinweave(["instrument"] + arguments + ["--ei", "70meV"])
        #expect(outcome.status == status && outcome.errors.contains(message), "\(outcome.errors)")
    }

    private static let graph = """
        graph: g
        nodes:
          resolution:
            stage: resolution
            instrument: merlin
            package: G
            without: [sample]
            mosaic: 0.4 deg
            settings: [{energy: 50 meV, frequency: 300 Hz}]
        """

    @Test("graphs name instruments beside them; mistakes are found before anything runs")
    func inGraphs() throws {
        let workplace = try Workplace()
        try FileManager.default.createDirectory(
            at: workplace.path("instruments"), withIntermediateDirectories: true)
        let text = try String(
            contentsOf: Package.folder.appending(path: "graphs/instruments/merlin.yaml"), encoding: .utf8)
        try workplace.write(text, to: "instruments/merlin.yaml")
        try workplace.write(Self.graph, to: "g.yaml")
        let sound = try workplace.spinweave("check", "g.yaml")
        #expect(sound.status == 0, "\(sound.errors)")
        let run = try workplace.spinweave("run", "g.yaml", "--quiet")
        #expect(run.status == 0, "\(run.errors)")
        // Another remark is the same instrument; another distance is not.
        try workplace.write("# A remark.\n" + text, to: "instruments/merlin.yaml")
        #expect(try workplace.spinweave("plan", "g.yaml").output.contains("nothing to compute"))
        try workplace.write(
            text.replacing("chopper-sample: 1.925 m", with: "chopper-sample: 1.9 m"), to: "instruments/merlin.yaml")
        let why = try workplace.spinweave("why", "g.yaml", "resolution")
        #expect(why.output.contains("resolution.instrument.distances.chopper-sample 1.925 → 1.9"), "\(why.output)")

        try workplace.write(text.replacing("slit: 0.2 mm", with: "slit: 0.2 us"), to: "instruments/merlin.yaml")
        let broken = try workplace.spinweave("check", "g.yaml")
        #expect(broken.status == 2 && broken.errors.contains("instruments/merlin.yaml:"), "\(broken.errors)")
        try workplace.write(text, to: "instruments/merlin.yaml")
        for (old, new, message) in [
            ("package: G", "package: g", "g.yaml:6:14: error: MERLIN has no chopper package 'g'"),
            ("300 Hz", "310 Hz", "the chopper of MERLIN does not run at 310 Hz"),
            ("merlin", "merln", "g.yaml:5:17: error: there is no instrument 'merln'"),
        ] {
            try workplace.write(Self.graph.replacing(old, with: new), to: "g.yaml")
            let outcome = try workplace.spinweave("check", "g.yaml")
            #expect(outcome.status == 2 && outcome.errors.contains(message), "\(outcome.errors)")
        }
    }

    private struct TripleAxis: Decodable {
        struct Point: Decodable {
            var incident_energy, final_energy, transfer, vanadium_fwhm: Double
            var bragg_fwhm, covariance, matrix: [Double]
        }
        var points: [Point]
    }

    /// neutronpy's test (tests/test_resolution_tas.py): graphite, 14.7 meV, 40' and 120', mosaic 25'; 1e-4 for constants.
    @Test("triple-axis gives the matrix of the neutronpy program")
    func tripleAxis() throws {
        let workplace = try Workplace()
        try workplace.write(
            """
            name: T
            monochromator: {spacing: 3.35416 angstrom, mosaic: 0.4166667 deg}
            analyser: {spacing: 3.35416 angstrom, mosaic: 0.4166667 deg}
            collimation: [0.6666667 deg, 0.6666667 deg, 0.6666667 deg, 0.6666667 deg]
            vertical-collimation: [2 deg, 2 deg, 2 deg, 2 deg]
            """, to: "t.yaml")
        let document = try workplace.document(
            TripleAxis.self, ["triple-axis", "t.yaml", "--ef", "14.7meV", "--q", "1.0471976", "--transfers", "0 5"])
        let matrix = document.points[0].matrix
        for (place, value) in [
            (0, 9154.39386), (5, 340628.38358), (7, -32536.70773), (10, 634.72463), (15, 3114.58145),
        ] {
            #expect(abs(matrix[place] / value - 1) < 1e-4)
        }
        #expect(document.points[1].incident_energy == 19.7 && document.points[1].final_energy == 14.7)
        let text = try workplace.spinweave("triple-axis", "t.yaml", "--ef", "14.7meV", "--q", "1.0471976")
        #expect(text.status == 0 && text.output.contains("vanadium (meV)"))
        let far = try workplace.spinweave("triple-axis", "thermal", "--ef", "14.7meV", "--q", "9")
        #expect(far.status == 64 && far.errors.contains("|Q| = 9 1/Å makes no triangle"), "\(far.errors)")
        let both = try workplace.spinweave("triple-axis", "thermal", "--ef", "14.7meV", "--ei", "15meV", "--q", "1")
        #expect(both.status == 64 && both.errors.contains("either --ei or --ef"))
        let unknown = try workplace.spinweave("triple-axis", "thermla", "--ef", "14.7meV", "--q", "1")
        #expect(unknown.status == 2 && unknown.errors.contains("did you mean 'thermal'?"), "\(unknown.errors)")
    }
}
