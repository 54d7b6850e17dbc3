import Compute
import Foundation
import Testing

@testable import Instruments

@Suite("Triple-axis resolution")
struct TripleAxisTests {
    static let minute = 1.0 / 60

    /// The instrument of neutronpy's test (tests/test_resolution_tas.py): graphite, 14.7 meV, 40' and 120', mosaic 25'.
    static let graphite = TripleAxis(
        monochromator: .init(spacing: 2 * Double.pi / 1.87325, mosaic: 25 * minute),
        analyser: .init(spacing: 2 * Double.pi / 1.87325, mosaic: 25 * minute),
        collimation: [Double](repeating: 40 * minute, count: 4),
        verticalCollimation: [Double](repeating: 120 * minute, count: 4))

    /// neutronpy pins this matrix, in 1/Å; it takes k² = 0.4826 E where we have 0.48259, hence 1e-4.
    @Test("has the matrix of the neutronpy program")
    func neutronpy() throws {
        let m = try Self.graphite.resolution(incidentEnergy: 14.7, finalEnergy: 14.7, momentum: 2 * Double.pi / 6)
            .matrix
        let pinned: [(Int, Double)] = [
            (0, 9154.39386475516), (5, 340628.383580632), (7, -32536.7077302429), (10, 634.724632931705),
            (13, -32536.7077302429), (15, 3114.58144514260),
        ]
        for (place, value) in pinned { #expect(abs(m[place] / value - 1) < 1e-4, "\(place): \(m[place])") }
        for place in [1, 2, 3, 4, 6, 8, 9, 11, 12, 14] { #expect(abs(m[place]) < 1e-6 * 340628) }
    }

    static let uneven: TripleAxis = {
        var x = TripleAxis(
            monochromator: .init(spacing: 3.3542, mosaic: 30 * minute, verticalMosaic: 50 * minute),
            analyser: .init(spacing: 2.4, mosaic: 45 * minute, verticalMosaic: 20 * minute),
            collimation: [30, 40, 60, 80].map { $0 * minute },
            verticalCollimation: [60, 90, 120, 100].map { $0 * minute },
            senses: [.right, .left, .left])
        x.sampleMosaic = 20 * minute
        x.verticalSampleMosaic = 40 * minute
        return x
    }()

    /// σ(k)/k = cot θ √((α0²α1² + α0²η² + α1²η²) / (α0² + α1² + 4η²)) for each arm; B. Dorner, Acta Cryst. A 28 (1972) 319.
    @Test("the vanadium width follows from the spread of each wavevector")
    func vanadium() throws {
        let x = Self.uneven
        let (ei, ef) = (20.0, 14.0)
        func spread(_ crystal: TripleAxis.Crystal, _ energy: Double, _ a: Double, _ b: Double) -> Double {
            let k = Neutron.wavevector(energy: energy)
            let theta = asin(Double.pi / crystal.spacing / k)
            let (p, q, n) = (a * a, b * b, crystal.mosaic * crystal.mosaic)
            let width = ((p * q + p * n + q * n) / (p + q + 4 * n)).squareRoot() * Double.pi / 180
            return 2 * energy / tan(theta) * width
        }
        let before = spread(x.monochromator, ei, x.collimation[0], x.collimation[1])
        let after = spread(x.analyser, ef, x.collimation[2], x.collimation[3])
        let fwhm = try x.resolution(incidentEnergy: ei, finalEnergy: ef, momentum: 2).vanadiumFWHM
        #expect(abs(fwhm / (before * before + after * after).squareRoot() - 1) < 1e-12)
    }

    @Test("mosaic of the sample widens across Q and up, by η|Q|, and nothing else")
    func sampleMosaic() throws {
        var perfect = Self.uneven
        (perfect.sampleMosaic, perfect.verticalSampleMosaic) = (0, 0)
        let a = try Self.uneven.resolution(incidentEnergy: 20, finalEnergy: 14, momentum: 2).covariance
        let b = try perfect.resolution(incidentEnergy: 20, finalEnergy: 14, momentum: 2).covariance
        for place in 0..<16 {
            let mosaic = [5: 20.0, 10: 40.0][place].map { $0 / 60 * Double.pi / 180 * 2 / Neutron.fwhmPerSigma } ?? 0
            #expect(abs(a[place] - b[place] - mosaic * mosaic) < 1e-15)
        }
    }

    @Test("a mirror of the whole instrument mirrors Q⊥, and the matrix is the covariance's inverse")
    func mirror() throws {
        var other = Self.uneven
        other.senses = other.senses.map { $0 == .left ? .right : .left }
        let a = try Self.uneven.resolution(incidentEnergy: 20, finalEnergy: 14, momentum: 2)
        let b = try other.resolution(incidentEnergy: 20, finalEnergy: 14, momentum: 2)
        for row in 0..<4 {
            for column in 0..<4 {
                let sign = (row == 1) == (column == 1) ? 1.0 : -1
                let (p, q) = (a.covariance[row * 4 + column], b.covariance[row * 4 + column])
                #expect(abs(p - sign * q) < 1e-14)
                let product = (0..<4).reduce(0.0) { $0 + a.matrix[row * 4 + $1] * a.covariance[$1 * 4 + column] }
                // Elements of the matrix reach 1e5, of the covariance 0.3.
                #expect(abs(product - (row == column ? 1 : 0)) < 1e-9)
            }
        }
    }

    @Test("what cannot be reached is said")
    func errors() {
        #expect(throws: InstrumentError.self) {
            try Self.graphite.resolution(incidentEnergy: 14.7, finalEnergy: 14.7, momentum: 6)
        }
        // Graphite's 2d is 6.7 Å: nothing below 1.8 meV.
        #expect(throws: InstrumentError.self) {
            try Self.graphite.resolution(incidentEnergy: 1.7, finalEnergy: 1.7, momentum: 0.5)
        }
        #expect(throws: InstrumentError.self) {
            var x = Self.graphite
            x.collimation = [1, 1]
            _ = try x.resolution(incidentEnergy: 14.7, finalEnergy: 14.7, momentum: 1)
        }
    }

    /// Neutrons are followed with exact Bragg reflection from tilted crystallites in three dimensions, and weighted by the
    /// second collimator of each arm.
    @Test(
        "agrees with neutrons followed through collimators and crystallites",
        arguments: [[TripleAxis.Sense.right, .left, .left], [.left, .left, .left], [.right, .left, .right]])
    func rayTrace(senses: [TripleAxis.Sense]) throws {
        var x = Self.uneven
        x.senses = senses
        let (ei, ef, q) = (20.0, 14.0, 2.0)
        let (ki, kf) = (Neutron.wavevector(energy: ei), Neutron.wavevector(energy: ef))
        var random = RandomSequence(RandomStream(seed: 3))
        let radian = Double.pi / 180 / Neutron.fwhmPerSigma

        /// Wavevector at the sample in the frame of the nominal one, and its weight. From the sample, the analyser's arm
        /// is followed backwards, from the detector.
        func arm(_ crystal: TripleAxis.Crystal, _ k: Double, _ sense: Double, far: Int, near: Int) -> (
            SIMD3<Double>, Double
        ) {
            let theta = sense * asin(Double.pi / crystal.spacing / k)
            // The far direction, turned by −2θ from the near one, which is x.
            let (g, d) = (
                random.normal() * x.collimation[far] * radian, random.normal() * x.verticalCollimation[far] * radian
            )
            let u = SIMD3(cos(g - 2 * theta) * cos(d), sin(g - 2 * theta) * cos(d), sin(d))
            // The planes' normal bisects: perpendicular to the plane at angle −θ; tilted by the mosaic.
            let tilt = random.normal() * crystal.mosaic * radian
            let lean = random.normal() * crystal.verticalMosaic * radian
            let sign = theta > 0 ? 1.0 : -1
            let a = -theta + sign * Double.pi / 2 + tilt
            let n = SIMD3(cos(a) * cos(lean), sin(a) * cos(lean), sin(lean))
            let length = 2 * Double.pi / crystal.spacing
            let wave = -length / (2 * (u * n).sum())
            let out = u * wave + n * length
            let (gamma, delta) = (atan2(out.y, out.x), asin(out.z / wave))
            let (p, r) = (x.collimation[near] * radian, x.verticalCollimation[near] * radian)
            return (out, exp(-0.5 * (gamma * gamma / (p * p) + delta * delta / (r * r))))
        }

        let angle = acos((ki * ki + kf * kf - q * q) / (2 * ki * kf))
        let phi = atan2(-kf * sin(angle), ki - kf * cos(angle))
        var (total, mean) = (0.0, [Double](repeating: 0, count: 4))
        var draws: [(Double, [Double])] = []
        for _ in 0..<200_000 {
            let (first, w1) = arm(x.monochromator, ki, Double(x.senses[0].rawValue), far: 0, near: 1)
            // Backwards in time the turn at the analyser is the other way round.
            let (back, w2) = arm(x.analyser, kf, -Double(x.senses[2].rawValue), far: 3, near: 2)
            let second = SIMD3(
                cos(angle) * back.x - sin(angle) * back.y, sin(angle) * back.x + cos(angle) * back.y, back.z)
            let Q = first - second
            let energy = Neutron.energyPerWavevectorSquared * ((first * first).sum() - (second * second).sum())
            let mosaic = SIMD2(random.normal() * x.sampleMosaic, random.normal() * x.verticalSampleMosaic) * radian * q
            let value = [
                Q.x * cos(phi) + Q.y * sin(phi) - q, -Q.x * sin(phi) + Q.y * cos(phi) + mosaic.x, Q.z + mosaic.y,
                energy - (ei - ef),
            ]
            draws.append((w1 * w2, value))
            total += w1 * w2
            for n in 0..<4 { mean[n] += w1 * w2 * value[n] }
        }
        let expected = try x.resolution(incidentEnergy: ei, finalEnergy: ef, momentum: q).covariance
        for a in 0..<4 {
            for b in 0...a {
                let sum = draws.reduce(0.0) {
                    $0 + $1.0 * ($1.1[a] - mean[a] / total) * ($1.1[b] - mean[b] / total)
                }
                // Some 50 000 effective neutrons: 0.6 % of the widths for one standard error, and half a per cent of
                // curvature that the linear theory leaves out.
                let scale = (expected[a * 5] * expected[b * 5]).squareRoot()
                #expect(abs(sum / total - expected[a * 4 + b]) < 0.03 * scale, "\(a), \(b)")
            }
        }
    }
}
