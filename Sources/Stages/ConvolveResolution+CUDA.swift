import Artifacts
import Dataflow
import Devices
import Instruments
import Tensors

/// Images of many samples at once; each agrees with the host's to 1e-6 of its largest pixel.
extension ConvolveResolution: AcceleratedStage {
    static func obstacle(toAccelerating parameters: Value) -> String? {
        (try? parameters.string("method")) == Method.integrated.rawValue
            ? nil : "of its methods only 'integrated' has a CUDA kernel"
    }

    /// The modes of a spectrum that the device still has need not be read.
    static var remnantPorts: Set<String> { ["spectrum"] }

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
                let image = group[0].prepared.image
                let modes = group.map(\.prepared.placed)
                let (images, sampled) = try device.onStream { kernels in
                    // Another stream may have made them.
                    for member in group {
                        guard let resident = member.prepared.resident else { continue }
                        try kernels.stream.wait(for: resident.ready)
                    }
                    if tolerance == nil {
                        let images = try image.imagesOnDevice(of: modes, on: kernels)
                        let ready = try kernels.stream.record()
                        let placed = images.map {
                            Placed(image: $0.image, domains: $0.placed, ready: ready, kernels.stream)
                        }
                        return (placed, [SampledImage]())
                    }
                    return ([], try image.sampledImages(of: modes, on: kernels))
                }
                for (position, member) in group.enumerated() {
                    if tolerance == nil {
                        results[member.index] = .success(
                            output(images[position], of: member.prepared, keeps: device.residents.bound > 0))
                        continue
                    }
                    results[member.index] = Self.result {
                        try decide(sampled[position], of: member.prepared) {
                            try run(steps[member.index].withAllInputs())
                        }
                    }
                }
            } catch is InstrumentError {
                // One of them is at fault: the host says which.
                for member in group {
                    results[member.index] = Self.result { try run(steps[member.index].withAllInputs()) }
                }
            }
        }
        return results.map { $0 ?? .failure(StepFailure("no image was made of it; this is a defect")) }
    }

    /// An image as the step's answer; where it is to keep a tolerance and comes within rounding of it, the host's.
    private func decide(
        _ sampled: SampledImage, of prepared: Prepared, onHost: () throws -> StepOutput
    ) throws -> StepOutput {
        guard let tolerance else { return output(sampled, of: prepared) }
        // Images agree to 1e-6 of their largest pixel, so that errors of 5e-4 and more do to some 1e-2 at the worst.
        if abs(sampled.error - tolerance) <= 0.02 * tolerance { return try onHost() }
        try prepared.image.check(sampled, of: prepared.modes, tolerance: tolerance)
        return output(sampled, of: prepared)
    }

    /// An image, and what the device has of it.
    private struct Placed {
        var image: Tensor<Float>
        var domains: PlacedDomains<CUDAKernelDevice.Memory>
        var ready: CUDAEvent
        var stream: CUDAStream

        init(
            image: Tensor<Float>, domains: PlacedDomains<CUDAKernelDevice.Memory>, ready: CUDAEvent,
            _ stream: CUDAStream
        ) {
            (self.image, self.domains, self.ready, self.stream) = (image, domains, ready, stream)
        }
    }

    private func output(_ placed: Placed, of prepared: Prepared, keeps: Bool) -> StepOutput {
        var output = output(placed.image, of: prepared)
        if keeps {
            output.remnant = ResidentImage(
                image: result(of: prepared), domains: placed.domains, ready: placed.ready, stream: placed.stream)
        }
        return output
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

extension ConvolveResolution.Prepared {
    /// The modes, wherever they are.
    fileprivate var placed: PlacedModes<CUDAKernelDevice.Memory> {
        guard let zone = resident?.zone else { return .host(modes) }
        return .onDevice(
            frame: modes, energies: zone.energies, velocities: zone.velocities, amplitudes: zone.amplitudes)
    }
}
