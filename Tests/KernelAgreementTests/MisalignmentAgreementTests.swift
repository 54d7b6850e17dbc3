import Compute
import Devices
import Foundation
import HostDevice
import Tensors
import Testing

@testable import Instruments

/// `sw_noise_resample`, run by the device in software, against the host's resampling and against exact arithmetic.
@Suite("Misaligned images: host = CUDA")
struct MisalignmentAgreementTests {
    private typealias Draw = GeometryJitter.Draw

    struct Layout: Sendable, CustomTestStringConvertible {
        var name: String
        var settings = 2
        var bins = 5
        var rows = 9
        var columns = 7
        /// r.l.u.; 2 lies beyond the kinematics in part, and 9 all of it.
        var extent = 0.5
        var testDescription: String { name }

        func geometry() throws -> ImageGeometry {
            try ImageGeometry(
                settings: (0..<settings).map { .init(incidentEnergy: 20 + 15 * Double($0), chopperFrequency: 200) },
                energyBins: .init(count: bins, from: 0.1, to: 0.7),
                h: .init(count: rows, minimum: -extent, maximum: 1.1 * extent),
                k: .init(count: columns, minimum: -0.9 * extent, maximum: extent), lattice: [5, 5.5, 12],
                magneticScale: [1, 1, 1])
        }

        static let all = [
            Layout(name: "two settings"), Layout(name: "one of each", settings: 1, bins: 1, rows: 1, columns: 1),
            Layout(name: "one bin", settings: 3, bins: 1), Layout(name: "one row", rows: 1),
            Layout(name: "one column", columns: 1), Layout(name: "two by two", bins: 2, rows: 2, columns: 2),
            Layout(name: "beyond the kinematics", extent: 2),
            Layout(name: "nothing within them", rows: 2, columns: 2, extent: 9),
        ]
    }

    /// The errors of a crystal that is held well, of one that looks past the image's edges, of one in one way alone, and none.
    private static func draws(_ settings: Int) -> [Draw] {
        var jitter = GeometryJitter()
        (jitter.misorientation, jitter.tilt, jitter.lattice) = (0.5, 0.5, 0.003)
        (jitter.energyOffset, jitter.energyScale) = (0.005, 0.005)
        var far = GeometryJitter()
        (far.misorientation, far.tilt, far.lattice, far.energyOffset, far.energyScale) = (10, 10, 0.1, 0.1, 0.1)
        var energies = GeometryJitter()
        energies.energyOffset = 0.02
        let stream = RandomStream(seed: 41)
        return [jitter, far, energies, GeometryJitter()].enumerated().map {
            $1.draw(stream: stream.substream("draw", $0), settings: settings)
        }
    }

    /// Of the device, for one image under several draws.
    private func moved(
        _ image: [Double], _ draws: [Draw], _ geometry: ImageGeometry, _ order: HostDevice.Order = .ascending
    ) throws -> [[Double]] {
        let device = SoftwareDevice(order: order)
        let memory = try device.memory(bytes: 8 * image.count * draws.count)
        try device.write(draws.flatMap { _ in image }, to: memory, at: 0)
        let moved = try Draw.resampled(memory, by: draws, geometry: geometry, on: device)
        let values = try device.read(Double.self, count: image.count * draws.count, from: moved)
        return draws.indices.map { Array(values[$0 * image.count..<($0 + 1) * image.count]) }
    }

    private func isSame(_ a: Double, _ b: Double) -> Bool { a == b || (a.isNaN && b.isNaN) }

    /// In software nothing is contracted, so that products and sums in the host's order give its bits. A device may contract the sum over the
    /// neighbours: some 1e-16 of them.
    @Test("each image is the host's, also of pixels that are NaN, infinite or negative", arguments: Layout.all)
    func agrees(_ layout: Layout) throws {
        let geometry = try layout.geometry()
        let count = geometry.rows * geometry.columns
        let stream = RandomStream(seed: 43)
        let smooth = (0..<count).map { 12 * stream.uniform(at: $0) - 2 }
        var broken = smooth
        for (place, value) in [Double.nan, .infinity, -.infinity, -0.0, .leastNonzeroMagnitude].enumerated() {
            broken[(place * 37 + 11) % count] = value
        }
        let draws = Self.draws(layout.settings)
        for image in [smooth, broken] {
            let found = try moved(image, draws, geometry)
            for (draw, result) in zip(draws, found) {
                #expect(zip(result, draw.resampled(image, geometry: geometry)).allSatisfy(isSame))
            }
            for order in HostDevice.Order.allCases {
                let again = try moved(image, draws, geometry, order)
                #expect(zip(again.joined(), found.joined()).allSatisfy(isSame))
            }
        }
        if layout.name == "nothing within them" {
            #expect(try moved(smooth, draws, geometry).allSatisfy { $0 == smooth })
        } else if layout.name == "two settings" {
            // The well held crystal's image differs everywhere, without infinities of its own.
            let found = try moved(smooth, draws, geometry)[0]
            #expect(zip(found, smooth).count { abs($0 - max($1, 0)) > 1e-6 } > count / 2)
            #expect(try moved(broken, draws, geometry)[0].count(where: \.isNaN) > 1)
        }
    }

    /// Lagrange's interpolation of third degree is exact for polynomials of third degree, wherever its four neighbours lie within the image:
    /// to rounding, 1e-12 of values up to some 10 with weights up to some 1.
    @Test("a cubic polynomial is moved exactly: rotation about the beam, lengths, energies")
    func cubic() throws {
        let geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: 100, chopperFrequency: 200)],
            energyBins: .init(count: 12, from: 0.1, to: 0.7), h: .init(count: 14, minimum: -0.6, maximum: 0.7),
            k: .init(count: 15, minimum: -0.7, maximum: 0.7), lattice: [5, 5, 10], magneticScale: [1, 1, 1])
        func cubic(_ energy: Double, _ h: Double, _ k: Double) -> Double {
            let e = energy / 40
            return 8 + h * h * h - 2 * h * k * k + k + e * e * e - e * h * k + e
        }
        let pixels = (0..<geometry.rows * geometry.columns).map {
            geometry.pixel(row: $0 / geometry.columns, column: $0 % geometry.columns)
        }
        let image = pixels.map { cubic($0.energy, $0.h, $0.k) }
        var draw = GeometryJitter().draw(stream: RandomStream(seed: 1), settings: 1)
        draw.rotation.z = 3
        draw.lattice = SIMD2(1.01, 0.98)
        draw.energyOffsets = [0.012]
        let found = try moved(image, [draw], geometry)[0]
        let (c, s) = (cos(Double.pi / 60), sin(Double.pi / 60))
        var inside = 0
        for (pixel, value) in zip(pixels, found) {
            let energy = pixel.energy + 1.2
            let (h, k) = (1.01 * (c * pixel.h - s * pixel.k), 0.98 * (s * pixel.h + c * pixel.k))
            guard let there = geometry.location(setting: 0, energy: energy, h: h, k: k),
                (3..<11).contains(there.row), (3..<12).contains(there.column % 15),
                (2..<10).contains(there.column / 15)
            else { continue }
            inside += 1
            #expect(abs(value - cubic(energy, h, k)) < 1e-11)
        }
        #expect(inside > 300)
    }

    private func model(_ statistics: CountingStatistics, everything: Bool) -> NoiseModel {
        var model = NoiseModel()
        model.statistics = statistics
        (model.jitter.misorientation, model.jitter.tilt, model.jitter.lattice) = (0.5, 0.5, 0.003)
        (model.jitter.energyOffset, model.jitter.energyScale) = (0.005, 0.005)
        if !everything { return model }
        model.settingExposure = 0.3
        model.deadPixels = 0.05
        model.detectors.tubeEfficiency = 0.1
        model.backgrounds.environment = 0.5...1
        model.backgrounds.elasticTail = 0...0.3
        model.backgrounds.subtraction = 0.9...1.1
        return model
    }

    private func domains(_ count: Int, _ geometry: ImageGeometry, _ index: Int) -> Tensor<Float> {
        let shape = [count] + geometry.shape
        let stream = RandomStream(seed: 8).substream("domains", index)
        return Tensor(
            shape: shape, elements: (0..<shape.reduce(1, *)).map { Float(12 * stream.uniform(at: $0) - 0.5) })
    }

    private func mask(_ geometry: ImageGeometry) throws -> CoverageMask {
        let masked = (0..<geometry.rows * geometry.columns).map { UInt8($0 % 7 == 2 ? 1 : 0) }
        return try CoverageMask(Tensor(shape: geometry.shape, elements: masked), geometry: geometry)
    }

    /// The scale follows from a sum of some hundred pixels in another order: 1e-13 of it, and what comes of that.
    @Test("expected images are the host's", arguments: [1, 2, 3], [false, true])
    func expected(domainCount: Int, everything: Bool) throws {
        let geometry = try Layout(name: "", extent: 1.5).geometry()
        let (model, mask) = (model(.gaussian, everything: everything), try mask(geometry))
        #expect(model.mixesOnDevice)
        let device = SoftwareDevice()
        let sources = (0..<3).map { domains(domainCount, geometry, $0) }
        let streams = (0..<3).map { RandomStream(seed: 21).substream("exposure", $0) }
        let prepared = try zip(sources, streams).map {
            try model.preparedForMixing($0.shape, geometry: geometry, mask: mask, stream: $1)
        }
        let memory = try sources.map { source in
            let memory = try device.memory(bytes: 4 * source.count)
            try device.write(source.elements, to: memory, at: 0)
            return memory
        }
        let maskMemory = try device.memory(bytes: mask.masked.count)
        try device.write(mask.masked.elements, to: maskMemory, at: 0)
        let mixed = try model.mix(
            prepared, sources: memory.map(\.address), geometry: geometry, mask: mask, maskMemory: maskMemory,
            on: device)
        let count = geometry.rows * geometry.columns
        let found = try device.read(Double.self, count: 3 * count, from: mixed)
        withExtendedLifetime(memory) {}
        for (index, source) in sources.enumerated() {
            let host = try model.prepared(source, geometry: geometry, mask: mask, stream: streams[index]).expected
            let brightest = host.max() ?? 0
            #expect(brightest > 1)
            for (a, b) in zip(found[index * count..<(index + 1) * count], host) {
                #expect(abs(a - b) <= 1e-12 * brightest)
            }
        }
    }

    /// Gaussian numbers to Float's rounding of what is within 1e-12; whole counts are the same ones, of images that the host moved.
    @Test(
        "what is measured of them agrees, some of them or all at once", arguments: CountingStatistics.allCases,
        [false, true])
    func measured(statistics: CountingStatistics, everything: Bool) throws {
        let geometry = try Layout(name: "", extent: 1.5).geometry()
        let (model, mask) = (model(statistics, everything: everything), try mask(geometry))
        try model.validate()
        // Several copies of each image, every one with errors of its own.
        let exposures = (0..<6).map {
            NoiseModel.Exposure(domains(2, geometry, $0 / 3), stream: RandomStream(seed: 22).substream("copy", $0))
        }
        let device = try model.measured(exposures, geometry: geometry, mask: mask, on: SoftwareDevice())
        for (image, exposure) in zip(device, exposures) {
            let host = try model.measured(exposure.domains, geometry: geometry, mask: mask, stream: exposure.stream)
            let brightest = host.elements.max() ?? 0
            #expect(brightest > 0)
            #expect(zip(image.elements, host.elements).allSatisfy { abs($0 - $1) <= 1e-6 * brightest })
        }
        #expect(device[0] != device[1])
        let few = try model.measured(
            exposures, geometry: geometry, mask: mask, on: SoftwareDevice(order: .shuffled, free: 1))
        #expect(few == device)
    }

    @Test("NaN stays NaN in the pixels that interpolate it, and a scale that it leaves unknown is 1, as on the host")
    func missing() throws {
        let geometry = try Layout(name: "").geometry()
        var image = domains(2, geometry, 0)
        image.elements[geometry.columns * 4 + 9] = .nan
        let model = model(.gaussian, everything: false)
        let exposure = NoiseModel.Exposure(image, stream: RandomStream(seed: 23))
        let host = try model.measured(image, geometry: geometry, mask: nil, stream: exposure.stream).elements
        let found = try model.measured([exposure], geometry: geometry, mask: nil, on: SoftwareDevice())[0].elements
        let brightest = host.filter { !$0.isNaN }.max() ?? 0
        #expect(host.contains(where: \.isNaN) && brightest > 0)
        for (a, b) in zip(found, host) { #expect((a.isNaN && b.isNaN) || abs(a - b) <= 1e-6 * brightest) }
    }

    @Test("a geometry whose places are not known is refused as on the host")
    func refused() throws {
        var geometry = try Layout(name: "").geometry()
        geometry.scan = .rotation(l: 0...1, layers: 2)
        let model = model(.gaussian, everything: false)
        let exposure = NoiseModel.Exposure(domains(1, geometry, 0), stream: RandomStream(seed: 24))
        var errors: [InstrumentError] = []
        do {
            _ = try model.measured(exposure.domains, geometry: geometry, mask: nil, stream: exposure.stream)
        } catch { errors.append(error) }
        do {
            _ = try model.measured([exposure], geometry: geometry, mask: nil, on: SoftwareDevice())
        } catch let error as InstrumentError { errors.append(error) }
        #expect(errors.count == 2 && errors[0] == errors[1])
        #expect(errors.first.map { "\($0)".contains("jitter of the alignment") } == true)
    }
}
