import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("The error of sampling the zone, of crystals held in any way")
struct VolumeToleranceTests {
    static func geometry(_ name: String) throws -> ImageGeometry {
        var geometry = try SmallCases.geometry()
        let turning = ImageVolume.Motion.turning(.init(psi: -40...70, step: 1, w: -0.3...0.4))
        let flat = CrystalAlignment(u: [1, 0, 0], v: [0, 1, 0])
        let tilted = CrystalAlignment(u: [1, 0.5, 0], v: [0, 1, 0.3], gl: 2)
        switch name {
        case "turning": geometry.volume = ImageVolume(alignment: flat, motion: turning)
        case "turning, oblique":
            geometry.volume = ImageVolume(
                alignment: tilted, motion: turning, u: [1, 0, 0], v: [0, 1, 0], w: [0.4, 0.3, 1])
        case "turning, along a":
            geometry.volume = ImageVolume(
                alignment: flat, motion: turning, u: [0, 1, 0], v: [0, 0, 1], w: [1, 0, 0])
        case "at rest, beam":
            geometry.volume = ImageVolume(
                alignment: CrystalAlignment(u: [0, 0, 1], v: [1, 0, 0]), motion: .atRest(psi: 0))
        default:
            geometry.volume = ImageVolume(
                alignment: CrystalAlignment(u: [0.1, 0.1, 1], v: [1, 0, 0.1], gl: 2), motion: .atRest(psi: 10),
                u: [1, 0.2, 0], v: [0, 1, 0.1], w: [0.1, 0, 1])
        }
        return geometry
    }

    /// Against 96 × 60 × 48 points, whose own error is a ninth of that of a third of them where it is of second order. Of estimates
    /// that a tolerance could accept (3 %) none may be below the truth; what a second point alone overstates adds to the margin.
    @Test(
        "the estimate is above the true error and below six times it",
        arguments: [
            "turning", "turning, oblique", "turning, along a", "at rest, beam", "at rest, tilted",
        ])
    func estimate(name: String) throws {
        let image = try DetectorImage(geometry: Self.geometry(name), resolution: SmallCases.resolution(sigma: 0.05))
        func modes(_ n: [Int]) throws -> ZoneModes {
            try SmallCases.modes(n[0], n[1], n[2], alongL: name.contains("rest") ? 0.3 : 1, missing: false)
        }
        let truth = try image.image(of: modes([96, 60, 48]))
        for n in [[16, 10, 8], [24, 15, 12], [32, 20, 16]] {
            let sampled = try image.sampledImage(of: modes(n))
            let error = SmallCases.rms(sampled.image, truth)
            if sampled.error < 0.03 { #expect(sampled.error > error, "\(n): \(sampled.error), truly \(error)") }
            #expect(sampled.error < 6 * error, "\(n): \(sampled.error), truly \(error)")
        }
    }

    /// What each axis leaves when it is as much finer adds up to the tolerance.
    @Test("the grid that would do is finer along the axes that matter")
    func factors() {
        let errors = [0.04, 0.001, 0.02]
        let factors = DetectorImage.factors(errors: errors, orders: [2, 2, 1], error: 0.05, tolerance: 0.01)
        #expect(factors[1] == 1)
        let left = errors[0] / (factors[0] * factors[0]) + errors[1] + errors[2] / factors[2]
        #expect(abs(left - 0.01) < 1e-12)
        // Errors that do not add up to that of all: every axis.
        #expect(
            DetectorImage.factors(errors: [0.003, 0, 0.003], orders: [2, 2, 1], error: 0.04, tolerance: 0.01) == [
                2, 2, 4,
            ])
    }

    @Test("a coarse grid is refused with one of three axes that would do, and that one does")
    func refusal() throws {
        let image = try DetectorImage(geometry: Self.geometry("turning, oblique"), resolution: SmallCases.resolution())
        func modes(_ n: [Int]) throws -> ZoneModes {
            try SmallCases.modes(n[0], n[1], n[2], alongL: 1, missing: false)
        }
        let tolerance = 0.02
        do {
            _ = try image.image(of: modes([24, 8, 6]), tolerance: tolerance)
            Issue.record("a coarse grid was taken")
        } catch InstrumentError.coarseGrid(let grid, let error, _, let sufficient) {
            #expect(grid == [24, 8, 6] && error > tolerance)
            let sampled = try image.sampledImage(of: modes(sufficient))
            #expect(sampled.error < 1.05 * tolerance, "\(sampled.error)")
        }
        let wording = InstrumentError.coarseGrid(
            [25, 25, 8], error: 0.0213, tolerance: 0.01, sufficient: [37, 37, 25])
        #expect(wording.description.hasPrefix("a zone grid of 25 × 25 × 8 points leaves an error of about 2.13 %"))
        #expect(wording.hint.hasPrefix("37 × 37 × 25 points would do (grid: 37 of the spin waves)"))
    }
}
