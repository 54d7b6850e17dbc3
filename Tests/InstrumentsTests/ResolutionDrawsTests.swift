import Compute
import Foundation
import Testing

@testable import Instruments

@Suite("Monte Carlo draws of the resolution")
struct ResolutionDrawsTests {
    static let count = 60_000

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var instrument: Instrument
        var energy: Double
        var frequency: Double
        var transfer: Double
    }

    static let everything: Instrument = {
        var x = Instrument.maps
        x.moderator = .ikedaCarpenter(.scaled(depth: 0.05, slow: 25, energy: 200))
        x.sample = .cylinder(diameter: 0.02, height: 0.04)
        x.chopper = .fermi(FermiChopper(slit: 1.087e-3, radius: 49e-3, curvature: 1.3, jitter: 2e-6))
        x.timeChannel = 4e-6
        x.mosaic = 0.8
        return x
    }()

    static let disks: Instrument = {
        let slow = DiskChopper(slot: 0.04, guide: 0.04, radius: 0.29, disks: 2, frequencyRatio: 0.5)
        let last = DiskChopper(slot: 0.031, guide: 0.02, radius: 0.29, disks: 2)
        var x = Instrument(
            name: "disks", moderatorToChopper: 23.5, apertureToChopper: 23.5, chopperToSample: 1.5,
            sampleToDetector: 3.5,
            apertureWidth: 0, apertureHeight: 0, moderatorAngle: 0, moderator: .chiSquared(tau: 77.3, offset: 1.944),
            chopper: .disks(DiskPair(shaping: slow, moderatorToShaping: 7.83, last: last)),
            sample: .annulus(diameter: 0.02, height: 0.05),
            detector: .tube(HeliumTube(diameter: 0.025), pixelHeight: 0.025))
        x.divergence = SIMD2(0.8, 1.1)
        return x
    }()

    static let cases = [
        Case(testDescription: "MAPS", instrument: .maps, energy: 70, frequency: 250, transfer: 20),
        Case(testDescription: "MAPS before 2017", instrument: .mapsBefore2017, energy: 35, frequency: 200, transfer: 5),
        // γ above 1: the top of the opening is cut.
        Case(testDescription: "all parts", instrument: everything, energy: 50, frequency: 200, transfer: 10),
        Case(testDescription: "disks", instrument: disks, energy: 3.7, frequency: 240, transfer: 1),
    ]

    private static func draws(_ instrument: Instrument, _ energy: Double, _ frequency: Double, _ transfer: Double)
        throws -> [SIMD4<Double>]
    {
        let draws = try ResolutionDraws(
            instrument: instrument, incidentEnergy: energy, frequency: frequency, energy: transfer,
            direction: SIMD3(cos(0.4), sin(0.4) * 0.8, sin(0.4) * 0.6))
        let stream = RandomStream(seed: 7).substream("draws")
        return (0..<count).map { draws.draw(from: stream, at: $0) }
    }

    @Test("have mean zero and the analytic covariance", arguments: cases)
    func covariance(example: Case) throws {
        let draws = try Self.draws(example.instrument, example.energy, example.frequency, example.transfer)
        let expected = try example.instrument.covariance(
            incidentEnergy: example.energy, frequency: example.frequency, energy: example.transfer,
            direction: SIMD3(cos(0.4), sin(0.4) * 0.8, sin(0.4) * 0.6))
        let n = Double(Self.count)
        for a in 0..<4 {
            let mean = draws.reduce(0) { $0 + $1[a] } / n
            #expect(abs(mean) < 4.5 * (expected[a * 5] / n).squareRoot())
            for b in 0...a {
                let products = draws.map { $0[a] * $0[b] }
                let sample = products.reduce(0, +) / n
                let spread = products.reduce(0) { $0 + ($1 - sample) * ($1 - sample) } / n
                // Four and a half standard errors, taken from the draws themselves: one failure in 10⁵ by chance.
                #expect(abs(sample - expected[a * 4 + b]) < 4.5 * (spread / n).squareRoot(), "\(a), \(b)")
            }
        }
    }

    @Test("the moderator's part is as skew as its pulse")
    func skewness() throws {
        func skewness(_ moderator: Moderator) throws -> Double {
            var instrument = Instrument.maps
            instrument.moderator = moderator
            instrument.without = Set(Instrument.Part.allCases).subtracting([.moderator])
            let energies = try Self.draws(instrument, 70, 250, 0).map(\.w)
            let n = Double(energies.count)
            let variance = energies.reduce(0) { $0 + $1 * $1 } / n
            return energies.reduce(0) { $0 + $1 * $1 * $1 } / n / pow(variance, 1.5)
        }
        // A gamma distribution of shape 3 has 2/√3. Later emission at a fixed arrival means a faster incident neutron and a
        // larger transfer. The standard error of a skewness is √(6/n) = 0.01 for a Gaussian, some five times that here.
        #expect(abs(try skewness(.chiSquared(tau: 70)) - 2 / 3.0.squareRoot()) < 0.1)
        // Cumulants add: 6 τf³ from slowing down, and of B·Exp(τs) with P(B) = R: τs³ (6R − 6R² + 2R³).
        let (fast, slow, stored) = (5.0, 25.0, 0.13)
        let third = 6 * pow(fast, 3) + pow(slow, 3) * (6 * stored - 6 * stored * stored + 2 * pow(stored, 3))
        let second = 3 * fast * fast + stored * (2 - stored) * slow * slow
        let expected = third / pow(second, 1.5)
        let found = try skewness(.ikedaCarpenter(.fixed(fast: fast, slow: slow, stored: stored)))
        #expect(abs(found - expected) < 0.25, "\(found), not \(expected)")
    }

    @Test("the chopper's opening has the variance that RAL-94-025 gives", arguments: [0.2, 0.9, 1.5, 3.0])
    func opening(gamma: Double) {
        var (area, second) = (0.0, 0.0)
        let steps = 20_000
        for step in 0..<steps {
            let a = (Double(step) + 0.5) / Double(steps) - 0.5
            let open = FermiChopper.opening(a, mismatch: gamma)
            area += open
            second += open * a * a
        }
        let root = gamma.squareRoot()
        let expected =
            gamma <= 1
            ? (1 - pow(gamma, 4) / 10) / (1 - gamma * gamma / 6)
            : 0.6 * gamma * pow(root - 2, 2) * (root + 8) / (root + 4)
        // a counts in p / Rω, the formula in p / 2Rω; the midpoint rule is off by about 1/steps².
        #expect(abs(24 * second / area / expected - 1) < 1e-5)
        let whole =
            gamma <= 1 ? 1 - gamma * gamma / 6 : root * pow(root - 2, 2) * (root + 4) / 6
        #expect(abs(2 * area / Double(steps) / whole - 1) < 1e-5)
    }

    @Test("the same stream and index give the same neutron, in any order")
    func addressed() throws {
        let draws = try ResolutionDraws(
            instrument: .maps, incidentEnergy: 70, frequency: 250, energy: 20, direction: SIMD3(1, 0, 0))
        let stream = RandomStream(seed: 1)
        let forward = (0..<5).map { draws.draw(from: stream, at: $0) }
        #expect((0..<5).reversed().map { draws.draw(from: stream, at: $0) } == forward.reversed())
        #expect(Set(forward).count == 5)
    }
}
