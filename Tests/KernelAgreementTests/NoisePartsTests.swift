import Compute
import Devices
import HostDevice
import Tensors
import Testing

@testable import Instruments

/// What `noise.cu` makes of detectors and backgrounds, run by the device in software, against the host's.
@Suite("Responses and backgrounds of noise: host = CUDA")
struct NoisePartsTests {
    struct Layout: Sendable, CustomTestStringConvertible {
        var name: String
        var h: ImageGeometry.PixelAxis
        var extent = 2.0
        var testDescription: String { name }

        func geometry() throws -> ImageGeometry {
            try ImageGeometry(
                settings: [
                    .init(incidentEnergy: 20, chopperFrequency: 200), .init(incidentEnergy: 45, chopperFrequency: 200),
                ],
                energyBins: .init(count: 4, from: 0.1, to: 0.7), h: h,
                k: .init(count: 9, minimum: -extent, maximum: extent), lattice: [5, 5.5, 12], magneticScale: [1, 1, 1])
        }

        /// Pixels wider and narrower than tubes, partly out of reach of the kinematics; one row; and rows of no extent.
        static let all = [
            Layout(name: "wide", h: .init(count: 12, minimum: -2, maximum: 2.2)),
            Layout(name: "narrow", h: .init(count: 10, minimum: 0.3, maximum: 0.34)),
            Layout(name: "one row", h: .init(count: 1, minimum: -1.5, maximum: 2)),
            Layout(name: "no extent", h: .init(count: 3, minimum: 0.2, maximum: 0.2 + 1e-12)),
        ]
    }

    private func domains(_ geometry: ImageGeometry, _ index: Int) -> Tensor<Float> {
        let shape = [2] + geometry.shape
        let stream = RandomStream(seed: 8).substream("domains", index)
        return Tensor(
            shape: shape, elements: (0..<shape.reduce(1, *)).map { Float(12 * stream.uniform(at: $0) - 0.5) })
    }

    private func exposures(_ geometry: ImageGeometry) -> [NoiseModel.Exposure] {
        (0..<4).map {
            NoiseModel.Exposure(domains(geometry, $0 / 2), stream: RandomStream(seed: 22).substream("copy", $0))
        }
    }

    /// Responses are rounded as on the host, and whole counts, which hang on them, are the same numbers: to the bit.
    @Test("whole counts in detectors that differ", arguments: Layout.all, [(0.3, true), (0.3, false), (0, true)])
    func responses(_ layout: Layout, _ detectors: (tubes: Double, helium: Bool)) throws {
        let geometry = try layout.geometry()
        var model = NoiseModel()
        model.statistics = .poisson
        model.countsPerUnit = 20...30
        model.deadTubes = 3
        model.detectors.tubeEfficiency = detectors.tubes
        model.detectors.helium = detectors.helium ? 5...9 : nil
        let exposures = exposures(geometry)
        let device = try model.measured(exposures, geometry: geometry, mask: nil, on: SoftwareDevice())
        var plain = model
        plain.detectors = DetectorResponse()
        for (image, exposure) in zip(device, exposures) {
            let host = try model.measured(exposure.domains, geometry: geometry, mask: nil, stream: exposure.stream)
            #expect(image == host)
            let without = try plain.measured(exposure.domains, geometry: geometry, mask: nil, stream: exposure.stream)
            #expect(host != without)
        }
    }

    @Test("angles of a geometry, made once, are those that each pixel asks for", arguments: Layout.all)
    func angles(_ layout: Layout) throws {
        let geometry = try layout.geometry()
        let angles = DetectorAngles(geometry)
        var unreached = 0
        for pixel in 0..<geometry.rows * geometry.columns {
            let place = geometry.pixel(row: pixel / geometry.columns, column: pixel % geometry.columns)
            #expect(angles.edges(pixel) == geometry.anglesAlongH(of: place))
            if let middle = geometry.angleAlongH(of: place) {
                #expect(angles.middles[pixel] == middle)
            } else {
                unreached += 1
                #expect(angles.middles[pixel].isNaN)
            }
        }
        #expect(unreached > 0)
    }

    /// Sums of a few positive numbers in another order: a few 1e-16 of them, and the scale's 1e-13.
    @Test("backgrounds that the device adds, and those that the host does", arguments: Layout.all, [false, true])
    func backgrounds(_ layout: Layout, phonons: Bool) throws {
        let geometry = try layout.geometry()
        var model = NoiseModel()
        model.backgrounds.environment = 0.5...1
        model.backgrounds.elasticTail = 0...0.3
        model.backgrounds.incoherent = 0.1...0.5
        model.backgrounds.braggTails = 4
        model.backgrounds.braggPoints = [SIMD2(0.25, 0.4), SIMD2(-1.5, 1.2)]
        model.backgrounds.braggWidth = 0.1...0.3
        if phonons { model.backgrounds.phonons = 0...0.4 }
        let exposures = exposures(geometry)
        let device = SoftwareDevice()
        let prepared = try exposures.map {
            try model.preparedForMixing($0.domains.shape, geometry: geometry, mask: nil, stream: $0.stream)
        }
        #expect(prepared.allSatisfy { ($0.additions != nil) == phonons })
        let memory = try exposures.map { exposure in
            let memory = try device.memory(bytes: 4 * exposure.domains.count)
            try device.write(exposure.domains.elements, to: memory, at: 0)
            return memory
        }
        let mixed = try model.mix(
            prepared, sources: memory.map(\.address), geometry: geometry, mask: nil, maskMemory: nil, on: device)
        withExtendedLifetime(memory) {}
        let count = geometry.rows * geometry.columns
        let found = try device.read(Double.self, count: count * exposures.count, from: mixed)
        var tails = 0
        for (index, exposure) in exposures.enumerated() {
            let host = try model.prepared(
                exposure.domains, geometry: geometry, mask: nil, stream: exposure.stream)
            let brightest = host.expected.max() ?? 0
            #expect(brightest > 1)
            for (a, b) in zip(found[index * count..<(index + 1) * count], host.expected) {
                #expect(abs(a - b) <= 1e-12 * brightest)
            }
            tails += host.draw.backgrounds.braggTails.count
        }
        #expect(tails > 4)
    }

    /// Some images of a batch may have what the others lack.
    @Test("what is measured with all of it, by Gaussian numbers", arguments: [0.0, 0.9])
    func everything(subtraction: Double) throws {
        let geometry = try Layout.all[0].geometry()
        var model = NoiseModel()
        model.backgrounds.environment = 0.5...1
        model.backgrounds.braggTails = 1
        model.backgrounds.subtraction = 0...subtraction
        model.backgrounds.emptyExposure = 0.5
        model.detectors.tubeEfficiency = 0.1
        model.detectors.helium = 5...9
        model.jitter.tilt = 0.5
        try model.validate()
        let exposures = exposures(geometry)
        let device = try model.measured(exposures, geometry: geometry, mask: nil, on: SoftwareDevice())
        for (image, exposure) in zip(device, exposures) {
            let host = try model.measured(exposure.domains, geometry: geometry, mask: nil, stream: exposure.stream)
            let brightest = host.elements.max() ?? 0
            #expect(brightest > 0)
            #expect(zip(image.elements, host.elements).allSatisfy { abs($0 - $1) <= 1e-6 * brightest })
        }
        for order in HostDevice.Order.allCases {
            #expect(
                try model.measured(exposures, geometry: geometry, mask: nil, on: SoftwareDevice(order: order, free: 1))
                    == device)
        }
    }
}
