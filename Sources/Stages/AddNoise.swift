import Artifacts
import Dataflow
import Devices
import Instruments
import Tensors

/// Makes of a computed image what a detector might have counted, several times over.
struct AddNoise: AcceleratedStage {
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
        try output(step) { exposures, geometry, mask in
            var images: [Tensor<Float>] = []
            for exposure in exposures {
                images.append(
                    try noise.measured(exposure.domains, geometry: geometry, mask: mask, stream: exposure.stream))
            }
            return images
        }
    }

    // MARK: On a device

    static func obstacle(toAccelerating parameters: Value) -> String? {
        // A draw on the boundary between two whole counts may fall on either side of it: no bound on the difference holds then.
        (try? parameters.string("counting")) == "gaussian" ? nil : "whole counts are drawn on the CPU"
    }

    func batchSize(on accelerator: any Accelerator) -> Int { 32 }

    /// One launch takes all copies of a sample.
    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        let device = try CUDAAccelerator.of(accelerator)
        return try device.perform { kernels in
            let kernels = try CUDAKernelDevice(kernels)
            return try steps.map { step in
                do {
                    return .success(
                        try output(step) { try noise.measured($0, geometry: $1, mask: $2, on: kernels) })
                } catch let failure as StepFailure {
                    return .failure(failure)
                }
            }
        }
    }

    /// - Parameter measure: makes noisy images [rows, columns] of exposures, one for each copy.
    private func output(
        _ step: Step, measure: ([NoiseModel.Exposure], ImageGeometry, CoverageMask?) throws -> [Tensor<Float>]
    ) throws -> StepOutput {
        guard let imageValue = step.inputs["image"], let maskValue = step.inputs["mask"] else {
            throw StepFailure("no image or no mask")
        }
        let image = try SimulatedImage(imageValue)
        let mask = try DetectorMask(maskValue)
        let geometry = try ImageGeometry(image.geometry)
        do {
            let coverage = try CoverageMask(mask.missing, geometry: geometry)
            let exposures = (0..<copies).map {
                NoiseModel.Exposure(image.domains, stream: step.random.substream("copy", $0))
            }
            let elements = try measure(exposures, geometry, coverage).flatMap(\.elements)
            let noisy = NoisyImages(
                images: Tensor(shape: [copies] + geometry.shape, elements: elements), mask: mask.missing,
                geometry: image.geometry, isUnstable: image.isUnstable)
            return StepOutput(noisy.value, summary: ["unstable": .bool(image.isUnstable)])
        } catch let error as InstrumentError {
            throw StepFailure(error.description, hint: error.hint)
        }
    }
}
