import Artifacts
import Dataflow
import Instruments
import Tensors

/// Makes of a computed image what a detector might have counted, several times over.
struct AddNoise: Stage {
    static let signature = Signature(
        "add-noise", version: 1,
        about: "Counting noise, background and its imperfect subtraction, scale and domain jitter, dead detectors.",
        inputs: [
            InputPort("image", "image", about: "noise-free image, one layer a domain"),
            InputPort("mask", "mask", about: "pixels without detector"),
        ],
        output: "counts",
        parameters: [
            Parameter(
                "copies", .integer(1...10_000), default: .text("1"), about: "different augmentations of each image"),
            Parameter(
                "exposure", .number(1e-6...1e9), default: .text("1"),
                about: "counting time in units of the published measurement's; four times halves the noise"),
            Parameter(
                "noise-scale", range(0...100), default: .text("[0.5, 2]"),
                about: "range of the factor on the noise's standard deviation"),
            Parameter("gain", .number(0...1e6), default: .text("0.15"), about: "variance per intensity at exposure 1"),
            Parameter(
                "floor", .number(0...1e6), default: .text("0.4"), about: "variance without intensity at exposure 1"),
            Parameter(
                "mean", .number(1e-9...1e9), default: .text("2.7"),
                about: "mean intensity over unmasked pixels before scale jitter (the published measurement's is 2.7)"),
            Parameter(
                "twin-fraction", range(0...1), default: .text("[0.4, 0.6]"),
                about: "range of the first domain's volume fraction"),
            Parameter(
                "background", range(-1e6...1e6), default: .text("[-0.6, 0]"),
                about: "range of the constant that is left or, negative, over-subtracted everywhere"),
            Parameter(
                "panel-residual", .number(0...1e6), default: .text("0.3"),
                about: "standard deviation of what background subtraction leaves in each panel"),
            Parameter(
                "slope-residual", .number(0...1e6), default: .text("0.1"),
                about: "standard deviation of a slope of the background along energy, for each incident energy"),
            Parameter(
                "scale", .number(0...10), default: .text("0.2"), about: "spread of the logarithm of the overall scale"),
            Parameter(
                "setting-scale", .number(0...10), default: .text("0.25"),
                about: "spread of the logarithm of each incident energy's scale"),
            Parameter(
                "dead-pixels", .number(0...1), default: .text("0.002"), about: "probability that a pixel is dead"),
            Parameter(
                "dead-tubes", .number(0...100), default: .text("0.5"), about: "mean number of dead detector tubes"),
            Parameter(
                "clip", range(-1e9...1e9), default: .text("[0, 120]"),
                about: "intensities are clipped to this range, as the published measurement is"),
        ],
        isRandom: true)

    private static func range(_ bounds: ClosedRange<Double>) -> ParameterType { .list(.number(bounds), count: 2...2) }

    private let copies: Int
    private let noise: NoiseModel

    static func problems(in parameters: Value) -> [ParameterProblem] {
        for name in ["noise-scale", "twin-fraction", "background", "clip"] {
            if let bounds = try? parameters.doubles(name), bounds[0] > bounds[1] {
                return [ParameterProblem([name], "the range's lower end is above its upper end")]
            }
        }
        do {
            try model(parameters).validate()
            return []
        } catch let error as InstrumentError {
            return [ParameterProblem([], error.description, hint: error.hint)]
        } catch {
            return [ParameterProblem([], "\(error)")]
        }
    }

    init(parameters: Value) throws {
        copies = try parameters.int("copies")
        noise = try Self.model(parameters)
    }

    private static func model(_ parameters: Value) throws -> NoiseModel {
        func range(_ name: String) throws -> ClosedRange<Double> {
            let bounds = try parameters.doubles(name)
            return bounds[0]...bounds[1]
        }
        var model = NoiseModel()
        model.exposure = try parameters.double("exposure")
        model.noiseScale = try range("noise-scale")
        model.gain = try parameters.double("gain")
        model.floor = try parameters.double("floor")
        model.meanIntensity = try parameters.double("mean")
        model.twinFraction = try range("twin-fraction")
        model.background = try range("background")
        model.panelResidual = try parameters.double("panel-residual")
        model.slopeResidual = try parameters.double("slope-residual")
        model.scale = try parameters.double("scale")
        model.settingScale = try parameters.double("setting-scale")
        model.deadPixels = try parameters.double("dead-pixels")
        model.deadTubes = try parameters.double("dead-tubes")
        model.clip = try range("clip")
        return model
    }

    func run(_ step: Step) throws -> StepOutput {
        guard let imageValue = step.inputs["image"], let maskValue = step.inputs["mask"] else {
            throw StepFailure("no image or no mask")
        }
        let image = try SimulatedImage(imageValue)
        let mask = try DetectorMask(maskValue)
        let geometry = try ImageGeometry(image.geometry)
        do {
            let coverage = try CoverageMask(mask.missing, geometry: geometry)
            var elements: [Float] = []
            elements.reserveCapacity(copies * geometry.rows * geometry.columns)
            for copy in 0..<copies {
                elements += try noise.measured(
                    image.domains, geometry: geometry, mask: coverage, stream: step.random.substream("copy", copy)
                ).elements
            }
            let noisy = NoisyImages(
                images: Tensor(shape: [copies] + geometry.shape, elements: elements), mask: mask.missing,
                geometry: image.geometry, isUnstable: image.isUnstable)
            return StepOutput(noisy.value, summary: ["unstable": .bool(image.isUnstable)])
        } catch {
            throw StepFailure(error.description, hint: error.hint)
        }
    }
}
