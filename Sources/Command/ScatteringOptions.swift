import ArgumentParser
import Artifacts
import Compute
import Quantities
import SpinWaves

/// What pictures of a model's scattering have in common: parameters, what the intensity is of, where it is written.
struct ScatteringOptions: ParsableArguments {
    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("A parameter's value in meV: --set JF1=-11.39. May be repeated.", valueName: "name=value"))
    var settings: [String] = []

    @Option(help: ArgumentHelp("Temperature of the factor n(E) + 1; 0 leaves it out.", valueName: "temperature"))
    var temperature: String?

    @Option(help: "One twin, counted from 1 as the model lists them; without it, the crystal as described.")
    var twin: Int?

    @Flag(help: "All twins, each with its fraction.")
    var twins = false

    @Flag(help: "Intensities of moments g S in μB² instead of spins.")
    var moments = false

    @Flag(name: .customLong("no-form-factor"), help: "Leave out the form factor.")
    var isBare = false

    @Option(name: .shortAndLong, help: ArgumentHelp("The file to write: .svg, .png, .csv or .npz.", valueName: "file"))
    var output: String?

    @Option(help: ArgumentHelp("Threads that compute (default: all cores).", valueName: "n"))
    var jobs: Int?

    @OptionGroup var format: FormatOptions

    func validate() throws {
        if twin != nil, twins { throw ValidationError("--twin and --twins exclude each other") }
        if let jobs, jobs < 1 { throw ValidationError("--jobs must be at least 1") }
        if let output, PictureFile(path: output) == nil {
            throw ValidationError("cannot tell the format of '\(output)'; end it in .svg, .png, .csv or .npz")
        }
    }

    var threads: Int { jobs ?? Parallel.availableCores }
    var unit: String { moments ? "μB²" : "spin²" }
    var domain: MagnonScattering.Domain { twins ? .mixture : twin.map { .twin($0) } ?? .crystal }

    /// - Throws: `ValidationError` for a temperature below 0 or without unit; what the model is not stable for.
    func scattering(_ model: SpinModel, _ parameters: [String: Double]) throws -> MagnonScattering {
        let kelvin = try temperature.map { try DispersionText.quantity($0, .temperature, "--temperature") } ?? 0
        if kelvin < 0 { throw ValidationError("--temperature must be 0 or more") }
        return try MagnonScattering(
            model, parameters: parameters, formFactor: !isBare, weighting: moments ? .gTensor : .spin,
            temperature: kelvin)
    }

    /// Computes, writes the file if one is named, and prints what is asked for.
    func produce(
        _ name: String, compute: (SpinModel, [String: Double]) throws -> some ScatteringPicture
    ) throws {
        let model = try ModelOptions.load(name)
        let parameters = try ModelOptions.parameters(settings, of: model)
        let result = try ModelOptions.checked(model, parameters) { try compute(model, parameters) }
        if let output, let file = PictureFile(path: output) { try result.write(as: file, to: output) }
        switch format.format {
        case .json: Output.json(result.document)
        case .text:
            if output == nil {
                Output.standardOutput(result.text)
            } else if !format.quiet {
                Output.standardOutput(output ?? "")
            }
        }
    }
}

/// What a command found of a model's scattering, ready to be printed or written.
protocol ScatteringPicture {
    var text: String { get }
    var document: Value { get }
    func write(as file: PictureFile, to path: String) throws
}

/// A file that `dispersion` and `slice` write, by its suffix.
enum PictureFile: String {
    case svg, png, csv, npz

    init?(path: String) {
        guard let dot = path.lastIndex(of: ".") else { return nil }
        self.init(rawValue: path[path.index(after: dot)...].lowercased())
    }
}
