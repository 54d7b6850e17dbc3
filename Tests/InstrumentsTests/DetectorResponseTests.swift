import Compute
import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("Detector response")
struct DetectorResponseTests {
    let stream = RandomStream(seed: 31)
    let geometry = ImageGeometry.pcsmo
    let flat = Tensor<Float>(shape: [1, 240, 400], repeating: 3)

    /// V. F. Sears, Neutron News 3(3) (1992) 26: 5333 barn at 1.798 Å; a gas of 101325 Pa / k_B 293.15 K.
    @Test("³He absorbs as 1/v, and twice the gas lets the square through")
    func helium() {
        let thin = DetectorResponse.heliumEfficiency(depth: 1e-6, finalEnergy: 81.8042103582802156 / (1.798 * 1.798))
        #expect(abs(thin / 1e-6 - 2.5035e19 * 5333e-24) < 1e-5 * 0.1335)
        for energy in [5.0, 25, 100] {
            let one = DetectorResponse.heliumEfficiency(depth: 10, finalEnergy: energy)
            let two = DetectorResponse.heliumEfficiency(depth: 20, finalEnergy: energy)
            #expect(abs((1 - two) - (1 - one) * (1 - one)) < 1e-14)
            let slow = DetectorResponse.heliumEfficiency(depth: 20, finalEnergy: energy / 4)
            #expect(abs((1 - slow) - (1 - two) * (1 - two)) < 1e-14)
        }
    }

    @Test("a known efficiency is divided out of the mean, and fast neutrons are noisier by it")
    func corrected() throws {
        var model = NoiseModel.none
        model.detectors.helium = 20...20
        let clean = try model.measured(flat, geometry: geometry, mask: nil, stream: stream)
        #expect(clean.elements.allSatisfy { abs($0 - 3) < 1e-5 })
        model.detectors.correctsHelium = false
        let raw = try model.measured(flat, geometry: geometry, mask: nil, stream: stream)
        func relative(_ energy: Double) -> Double {
            DetectorResponse.heliumEfficiency(depth: 20, finalEnergy: energy)
                / DetectorResponse.heliumEfficiency(depth: 20, finalEnergy: 25)
        }
        // First bin of 140 meV, last of 25.
        #expect(abs(Double(raw[220, 20]) - 3 * relative(140 * 0.87)) < 1e-5)
        #expect(abs(Double(raw[20, 380]) - 3 * relative(25 * 0.33)) < 1e-5)
        model.detectors.correctsHelium = true
        model.noiseScale = 1...1
        let noisy = try model.measured(flat, geometry: geometry, mask: nil, stream: stream)
        let panel = (0..<40).flatMap { i in (0..<40).map { Double(noisy[200 + i, $0]) } }
        let mean = panel.reduce(0, +) / 1600
        let variance = panel.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1599
        // Five standard errors, √(2/1600) = 3.5 %; the effect is a third.
        #expect(abs(variance / (0.85 / relative(140 * 0.87)) - 1) < 0.18)
        #expect(relative(140 * 0.87) < 0.8)
    }

    @Test("a wrong depth of gas leaves a slope of the ratio of efficiencies")
    func wrongDepth() throws {
        var model = NoiseModel.none
        model.detectors.helium = 10...30
        let drawn = try #require(try model.draw(stream: stream, domains: 1, geometry: geometry).detectors.helium)
        let image = try model.measured(flat, geometry: geometry, mask: nil, stream: stream)
        func relative(_ depth: Double, _ energy: Double) -> Double {
            DetectorResponse.heliumEfficiency(depth: depth, finalEnergy: energy)
                / DetectorResponse.heliumEfficiency(depth: depth, finalEnergy: 25)
        }
        let expected = 3 * relative(drawn, 140 * 0.87) / relative(20, 140 * 0.87)
        #expect(abs(Double(image[220, 20]) - expected) < 1e-5)
        #expect(abs(expected - 3) > 0.01)
    }

    /// 361 tubes: the deviation of their logarithms is known to 1/√722 = 3.7 %, the mean to s/19; five of each.
    @Test("tubes have log-normal efficiencies, the same for all energies")
    func tubes() throws {
        var model = NoiseModel.none
        model.detectors.tubeEfficiency = 0.1
        let tubes = try model.draw(stream: stream, domains: 1, geometry: geometry).detectors.tubes
        let logs = tubes.map { log($0) }
        let mean = logs.reduce(0, +) / Double(logs.count)
        let variance = logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(logs.count)
        #expect(abs(mean) < 5 * 0.1 / 19)
        #expect(abs(variance.squareRoot() / 0.1 - 1) < 5 * 0.037)
        let image = try model.measured(flat, geometry: geometry, mask: nil, stream: stream)
        // Every pixel, by the direct way: a fine ruler of angles between its edges, 1/500 of it in error at each edge, where
        // two tubes differ by 60 % at most.
        for pixel in stride(from: 0, to: 96000, by: 101) {
            let place = geometry.pixel(row: pixel / 400, column: pixel % 400)
            guard geometry.detectorAngles(of: place) != nil else { continue }
            let kf2 = (place.incidentEnergy - place.energy) / Neutron.energyPerWavevectorSquared
            let edges = [-1.0, 1].map { side -> Double in
                let h = place.h + side * geometry.h.step / 2
                let forward = kf2 - geometry.inPlaneSquared(h: h, k: place.k)
                return atan2(2 * Double.pi * h / 5.408, max(forward, 0).squareRoot()) * 180 / Double.pi
            }
            let step = (edges[1] - edges[0]) / 500
            let efficiencies = (0..<500).map { index -> Double in
                let angle = edges[0] + (Double(index) + 0.5) * step
                return tubes[Int((angle + 90) / 0.5)]
            }
            let expected = 3 * efficiencies.reduce(0, +) / 500
            #expect(abs(Double(image.elements[pixel]) - expected) < 3 * 0.6 * 2 / 500)
        }
    }

    @Test("parameters without meaning are refused")
    func refusals() {
        var model = NoiseModel()
        model.detectors.helium = 0...3
        #expect(throws: InstrumentError.invalid("helium", problem: "must be positive")) { try model.validate() }
        model = NoiseModel()
        model.detectors.tubeEfficiency = 0.1
        model.tubeWidth = 0
        #expect(throws: InstrumentError.self) { try model.validate() }
        model.detectors.tubeEfficiency = -0.1
        #expect(throws: InstrumentError.self) { try model.validate() }
    }
}
