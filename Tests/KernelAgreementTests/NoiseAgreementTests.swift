import CKernels
import Compute
import HostDevice
import Tensors
import Testing

@testable import Instruments

/// `noise.cu`, run by the device in software, against the host's streams and counts.
@Suite("Counting noise: host = CUDA")
struct NoiseAgreementTests {
    @Test("Philox gives the host's bits, at addresses of all sizes", arguments: [0, 1 << 33, (3 << 40) - 2, -5])
    func bits(first: Int) throws {
        let stream = RandomStream(seed: 3).substream("bits", first)
        let out = HostBuffer([UInt32](repeating: 0, count: 4 * 600))
        try HostDevice.launch(
            "sw_noise_bits", grid: 3, block: 256, order: .shuffled,
            [
                .value(sw_noise_stream(key: stream.words.x, lane: stream.words.y)), .value(Int64(first)),
                .value(Int64(600)), .buffer(out),
            ])
        let expected = (0..<600).flatMap { n in
            let b = stream.bits(at: first + n)
            return [b.x, b.y, b.z, b.w]
        }
        #expect(out.values == expected)
    }

    private let geometry: ImageGeometry

    init() throws { geometry = try SmallCases.geometry(pixels: 20) }

    private func domains(_ index: Int) -> Tensor<Float> {
        let shape = [2] + geometry.shape
        let stream = RandomStream(seed: 8).substream("domains", index)
        return Tensor(
            shape: shape, elements: (0..<shape.reduce(1, *)).map { Float(12 * stream.uniform(at: $0) - 0.5) })
    }

    /// Everything that a noise model has, with Gaussian numbers or whole counts of each of Poisson's ranges.
    private func model(_ statistics: CountingStatistics, counts: Double, plain: Bool) -> NoiseModel {
        var model = NoiseModel()
        model.statistics = statistics
        model.countsPerUnit = counts * 0.9...counts * 1.1
        if plain { return model }
        model.settingExposure = 0.3
        model.deadPixels = 0.05
        model.detectors.tubeEfficiency = 0.1
        model.detectors.helium = 5...9
        model.backgrounds.environment = 0.5...1
        model.backgrounds.subtraction = 0.9...1.1
        model.backgrounds.emptyExposure = 0.5
        return model
    }

    /// The device in software has the host's logarithm and cosine, so that whole counts are the same ones, and Gaussian numbers differ by
    /// Float's rounding of sums taken in the same order at most: 1e-6 of the brightest.
    @Test(
        "host and device count alike", arguments: CountingStatistics.allCases, [0.4, 3, 40, 1e5])
    func agrees(statistics: CountingStatistics, counts: Double) throws {
        try agree(statistics, counts, plain: true)
    }

    @Test("with responses of detectors, backgrounds and an empty holder", arguments: CountingStatistics.allCases)
    func agreesWithEverything(statistics: CountingStatistics) throws {
        try agree(statistics, 3, plain: false)
    }

    private func agree(_ statistics: CountingStatistics, _ counts: Double, plain: Bool) throws {
        let model = model(statistics, counts: counts, plain: plain)
        try model.validate()
        var masked = [UInt8](repeating: 0, count: geometry.rows * geometry.columns)
        for pixel in stride(from: 0, to: masked.count, by: 7) { masked[pixel] = 1 }
        let mask = try CoverageMask(Tensor(shape: geometry.shape, elements: masked), geometry: geometry)
        let exposures = (0..<3).map {
            NoiseModel.Exposure(domains($0), stream: RandomStream(seed: 21).substream("exposure", $0))
        }
        let device = try model.measured(exposures, geometry: geometry, mask: mask, on: SoftwareDevice())
        #expect(device.count == 3)
        for (image, exposure) in zip(device, exposures) {
            let host = try model.measured(
                exposure.domains, geometry: geometry, mask: mask, stream: exposure.stream)
            let brightest = host.elements.max() ?? 0
            #expect(brightest > 0 && image.shape == host.shape)
            #expect(zip(image.elements, host.elements).allSatisfy { abs($0 - $1) <= 1e-6 * brightest })
            #expect(zip(image.elements, masked).allSatisfy { $1 == 0 || $0 == 0 })
        }
        for order in HostDevice.Order.allCases {
            let again = try model.measured(
                exposures, geometry: geometry, mask: mask, on: SoftwareDevice(order: order, free: 1))
            #expect(again == device)
        }
    }
}
