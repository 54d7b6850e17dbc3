import Compute
import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("Backgrounds")
struct BackgroundTests {
    let stream = RandomStream(seed: 21)
    let geometry = ImageGeometry.pcsmo

    private func image(_ change: (inout Backgrounds) -> Void) throws -> Backgrounds.Image {
        var backgrounds = Backgrounds()
        change(&backgrounds)
        try backgrounds.validate()
        return backgrounds.image(backgrounds.draw(stream: stream, geometry: geometry), geometry: geometry)
    }

    /// Row of a setting's (h, k) nearest to 0.3, 0.4, in each energy bin; Ei = 50 meV.
    private func pixel(bin: Int, h: Int = 14, k: Int = 28) -> Int { (2 * 40 + h) * 400 + bin * 40 + k }

    @Test(
        "the environment falls exponentially along energy, the elastic tail as a Lorentzian, in every direction alike")
    func alongEnergy() throws {
        let smooth = try image {
            $0.environment = 2...2
            $0.environmentDecay = 0.5...0.5
        }
        let tail = try image {
            $0.elasticTail = 3...3
            $0.elasticWidth = 0.05...0.05
        }
        for bin in 0..<10 {
            let x = 0.13 + 0.06 * Double(bin)
            // Closed forms of the documentation; ten roundings.
            #expect(abs(smooth.holder[pixel(bin: bin)] - 2 * exp(-x / 0.5)) < 1e-14)
            #expect(abs(tail.holder[pixel(bin: bin)] - 3 * (0.01 + 0.0025) / (x * x + 0.0025)) < 1e-13)
            #expect(smooth.holder[pixel(bin: bin)] == smooth.holder[pixel(bin: bin, h: 20, k: 9)])
        }
        #expect(smooth.sample.allSatisfy { $0 == 0 })
    }

    @Test("incoherent scattering is alike in all directions and goes as kf/ki")
    func incoherent() throws {
        let image = try image { $0.incoherent = 1...1 }
        for bin in [0, 4, 9] {
            let x = 0.13 + 0.06 * Double(bin)
            #expect(abs(image.sample[pixel(bin: bin)] - (1 - x).squareRoot()) < 1e-14)
            #expect(image.sample[pixel(bin: bin)] == image.sample[pixel(bin: bin, h: 25, k: 11)])
        }
        // Ei = 25 meV less 67 % leaves kf = 2.0 1/Å; (2, 2) needs 3.3 1/Å across the beam.
        var wide = geometry
        wide.h = .init(count: 40, minimum: -2, maximum: 2)
        wide.k = .init(count: 40, minimum: -2, maximum: 2)
        var backgrounds = Backgrounds()
        (backgrounds.incoherent, backgrounds.environment) = (1...1, 1...1)
        let all = backgrounds.image(backgrounds.draw(stream: stream, geometry: wide), geometry: wide)
        #expect(all.sample[9 * 40] == 0 && all.holder[9 * 40] == 0 && all.sample[20 * 400 + 9 * 40 + 20] > 0)
    }

    @Test("phonons go as Q² times a band that follows |sin(π Q/τ)|, at 2 1/Å as high as stated")
    func phonons() throws {
        let top = 30.0
        let image = try image {
            $0.phonons = 4...4
            $0.phononEnergy = top...top
            $0.temperature = 100
        }
        func occupied(_ energy: Double) -> Double { energy / (1 - exp(-energy / (Neutron.boltzmann * 100))) }
        for (row, column) in [(210, 30), (215, 130), (230, 250), (60, 75), (100, 222)] {
            let place = geometry.pixel(row: row, column: column)
            // |Q| by the way of l.
            let l = try #require(
                geometry.l(incidentEnergy: place.incidentEnergy, energy: place.energy, h: place.h, k: place.k))
            let z = 2 * Double.pi * l / geometry.lattice[2]
            let q2 = geometry.inPlaneSquared(h: place.h, k: place.k) + z * z
            let band = top * abs(sin(Double.pi * q2.squareRoot() / 2.687))
            let distance = (place.energy - band) / (0.3 * top)
            let expected =
                4 * q2 / 4 * occupied(place.energy) / occupied(top) * exp(-distance * distance / 2)
            #expect(abs(image.holder[row * 400 + column] - expected) < 1e-12 * max(expected, 1))
        }
    }

    @Test("gain and loss of energy are in detailed balance, and nothing is gained at 0 K", arguments: [0.0, 5, 300])
    func detailedBalance(temperature: Double) throws {
        let geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: 40, chopperFrequency: 200)],
            energyBins: .init(count: 3, from: -0.3, to: 0.3), h: .init(count: 3, minimum: -0.1, maximum: 0.1),
            k: .init(count: 3, minimum: -0.1, maximum: 0.1), lattice: [5, 5, 10], magneticScale: [1, 1, 1])
        var backgrounds = Backgrounds()
        backgrounds.phonons = 1...1
        backgrounds.temperature = temperature
        let image = backgrounds.image(
            backgrounds.draw(stream: stream, geometry: geometry), geometry: geometry
        ).holder
        func reduced(_ bin: Int) throws -> Double {
            let place = geometry.pixel(row: 1, column: bin * 3 + 1)
            let l = try #require(geometry.l(incidentEnergy: 40, energy: place.energy, h: place.h, k: place.k))
            let q = 2 * Double.pi * abs(l) / geometry.lattice[2]
            let top = backgrounds.draw(stream: stream, geometry: geometry).phononEnergy
            let distance = (abs(place.energy) - top * abs(sin(Double.pi * q / 2.687))) / (0.3 * top)
            return image[9 + bin * 3 + 1] / (q * q * exp(-distance * distance / 2))
        }
        let ratio = try reduced(0) / reduced(2)
        let expected = temperature == 0 ? 0 : exp(-8 / (Neutron.boltzmann * temperature))
        #expect(abs(ratio - expected) < 1e-12)
        // E (n + 1) is k_B T at the elastic line: finite.
        #expect(image.allSatisfy { $0.isFinite })
    }

    @Test("a Bragg tail stands where it was put, decays along energy, and is as wide as stated")
    func braggTail() throws {
        var backgrounds = Backgrounds()
        let draw = {
            var draw = Backgrounds().draw(stream: stream, geometry: geometry)
            draw.braggTails = [
                .init(place: SIMD2(0, 1), width: 0.1, extent: 0.2, amplitudes: [Double](repeating: 5, count: 6))
            ]
            return draw
        }()
        backgrounds.braggTails = 1
        let image = backgrounds.image(draw, geometry: geometry)
        // Ei = 140 meV: everything is within reach. Second moment along h of the streak at k = 1 against σ² + step²/12:
        // the sum over whole pixels of a Gaussian of two pixels' width is exact to 1e-8; the cut at 5σ takes 1.5e-5.
        let step = geometry.h.step
        let column = 39
        let profile = (0..<40).map { image.sample[(200 + $0) * 400 + column] }
        let places = (0..<40).map { geometry.h.centre(39 - $0) }
        let sum = profile.reduce(0, +)
        let second = zip(profile, places).reduce(0) { $0 + $1.0 * $1.1 * $1.1 } / sum
        #expect(abs(second / (0.01 + step * step / 12) - 1) < 1e-4)
        #expect(abs(zip(profile, places).reduce(0) { $0 + $1.0 * $1.1 } / sum) < 1e-12)
        // Six hundredths of Ei a bin.
        let row = 219 * 400
        let along: [Double] = (0..<10).map { image.sample[row + $0 * 40 + 39] }
        for bin in 1..<10 { #expect(abs(along[bin] / along[bin - 1] - exp(-0.06 / 0.2)) < 1e-12) }
        #expect(image.sample[row + 5] == 0)
    }

    /// 2,000 draws of a Poisson mean of 3; five standard errors.
    @Test("Bragg tails are drawn at whole (h, k), never at (0, 0), as many as stated")
    func braggDraws() {
        var backgrounds = Backgrounds()
        backgrounds.braggTails = 3
        let draws = (0..<2000).map { backgrounds.draw(stream: stream.substream("sample", $0), geometry: geometry) }
        let count = draws.reduce(0.0) { $0 + Double($1.braggTails.count) } / 2000
        #expect(abs(count - 3) < 5 * (3.0 / 2000).squareRoot())
        let places = Set(draws.flatMap { $0.braggTails.map(\.place) })
        #expect(places.count == 8)
        #expect(!places.contains(SIMD2(0, 0)))
        backgrounds.braggPoints = [SIMD2(0.5, 0.5)]
        let one = backgrounds.draw(stream: stream, geometry: geometry)
        #expect(one.braggTails.allSatisfy { $0.place == SIMD2(0.5, 0.5) && $0.amplitudes.count == 6 })
    }

    private func holderModel() -> NoiseModel {
        var model = NoiseModel.none
        model.backgrounds.environment = 2...2
        model.backgrounds.environmentDecay = 1000...1000
        model.backgrounds.phonons = 1...1
        return model
    }

    /// Float rounding of the image.
    @Test("a perfect subtraction without noise gives the image back; a factor of 1.1 leaves a tenth, negative")
    func subtraction() throws {
        let image = Tensor<Float>(shape: [1, 240, 400], repeating: 3)
        var model = holderModel()
        let with = try model.measured(image, geometry: geometry, mask: nil, stream: stream)
        model.backgrounds.subtraction = 1...1
        let right = try model.measured(image, geometry: geometry, mask: nil, stream: stream)
        #expect(right.elements.allSatisfy { abs($0 - 3) < 1e-5 })
        model.backgrounds.subtraction = 1.1...1.1
        let wrong = try model.measured(image, geometry: geometry, mask: nil, stream: stream)
        let left = zip(with.elements, wrong.elements).allSatisfy { abs($1 - (3 - 0.1 * ($0 - 3))) < 1e-5 }
        #expect(left)
        #expect(with.elements.contains { $0 > 4.5 })
    }

    /// Variance's standard error √(2/96000); five of them, widened by the skewness of counts.
    @Test("the empty holder's own counts add their variance", arguments: CountingStatistics.allCases)
    func noiseOfSubtraction(statistics: CountingStatistics) throws {
        let geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: 200, chopperFrequency: 200)],
            energyBins: .init(count: 1, from: 0.1, to: 0.2), h: .init(count: 300, minimum: -1, maximum: 1),
            k: .init(count: 320, minimum: -1, maximum: 1), lattice: [5, 5, 10], magneticScale: [1, 1, 1])
        var model = NoiseModel.none
        model.statistics = statistics
        model.noiseScale = 1...1
        (model.gain, model.floor) = (0.2, 0)
        model.backgrounds.environment = 2...2
        model.backgrounds.environmentDecay = 1e6...1e6
        model.backgrounds.subtraction = 0.9...0.9
        model.backgrounds.emptyExposure = 0.5
        let image = Tensor<Float>(shape: [1, 300, 320], repeating: 3)
        let x = try model.measured(image, geometry: geometry, mask: nil, stream: stream).elements.map { Double($0) }
        let mean = x.reduce(0, +) / 96000
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 96000
        let expected = 0.2 * 5 + 0.81 * 0.2 * 2 / 0.5
        #expect(abs(mean - 3.2) < 5 * (expected / 96000).squareRoot())
        #expect(abs(variance / expected - 1) < 5 * (2.2 / 96000).squareRoot())
    }

    @Test("parameters without meaning are refused")
    func refusals() {
        func refused(_ change: (inout Backgrounds) -> Void) {
            var model = NoiseModel()
            change(&model.backgrounds)
            #expect(throws: InstrumentError.self) { try model.validate() }
        }
        refused { $0.environment = -1...1 }
        refused { $0.elasticWidth = 0...0.1 }
        refused { $0.temperature = -1 }
        refused { $0.emptyExposure = -1 }
        refused { $0.braggTails = 2000 }
    }
}
