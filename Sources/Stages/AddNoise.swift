import Artifacts
import Dataflow
import Instruments
import Tensors

/// Makes of a computed image what a detector might have counted, several times over.
struct AddNoise: Stage {
    static let signature = Signature(
        "add-noise", version: 1,
        about:
            "Counting noise, backgrounds and their imperfect subtraction, scale, domain and alignment jitter, detector "
            + "efficiencies, dead detectors.",
        inputs: [
            InputPort("image", "image", about: "noise-free image, one layer a domain"),
            InputPort("mask", "mask", about: "pixels without detector"),
        ],
        output: "counts", parameters: NoiseModel.parameters, isRandom: true)

    private let copies: Int
    private let noise: NoiseModel

    static func problems(in parameters: Value) -> [ParameterProblem] {
        for name in NoiseModel.rangeNames {
            if let bounds = try? parameters.doubles(name), bounds.count == 2, bounds[0] > bounds[1] {
                return [ParameterProblem([name], "the range's lower end is above its upper end")]
            }
        }
        do {
            try NoiseModel(parameters).validate()
            return []
        } catch let error as InstrumentError {
            return [ParameterProblem([], error.description, hint: error.hint)]
        } catch {
            return [ParameterProblem([], "\(error)")]
        }
    }

    init(parameters: Value) throws {
        copies = try parameters.int("copies")
        noise = try NoiseModel(parameters)
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
