import ArgumentParser
import Artifacts
import Dataflow
import Diagnostics
import Foundation
import Interchange
import Stages
import Tensors

struct FitNoiseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit-noise",
        abstract: "Reads the noise levels of a measurement: gain, floor, background, and how panels scatter about it.",
        discussion: """
            With a graph: from the pixels in which none of its noise-free images has intensity, and from the scatter of \
            bright ones about the best of them. The images must have been computed; they are looked up in the store. \
            With a measurement (.npy) and --errors alone: gain and floor, from the error bars. What is printed can be \
            pasted into an add-noise node; ± is one standard deviation.
            """)

    @Argument(help: "The graph file, or a measurement in .npy.", completion: .file(extensions: ["yaml", "yml", "npy"]))
    var source: String

    @Option(help: ArgumentHelp("The measurement (default: the graph's own).", valueName: "file.npy"))
    var measurement: String?

    @Option(help: ArgumentHelp("Its error bars, one standard deviation each.", valueName: "file.npy"))
    var errors: String?

    @Option(
        help: ArgumentHelp(
            "Not 0 where there is no data (default: the mask of the graph's measurement, or its first mask).",
            valueName: "file.npy"))
    var mask: String?

    @Option(
        name: .customLong("image"), parsing: .singleValue,
        help: ArgumentHelp("A node with noise-free images; may be repeated (default: all of them).", valueName: "node"))
    var imageNodes: [String] = []

    @Option(help: ArgumentHelp("How many samples of each node count.", valueName: "n"))
    var samples = 50

    @Option(
        help: ArgumentHelp(
            "To what the measurement was clipped (default: at 0 if 0 is its smallest value).", valueName: "\"low high\""
        ))
    var clip: String?

    @Option(help: "How its pixels scatter: poisson, or gaussian for one simulated so.")
    var counting = Counting.poisson

    @Option(help: "How much of its mean an image may hold in a pixel that counts as empty.")
    var emptiness = 0.01

    @Option(
        name: .customLong("set"), parsing: .singleValue,
        help: ArgumentHelp("Replaces any value of the graph. May be repeated.", valueName: "path=value"))
    var overrides: [String] = []

    @Flag(help: "One record per executor: the executor enters every key.")
    var strictNumerics = false

    @OptionGroup var storage: StoreOptions
    @OptionGroup var format: FormatOptions

    enum Counting: String, ExpressibleByArgument, CaseIterable { case poisson, gaussian }

    func validate() throws {
        if samples < 1 { throw ValidationError("--samples must be at least 1") }
        if !(emptiness > 0 && emptiness < 1) { throw ValidationError("--emptiness must lie between 0 and 1") }
    }

    func run() throws {
        let levels: NoiseLevels
        if source.lowercased().hasSuffix(".npy") {
            guard let errors, measurement == nil else {
                throw ValidationError(
                    "a measurement alone needs --errors; without error bars, give a graph and --measurement")
            }
            levels = try .fitting(try NPY.read(path: source), errors: try NPY.read(path: errors))
        } else {
            levels = try fromGraph()
        }
        switch format.format {
        case .json: Output.json(levels.value)
        case .text:
            Output.standardOutput(levels.yaml)
            if !format.quiet { levels.remarks.forEach { Output.standardError($0) } }
        }
    }

    private func fromGraph() throws -> NoiseLevels {
        let options = try GraphOptions.parse(
            [source] + overrides.flatMap { ["--set", $0] } + (strictNumerics ? ["--strict-numerics"] : []))
        let graph = try options.load()
        let known = try KnownArtifacts(
            graph, store: try storage.open(.readOnly), executorInKey: try options.executorInKey(for: graph))
        let images = try images(of: graph, known)
        var image: AnyTensor?
        var missing = try mask.map { try NPY.read(path: $0) }
        if let measurement {
            image = try NPY.read(path: measurement)
        } else {
            let value = try first("measurement", of: graph, known)
            image = try value.map { try $0.tensor("image") }
            if missing == nil { missing = try value.map { try $0.tensor("missing") } }
        }
        if missing == nil { missing = try first("mask", of: graph, known).map { try $0.tensor("missing") } }
        guard let image else {
            throw Diagnostic(
                "the store \(storage.path) holds no measurement of this graph",
                hint: "give one with --measurement FILE.npy, or run the graph first")
        }
        return try .fitting(
            image, errors: try errors.map { try NPY.read(path: $0) }, missing: missing, images: images,
            clip: try clipRange(), counts: counting == .poisson, emptiness: emptiness)
    }

    private func images(of graph: Graph, _ known: KnownArtifacts) throws -> [Value] {
        for name in imageNodes {
            guard let node = graph.node(named: name) else {
                let names = graph.nodes.filter { $0.stage.signature.output == "image" }.map(\.name)
                throw Diagnostic(
                    "the graph has no node '\(name)'", hint: "its images are \(names.joined(separator: ", "))")
            }
            guard node.stage.signature.output == "image" else {
                throw Diagnostic("node '\(name)' gives no noise-free image", hint: "name a convolve-resolution node")
            }
        }
        var images: [Value] = []
        for node in graph.nodes where node.stage.signature.output == "image" {
            guard imageNodes.isEmpty || imageNodes.contains(node.name) else { continue }
            for sample in 0..<min(node.samples ?? 1, samples) {
                if let value = try known.value(of: node.name, sample: node.samples == nil ? nil : sample) {
                    images.append(value)
                }
            }
        }
        guard !images.isEmpty else {
            throw Diagnostic(
                "the store \(storage.path) holds no noise-free image of this graph",
                hint: "run the graph first: spinweave run \(source)")
        }
        return images
    }

    private func first(_ type: PortType, of graph: Graph, _ known: KnownArtifacts) throws -> Value? {
        for node in graph.nodes where node.stage.signature.output == type && node.samples == nil {
            if let value = try known.value(of: node.name) { return value }
        }
        return nil
    }

    private func clipRange() throws -> ClosedRange<Double>? {
        guard let clip else { return nil }
        let words = clip.split { $0 == " " || $0 == "," || $0 == "[" || $0 == "]" }
        let numbers = words.compactMap { Double($0) }.filter(\.isFinite)
        guard words.count == 2, numbers.count == 2, numbers[0] < numbers[1] else {
            throw ValidationError("--clip \"\(clip)\": write two numbers, the smaller first")
        }
        return numbers[0]...numbers[1]
    }
}
