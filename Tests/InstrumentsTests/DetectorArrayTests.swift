import Foundation
import Testing

@testable import Instruments

@Suite("The single detectors of a spectrometer")
struct DetectorArrayTests {
    private static let degree = Double.pi / 180

    private func description(
        _ banks: [DetectorBanks.Bank], gaps: [DetectorBanks.Bank] = [], angles: ClosedRange<Double> = 0...180,
        detector: DetectorElement = .tube(HeliumTube(diameter: 0.025), pixelHeight: 0.02), radius: Double = 4
    ) throws -> InstrumentDescription {
        var instrument = Instrument.maps
        instrument.name = "X"
        instrument.detector = detector
        instrument.sampleToDetector = radius
        var description = try InstrumentDescription(
            instrument: instrument, packages: ["S": instrument.chopper], defaultPackage: "S",
            frequencies: .init(50...600))
        description.detectors = DetectorBanks(banks: banks, gaps: gaps, scatteringAngle: angles)
        return description
    }

    /// One pixel in the middle of its bank: 10.0001° for a hundredth of a degree about it.
    private func pixel(
        _ horizontal: Double, height: Double, turned: Double = 0, radius: Double = 4
    ) throws -> DetectorArray.Pixel {
        let elevation = atan(height / radius) / Self.degree
        let bank = DetectorBanks.Bank(
            horizontal: horizontal - 0.005...horizontal + 0.005, elevation: elevation - 0.005...elevation + 0.005,
            turned: turned)
        let pixels = try DetectorArray(try description([bank], radius: radius)).pixels
        return try #require(pixels.count == 1 ? pixels[0] : nil)
    }

    /// The lengths that Horace takes from the widths: 2 d tan(width/2) along 2θ, 2 d sin 2θ tan(width/2) about the beam.
    private func lengths(_ pixel: DetectorArray.Pixel) -> (polar: Double, azimuthal: Double) {
        (
            2 * pixel.distance * tan(pixel.polarWidth / 2 * Self.degree),
            2 * pixel.distance * sin(pixel.polar * Self.degree) * tan(pixel.azimuthalWidth / 2 * Self.degree)
        )
    }

    /// Angles to rounding, some 1e-14 of a hundred degrees; heights in the middle of a bank of 0.01° are not those of its middle
    /// elevation, which moves them by (0.005°)² tan e radius, below 1e-8 m.
    @Test("angles, distances and widths of pixels that are worked out by hand")
    func byHand() throws {
        // In the plane, to the left: across is along 2θ, up is about the beam.
        let left = try pixel(20, height: 0)
        #expect(abs(left.polar - 20) < 1e-12 && abs(left.azimuthal) < 1e-9 && abs(left.distance - 4) < 1e-12)
        #expect(abs(lengths(left).polar - 0.025) < 1e-9 && abs(lengths(left).azimuthal - 0.02) < 1e-9)
        // To the right.
        let right = try pixel(-20, height: 0)
        #expect(abs(right.polar - 20) < 1e-12 && abs(abs(right.azimuthal) - 180) < 1e-9)
        // 3 m above the beam at 4 m: 5 m away, tan 2θ = 3/4; the tube leans away by that angle, 0.02 · 4/5 is seen of it.
        let above = try pixel(0, height: 3)
        #expect(abs(above.distance - 5) < 1e-7 && abs(above.azimuthal - 90) < 1e-9)
        #expect(abs(tan(above.polar * Self.degree) - 0.75) < 1e-7)
        #expect(abs(lengths(above).polar - 0.016) < 1e-8 && abs(lengths(above).azimuthal - 0.025) < 1e-9)
        // Behind the sample at 120°, 3 m up: (−2, √12, 3)/5.
        let behind = try pixel(120, height: 3)
        #expect(abs(cos(behind.polar * Self.degree) + 0.4) < 1e-7)
        #expect(abs(tan(behind.azimuthal * Self.degree) - 3 / 12.0.squareRoot()) < 1e-7)
        // A bank that is turned by 90° about the beam: its left is up, and its tubes lie across.
        let turned = try pixel(20, height: 0, turned: 90)
        #expect(abs(turned.polar - 20) < 1e-12 && abs(turned.azimuthal - 90) < 1e-9)
        #expect(abs(lengths(turned).polar - 0.025) < 1e-9 && abs(lengths(turned).azimuthal - 0.02) < 1e-9)
    }

    /// 40 tubes of 25 mm and 30 pixels of 20 mm fill 1 m of arc and 0.6 m of height exactly: 1200 pixels.
    @Test("the pixels of a bank fill it, once where banks overlap, and none is in a gap or outside the angles")
    func filling() throws {
        let half = 0.5 / 4 / Self.degree, elevation = atan(0.3 / 4) / Self.degree
        let bank = DetectorBanks.Bank(horizontal: 30 - half...30 + half, elevation: -elevation...elevation)
        #expect(try DetectorArray(try description([bank])).pixels.count == 1200)
        // The right half again: only the left half of the second bank is new, and it has none.
        let right = DetectorBanks.Bank(horizontal: 30 - half...30, elevation: -elevation...elevation)
        #expect(try DetectorArray(try description([bank, right])).pixels.count == 1200)
        // The gap takes half of the tubes, the scattering angles the upper and lower parts of none and what is below 30°.
        let halves = try DetectorArray(try description([bank], gaps: [right])).pixels
        #expect(halves.count == 600)
        let outside = try DetectorArray(try description([bank], angles: 30...180)).pixels
        #expect(outside.count > 600 && outside.count < 700 && outside.allSatisfy { $0.polar >= 30 })
        // A spread of σ is a box of √12 σ.
        let spread = DetectorElement.fixed(
            depth: 0, width: 0.025 / 12.0.squareRoot(), height: 0.02 / 12.0.squareRoot())
        #expect(try DetectorArray(try description([bank], detector: spread)).pixels.count == 1200)
    }

    /// MERLIN's nine doors have 32 tubes each, some of them 24: some 250 tubes of 2.93 m.
    @Test("every pixel is seen by the banks that it was made from")
    func seen() throws {
        let description = try description(
            DetectorCoverage.maps.banks.banks, angles: 0...180, radius: 6)
        let banks = try #require(description.detectors)
        let pixels = try DetectorArray(description).pixels
        #expect(pixels.count > 20_000 && pixels.count < 60_000)
        for pixel in pixels {
            let (theta, phi) = (pixel.polar * Self.degree, pixel.azimuthal * Self.degree)
            #expect(banks.see(SIMD3(cos(theta), sin(theta) * cos(phi), sin(theta) * sin(phi))))
        }
    }

    @Test("what cannot be laid out is refused with the reason")
    func refusals() throws {
        func refusal(_ description: InstrumentDescription) -> String {
            do {
                _ = try DetectorArray(description)
                return "no error"
            } catch { return error.description }
        }
        let bank = DetectorBanks.Bank(horizontal: 5...60, elevation: -10...10)
        var bare = try description([bank])
        bare.detectors = nil
        #expect(refusal(bare) == "the instrument X has no detectors")
        #expect(
            refusal(try description([bank], detector: .fixed(depth: 0, width: 0, height: 0)))
                == "the detector of X has no size")
        #expect(
            refusal(try description([.init(horizontal: -180...180, elevation: -90...90)]))
                == "the detectors of X reach above 80 degrees, where upright tubes do not")
        #expect(
            refusal(try description([bank], detector: .fixed(depth: 0, width: 1e-5, height: 1e-5)))
                == "the detectors of X are more than 1048576")
        #expect(refusal(try description([bank], gaps: [bank])) == "the detectors of X all lie in gaps")
    }
}
