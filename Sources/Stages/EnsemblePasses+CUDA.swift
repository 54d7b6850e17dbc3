import Artifacts
import Dataflow
import Devices
import Learning

// Stages that ask a trained ensemble about images: its forward passes on a device, all else, and ensembles that no device computes, on the
// CPU. Logits and features agree to 1e-5 of their length with the CPU's; a rank among held-out images, and what is decided by it, changes
// where two images lie as close.

extension Evaluate: NetworkAcceleratedStage {
    static func obstacle(toAccelerating parameters: Value) -> String? { nil }
    func batchSize(on accelerator: any Accelerator) -> Int { 1 }

    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        try CUDAAccelerator.of(accelerator).networkOutputs(of: steps, usesTF32: false) { try run($0, on: $1) }
    }
}

extension EvaluateVerdict: NetworkAcceleratedStage {
    static func obstacle(toAccelerating parameters: Value) -> String? { nil }
    func batchSize(on accelerator: any Accelerator) -> Int { 1 }

    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        try CUDAAccelerator.of(accelerator).networkOutputs(of: steps, usesTF32: false) { try run($0, on: $1) }
    }
}

extension Judge: NetworkAcceleratedStage {
    static func obstacle(toAccelerating parameters: Value) -> String? { nil }
    func batchSize(on accelerator: any Accelerator) -> Int { 1 }

    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        try CUDAAccelerator.of(accelerator).networkOutputs(of: steps, usesTF32: false) { try run($0, on: $1) }
    }
}
