import Artifacts
import Dataflow
import Diagnostics
import GraphLanguage
import Instruments

/// Reads a triple-axis spectrometer by name or path.
///
/// - Parameter name: `NAME` for `directory/triple-axis/NAME.yaml`; else a path from `directory`, with or without `.yaml`.
/// - Returns: its name and what its resolution needs.
/// - Throws: `Diagnostic` when there is no such file, `DiagnosticList` with every problem of the file.
public func loadTripleAxis(name: String, directory: String) throws -> (name: String, spectrometer: TripleAxis) {
    guard let path = describedPath(name: name, directory: directory, folder: "triple-axis") else {
        let known = describedNames(directory: directory, folder: "triple-axis")
        throw Diagnostic(
            "there is no triple-axis spectrometer '\(name)'",
            hint: Spelling.nearest(to: name, among: known).map { "did you mean '\($0)'?" }
                ?? (known.isEmpty ? "give the path of a file" : "known are \(known.joined(separator: ", "))"))
    }
    return try tripleAxis(text: readText(path, "spectrometer's"), file: path)
}

func tripleAxis(text: String, file: String) throws -> (name: String, spectrometer: TripleAxis) {
    let parsed = try parseYAML(text: text, file: file)
    let value = try readRecord(parsed, parameters: parameters, of: "a triple-axis spectrometer")
    func crystal(_ name: String) throws -> TripleAxis.Crystal {
        let crystal = try value.field(name)
        let vertical = try crystal.field("vertical-mosaic")
        return TripleAxis.Crystal(
            spacing: try crystal.double("spacing"), mosaic: try crystal.double("mosaic"),
            verticalMosaic: vertical.isNone ? nil : try vertical.asDouble())
    }
    let vertical = try value.field("vertical-sample-mosaic")
    let spectrometer = TripleAxis(
        monochromator: try crystal("monochromator"), analyser: try crystal("analyser"),
        collimation: try value.doubles("collimation"), verticalCollimation: try value.doubles("vertical-collimation"),
        sampleMosaic: try value.double("sample-mosaic"),
        verticalSampleMosaic: vertical.isNone ? nil : try vertical.asDouble(),
        senses: try value.list("senses").map { try $0.asString() == "left" ? .left : .right })
    return (try value.string("name"), spectrometer)
}

private let angle = ParameterType.quantity(.angle, 1e-4...60)

private let crystal: [Parameter] = [
    Parameter("spacing", .quantity(.length, 0.1...100), about: "distance of the reflecting planes"),
    Parameter("mosaic", angle, about: "FWHM in the scattering plane"),
    Parameter("vertical-mosaic", angle, default: .optional, about: "FWHM out of it; the same where absent"),
]

private let parameters: [Parameter] = [
    Parameter("about", .text, default: .optional, about: "for readers; no effect"),
    Parameter("name", .text, about: "the spectrometer's name"),
    Parameter("monochromator", .structure(crystal), about: "flat mosaic crystal"),
    Parameter("analyser", .structure(crystal), about: "flat mosaic crystal"),
    Parameter(
        "collimation", .list(angle, count: 4...4),
        about: "horizontal FWHM before the monochromator, to the sample, to the analyser, to the detector"),
    Parameter("vertical-collimation", .list(angle, count: 4...4), about: "the same, vertical"),
    Parameter("sample-mosaic", .quantity(.angle, 0...60), default: .text("0"), about: "FWHM in the scattering plane"),
    Parameter(
        "vertical-sample-mosaic", .quantity(.angle, 0...60), default: .optional,
        about: "FWHM out of it; the same where absent"),
    Parameter(
        "senses", .list(.choice(["left", "right"]), count: 3...3), default: .text("[right, left, right]"),
        about: "at monochromator, sample and analyser, seen from above"),
]
