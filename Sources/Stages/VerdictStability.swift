import Artifacts
import Compute
import Instruments
import Learning
import Tensors

/// What a verdict would be of a measurement that is a little different: without one incident energy, rescaled, shifted,
/// smoothed; of another twin fraction, background, alignment.
struct VerdictStability: Sendable {
    struct Row: Sendable {
        /// In words, such as "without 50 meV".
        var variation: String
        /// Mean over the ensemble, and over the draws where there are some.
        var probabilities: [Double]
        /// Nil for a variation without chance.
        var spread: DrawSpread?
        /// Whether it has, or any of its draws has, another most likely class than the measurement.
        var changesClass: Bool
    }

    var rows: [Row]
    /// Kinds of variation that the measurement's geometry does not allow, each with the reason.
    var left: [String]

    /// - Parameters:
    ///   - best: the most likely class of the measurement.
    ///   - baseline: an image without evidence for the measurement, [1, rows, columns].
    ///   - random: what draws are addressed from.
    ///   - predict: mean probabilities of each image, which has the measurement's pixels in their order.
    init(
        _ measurement: Measurement, best: Int, baseline: Tensor<Float>, priors: VerdictPriors, random: RandomStream,
        threads: Int, predict: ([Tensor<Float>]) throws -> [[Double]]
    ) throws {
        let geometry = try ImageGeometry(measurement.geometry)
        let variations = Self.variations(measurement, geometry, baseline: baseline)
        rows = zip(variations, try predict(variations.map(\.image))).map { variation, probabilities in
            Row(
                variation: variation.name, probabilities: probabilities,
                changesClass: largest(probabilities) != best)
        }
        let kinds = priors.kinds(of: measurement, geometry, random: random)
        left = kinds.left
        for kind in kinds.varied {
            var predicted: [[Double]] = []
            // Some at a time, for the memory.
            while predicted.count < priors.draws {
                let start = predicted.count
                let images = try Parallel.map(min(64, priors.draws - start), threads: threads) {
                    try kind.image(start + $0)
                }
                predicted += try predict(images)
            }
            let spread = DrawSpread(predicted, best: best)
            rows.append(
                Row(
                    variation: kind.name, probabilities: spread.mean, spread: spread, changesClass: spread.changed > 0))
        }
    }

    /// The varied images with their names. Pixels without data stay 0, intensities do not fall below 0 by a shift.
    static func variations(
        _ measurement: Measurement, _ geometry: ImageGeometry, baseline: Tensor<Float>
    ) -> [(name: String, image: Tensor<Float>)] {
        let pixels = measurement.image.elements
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
        let mean = measurement.meanIntensity
        for (name, part) in [("offset − 5 % of the mean", -0.05), ("offset + 5 % of the mean", 0.05)] {
            result.append((name, image(measurement.shifted(by: part * mean).elements)))
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
