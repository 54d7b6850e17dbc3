import Artifacts
import Dataflow
import Instruments
import Interchange
import Tensors

/// Reads a measured detector image and checks that it can be judged.
struct LoadMeasurement: Stage {
    static let signature = Signature(
        "load-measurement", version: 2,
        about: "Reads a measured detector image from a file; without one it takes a simulated image.",
        inputs: [
            InputPort("resolution", "resolution", about: "the geometry that the image must have"),
            InputPort("mask", "mask", about: "pixels without detector, as in training"),
            InputPort("simulated", "counts", optional: true, about: "taken when no path is given"),
        ],
        output: "measurement",
        parameters: [
            Parameter(
                "path", .either(.file, .list(.file, count: 1...64)), default: .optional,
                about: ".npy or .npz with the image, [rows, columns]; or .nxs, .nxspe, .dat, .txt: one file, or one "
                    + "for each incident energy"),
            Parameter(
                "mask-path", .file, default: .optional,
                about: ".npy of the same shape, not 0 where there is no data; adds to the mask of training"),
            Parameter(
                "clip", .list(.number(-1e9...1e9), count: 2...2), default: .text("[0, 120]"),
                about: "intensities are clipped to this range, as add-noise clips the training images"),
            Parameter(
                "mean", .number(1e-6...1e6), default: .optional,
                about: "scale the image so that the mean over its pixels with data is this; absent keeps its scale"),
        ])

    private let files: [Value]
    private let maskFile: Value?
    private let clip: ClosedRange<Float>
    private let mean: Double?

    init(parameters: Value) throws {
        func optional(_ name: String) throws -> Value? {
            let value = try parameters.field(name)
            return value.isNone ? nil : value
        }
        let path = try optional("path")
        if case .list(let several) = path { files = several } else { files = path.map { [$0] } ?? [] }
        maskFile = try optional("mask-path")
        let bounds = try parameters.doubles("clip")
        clip = Float(min(bounds[0], bounds[1]))...Float(max(bounds[0], bounds[1]))
        mean = try optional("mean")?.asDouble()
    }

    func run(_ step: Step) throws -> StepOutput {
        guard let resolution = step.inputs["resolution"], let maskValue = step.inputs["mask"] else {
            throw StepFailure("no resolution or no mask")
        }
        let geometryValue = try resolution.field("geometry")
        let geometry = try ImageGeometry(geometryValue)
        var missing = try DetectorMask(maskValue).missing
        guard missing.shape == geometry.shape else {
            throw StepFailure(
                "the mask has shape \(missing.shape), the geometry needs \(geometry.shape)",
                hint: "give the mask and the measurement the same resolution node")
        }
        let masked = missing.elements.count { $0 != 0 }
        if let maskFile { try add(maskFile, to: &missing, geometry) }
        var image: Tensor<Float>
        var error: Tensor<Float>?
        var isScaledByKiOverKf: Bool?
        if !files.isEmpty {
            let read = try MeasurementFile(files, geometry)
            image = Tensor(shape: geometry.shape, elements: read.image.elements.map { Float($0) })
            for index in missing.elements.indices where read.missing.elements[index] != 0 {
                missing.elements[index] = 1
            }
            error = read.error.map { Tensor(shape: $0.shape, elements: $0.elements.map { Float($0) }) }
            isScaledByKiOverKf = read.isScaledByKiOverKf
        } else if let simulated = step.inputs["simulated"] {
            let noisy = try NoisyImages(simulated)
            guard noisy.geometry.pixels == geometryValue.pixels else {
                throw StepFailure(
                    "the simulated image has another geometry than the measurement",
                    hint: "give both the same resolution node")
            }
            image = Tensor(shape: Array(noisy.images.shape.dropFirst()), elements: noisy.copy(0))
        } else {
            throw StepFailure(
                "no measurement: neither a path nor a simulated image is given",
                hint: "--set \(step.node).path=FILE.npy")
        }
        var sum = 0.0
        var seen = 0
        for index in image.elements.indices {
            if missing.elements[index] != 0 {
                image.elements[index] = 0
                error?.elements[index] = 0
            } else {
                sum += Double(max(0, image.elements[index]))
                seen += 1
            }
        }
        guard sum > 0 else {
            throw StepFailure(
                "the measurement has no intensity in any of its \(seen) unmasked pixels",
                hint: "check that the file holds counts and that the mask marks missing pixels with 1, not 0")
        }
        // Scaled before it is clipped: the range is on the training images' scale.
        let factor = mean.map { Float($0 * Double(seen) / sum) } ?? 1
        var (zeros, below, above) = (0, 0, 0)
        for index in image.elements.indices where missing.elements[index] == 0 {
            let value = factor * image.elements[index]
            if value == 0 { zeros += 1 }
            if value < clip.lowerBound { below += 1 }
            if value > clip.upperBound { above += 1 }
            image.elements[index] = min(max(value, clip.lowerBound), clip.upperBound)
            error?.elements[index] *= factor
        }
        var measurement = Measurement(
            image: image, missing: missing, error: error, geometry: geometryValue, isSimulated: files.isEmpty,
            zeroPixels: zeros, negativePixels: below)
        measurement.isScaledByKiOverKf = isScaledByKiOverKf
        var facts: [String: Value] = [
            "simulated": .bool(files.isEmpty), "zero-pixels": .int(zeros), "negative-pixels": .int(below),
            "clipped-pixels": .int(above),
            "missing-beyond-mask": .double(
                1 - Double(seen) / Double(max(1, image.elements.count - masked))),
            "mean": .double(mean ?? sum / Double(seen)),
        ]
        if let isScaledByKiOverKf { facts["ki-over-kf"] = .bool(isScaledByKiOverKf) }
        return StepOutput(measurement.value, summary: facts)
    }

    private func add(_ file: Value, to missing: inout Tensor<UInt8>, _ geometry: ImageGeometry) throws {
        let path = try file.string("path")
        let tensor = try readArray(file)
        guard tensor.shape == geometry.shape else {
            throw StepFailure(
                "\(path): the mask has shape \(tensor.shape), the image needs \(geometry.shape)",
                hint: "save it with the image's rows and columns")
        }
        for (index, value) in tensor.asFloat64.elements.enumerated() where value != 0 { missing.elements[index] = 1 }
    }
}

/// Reads the array of a bound file and words what goes wrong for the user.
///
/// A file that cannot be read, or is no longer the one in the step's key, is the machine's failure and is not remembered;
/// one that holds no usable array is.
func readArray(_ file: Value) throws -> AnyTensor {
    let path = try file.string("path")
    let bytes = try AtomicFile.read(path)
    try requireUnchanged(Digest(of: bytes), file)
    do {
        return try NPY.decode(bytes: bytes, name: path)
    } catch {
        throw StepFailure("\(error.file): \(error.message)", hint: error.hint)
    }
}
