import Compute
import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("Images by the instrument's own draws")
struct InstrumentDrawsTests {
    /// Two incident energies at frequencies that let them through.
    private static func geometry(turning: Bool = false, projection: [Double] = [1, 0, 0, 1]) throws -> ImageGeometry {
        var geometry = try SmallCases.geometry()
        geometry.settings = [
            .init(incidentEnergy: 30, chopperFrequency: 150), .init(incidentEnergy: 60, chopperFrequency: 250),
        ]
        if turning { geometry.scan = .rotation(l: -0.5...0.5, layers: 3) }
        geometry.projection = projection
        return geometry
    }

    private static func image(_ geometry: ImageGeometry, _ instrument: Instrument, twins: [Twin] = [.identity]) throws
        -> DetectorImage
    {
        try DetectorImage(
            geometry: geometry, resolution: ResolutionTable(instrument: instrument, geometry: geometry), twins: twins)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var instrument: Instrument
        var turning = false
        var projection = [1.0, 0, 0, 1]
        var twins: [Twin] = [.identity]
    }

    static let cases = [
        Case(
            testDescription: "MAPS, two domains", instrument: .maps,
            twins: [.identity, (try? Twin(inPlane: [0.6, -0.8, 0.8, 0.6])) ?? .identity]),
        Case(testDescription: "with a mosaic", instrument: ResolutionDrawsTests.everything),
        Case(testDescription: "along other axes", instrument: .mapsBefore2017, projection: [1, 1, -1, 1]),
        Case(testDescription: "turning", instrument: .maps, turning: true),
    ]

    /// With every contribution normal the draws are those of the covariance, which the kernel integrates.
    @Test("of normal deviations agree with the integrals within the stated errors", arguments: cases)
    func normal(example: Case) throws {
        let image = try Self.image(
            Self.geometry(turning: example.turning, projection: example.projection), example.instrument,
            twins: example.twins)
        let modes = try SmallCases.modes(24, 16)
        let exact = try image.image(of: modes)
        let pools = RandomStream(seed: 3)
        let draws = try InstrumentDraws(
            instrument: example.instrument, image: image, neutrons: 8192, stream: pools, law: .normal)
        let runs = try (0..<12).map { run in
            try image.image(of: modes, drawnFrom: draws, draws: 4, stream: RandomStream(seed: 3).substream("run", run))
        }
        var (chiSquared, count, stated, seen) = (0.0, 0.0, 0.0, 0.0)
        var total = (exact: 0.0, drawn: 0.0)
        for pixel in exact.elements.indices {
            let values = runs.map { Double($0.image.elements[pixel]) }
            let mean = values.reduce(0, +) / 12
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 11
            total.exact += Double(exact.elements[pixel])
            total.drawn += mean
            // Pixels that are hardly ever hit have no normal error.
            guard mean > 0, variance / 12 < 0.01 * mean * mean else { continue }
            let difference = mean - Double(exact.elements[pixel])
            chiSquared += difference * difference / variance * 12
            count += 1
            seen += variance
            stated += runs.reduce(0) { $0 + pow(Double($1.errors.elements[pixel]), 2) } / 12
        }
        #expect(count > 50)
        // Student's t with 11 degrees of freedom has the variance 11/9; its square spreads by about 2.4.
        #expect(abs(chiSquared / count - 11.0 / 9) < 0.5, "\(chiSquared / count) over \(count) pixels")
        // The variance seen in 12 runs over some 60 pixels or more is known to √(2/11/60) = 6 %, neighbours not quite independent.
        #expect(abs(stated / seen - 1) < 0.25, "stated \(stated), seen \(seen)")
        #expect(abs(total.drawn / total.exact - 1) < 5e-3)
    }

    /// One flat mode at Q = 0 of the zone, seen at Ei = 60 meV, E = 24 meV, on pixels that hold everything; only the moderator deviates.
    private static func moderatorLine(_ moderator: Moderator) throws -> (energies: [Double], intensities: [Double]) {
        let geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: 60, chopperFrequency: 250)],
            energyBins: .init(count: 2000, from: 0.1, to: 0.7), h: .init(count: 2, minimum: -0.2, maximum: 0.2),
            k: .init(count: 2, minimum: -0.2, maximum: 0.2), lattice: SmallCases.lattice, magneticScale: [1, 1, 1])
        var instrument = Instrument.maps
        instrument.moderator = moderator
        let image = try image(geometry, instrument)
        instrument.without = Set(Instrument.Part.allCases).subtracting([.moderator])
        let draws = try InstrumentDraws(instrument: instrument, image: image, stream: RandomStream(seed: 4))
        // On a grid of 40 × 40 points only q = 0 has an amplitude, so that the cell is small and the next such place outside.
        let points = 1600
        var amplitudes = [Float](repeating: 0, count: points * 4)
        amplitudes[0] = 1
        let modes = try ZoneModes(
            grid: [40, 40, 1], energies: Tensor(shape: [points, 1], repeating: 24),
            velocities: Tensor(shape: [points, 1, 3], repeating: 0),
            amplitudes: Tensor(shape: [points, 1, 1, 2, 2], elements: amplitudes),
            sites: [.init(position: .zero, frame: [SIMD3(0, 1, 0), SIMD3(1, 0, 0)], ion: 0)], formFactors: [.unity],
            lattice: SmallCases.lattice)
        let drawn = try image.image(of: modes, drawnFrom: draws, draws: 10_000, stream: RandomStream(seed: 5)).image
        // Rows and columns of the four pixels added.
        let intensities = (0..<2000).map { bin in
            (0..<2).reduce(0.0) { $0 + Double(drawn[0, $1, 2 * bin] + drawn[0, $1, 2 * bin + 1]) }
        }
        let width = geometry.binWidth(setting: 0)
        let low = geometry.firstBinEdge(setting: 0)
        return ((0..<2000).map { low + (Double($0) + 0.5) * width }, intensities)
    }

    /// A neutron that left the moderator late by t ran faster and arrives early at the sample, so that it truly lost
    ///
    ///     2 t Ei (vi/L0) (1 + (vf/vi)³ L1/L2)
    ///
    /// more than it seems to have: the pulse's tail lies at low energy transfer. L0, L1, L2: moderator to chopper to sample to detector.
    @Test("the moderator's pulse shifts and skews a line as its closed form does")
    func skew() throws {
        let (energies, intensities) = try Self.moderatorLine(.chiSquared(tau: 70))
        let total = intensities.reduce(0, +)
        func moment(_ power: Int, about centre: Double) -> Double {
            zip(energies, intensities).reduce(0) { $0 + $1.1 * pow($1.0 - centre, Double(power)) } / total
        }
        let maps = Instrument.maps
        let (vi, vf) = (Neutron.speed(energy: 60), Neutron.speed(energy: 36))
        let perTime =
            2 * 60 * vi / maps.moderatorToChopper * (1 + pow(vf / vi, 3) * maps.chopperToSample / maps.sampleToDetector)
        // t² exp(−t/τ): σ = √3 τ, third central moment 6 τ³.
        let tau = 70e-6 / 60.0.squareRoot()
        let sigma = 3.0.squareRoot() * tau * perTime
        // 10⁴ neutrons of a pool of 8,192 with mean 0 and variance 1, drawn with return: standard errors are those of 10⁴ draws.
        #expect(abs(moment(1, about: 24) - 0) < 4.5 * sigma / 100)
        let mean = moment(1, about: 0)
        // Kurtosis 5: the variance's relative error is 2 %; the row of the table's corners differs from the line's by 1 %.
        #expect(
            abs(moment(2, about: mean).squareRoot() / sigma - 1) < 0.05,
            "\(moment(2, about: mean).squareRoot()), \(sigma)")
        let skewness = moment(3, about: mean) / pow(moment(2, about: mean), 1.5)
        // −2/√3; the standard error of a skewness of 10⁴ such draws is about 0.06, of the pool's as much.
        #expect(abs(skewness + 2 / 3.0.squareRoot()) < 0.35, "\(skewness)")
        // More than half lies above the mean: P(t < 3τ) = 1 − (1 + 3 + 9/2) e⁻³ = 0.577, the standard error is 0.005 twice.
        let above = zip(energies, intensities).reduce(0) { $0 + ($1.0 > 24 ? $1.1 : 0) } / total
        #expect(abs(above - (1 - 8.5 * exp(-3))) < 0.03, "\(above)")
        // Nothing lies further above than the pulse's beginning, 3τ before its mean; corners of the table reach 3 % further.
        let last = zip(energies, intensities).filter { $0.1 > 0 }.map(\.0).max() ?? 0
        #expect(last < 24 + 3 * tau * perTime * 1.05)
        #expect(last > 24 + 2 * tau * perTime)
    }

    @Test("the total is that of the integrals to 1e-6")
    func conserves() throws {
        let geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: 30, chopperFrequency: 150)],
            energyBins: .init(count: 5, from: -0.5, to: 0.95), h: .init(count: 60, minimum: -3, maximum: 3),
            k: .init(count: 50, minimum: -3, maximum: 3), lattice: SmallCases.lattice, magneticScale: [1, 1, 1])
        let image = try Self.image(geometry, .maps)
        // Amplitudes only at q = 0: |h|, |k| ≤ 2 is what kinematics leave, far inside the image.
        var amplitudes = [Float](repeating: 0, count: 100 * 4)
        amplitudes[0] = 1
        let modes = try ZoneModes(
            grid: [10, 10, 1], energies: Tensor(shape: [100, 1], repeating: 12),
            velocities: Tensor(shape: [100, 1, 3], repeating: 0.5),
            amplitudes: Tensor(shape: [100, 1, 1, 2, 2], elements: amplitudes),
            sites: [.init(position: .zero, frame: [SIMD3(0, 1, 0), SIMD3(1, 0, 0)], ion: 0)], formFactors: [.unity],
            lattice: SmallCases.lattice)
        let draws = try InstrumentDraws(instrument: .maps, image: image, stream: RandomStream(seed: 4))
        func total(_ image: Tensor<Float>) -> Double { image.elements.reduce(0) { $0 + Double($1) } }
        let exact = total(try image.image(of: modes))
        #expect(exact > 0)
        let drawn = try image.image(of: modes, drawnFrom: draws, draws: 50, stream: RandomStream(seed: 5)).image
        #expect(abs(total(drawn) / exact - 1) < 1e-6)
    }

    @Test("addresses decide: any thread gives the same image, and other settings and domains change nothing")
    func addressed() throws {
        let modes = try SmallCases.modes(5, 4)
        let stream = RandomStream(seed: 1).substream("image")
        @Sendable func drawn(settings: Int, twins: [Twin], stream: RandomStream) throws -> Tensor<Float> {
            var geometry = try Self.geometry()
            geometry.settings = Array(geometry.settings.prefix(settings))
            let image = try Self.image(geometry, .maps, twins: twins)
            let draws = try InstrumentDraws(
                instrument: .maps, image: image, neutrons: 256, stream: RandomStream(seed: 2))
            return try image.image(of: modes, drawnFrom: draws, draws: 3, stream: stream).image
        }
        let whole = try drawn(settings: 2, twins: [.identity, .exchanged], stream: stream)
        let part = try drawn(settings: 1, twins: [.identity], stream: stream)
        #expect(part.elements.contains { $0 > 0 })
        #expect(Array(whole.elements.prefix(part.count)) == part.elements)
        #expect(try drawn(settings: 1, twins: [.identity], stream: stream.substream("b")) != part)
        try Parallel.forEach(4, threads: 2) { _ in
            let again = try drawn(settings: 2, twins: [.identity, .exchanged], stream: stream)
            #expect(again == whole)
        }
    }

    @Test("no draws, and an instrument of another list of energies, are refused")
    func refusals() throws {
        let modes = try SmallCases.modes(4, 4)
        let image = try Self.image(Self.geometry(), .maps)
        let draws = try InstrumentDraws(instrument: .maps, image: image, neutrons: 16, stream: RandomStream(seed: 2))
        #expect(throws: InstrumentError.invalid("the number of draws", problem: "must be 1 or more")) {
            try image.image(of: modes, drawnFrom: draws, draws: 0, stream: RandomStream(seed: 1))
        }
        var geometry = try Self.geometry()
        geometry.settings.removeLast()
        let other = try Self.image(geometry, .maps)
        #expect(
            throws: InstrumentError.invalid(
                "the instrument's draws", problem: "are of another list of incident energies")
        ) { try other.image(of: modes, drawnFrom: draws, draws: 1, stream: RandomStream(seed: 1)) }
    }
}
