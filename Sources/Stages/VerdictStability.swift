import Artifacts
import Instruments
import Learning
import Tensors

/// What a verdict would be of a measurement that is a little different: without one incident energy, rescaled, shifted,
/// smoothed.
struct VerdictStability: Sendable {
    struct Row: Sendable {
        /// In words, such as "without 50 meV".
        var variation: String
        /// Mean over the ensemble.
        var probabilities: [Double]
    }

    var rows: [Row]

    /// - Parameters:
    ///   - baseline: an image without evidence for the measurement, [1, rows, columns].
    ///   - predict: mean probabilities of an image [1, rows, columns].
    init(
        _ measurement: Measurement, baseline: Tensor<Float>,
        predict: (Tensor<Float>) throws -> [Double]
    ) throws {
        let geometry = try ImageGeometry(measurement.geometry)
        rows = []
        for (name, image) in Self.variations(measurement, geometry, baseline: baseline) {
            rows.append(Row(variation: name, probabilities: try predict(image)))
        }
    }

    /// The varied images with their names. Pixels without data stay 0, intensities do not fall below 0 by a shift.
    static func variations(
        _ measurement: Measurement, _ geometry: ImageGeometry, baseline: Tensor<Float>
    ) -> [(name: String, image: Tensor<Float>)] {
        let pixels = measurement.image.elements
        let missing = measurement.missing.elements
        let shape = [1] + measurement.image.shape
        func image(_ elements: [Float]) -> Tensor<Float> { Tensor(shape: shape, elements: elements) }
        var result: [(name: String, image: Tensor<Float>)] = []
        let block = geometry.h.count * measurement.image.shape[1]
        if geometry.settings.count > 1 {
            for (number, setting) in geometry.settings.enumerated() {
                var elements = pixels
                for pixel in number * block..<(number + 1) * block { elements[pixel] = baseline.elements[pixel] }
                result.append(("without \(Self.short(setting.incidentEnergy)) meV", image(elements)))
            }
        }
        for (name, factor) in [("scale − 10 %", Float(0.9)), ("scale + 10 %", 1.1)] {
            result.append((name, image(pixels.map { factor * $0 })))
        }
        let seen = missing.count { $0 == 0 }
        let mean = pixels.reduce(0) { $0 + Double($1) } / Double(max(1, seen))
        for (name, part) in [("offset − 5 % of the mean", -0.05), ("offset + 5 % of the mean", 0.05)] {
            let shift = Float(part * mean)
            result.append((name, image(pixels.indices.map { missing[$0] == 0 ? max(0, pixels[$0] + shift) : 0 })))
        }
        result.append(("smoothed over 3 × 3 pixels", image(smoothed(measurement, geometry))))
        return result
    }

    /// Means over the pixels with data of the 3 × 3 around each that belong to the same panel.
    private static func smoothed(_ measurement: Measurement, _ geometry: ImageGeometry) -> [Float] {
        let (rows, columns) = (measurement.image.shape[0], measurement.image.shape[1])
        let (height, width) = (geometry.h.count, geometry.k.count)
        let pixels = measurement.image.elements
        let missing = measurement.missing.elements
        var result = pixels
        for row in 0..<rows {
            let (top, left) = (row / height * height, columns / width)
            for column in 0..<left * width where missing[row * columns + column] == 0 {
                let start = column / width * width
                var (sum, count): (Float, Float) = (0, 0)
                for y in max(top, row - 1)...min(top + height - 1, row + 1) {
                    for x in max(start, column - 1)...min(start + width - 1, column + 1)
                    where missing[y * columns + x] == 0 {
                        sum += pixels[y * columns + x]
                        count += 1
                    }
                }
                result[row * columns + column] = sum / count
            }
        }
        return result
    }

    private static func short(_ x: Double) -> String {
        x == x.rounded() ? String(Int(x)) : String((x * 100).rounded() / 100)
    }
}
