import Foundation
import Testing

@testable import Instruments

/// The linear deviations against flights computed exactly from times and places.
@Suite("Deviations of the flight")
struct DeviationTests {
    /// Scattered upwards as well as sideways.
    static let direction = SIMD3(cos(0.5), sin(0.5) * 0.8, sin(0.5) * 0.6)

    static let disks: Instrument = {
        var x = ResolutionDrawsTests.disks
        x.sample = .plate([0.01, 0.02, 0.03])
        x.timeChannel = 5e-6
        return x
    }()

    /// (Q, E) of a neutron that leaves the shaping disk and the last one at some times (s, against nominal), in a
    /// direction (rad), scatters at a place (m) and is absorbed at another after a time.
    private func flight(
        _ x: Instrument, ki: Double, kf: Double, shaping: Double = 0, last: Double = 0, turn: SIMD2<Double> = .zero,
        place: SIMD3<Double> = .zero, absorbed: SIMD3<Double> = .zero, channel: Double = 0
    ) -> SIMD4<Double> {
        guard case .disks(let pair) = x.chopper else { return .zero }
        let perWavevector = Neutron.speedPerWavevector
        let distance = x.moderatorToChopper - pair.moderatorToShaping
        let (vi, vf) = (perWavevector * ki, perWavevector * kf)
        let speed = distance / (distance / vi + last - shaping)
        // Times from the nominal passage of the last disk.
        let scattered = last + (x.chopperToSample + place.x) / speed
        let detected = x.chopperToSample / vi + x.sampleToDetector / vf + channel
        let n = Self.direction
        let flat = (n.x * n.x + n.y * n.y).squareRoot()
        let across = SIMD3(-n.y / flat, n.x / flat, 0)
        let up = SIMD3(
            n.y * across.z - n.z * across.y, n.z * across.x - n.x * across.z, n.x * across.y - n.y * across.x)
        let end = n * (x.sampleToDetector + absorbed.x) + across * absorbed.y + up * absorbed.z
        let path = end - place
        let final = path / (detected - scattered) / perWavevector
        let incident = SIMD3(1, turn.x, turn.y) * (speed / perWavevector)
        let Q = incident - final
        let squares = speed * speed / (perWavevector * perWavevector) - (final * final).sum()
        return SIMD4(Q, Neutron.energyPerWavevectorSquared * squares)
    }

    @Test("with disks are the derivatives of the exact flight")
    func diskFlight() throws {
        let x = Self.disks
        let (energy, transfer, frequency) = (3.7, 1.0, 240.0)
        let (ki, kf) = (Neutron.wavevector(energy: energy), Neutron.wavevector(energy: energy - transfer))
        let rows = try x.deviations(
            incidentEnergy: energy, frequency: frequency, energy: transfer, direction: Self.direction)
        guard case .disks(let pair) = x.chopper else { return }
        let absorbed = x.detector.variances(finalEnergy: energy - transfer)
        let source = x.pulseSource(incidentEnergy: energy, frequency: frequency)
        let radian = Double.pi / 180 / Neutron.fwhmPerSigma
        typealias Part = Instrument.Contribution
        let flights: [(Part, Double, (Double) -> SIMD4<Double>)] = [
            (.moderator, source.variance.squareRoot(), { flight(x, ki: ki, kf: kf, shaping: $0) }),
            (.chopper, pair.last.variance(frequency: frequency).squareRoot(), { flight(x, ki: ki, kf: kf, last: $0) }),
            (.sampleAlong, 0.01 / 12.0.squareRoot(), { flight(x, ki: ki, kf: kf, place: SIMD3($0, 0, 0)) }),
            (.sampleAcross, 0.02 / 12.0.squareRoot(), { flight(x, ki: ki, kf: kf, place: SIMD3(0, $0, 0)) }),
            (.sampleUp, 0.03 / 12.0.squareRoot(), { flight(x, ki: ki, kf: kf, place: SIMD3(0, 0, $0)) }),
            (.detectorDepth, absorbed.x.squareRoot(), { flight(x, ki: ki, kf: kf, absorbed: SIMD3($0, 0, 0)) }),
            (.detectorAcross, absorbed.y.squareRoot(), { flight(x, ki: ki, kf: kf, absorbed: SIMD3(0, $0, 0)) }),
            (.detectorUp, absorbed.z.squareRoot(), { flight(x, ki: ki, kf: kf, absorbed: SIMD3(0, 0, $0)) }),
            (.timeChannel, 5e-6 / 12.0.squareRoot(), { flight(x, ki: ki, kf: kf, channel: $0) }),
            (.divergenceAcross, 0.8 * radian, { flight(x, ki: ki, kf: kf, turn: SIMD2($0, 0)) }),
            (.divergenceUp, 1.1 * radian, { flight(x, ki: ki, kf: kf, turn: SIMD2(0, $0)) }),
        ]
        for (part, sigma, flight) in flights {
            guard let index = Part.allCases.firstIndex(of: part) else { continue }
            let step = 1e-3
            let derivative = (flight(step * sigma) - flight(-step * sigma)) / (2 * step)
            for n in 0..<4 {
                // Central differences leave step²; Neutron's two constants of energy and speed agree to 1e-6.
                let scale = (derivative * derivative).sum().squareRoot()
                #expect(abs(rows[index][n] - derivative[n]) < 1e-5 * scale, "\(part) \(n)")
            }
        }
    }

    @Test("mosaic widens across Q by η|Q|, and not along it")
    func mosaic() throws {
        var x = Instrument.maps
        let plain = try x.covariance(incidentEnergy: 70, frequency: 250, energy: 20, direction: Self.direction)
        x.mosaic = 1.5
        let wide = try x.covariance(incidentEnergy: 70, frequency: 250, energy: 20, direction: Self.direction)
        let q = SIMD3(Neutron.wavevector(energy: 70), 0, 0) - Self.direction * Neutron.wavevector(energy: 50)
        let length = (q * q).sum()
        let variance = pow(1.5 * Double.pi / 180 / Neutron.fwhmPerSigma, 2)
        for a in 0..<4 {
            for b in 0..<4 {
                let across =
                    a < 3 && b < 3 ? variance * ((a == b ? length : 0) - q[a] * q[b]) : 0
                #expect(abs(wide[a * 4 + b] - plain[a * 4 + b] - across) < 1e-15)
            }
        }
        x.without = [.mosaic]
        let without = try x.covariance(incidentEnergy: 70, frequency: 250, energy: 20, direction: Self.direction)
        #expect(without == plain)
    }

    /// In both only times matter: PyChop's table width and the covariance differ in what they call a width of disks.
    @Test("straight ahead, the covariance's energy width is that of the time widths", arguments: [0.0, 20, 40])
    func straight(transfer: Double) throws {
        var x = Instrument.maps
        x.without = [.aperture, .sample]
        let fwhm = try x.energyFWHM(incidentEnergy: 70, frequency: 250, energy: transfer)
        let c = try x.covariance(
            incidentEnergy: 70, frequency: 250, energy: transfer, direction: SIMD3(1, 0, 0))
        #expect(abs(c[15].squareRoot() * Neutron.fwhmPerSigma / fwhm - 1) < 1e-5)
    }

    @Test("each part that is left out takes its deviations to zero, and the rest stays")
    func without() throws {
        let full = try Self.disks.deviations(
            incidentEnergy: 3.7, frequency: 240, energy: 1, direction: Self.direction)
        for part in Instrument.Part.allCases {
            var x = Self.disks
            x.without = [part]
            let rows = try x.deviations(incidentEnergy: 3.7, frequency: 240, energy: 1, direction: Self.direction)
            for (index, contribution) in Instrument.Contribution.allCases.enumerated() {
                #expect(rows[index] == (contribution.part == part ? .zero : full[index]))
            }
        }
    }
}
