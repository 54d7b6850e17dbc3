import ArgumentParser
import Artifacts
import CacheStore
import Dataflow
import Diagnostics
import Foundation
import Interchange
import Presentation
import Stages
import Tensors

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract:
            "Writes an artifact to a file: .npy, .npz, .csv, .json, .png, .safetensors, .onnx, .nxs, .nxspe or .dat by suffix.",
        discussion: """
            .npz and .json hold everything; .npy, .csv and .png hold the artifact's main array (an image's domains mixed \
            at their fractions, say). .safetensors holds every array, of a network its weights; .onnx holds a network as a \
            model that onnxruntime and others evaluate. .nxs (Mantid's MDHistoWorkspace, one file for each incident energy) \
            and .dat (columns h k l E intensity) hold a detector image with its axes. .nxspe (a run for each incident energy, for \
            Mantid and Horace) holds the image of a crystal at rest as the detectors of its spectrometer show it. A step that \
            was not computed yet is an error: run the graph first.

            Of a node with samples, NODE#12 is one; NODE alone writes all of them into one .npy, .npz, .csv or .safetensors, \
            samples along the first axis (parameters as .csv: a line a sample).
            """)

    @OptionGroup var source: GraphOptions
    @Argument(
        help: ArgumentHelp(
            "A node with all its samples, or one of them: test, images@dimer#12.", valueName: "node[#sample]"))
    var node: String
    @Option(name: .shortAndLong, help: ArgumentHelp("The file to write.", valueName: "file"))
    var output: String
    @Option(
        help: ArgumentHelp(
            "The spectrometer whose detectors a .nxspe file has; that of the image's resolution where absent.",
            valueName: "name"))
    var instrument: String?
    @OptionGroup var storage: StoreOptions
    @OptionGroup var format: FormatOptions

    func run() throws {
        guard let kind = ExportKind(rawValue: (output as NSString).pathExtension.lowercased()) else {
            Output.standardError(
                "error: cannot tell the format of '\(output)'\n  hint: end it in .npy, .npz, .csv, .json, .png, .safetensors, "
                    + ".onnx, .nxs, .nxspe or .dat"
            )
            throw ExitStatus.wrongArguments
        }
        if instrument != nil, kind != .nxspe {
            Output.standardError(
                "error: --instrument goes with .nxspe files alone\n  hint: leave it out, or end '\(output)' in .nxspe")
            throw ExitStatus.wrongArguments
        }
        let graph = try source.load()
        let address = try NodeAddress(node, in: graph)
        guard let bound = graph.node(named: address.node) else { return }
        let samples = address.sample == nil ? bound.samples ?? 1 : 1
        if samples > 1, !ExportKind.forAllSamples.contains(kind) {
            throw Diagnostic(
                "node '\(address.node)' has \(samples) samples, and .\(kind.rawValue) holds one",
                hint: "name one: \(address.node)#0; or write all of them as .npy, .npz, .csv or .safetensors")
        }
        let known = try KnownArtifacts(
            graph, store: try storage.open(.readOnly), executorInKey: try source.executorInKey(for: graph))
        func value(_ sample: Int) throws -> Value {
            if let value = try known.value(of: address.node, sample: sample) { return value }
            let missing = samples > 1 ? "sample \(sample) of \(node)" : node
            Output.standardError(
                "error: \(missing) is not in the store \(storage.path)\n  hint: run the graph first: spinweave run \(source.graph)"
            )
            throw ExitStatus.stepFailed
        }
        let type = bound.stage.signature.output
        var files = [output]
        // Of one step; the artifacts of many are in the store under a digest each.
        var digest: Digest?
        var runs: RunExport?
        if samples > 1 {
            try kind.write(samples: samples, type: type, to: output, value: value)
        } else {
            let value = try value(address.sample ?? 0)
            digest = value.digest
            if kind == .nxspe {
                let export = try RunExport(
                    value, of: bound, in: graph, instrument: instrument,
                    directory: source.directory)
                files = try export.write(to: output)
                runs = export
            } else {
                files = try kind.write(value, type: type, to: output)
            }
        }
        switch format.format {
        case .json:
            var document: [String: Value] = [
                "file": .string(files[0]), "node": .string(node),
            ]
            if let digest { document["artifact"] = .digest(digest) } else { document["samples"] = .int(samples) }
            if files.count > 1 { document["files"] = .list(files.map { .string($0) }) }
            if let runs {
                document["detectors"] = .int(runs.detectors)
                document["whole_detectors"] = .list(runs.wholeDetectors.map { .int($0) })
            }
            Output.json(.record(document))
        case .text:
            if !format.quiet {
                for file in files { Output.standardOutput(file) }
                if let remark = runs?.remark { Output.standardError(remark) }
            }
        }
    }
}

enum ExportKind: String {
    case npy, npz, csv, json, png, safetensors, onnx, nxs, nxspe, dat

    /// All but runs, which `RunExport` makes.
    ///
    /// - Returns: the files that were written.
    func write(_ value: Value, type: PortType, to path: String) throws -> [String] {
        switch self {
        case .nxs:
            let image = try image(value, type)
            let paths = Self.paths(path, energies: image.incidentEnergies)
            for (histogram, path) in zip(image.histograms, paths) { try histogram.write(to: path) }
            return paths
        case .nxspe: preconditionFailure("runs are written by RunExport")
        case .dat:
            let comments = ["detector image: h, k, l in r.l.u. of the image; E in meV"]
            try AtomicFile.write(try image(value, type).cut.encoded(comments: comments), to: path)
        case .json: try AtomicFile.write(ValueJSON.encode(value), to: path)
        case .safetensors:
            let file = try type == "network" ? weightsFile(of: value) : Safetensors(tensors: arrays(in: value))
            try file.write(to: path)
        case .onnx:
            guard type == "network" else {
                throw Diagnostic(
                    "only a network is an ONNX model; this artifact is \(type)", hint: "export .npz instead")
            }
            try AtomicFile.write(onnxModel(of: value), to: path)
        case .npz: try NPZ.write(arrays(in: value), to: path)
        case .npy: try NPY.write(try main(value, type), to: path)
        case .csv: try AtomicFile.write(try CSV.encode(try main(value, type), name: path), to: path)
        case .png:
            let array = try main(value, type)
            guard array.shape.count == 2 else {
                throw Diagnostic(
                    "a picture needs rows and columns; this array has shape \(array.shape)", hint: "export .npy instead"
                )
            }
            let image = HeatMap.render(
                array.asFloat64.elements, rows: array.shape[0], columns: array.shape[1], colourScale: .squareRoot,
                scale: max(1, 800 / max(array.shape[1], 1)))
            try PNG.write(image, to: path)
        }
        return [path]
    }

    /// One file for each incident energy: `image.nxs`, or `image-ei25.nxs` and so on.
    static func paths(_ path: String, energies: [Double]) -> [String] {
        if energies.count == 1 { return [path] }
        let stem = (path as NSString).deletingPathExtension
        let suffix = (path as NSString).pathExtension
        let paths = energies.map { "\(stem)-ei\(short($0)).\(suffix)" }
        if Set(paths).count == paths.count { return paths }
        // Two settings of one incident energy differ in the chopper's frequency.
        return energies.indices.map { "\(stem)-\($0 + 1)-ei\(short(energies[$0])).\(suffix)" }
    }

    private static func short(_ energy: Double) -> String { String(format: "%.6g", energy) }

    private func image(_ value: Value, _ type: PortType) throws -> ImageFiles {
        if let image = try ImageFiles(value, type: type) { return image }
        throw Diagnostic(
            "this artifact (\(type)) is no single detector image",
            hint: "export an image, one noisy image or a measurement, or choose .npz or .json")
    }

    func main(_ value: Value, _ type: PortType) throws -> AnyTensor {
        if let array = try mainArray(of: value, type: type) { return array }
        throw Diagnostic("this artifact (\(type)) has no main array", hint: "export .npz or .json instead")
    }

    /// Every tensor of the value, named by its path.
    func arrays(in value: Value, at path: String = "") throws -> [String: AnyTensor] {
        func joined(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
        switch value {
        case .tensor(let tensor): return [path.isEmpty ? "array" : path: tensor]
        case .record(let fields):
            var all: [String: AnyTensor] = [:]
            for (name, field) in fields { all.merge(try arrays(in: field, at: joined(name))) { $1 } }
            return all
        case .list(let values):
            var all: [String: AnyTensor] = [:]
            for (index, element) in values.enumerated() {
                all.merge(try arrays(in: element, at: joined("\(index)"))) { $1 }
            }
            return all
        case .double(let number):
            return [path.isEmpty ? "value" : path: .float64(Tensor(shape: [], elements: [number]))]
        case .int(let number):
            return [path.isEmpty ? "value" : path: .int64(Tensor(shape: [], elements: [Int64(number)]))]
        default: return [:]
        }
    }
}
