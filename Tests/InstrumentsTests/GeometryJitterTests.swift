import Compute
import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("Geometry jitter")
struct GeometryJitterTests {
    /// Everything within reach, a wide view, and equal lengths along h and k.
    private func geometry(bins: Int = 40) throws -> ImageGeometry {
        try ImageGeometry(
            settings: [
                .init(incidentEnergy: 100, chopperFrequency: 200), .init(incidentEnergy: 200, chopperFrequency: 200),
            ],
            energyBins: .init(count: bins, from: 0.1, to: 0.7), h: .init(count: 40, minimum: -1, maximum: 1),
            k: .init(count: 36, minimum: -1, maximum: 1), lattice: [5, 5, 10], magneticScale: [1, 1, 1])
    }

    private func none(_ settings: Int) -> GeometryJitter.Draw {
        GeometryJitter().draw(stream: RandomStream(seed: 1), settings: settings)
    }

    /// A bump of this many pixels' width, as a function of (setting, energy, h, k).
    private struct Bump {
        var geometry: ImageGeometry
        var pixels: Double
        var centre = SIMD2(0.1, -0.05)

        func value(_ setting: Int, _ energy: Double, _ h: Double, _ k: Double) -> Double {
            let width = geometry.binWidth(setting: setting)
            let middle = geometry.settings[setting].incidentEnergy * 0.4
            let x = (h - centre.x) / geometry.h.step
            let y = (k - centre.y) / geometry.k.step
            let z = (energy - middle) / width
            return exp(-(x * x + y * y + z * z) / (2 * pixels * pixels))
        }

        func image(_ place: (Int, Double, Double, Double) -> (Double, Double, Double)) -> [Double] {
            (0..<geometry.rows * geometry.columns).map { index in
                let pixel = geometry.pixel(row: index / geometry.columns, column: index % geometry.columns)
                let (energy, h, k) = place(pixel.setting, pixel.energy, pixel.h, pixel.k)
                return value(pixel.setting, energy, h, k)
            }
        }

        var here: [Double] { image { ($1, $2, $3) } }
        /// The documented bound: three axes with fourth derivatives of 3/σ⁴.
        var bound: Double { 0.0234 * 1.25 * 1.25 * 9 / (pixels * pixels * pixels * pixels) }
    }

    private func error(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } }

    @Test("without errors the image is the same, bit by bit")
    func identity() throws {
        let geometry = ImageGeometry.pcsmo
        let stream = RandomStream(seed: 4)
        let image = (0..<96000).map { stream.uniform(at: $0) }
        let same = none(6).resampled(image, geometry: geometry)
        #expect(error(image, same) < 1e-11)
        #expect(GeometryJitter().isOff)
    }

    /// The error of interpolation is within the documented bound, and the shift itself far above it.
    @Test("rotation, lattice and energy errors move a smooth image as exact arithmetic does", arguments: [1.5, 2, 3])
    func exact(pixels: Double) throws {
        let geometry = try geometry()
        let bump = Bump(geometry: geometry, pixels: pixels)
        var draw = none(2)
        draw.rotation.z = 6
        let turned = draw.resampled(bump.here, geometry: geometry)
        let (c, s) = (cos(6 * Double.pi / 180), sin(6 * Double.pi / 180))
        let expected = bump.image { ($1, c * $2 - s * $3, s * $2 + c * $3) }
        #expect(error(turned, expected) < bump.bound)

        draw = none(2)
        draw.lattice = SIMD2(1.03, 0.98)
        let scaled = draw.resampled(bump.here, geometry: geometry)
        #expect(error(scaled, bump.image { ($1, 1.03 * $2, 0.98 * $3) }) < bump.bound)
        #expect(error(scaled, bump.here) > 3 * bump.bound || pixels < 3)

        draw = none(2)
        draw.energyOffsets = [0.02, -0.03]
        let offset = draw.resampled(bump.here, geometry: geometry)
        #expect(error(offset, bump.image { ($1 + ($0 == 0 ? 2 : -6), $2, $3) }) < bump.bound)

        draw = none(2)
        draw.energyScales = [1.02, 0.99]
        let rated = draw.resampled(bump.here, geometry: geometry)
        let expectedRated = bump.image { setting, energy, h, k in
            let scale = setting == 0 ? 1.02 : 0.99
            return (scale * energy, scale.squareRoot() * h, scale.squareRoot() * k)
        }
        #expect(error(rated, expectedRated) < bump.bound)
    }

    @Test("a tilt shifts (h, k) by the angle times Q along the beam")
    func tilt() throws {
        let geometry = try geometry()
        let bump = Bump(geometry: geometry, pixels: 3)
        var draw = none(2)
        draw.rotation = SIMD3(0, 0.5, 0)
        let tilted = draw.resampled(bump.here, geometry: geometry)
        let angle = 0.5 * Double.pi / 180
        let expected = bump.image { setting, energy, h, k in
            let incident = geometry.settings[setting].incidentEnergy
            let l = geometry.l(incidentEnergy: incident, energy: energy, h: h, k: k) ?? 0
            // Q along the beam in units of a*: l c*/a*.
            return (energy, cos(angle) * h + sin(angle) * l * 0.5, k)
        }
        #expect(error(tilted, expected) < bump.bound)
    }

    @Test("nothing becomes negative, and what the kinematics forbid stays as it was")
    func signs() throws {
        let geometry = ImageGeometry.pcsmo
        let stream = RandomStream(seed: 4)
        let image = (0..<96000).map { pixel -> Double in
            let place = geometry.pixel(row: pixel / 400, column: pixel % 400)
            if geometry.detectorAngles(of: place) == nil { return 0 }
            return stream.uniform(at: pixel) < 0.02 ? 50 : 0
        }
        var draw = none(6)
        draw.rotation = SIMD3(0.5, 0.3, 1)
        draw.energyScales = [Double](repeating: 1.01, count: 6)
        let moved = draw.resampled(image, geometry: geometry)
        #expect(moved.allSatisfy { $0 >= 0 && $0.isFinite })
        for pixel in 0..<96000 where moved[pixel] != 0 {
            let place = geometry.pixel(row: pixel / 400, column: pixel % 400)
            if geometry.detectorAngles(of: place) == nil { Issue.record("intensity at \(place)") }
        }
    }

    /// 4,000 draws: deviations to 1/√8000 = 1.1 %; six of them, less 0.1 % for the cut at four.
    @Test("errors have the stated deviations")
    func draws() throws {
        var jitter = GeometryJitter()
        (jitter.misorientation, jitter.tilt, jitter.lattice) = (0.5, 0.2, 0.002)
        (jitter.energyOffset, jitter.energyScale) = (0.01, 0.005)
        try jitter.validate()
        let stream = RandomStream(seed: 8)
        let draws = (0..<4000).map { jitter.draw(stream: stream.substream("sample", $0), settings: 2) }
        func deviation(_ value: (GeometryJitter.Draw) -> Double) -> Double {
            (draws.reduce(0) { $0 + value($1) * value($1) } / 4000).squareRoot()
        }
        #expect(abs(deviation { $0.rotation.z } / 0.5 - 1) < 0.07)
        #expect(abs(deviation { $0.rotation.x } / 0.2 - 1) < 0.07)
        #expect(abs(deviation { $0.lattice.y - 1 } / 0.002 - 1) < 0.07)
        #expect(abs(deviation { $0.energyOffsets[1] } / 0.01 - 1) < 0.07)
        #expect(abs(deviation { $0.energyScales[0] - 1 } / 0.005 - 1) < 0.07)
        jitter.lattice = 0.5
        #expect(throws: InstrumentError.self) { try jitter.validate() }
    }

    /// Their pixels lie elsewhere than the formulas say: moved by these, the image would be wrong and look right.
    @Test("a crystal that turns, and axes along others than a* and b*, are refused")
    func otherGeometries() throws {
        var turning = ImageGeometry.pcsmo
        turning.scan = .rotation(l: 0...0.5, layers: 3)
        var oblique = ImageGeometry.pcsmo
        oblique.projection = [1, 1, 1, -1]
        var noise = NoiseModel()
        for geometry in [ImageGeometry.pcsmo, turning, oblique] {
            let image = Tensor<Float>(shape: [1] + geometry.shape, repeating: 1)
            noise.jitter = GeometryJitter()
            _ = try noise.measured(image, geometry: geometry, mask: nil, stream: RandomStream(seed: 1))
            noise.jitter.misorientation = 0.5
            if geometry == .pcsmo {
                _ = try noise.measured(image, geometry: geometry, mask: nil, stream: RandomStream(seed: 1))
            } else {
                let error = try #require(throws: InstrumentError.self) {
                    try noise.measured(image, geometry: geometry, mask: nil, stream: RandomStream(seed: 1))
                }
                #expect(error.description.contains("at rest"))
            }
        }
    }
}
