import Artifacts
import Dataflow
import Diagnostics
import Foundation
import GraphLanguage
import Testing

// Small stages with every kind of parameter, input and fan-out; none of them computes anything.

protocol FakeStage: Stage {}

extension FakeStage {
    init(parameters: Value) throws { throw StepFailure("binding makes no stage") }
    func run(_ step: Step) throws -> StepOutput { StepOutput(.none) }
}

struct FakeSampling: FakeStage {
    static let signature = Signature(
        "sample-parameters", version: 1, about: "Draws exchange constants from priors.", output: "parameters",
        samplesFrom: "count",
        parameters: [
            Parameter("model", .model, about: "The magnetic model."),
            Parameter("count", .integer(1...100_000), about: "How many samples."),
            Parameter(
                "priors",
                .mapping(
                    .either(
                        .quantity(.energy, -1000...1000),
                        .variant([
                            .init(
                                "uniform", .list(.quantity(.energy, -1000...1000), count: 2...2),
                                about: "Between two ends."),
                            .init(
                                "normal",
                                .structure([
                                    Parameter("mean", .quantity(.energy, -1000...1000), about: "Centre."),
                                    Parameter(
                                        "deviation", .quantity(.energy, 0...1000), default: .text("1 meV"),
                                        about: "Width."),
                                ]), about: "A Gaussian."),
                        ]))), about: "One prior for each exchange constant."),
            Parameter(
                "design", .choice(["random", "sobol", "grid"]), default: .text("sobol"), about: "How draws are spread."),
        ], isRandom: true)

    static func problems(in parameters: Value) -> [ParameterProblem] {
        guard case .record(let priors)? = parameters["priors"], case .record(let known)? = parameters["model"] else {
            return []
        }
        return priors.keys.sorted().filter { known[$0] == nil }.map {
            ParameterProblem(
                ["priors", $0], "the model has no parameter '\($0)'",
                hint: "it has \(known.keys.sorted().joined(separator: ", "))")
        }
    }
}

struct FakeSpinWaves: FakeStage {
    static let signature = Signature(
        "spin-waves", version: 3, about: "Solves linear spin-wave theory.",
        inputs: [InputPort("parameters", "parameters", about: "Exchange constants.")], output: "spectrum",
        parameters: [
            Parameter("grid", .list(.integer(1...500), count: 3...3), default: .text("[25, 25, 1]"), about: "Points."),
            Parameter("temperature", .quantity(.temperature, 0...1000), default: .text("4 K"), about: "Sample."),
            Parameter("twins", .boolean, default: .text("yes"), about: "Whether both twins are averaged."),
        ])
}

struct FakeImage: FakeStage {
    static let signature = Signature(
        "resolution", version: 1, about: "Broadens a spectrum onto the detector.",
        inputs: [InputPort("spectrum", "spectrum", about: "What is broadened.")], output: "image",
        parameters: [
            Parameter(
                "width", .quantity(.energy, .leastNonzeroMagnitude...100), default: .text("0.8 meV"), about: "FWHM."),
            Parameter("tables", .directory, default: .optional, about: "Measured covariances."),
        ])
}

struct FakeNoise: FakeStage {
    static let signature = Signature(
        "noise", version: 1, about: "Adds counting noise.",
        inputs: [
            InputPort("image", "image", about: "A clean image."),
            InputPort("background", "image", optional: true, about: "Subtracted."),
        ], output: "image",
        parameters: [
            Parameter("exposure", .number(0...1000), about: "Counts for unit intensity."),
            Parameter("note", .text, default: .text(""), about: "Kept in the report."),
        ], isRandom: true)
}

struct FakeLoading: FakeStage {
    static let signature = Signature(
        "load-image", version: 1, about: "Reads a measurement.", output: "image",
        parameters: [Parameter("path", .file, about: "A .npy file.")])
}

struct FakeTraining: FakeStage {
    static let signature = Signature(
        "train", version: 1, about: "Trains a network.",
        inputs: [InputPort("images", "image", .all, about: "Images of all classes.")], output: "network",
        parameters: [
            Parameter("epochs", .integer(1...1000), default: .text("40"), about: "Passes."),
            Parameter(
                "layers",
                .list(
                    .variant([
                        .init(
                            "conv",
                            .structure([
                                Parameter("channels", .integer(1...512), about: "Feature maps."),
                                Parameter("size", .integer(1...15), default: .text("3"), about: "Kernel."),
                            ]), about: "A convolution."),
                        .init("relu", .structure([]), about: "Cuts negative values."),
                        .init("dropout", .number(0...1), about: "Fraction dropped."),
                    ]), count: 1...Int.max), default: .text("[{conv: {channels: 8}}, relu]"), about: "The network."),
        ])
}

struct FakeVerdict: FakeStage {
    static let signature = Signature(
        "judge", version: 1, about: "Judges a measurement.",
        inputs: [
            InputPort("network", "network", about: "Trained."), InputPort("measurement", "image", about: "Judged."),
        ], output: "verdict")
}

/// A sampler that takes something: fine from one step, wrong from many.
struct FakeResampling: FakeStage {
    static let signature = Signature(
        "resample", version: 1, about: "Draws around a fit.",
        inputs: [InputPort("around", "parameters", about: "The fit.")], output: "parameters", samplesFrom: "count",
        parameters: [Parameter("count", .integer(1...1000), default: .text("10"), about: "How many samples.")])
}

extension StageLibrary {
    /// Two models, `square` with J1 and J2 and `chain` with J1 and Jc, and one whose file has an error.
    static let fake = StageLibrary(
        stages: [
            FakeSampling.self, FakeSpinWaves.self, FakeImage.self, FakeNoise.self, FakeLoading.self, FakeTraining.self,
            FakeVerdict.self, FakeResampling.self,
        ],
        loadModel: { name, _ in
            switch name {
            case "square": return .record(["J1": .double(1), "J2": .double(0)])
            case "chain": return .record(["J1": .double(1), "Jc": .double(0)])
            case "broken":
                throw DiagnosticList([
                    Diagnostic(
                        "bond 'J1' ends at no atom 'Mn9'",
                        at: SourceRange(file: "models/broken.yaml", line: 7, column: 5, length: 3))
                ])
            default: throw Diagnostic("no model is called '\(name)'", hint: "there are square, chain")
            }
        })
}

/// Binds a text; `directory` is where files are looked for.
func bind(_ text: String, set overrides: [String] = [], directory: String = ".") throws -> Graph {
    let file = try GraphFile.parse(text: text, file: "test.yaml", overrides: overrides)
    return try Graph.bind(file, library: .fake, directory: directory)
}

/// What a user reads when a text does not bind; `directory` is written as DIR.
func problems(_ text: String, set overrides: [String] = [], directory: String = ".") -> String {
    let rendered: String
    do {
        _ = try bind(text, set: overrides, directory: directory)
        return "no problems"
    } catch let list as DiagnosticList {
        rendered = render(list.diagnostics, source: { $0 == "test.yaml" ? yamlLines(of: text) : nil })
    } catch {
        return "another error: \(error)"
    }
    return directory == "." ? rendered : rendered.replacingOccurrences(of: directory, with: "DIR")
}

/// A folder with `scan.npy`, `tables/a.txt` and `tables/b.txt`, removed when the closure returns.
func withFiles<T>(_ body: (String) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("binding-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("tables"), withIntermediateDirectories: true)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    try Data([1, 2, 3]).write(to: folder.appendingPathComponent("scan.npy"))
    try Data([4]).write(to: folder.appendingPathComponent("tables/a.txt"))
    try Data([5]).write(to: folder.appendingPathComponent("tables/b.txt"))
    return try body(folder.path)
}
