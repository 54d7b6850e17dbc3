import Artifacts
import Dataflow
import Devices
import Instruments
import Tensors

/// Images of many samples at once; each agrees with the host's to 1e-6 of its largest pixel.
extension ConvolveResolution: AcceleratedStage {
    static func obstacle(toAccelerating parameters: Value) -> String? {
        guard (try? parameters.string("method")) == Method.integrated.rawValue else {
            return "of its methods only 'integrated' has a CUDA kernel"
        }
        let hasTolerance = (try? parameters.field("tolerance"))?.isNone == false
        return hasTolerance ? "cells in parts (tolerance) have no CUDA kernel" : nil
    }

    /// What they take of the device's memory is bounded where they are made.
    func batchSize(on accelerator: any Accelerator) -> Int { 64 }

    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        guard let device = accelerator as? CUDAAccelerator else {
            throw AcceleratorFailure("\(accelerator.name) is no CUDA device")
        }
        var results = [Result<StepOutput, StepFailure>?](repeating: nil, count: steps.count)
        var groups: [[(index: Int, prepared: Prepared)]] = []
        for (index, step) in steps.enumerated() {
            do {
                let prepared = try prepare(step)
                // Known from the inputs alone.
                if prepared.image.geometry.volume != nil { throw Self.oriented }
                let known = groups.firstIndex { group in
                    // One node has one resolution, and domains by its model.
                    group[0].prepared.image.twins == prepared.image.twins
                        && group[0].prepared.image.geometry == prepared.image.geometry
                        && group[0].prepared.image.resolution == prepared.image.resolution
                        && group[0].prepared.modes.isAlike(prepared.modes)
                }
                if let known { groups[known].append((index, prepared)) } else { groups.append([(index, prepared)]) }
            } catch let failure as AcceleratorFailure {
                throw failure
            } catch {
                results[index] = .failure(Self.failure(error))
            }
        }
        for group in groups {
            do {
                let images = try device.perform { kernels in
                    try group[0].prepared.image.images(
                        of: group.map(\.prepared.modes), on: CUDAKernelDevice(kernels))
                }
                for (member, image) in zip(group, images) {
                    results[member.index] = .success(output(image, of: member.prepared))
                }
            } catch is InstrumentError {
                // One of them is at fault: the host says which.
                for member in group { results[member.index] = Self.result { try run(steps[member.index]) } }
            }
        }
        return results.map { $0 ?? .failure(StepFailure("no image was made of it; this is a defect")) }
    }

    private static let oriented = AcceleratorFailure(
        "images of a crystal that is held in any way have no kernel", isUnfit: true)

    private static func result(_ body: () throws -> StepOutput) -> Result<StepOutput, StepFailure> {
        do { return .success(try body()) } catch { return .failure(failure(error)) }
    }

    private static func failure(_ error: any Error) -> StepFailure {
        if let failure = error as? StepFailure { return failure }
        if let error = error as? InstrumentError { return StepFailure(error.description, hint: error.hint) }
        return StepFailure("\(error)")
    }
}
