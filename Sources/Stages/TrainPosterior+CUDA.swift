import Artifacts
import Dataflow
import Devices
import Learning

/// Members of an ensemble as `train-network`'s: one after the other on each of a device's two queues.
extension TrainPosterior: NetworkAcceleratedStage {
    static func obstacle(toAccelerating parameters: Value) -> String? {
        let precision = (try? parameters.string("precision")) ?? "f32"
        return precision == "f32" ? nil : "densities in \(precision) have no CUDA implementation"
    }

    func batchSize(on accelerator: any Accelerator) -> Int { 1 }

    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        try CUDAAccelerator.of(accelerator).networkOutputs(of: steps, usesTF32: false) { try run($0, on: $1) }
    }
}
