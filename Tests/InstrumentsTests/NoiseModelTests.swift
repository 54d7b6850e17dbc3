import Compute
import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("The noise model")
struct NoiseModelTests {
    let geometry = ImageGeometry.pcsmo
    let stream = RandomStream(seed: 11)

    func flat(_ values: [Float] = [3]) -> Tensor<Float> {
        Tensor(
            shape: [values.count, 240, 400],
            elements: values.flatMap { Array(repeating: $0, count: 96000) })
    }

    func moments(_ x: [Float]) -> (mean: Double, variance: Double) {
        let mean = x.reduce(0.0) { $0 + Double($1) } / Double(x.count)
        return (mean, x.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(x.count))
    }

    @Test("without noise, mixes the domains and changes nothing else")
    func none() throws {
        let image = try NoiseModel.none.measured(flat([1, 5]), geometry: geometry, mask: nil, stream: stream)
        #expect(image.elements.allSatisfy { $0 == 3 })
    }

    /// Standard errors over 96,000 pixels: mean σ/310, variance √(2/96000) = 0.46 %; five of them.
    @Test("counting noise has variance α² (gain I + floor) / exposure", arguments: [0.25, 1, 4])
    func counting(exposure: Double) throws {
        var model = NoiseModel.none
        model.noiseScale = 1.5...1.5
        model.exposure = exposure
        let image = try model.measured(flat(), geometry: geometry, mask: nil, stream: stream)
        let (mean, variance) = moments(image.elements)
        let expected = 1.5 * 1.5 * (0.15 * 3 + 0.4) / exposure
        #expect(abs(mean - 3) < 5 * (expected / 96000).squareRoot())
        #expect(abs(variance / expected - 1) < 5 * 0.0046)
    }

    @Test("the same address gives the same image, another address another one")
    func deterministic() throws {
        let model = NoiseModel()
        let a = try model.measured(flat([1, 4]), geometry: geometry, mask: nil, stream: stream)
        #expect(try model.measured(flat([1, 4]), geometry: geometry, mask: nil, stream: stream) == a)
        let other = stream.substream("sample", 1)
        #expect(try model.measured(flat([1, 4]), geometry: geometry, mask: nil, stream: other) != a)
    }

    @Test("masked pixels are zero, all others lie within the clip range")
    func masked() throws {
        var model = NoiseModel()
        model.clip = 0.5...2
        (model.deadPixels, model.deadTubes) = (0, 0)
        let mask = try CoverageMask(coverage: .maps, geometry: geometry)
        let image = try model.measured(flat([1, 4]), geometry: geometry, mask: mask, stream: stream)
        for (value, masked) in zip(image.elements, mask.masked.elements) {
            let good = masked == 1 ? value == 0 : value >= 0.5 && value <= 2
            #expect(good)
            if !good { return }
        }
    }

    /// Means of 4,000 draws of standard deviation s lie within 5 s/63; variances within 5 · √2/63 = 11 %.
    @Test("the nuisances have the stated distributions")
    func nuisances() throws {
        let model = NoiseModel()
        let draws = try (0..<4000).map {
            try model.draw(stream: stream.substream("sample", $0), domains: 2, geometry: geometry)
        }
        func check(_ name: String, mean: Double, sigma: Double, _ value: (NoiseModel.Draw) -> Double) {
            let (m, v) = moments(draws.map { Float(value($0)) })
            #expect(abs(m - mean) < 5 * sigma / 63, "\(name)")
            #expect(abs(v / (sigma * sigma) - 1) < 0.12, "\(name)")
        }
        let uniform = 1 / 12.0.squareRoot()
        check("twin fraction", mean: 0.5, sigma: 0.2 * uniform) { $0.fractions[0] }
        check("background", mean: -0.3, sigma: 0.6 * uniform) { $0.background }
        check("noise scale", mean: 1.25, sigma: 1.5 * uniform) { $0.noiseScale }
        check("scale", mean: 0, sigma: 0.2) { log($0.scale) }
        check("setting scale", mean: 0, sigma: 0.25) { log($0.settingScales[5]) }
        check("panel residual", mean: 0, sigma: 0.3) { $0.panelResiduals[2][7] }
        check("slope", mean: 0, sigma: 0.1) { $0.slopes[0] }
        #expect(draws.allSatisfy { abs($0.fractions.reduce(0, +) - 1) < 1e-15 })
        let tubes = Double(draws.reduce(0) { $0 + $1.deadTubes.count }) / 4000
        #expect(abs(tubes - 0.5) < 5 * 0.707 / 63)
        // Independent of each other: correlation within 5/√4000.
        let product = draws.reduce(0.0) { $0 + log($1.scale) * $1.panelResiduals[0][0] } / 4000
        #expect(abs(product / (0.2 * 0.3)) < 5 / 63)
    }

    @Test("the mean over unmasked pixels is the measurement's")
    func meanIntensity() throws {
        var model = NoiseModel.none
        model.meanIntensity = 2.7
        model.background = 0.6...0.6
        let mask = try CoverageMask(coverage: .maps, geometry: geometry)
        var image = flat([1, 1])
        // Intensity behind the mask must not count.
        for pixel in 0..<96000 where mask.masked.elements[pixel] == 1 { image.elements[pixel] = 1000 }
        let measured = try model.measured(image, geometry: geometry, mask: mask, stream: stream)
        #expect(abs(measured.elements[20 * 400 + 5] - 2.7) < 1e-5 || mask.masked.elements[20 * 400 + 5] == 1)
        #expect(abs(moments(measured.elements).mean / (1 - mask.maskedFraction) - 2.7) < 1e-4)
    }

    @Test("panel residuals and slopes move whole panels")
    func residuals() throws {
        var model = NoiseModel.none
        (model.panelResidual, model.slopeResidual) = (0.3, 0.2)
        let image = try model.measured(flat(), geometry: geometry, mask: nil, stream: stream)
        let draw = try model.draw(stream: stream, domains: 1, geometry: geometry)
        for (setting, bin) in [(0, 0), (3, 9), (5, 4)] {
            let x = 2 * Double(bin) / 9 - 1
            let expected = 3 + draw.panelResiduals[setting][bin] + draw.slopes[setting] * x
            #expect(abs(Double(image[setting * 40 + 3, bin * 40 + 39]) - expected) < 1e-6)
        }
    }

    @Test("dead pixels and tubes are zero")
    func dead() throws {
        var model = NoiseModel.none
        model.deadPixels = 0.1
        let image = try model.measured(flat(), geometry: geometry, mask: nil, stream: stream)
        let zeros = Double(image.elements.filter { $0 == 0 }.count) / 96000
        // Binomial: five times √(0.09/96000).
        #expect(abs(zeros - 0.1) < 5 * 0.00097)

        model.deadPixels = 0
        model.deadTubes = 3
        let tubes = try model.measured(flat(), geometry: geometry, mask: nil, stream: stream)
        let angles = try model.draw(stream: stream, domains: 1, geometry: geometry).deadTubes
        for pixel in stride(from: 0, to: 96000, by: 7) {
            let place = geometry.pixel(row: pixel / 400, column: pixel % 400)
            guard let angle = geometry.detectorAngles(of: place)?.h else { continue }
            let dead = angles.contains { abs($0 - angle) <= 0.25 }
            #expect((tubes.elements[pixel] == 0) == dead)
        }
    }

    @Test("parameters without meaning are refused")
    func refusals() {
        var model = NoiseModel()
        model.exposure = 0
        #expect(throws: InstrumentError.invalid("exposure", problem: "must be positive")) { try model.validate() }
        model = NoiseModel()
        model.background = 0...0.6
        model.meanIntensity = 0.5
        #expect(throws: InstrumentError.self) { try model.validate() }
        model = NoiseModel()
        model.gain = -1
        #expect(throws: InstrumentError.self) { try model.validate() }
        #expect(throws: InstrumentError.self) {
            try NoiseModel().measured(
                Tensor(shape: [240, 400], repeating: 1), geometry: geometry, mask: nil, stream: stream)
        }
    }
}
