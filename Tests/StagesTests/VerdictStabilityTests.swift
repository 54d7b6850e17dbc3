import Instruments
import Tensors
import Testing

@testable import Stages

@Suite("stability of the verdict")
struct VerdictStabilityTests {
    private static let geometry = TrainNetworkTests.geometry

    /// 1 in the upper setting, 3 in the lower, but 5 in one pixel; no data in the first column.
    private static let measurement: Measurement = {
        let shape = geometry.shape
        var elements = [Float](repeating: 1, count: shape[0] * shape[1])
        for pixel in elements.count / 2..<elements.count { elements[pixel] = 3 }
        elements[2 * shape[1] + 7] = 5
        var missing = [UInt8](repeating: 0, count: elements.count)
        for row in 0..<shape[0] {
            missing[row * shape[1]] = 1
            elements[row * shape[1]] = 0
        }
        return Measurement(
            image: Tensor(shape: shape, elements: elements), missing: Tensor(shape: shape, elements: missing),
            geometry: geometry.value, isSimulated: false, zeroPixels: 0, negativePixels: 0)
    }()

    private func variations() throws -> [String: [Float]] {
        let shape = [1] + Self.geometry.shape
        let found = VerdictStability.variations(
            Self.measurement, Self.geometry, baseline: Tensor(shape: shape, repeating: 7))
        #expect(found.allSatisfy { $0.image.shape == shape })
        return Dictionary(uniqueKeysWithValues: found.map { ($0.name, $0.image.elements) })
    }

    @Test("each incident energy is dropped in turn, its panels replaced by the baseline")
    func dropped() throws {
        let variations = try variations()
        let energies = Self.geometry.settings.map { "without \(Int($0.incidentEnergy)) meV" }
        let original = Self.measurement.image.elements
        let half = original.count / 2
        let first = try #require(variations[energies[0]])
        let second = try #require(variations[energies[1]])
        #expect(first[..<half].allSatisfy { $0 == 7 } && first[half...] == original[half...])
        #expect(second[half...].allSatisfy { $0 == 7 } && second[..<half] == original[..<half])
        #expect(variations.count == 7)
    }

    @Test("scales, shifts and smoothing act on pixels with data alone, and smoothing within panels")
    func small() throws {
        let variations = try variations()
        let original = Self.measurement.image.elements
        let columns = Self.geometry.columns
        let mean = original.reduce(0, +) / Float(original.count - Self.geometry.rows)
        let scaled = try #require(variations["scale + 10 %"])
        let shifted = try #require(variations["offset + 5 % of the mean"])
        let smoothed = try #require(variations["smoothed over 3 × 3 pixels"])
        for pixel in original.indices where pixel % columns != 0 {
            #expect(abs(scaled[pixel] - 1.1 * original[pixel]) < 1e-6)
            #expect(abs(shifted[pixel] - original[pixel] - 0.05 * mean) < 1e-6)
        }
        for variation in [scaled, shifted, smoothed] {
            #expect((0..<Self.geometry.rows).allSatisfy { variation[$0 * columns] == 0 })
        }
        // Column 7 is the last of its panel of 8: six pixels are averaged there and nothing reaches column 8.
        #expect(abs(smoothed[2 * columns + 7] - (5 + 5) / 6) < 1e-6)
        #expect(smoothed[2 * columns + 8] == 1)
        #expect(abs(smoothed[2 * columns + 6] - (8 + 5) / 9) < 1e-6)
        // The settings meet between rows 7 and 8.
        #expect(smoothed[7 * columns + 4] == 1 && smoothed[8 * columns + 4] == 3)
        // Beside pixels without data only those with data are averaged.
        #expect(smoothed[10 * columns + 1] == 3)
    }
}
