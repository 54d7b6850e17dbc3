import Artifacts
import Compute
import Dataflow
import Devices
import Instruments
import Synchronization
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
    private let angles = SharedAngles()

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
        let source = try source(step)
        var images: [Tensor<Float>] = []
        for stream in source.streams {
            do {
                images.append(
                    try noise.measured(
                        source.image.domains, geometry: source.geometry, mask: source.mask, stream: stream,
                        angles: angles.of(source.geometry, for: noise)))
            } catch {
                throw StepFailure(error.description, hint: error.hint)
            }
        }
        return output(images, of: source)
    }

    /// What a step is to measure.
    private struct Source {
        var image: SimulatedImage
        var missing: Tensor<UInt8>
        var geometry: ImageGeometry
        var mask: CoverageMask
        /// The image's, or those that the device has in their place.
        var domains: PlacedDomains<CUDAKernelDevice.Memory>
        /// When the device has them.
        var ready: CUDAEvent?
        /// One for each copy.
        var streams: [RandomStream]
    }

    private func source(_ step: Step) throws -> Source {
        let resident = step.remnants["image"] as? ResidentImage
        guard let image = try resident?.image ?? step.inputs["image"].map(SimulatedImage.init),
            let maskValue = step.inputs["mask"]
        else { throw StepFailure("no image or no mask") }
        let mask = try DetectorMask(maskValue)
        let geometry = try ImageGeometry(image.geometry)
        do {
            let coverage = try CoverageMask(mask.missing, geometry: geometry)
            return Source(
                image: image, missing: mask.missing, geometry: geometry, mask: coverage,
                domains: resident?.domains ?? .host(image.domains), ready: resident?.ready,
                streams: (0..<copies).map { step.random.substream("copy", $0) })
        } catch {
            throw StepFailure(error.description, hint: error.hint)
        }
    }

    /// - Parameter images: noisy ones [rows, columns] of a step's exposures.
    private func output(_ images: [Tensor<Float>], of source: Source) -> StepOutput {
        let noisy = NoisyImages(
            images: Tensor(shape: [copies] + source.geometry.shape, elements: images.flatMap(\.elements)),
            mask: source.missing, geometry: source.image.geometry, isUnstable: source.image.isUnstable)
        return StepOutput(noisy.value, summary: ["unstable": .bool(source.image.isUnstable)])
    }
}

// MARK: On a device

extension AddNoise {
    static func obstacle(toAccelerating parameters: Value) -> String? { nil }

    /// Images that the device still has, where it mixes their domains.
    static var remnantPorts: Set<String> { ["image"] }

    func batchSize(on accelerator: any Accelerator) -> Int { 32 }

    /// One launch takes all copies of all samples that show one detector.
    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>] {
        let device = try CUDAAccelerator.of(accelerator)
        let threads = steps.first?.threads ?? 1
        var results = [Result<StepOutput, StepFailure>?](repeating: nil, count: steps.count)
        var groups: [[(index: Int, source: Source)]] = []
        // What the device has is of use where it mixes.
        let steps =
            noise.mixesOnDevice
            ? steps : try Parallel.map(steps.count, threads: threads) { try steps[$0].withAllInputs() }
        for (index, step) in steps.enumerated() {
            do {
                let source = try source(step)
                if let known = groups.firstIndex(where: {
                    $0[0].source.geometry == source.geometry && $0[0].source.mask == source.mask
                        && $0[0].source.domains.shape == source.domains.shape
                }) {
                    groups[known].append((index, source))
                } else {
                    groups.append([(index, source)])
                }
            } catch let failure as StepFailure {
                results[index] = .failure(failure)
            }
        }
        for group in groups {
            do {
                let images = try device.onStream { kernels in
                    // Another stream may have made them.
                    for member in group {
                        guard let ready = member.source.ready else { continue }
                        try kernels.stream.wait(for: ready)
                    }
                    let exposures = group.enumerated().flatMap { position, member in
                        member.source.streams.map { (source: position, stream: $0) }
                    }
                    return try noise.measured(
                        exposures, of: group.map(\.source.domains), geometry: group[0].source.geometry,
                        mask: group[0].source.mask, on: kernels, threads: threads,
                        angles: angles.of(group[0].source.geometry, for: noise))
                }
                for (position, member) in group.enumerated() {
                    let own = Array(images[position * copies..<(position + 1) * copies])
                    results[member.index] = .success(output(own, of: member.source))
                }
            } catch is InstrumentError {
                // One of them is at fault: the host says which.
                for member in group {
                    do { results[member.index] = .success(try run(steps[member.index].withAllInputs())) } catch let
                        failure
                        as StepFailure
                    { results[member.index] = .failure(failure) }
                }
            }
        }
        return results.map { $0 ?? .failure(StepFailure("it was not measured; this is a defect")) }
    }
}

/// The angles of a node's images, which nearly always have one geometry.
private final class SharedAngles: Sendable {
    private let last = Mutex<(geometry: ImageGeometry, angles: DetectorAngles)?>(nil)

    /// Nil where nothing hangs on them.
    func of(_ geometry: ImageGeometry, for noise: NoiseModel) -> DetectorAngles? {
        if noise.detectors.isOff, noise.deadTubes == 0 { return nil }
        return last.withLock { last in
            if let last, last.geometry == geometry { return last.angles }
            let angles = DetectorAngles(geometry)
            last = (geometry, angles)
            return angles
        }
    }
}
