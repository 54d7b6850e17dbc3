import Compute
import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("Jitter of measured images")
struct MeasuredJitterTests {
    private static let geometry: ImageGeometry = {
        var geometry = ImageGeometry.pcsmo
        geometry.settings = [.init(incidentEnergy: 100, chopperFrequency: 200)]
        geometry.energyBins.count = 2
        geometry.lattice = [5, 5, 10]
        return geometry
    }()

    private static let none = GeometryJitter().draw(stream: RandomStream(seed: 1), settings: 1)

    /// Turns the crystal by 6° about c*.
    private static let turned: GeometryJitter.Draw = {
        var draw = none
        draw.rotation.z = 6
        return draw
    }()

    /// Where the centre of (h, k) = (0.6, 0.3) is seen after that: turned back by 6°.
    private static let centre = SIMD2(0.6, 0.3)
    private static let moved: SIMD2<Double> = {
        let (c, s) = (cos(6 * Double.pi / 180), sin(6 * Double.pi / 180))
        return SIMD2(c * centre.x + s * centre.y, c * centre.y - s * centre.x)
    }()

    /// A Gaussian of two pixels' width about a place, over half its height everywhere.
    private static func blob(at place: SIMD2<Double>) -> Tensor<Float> {
        Tensor(
            shape: geometry.shape,
            elements: (0..<geometry.rows * geometry.columns).map {
                let pixel = geometry.pixel(row: $0 / geometry.columns, column: $0 % geometry.columns)
                let (x, y) = ((pixel.h - place.x) / geometry.h.step, (pixel.k - place.y) / geometry.k.step)
                return Float(0.5 + exp(-(x * x + y * y) / 8))
            })
    }

    /// No data within a rectangle of (h, k).
    private static func mask(h: ClosedRange<Double>, k: ClosedRange<Double>) -> Tensor<UInt8> {
        Tensor(
            shape: geometry.shape,
            elements: (0..<geometry.rows * geometry.columns).map {
                let pixel = geometry.pixel(row: $0 / geometry.columns, column: $0 % geometry.columns)
                return h.contains(pixel.h) && k.contains(pixel.k) ? 1 : 0
            })
    }

    private static func masked(_ image: Tensor<Float>, _ missing: Tensor<UInt8>) -> Tensor<Float> {
        Tensor(
            shape: image.shape, elements: zip(image.elements, missing.elements).map { $1 == 0 ? $0 : 0 })
    }

    /// Whether one of the 4 × 4 pixels about the place that a pixel shows has no data.
    private static func meetsGap(_ index: Int, _ missing: Tensor<UInt8>) -> Bool {
        let pixel = geometry.pixel(row: index / geometry.columns, column: index % geometry.columns)
        let (c, s) = (cos(6 * Double.pi / 180), sin(6 * Double.pi / 180))
        let (h, k) = (c * pixel.h - s * pixel.k, s * pixel.h + c * pixel.k)
        let row = Int((Double(geometry.h.count - 1) - (h + 1) / geometry.h.step).rounded(.down))
        let column = Int(((k + 1) / geometry.k.step).rounded(.down))
        for y in row - 1...row + 2 {
            for x in column - 1...column + 2 {
                let (inY, inX) = (min(max(y, 0), geometry.h.count - 1), min(max(x, 0), geometry.k.count - 1))
                if missing.elements[inY * geometry.columns + pixel.bin * geometry.k.count + inX] != 0 { return true }
            }
        }
        return false
    }

    /// Bound of interpolation along two axes (`GeometryJitter`) for σ of two pixels.
    private static let bound = 0.0234 * 1.25 * 6 / 16

    @Test("a blob goes where the rotation takes it, and what has all its neighbours is not touched by a gap beside it")
    func rotation() throws {
        let geometry = Self.geometry
        let (here, there) = (Self.blob(at: Self.centre), Self.blob(at: Self.moved))
        let whole = try Self.turned.resampled(
            here, missing: Tensor(shape: here.shape, repeating: 0), geometry: geometry)
        #expect(zip(whole.elements, there.elements).allSatisfy { abs(Double($0 - $1)) < Self.bound })
        // A gap that begins a pixel and a half from the blob's new centre.
        let missing = Self.mask(h: (Self.moved.x + 0.08)...0.9, k: 0...0.4)
        let found = try Self.turned.resampled(Self.masked(here, missing), missing: missing, geometry: geometry)
        let zeros = try Self.turned.resampled(
            Self.masked(here, missing), missing: Tensor(shape: here.shape, repeating: 0), geometry: geometry)
        var beside = (count: 0, own: 0.0, unmoved: 0.0, zeros: 0.0)
        for pixel in found.elements.indices {
            if missing.elements[pixel] != 0 {
                #expect(found.elements[pixel] == 0)
            } else if !Self.meetsGap(pixel, missing) {
                #expect(abs(Double(found.elements[pixel] - there.elements[pixel])) < Self.bound)
            } else {
                func square(_ image: Tensor<Float>) -> Double {
                    let error = Double(image.elements[pixel] - there.elements[pixel])
                    return error * error
                }
                beside.count += 1
                beside.own += square(found)
                beside.unmoved += square(here)
                beside.zeros += square(zeros)
            }
        }
        // Beside the gap (90 pixels; rms errors 0.008, 0.1 and 0.2) it is better to have moved on what is left than not at all, or than to take the gap for darkness.
        #expect(beside.count > 20)
        #expect(beside.own < beside.unmoved / 2 && beside.own < beside.zeros / 2)
    }

    /// What is constant is constant in single precision: sums of 64 weights of at most 2 in all, in double.
    @Test("a constant stays constant under all errors, however many pixels have no data")
    func constant() throws {
        let geometry = ImageGeometry.pcsmo
        var jitter = GeometryJitter()
        (jitter.misorientation, jitter.tilt, jitter.lattice) = (3, 3, 0.02)
        (jitter.energyOffset, jitter.energyScale) = (0.03, 0.03)
        let stream = RandomStream(seed: 5)
        let pixels = geometry.rows * geometry.columns
        let missing = Tensor(
            shape: geometry.shape, elements: (0..<pixels).map { UInt8(stream.uniform(at: $0) < 0.4 ? 1 : 0) })
        let image = Self.masked(Tensor(shape: geometry.shape, repeating: 2.7), missing)
        for number in 0..<3 {
            let draw = jitter.draw(stream: stream.substream("draw", number), settings: geometry.settings.count)
            let found = try draw.resampled(image, missing: missing, geometry: geometry)
            for pixel in 0..<pixels {
                let expected: Float = missing.elements[pixel] == 0 ? 2.7 : 0
                #expect(abs(found.elements[pixel] - expected) <= Float(2.7).ulp)
            }
        }
    }

    /// At most as bright as weights and the bound 1/2 on what is seen allow: 1.25³ of all weights, of which half are seen.
    @Test("of what is not negative nothing becomes negative, infinite or far brighter")
    func bounded() throws {
        let geometry = ImageGeometry.pcsmo
        let stream = RandomStream(seed: 6)
        let pixels = geometry.rows * geometry.columns
        let missing = Tensor(
            shape: geometry.shape, elements: (0..<pixels).map { UInt8(stream.uniform(at: $0) < 0.5 ? 1 : 0) })
        let spots = Tensor(
            shape: geometry.shape, elements: (0..<pixels).map { Float(stream.uniform(at: $0) > 0.9 ? 50 : 0) })
        var draw = GeometryJitter().draw(stream: stream, settings: geometry.settings.count)
        draw.rotation = SIMD3(1, 1, 2)
        let found = try draw.resampled(spots, missing: missing, geometry: geometry)
        #expect(found.elements.allSatisfy { $0 >= 0 && $0 <= 50 * 1.25 * 1.25 * 1.25 * 2 })
        #expect(found != spots)
    }

    @Test("without errors nothing changes; where the formulas do not hold it is refused")
    func limits() throws {
        let blob = Self.blob(at: Self.centre)
        let missing = Tensor<UInt8>(shape: blob.shape, repeating: 0)
        let same = try Self.none.resampled(blob, missing: missing, geometry: Self.geometry)
        #expect(zip(same.elements, blob.elements).allSatisfy { abs($0 - $1) < 1e-6 })
        var geometry = Self.geometry
        geometry.scan = .rotation(l: 0...1, layers: 2)
        #expect(throws: InstrumentError.self) { try Self.none.resampled(blob, missing: missing, geometry: geometry) }
        geometry = Self.geometry
        geometry.projection = [1, 1, -1, 1]
        #expect(throws: InstrumentError.self) { try Self.none.resampled(blob, missing: missing, geometry: geometry) }
        #expect(throws: InstrumentError.self) {
            try Self.none.resampled(
                blob, missing: Tensor(shape: [2, 2], repeating: 0), geometry: Self.geometry)
        }
    }

    /// 4,000 pairs: deviations to 1/√8000 = 1.1 %; six of them, less 0.1 % for the cuts at four.
    @Test("the difference of two errors has √2 of the deviation of one")
    func difference() {
        var jitter = GeometryJitter()
        (jitter.misorientation, jitter.energyScale) = (0.5, 0.004)
        let stream = RandomStream(seed: 9)
        func deviation(_ value: (Int) -> Double) -> Double {
            ((0..<4000).reduce(0) { $0 + value($1) * value($1) } / 4000).squareRoot()
        }
        func draw(_ jitter: GeometryJitter, _ name: String, _ number: Int) -> GeometryJitter.Draw {
            jitter.draw(stream: stream.substream(name, number), settings: 1)
        }
        let pairs = deviation {
            draw(jitter, "first", $0).rotation.z - draw(jitter, "second", $0).rotation.z
        }
        let once = deviation { draw(jitter.difference, "third", $0).rotation.z }
        #expect(abs(once / pairs - 1) < 0.1)
        let scales = deviation { draw(jitter.difference, "third", $0).energyScales[0] - 1 }
        #expect(abs(scales / (0.004 * 2.0.squareRoot()) - 1) < 0.07)
        #expect(jitter.difference.tilt == 0)
    }
}
