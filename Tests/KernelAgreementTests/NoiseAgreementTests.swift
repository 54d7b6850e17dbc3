import CKernels
import Compute
import Devices
import Foundation
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

    /// A count that is decided is the host's; of means without a pattern nearly all are. Inversion leaves 1e-12 a step undecided, rejection
    /// 1e-12 of the mean in each number that is rounded down: 1e-4 of them at a mean of 1e8.
    @Test("whole counts are the host's or undecided, and seldom that", arguments: [0.3, 7, 12, 300, 1e5, 1e8])
    func decidedCounts(mean: Double) throws {
        let stream = RandomStream(seed: 31).substream("counts")
        let means = (0..<2000).map { mean * (0.5 + stream.uniform(at: 1 << 30 + $0)) }
        let device = try counts(stream, means)
        var undecided = 0
        for (index, count) in device.enumerated() {
            if count.isNaN {
                undecided += 1
            } else {
                #expect(Int(count) == stream.poisson(mean: means[index], at: index))
            }
        }
        #expect(undecided <= 5)
    }

    /// exp(−m) is the chance of no count: at m = −log u the number u decides between none and one in its last place. A mean 1e-9 further is
    /// decided either way.
    @Test("counts on the boundary between two are left to the host")
    func undecidedCounts() throws {
        let stream = RandomStream(seed: 32).substream("boundary")
        // Means below 10, all but one in 20,000.
        let edges = (0..<500).map { -log(stream.uniform(at: $0)) }
        #expect(try counts(stream, edges).allSatisfy(\.isNaN))
        for shift in [-1e-9, 1e-9] {
            let beside = edges.map { $0 + shift * max($0, 1) }
            let counts = try counts(stream, beside)
            for (index, count) in counts.enumerated() where beside[index] < 10 {
                #expect(count == Double(stream.poisson(mean: beside[index], at: index)))
                #expect(count == (shift < 0 ? 0 : 1) || beside[index] <= 0)
            }
        }
        // Where a double cannot count, and where the methods change.
        #expect(try counts(stream, [2e15, 10, 0, -1]).map(\.isNaN) == [true, true, false, false])
    }

    @Test("what the device leaves undecided the host draws")
    func undecidedPixels() throws {
        let model = model(.poisson, counts: 3, plain: false)
        let exposure = NoiseModel.Exposure(domains(0), stream: RandomStream(seed: 21))
        let host = try model.measured(exposure.domains, geometry: geometry, mask: nil, stream: exposure.stream)
        let device = UndecidedDevice()
        #expect(try model.measured([exposure], geometry: geometry, mask: nil, on: device) == [host])
        #expect(device.undecided > 100)
    }

    private func counts(_ stream: RandomStream, _ means: [Double]) throws -> [Double] {
        let out = HostBuffer([Double](repeating: -1, count: means.count))
        try HostDevice.launch(
            "sw_noise_poisson", grid: Extent((means.count + 255) / 256), block: 256,
            [
                .value(sw_noise_stream(key: stream.words.x, lane: stream.words.y)), .value(Int64(means.count)),
                .buffer(HostBuffer(means)), .buffer(out),
            ])
        return out.values
    }
}

/// Leaves every third pixel that shows something undecided.
private final class UndecidedDevice: KernelDevice {
    private let device = SoftwareDevice()
    var undecided = 0

    var multiprocessors: Int { device.multiprocessors }
    var sharedBytesPerBlock: Int { device.sharedBytesPerBlock }
    func freeBytes() -> Int { device.freeBytes() }
    func memory(bytes: Int) throws -> SoftwareDevice.Memory { try device.memory(bytes: bytes) }
    func write<T: BitwiseCopyable>(_ values: [T], to memory: SoftwareDevice.Memory, at offset: Int) throws {
        try device.write(values, to: memory, at: offset)
    }
    func copy(_ bytes: Int, from memory: SoftwareDevice.Memory, to other: SoftwareDevice.Memory, at offset: Int) throws
    {
        try device.copy(bytes, from: memory, to: other, at: offset)
    }
    func read<T: BitwiseCopyable>(_ type: T.Type, count: Int, from memory: SoftwareDevice.Memory) throws -> [T] {
        var values = try device.read(type, count: count, from: memory)
        for index in stride(from: 0, to: values.count, by: 3) {
            // Dead pixels are 0.
            guard let value = values[index] as? Float, value != 0, let nothing = Float.nan as? T else { continue }
            values[index] = nothing
            undecided += 1
        }
        return values
    }
    func launch<T: BitwiseCopyable>(_ launch: KernelLaunch, _ parameter: T) throws {
        try device.launch(launch, parameter)
    }
}
