import Artifacts
import Compute
import Dataflow
import Devices
import GraphLanguage
import HostDevice
import Tensors
import Testing

@testable import Instruments
@testable import Stages

/// Stages that take a batch to a device in software, against the same stages on the host.
@Suite("Stages on a device are the host's")
struct DeviceStageTests {
    private let software: SoftwareCUDA
    private let accelerator: CUDAAccelerator

    init() throws {
        let (software, library) = try DeviceChain.device([:])
        self.software = software
        accelerator = CUDAAccelerator(library)
    }

    private func largest(_ elements: [Float]) -> Float { elements.map(abs).max() ?? 0 }

    private func difference(_ a: [Float], _ b: [Float]) -> Float {
        a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
    }

    @Test("a grid that is too coarse is refused as by the host")
    func refusal() throws {
        let model = try DeviceChain.model()
        let spectra = Array(try DeviceChain.spectra(on: accelerator, model: model).prefix(2))
        let steps = DeviceChain.imageSteps(spectra, try DeviceChain.experiment(model), resident: false)
        let stage = try DeviceChain.imageStage(tolerance: .double(0.001))
        for (step, device) in zip(steps, try stage.run(steps, on: accelerator)) {
            var host: StepFailure?
            do { _ = try stage.run(step) } catch let failure as StepFailure { host = failure }
            guard case .failure(let failure) = device else {
                Issue.record("a grid of 6 was accepted")
                continue
            }
            // The error itself is the host's to 1e-4 of it, which words round away.
            #expect(failure == host)
        }
    }

    /// Images to 1e-6 of the largest pixel, their estimated errors to what that leaves of them.
    @Test("images to a tolerance")
    func tolerance() throws {
        let model = try DeviceChain.model()
        let spectra = Array(try DeviceChain.spectra(on: accelerator, model: model).prefix(2))
        let steps = DeviceChain.imageSteps(spectra, try DeviceChain.experiment(model), resident: false)
        // More than a graph may ask for, so that this grid is fine enough.
        let stage = try DeviceChain.imageStage(tolerance: .double(5))
        for (step, device) in zip(steps, try stage.run(steps, on: accelerator)) {
            let (host, found) = (try stage.run(step), try device.get())
            let (a, b) = (try SimulatedImage(host.value), try SimulatedImage(found.value))
            #expect(largest(a.domains.elements) > 0)
            #expect(difference(a.domains.elements, b.domains.elements) <= 1e-6 * largest(a.domains.elements))
            let (error, same) = (try #require(a.samplingError), try #require(b.samplingError))
            #expect(error > 0.01 && abs(error - same) <= 1e-4 * error)
            #expect(found.summary.keys.sorted() == host.summary.keys.sorted())
        }
    }

    private static let misaligned =
        "misorientation: 0.5 deg, tilt: 0.5 deg, lattice-jitter: 0.003, energy-offset: 0.005, energy-scale: 0.005"

    private func noise(_ counting: String, misaligned: Bool) throws -> Value {
        let text = """
            graph: g
            nodes:
              resolution: {stage: resolution, instrument: maps}
              parameters: {stage: fix-parameters, model: pcsmo-goodenough}
              spectrum: {stage: spin-waves, model: pcsmo-goodenough, parameters: parameters}
              image: {stage: convolve-resolution, spectrum: spectrum, resolution: resolution}
              noise: {stage: add-noise, image: image, mask: mask, copies: 3, counting: \(counting)\(misaligned ? ", \(Self.misaligned)" : "")}
              mask: {stage: detector-mask, resolution: resolution}

            """
        let graph = try Graph.bind(
            try GraphFile.parse(text: text, file: "g.yaml"), library: .spinweave, directory: graphsFolder)
        return try #require(graph.node(named: "noise")).parameters
    }

    @Test(
        "noise of a batch: whole counts are the same, Gaussian ones to 1e-6", arguments: ["poisson", "gaussian"],
        [false, true])
    func noise(counting: String, misaligned: Bool) throws {
        let model = try DeviceChain.model()
        let spectra = Array(try DeviceChain.spectra(on: accelerator, model: model).prefix(2))
        let images = try DeviceChain.imageStage().run(
            DeviceChain.imageSteps(spectra, try DeviceChain.experiment(model), resident: true), on: accelerator
        ).map { try $0.get().value }
        let geometry = try ImageGeometry(SimulatedImage(images[0]).geometry)
        var missing = [UInt8](repeating: 0, count: geometry.rows * geometry.columns)
        missing[3] = 1
        let mask = DetectorMask(missing: Tensor(shape: geometry.shape, elements: missing)).value
        let parameters = try noise(counting, misaligned: misaligned)
        let stage = try AddNoise(parameters: parameters)
        #expect(AddNoise.obstacle(toAccelerating: parameters) == nil)
        let steps = images.enumerated().map { index, image in
            Step(
                node: "noise", sample: index, inputs: ["image": image, "mask": mask],
                random: RandomStream(seed: 4).substream("sample", index), threads: 2)
        }
        // What the device still has gives the same bits as what is read.
        let made = try DeviceChain.imageStage().run(
            DeviceChain.imageSteps(spectra, try DeviceChain.experiment(model), resident: true), on: accelerator)
        let kept = try steps.enumerated().map { index, step in
            var step = step
            step.inputs["image"] = nil
            step.remnants["image"] = try made[index].get().remnant
            return step
        }
        if counting == "gaussian" {
            let read = try stage.run(steps, on: accelerator).map { try $0.get().value }
            #expect(try stage.run(kept, on: accelerator).map { try $0.get().value } == read)
            #expect(
                try stage.run([kept[1], steps[0]], on: accelerator).map { try $0.get().value } == [read[1], read[0]])
        }
        for (step, device) in zip(steps, try stage.run(steps, on: accelerator)) {
            let host = try NoisyImages(stage.run(step).value).images.elements
            let found = try NoisyImages(device.get().value).images.elements
            #expect(largest(host) > 0)
            // In software logarithm and cosine are the host's, so that counts are whole multiples of the same intensity, to the bit.
            #expect(difference(host, found) <= (counting == "poisson" ? 0 : 1e-6 * largest(host)))
        }
    }
}
