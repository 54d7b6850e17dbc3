import Artifacts
import Dataflow
import Devices
import Learning

/// Members of an ensemble, one after the other on each of a device's two queues; several devices share them. Weights after an update
/// agree with the host's to 1e-5 of the step; a training follows its own rounding from there, as it does on another processor.
extension TrainNetwork: NetworkAcceleratedStage {
    static func obstacle(toAccelerating parameters: Value) -> String? {
        let precision = (try? parameters.string("precision")) ?? "f32"
        if precision != "f32" { return "precision \(precision) has no CUDA implementation" }
        let layers = (try? LayerParameters.layers(parameters.field("layers"))) ?? []
        if case .centroids? = layers.last { return "centroids have no CUDA implementation" }
        return nil
    }

    func batchSize(on accelerator: any Accelerator) -> Int { 1 }

    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        try CUDAAccelerator.of(accelerator).networkOutputs(of: steps, usesTF32: usesTF32) { try run($0, on: $1) }
    }
}

/// Gradients, occlusion, and the curves of the checks in batches; activation maps, which are one pass each, and all of networks that no device
/// computes, on the CPU.
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
        of steps: [Step], usesTF32: Bool, _ run: (Step, NetworkDevice) throws -> StepOutput
    ) throws -> [Result<StepOutput, StepFailure>] {
        try performNetwork(usesTF32: usesTF32) { device in
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
