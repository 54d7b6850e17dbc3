import Artifacts
import Dataflow
import Devices
import Learning

/// Members of an ensemble, one after the other on each of a device's two queues; several devices share them. Weights after an update
/// agree with the host's to 1e-5 of the step, in bf16 as two roundings to it do; a training follows its own rounding from there, as it
/// does on another processor.
extension TrainNetwork: NetworkAcceleratedStage {
    static func obstacle(toAccelerating parameters: Value) -> String? {
        let precision = (try? parameters.string("precision")) ?? "f32"
        if precision != "f32", hasCentroids(parameters) {
            return "centroids in \(precision) have no CUDA implementation"
        }
        return nil
    }

    func batchSize(on accelerator: any Accelerator) -> Int { 1 }

    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        // Distances from centroids are small differences of large numbers, and their penalty is one of those.
        let usesTF32 = usesTF32 && !hasCentroids
        return try CUDAAccelerator.of(accelerator).networkOutputs(of: steps, usesTF32: usesTF32, bf16: isRounded) {
            try run($0, on: $1)
        }
    }
}

/// Gradients, occlusion, and the curves of the checks in batches; activation maps, which are one pass each, on the CPU.
extension Attribute: NetworkAcceleratedStage {
    static func obstacle(toAccelerating parameters: Value) -> String? { nil }

    func batchSize(on accelerator: any Accelerator) -> Int { 1 }

    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        try CUDAAccelerator.of(accelerator).networkOutputs(of: steps, usesTF32: false) { try run($0, on: $1) }
    }
}

extension CUDAAccelerator {
    /// Does steps one after the other.
    func networkOutputs(
        of steps: [Step], usesTF32: Bool, bf16: Bool = false, _ run: (Step, NetworkDevice) throws -> StepOutput
    ) throws -> [Result<StepOutput, StepFailure>] {
        try performNetwork(usesTF32: usesTF32, bf16: bf16) { device in
            try steps.map { step in
                do {
                    return .success(try run(step, device))
                } catch let failure as StepFailure {
                    return .failure(failure)
                }
            }
        }
    }
}
