import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How good and how honest a classifier's probabilities are.
public struct ClassificationReport: Hashable, Sendable {
    public struct ROCPoint: Hashable, Sendable {
        /// An image is called positive when its probability is at least this; infinite for the first point.
        public var threshold: Double
        public var falsePositiveRate: Double
        public var truePositiveRate: Double
    }

    /// Images whose confidence (largest probability) lies in (lower, upper].
    public struct ReliabilityBin: Hashable, Sendable {
        public var lower: Double
        public var upper: Double
        public var count: Int
        /// Means over the bin; 0 in an empty bin.
        public var confidence: Double
        public var accuracy: Double
    }

    public var count: Int
    public var accuracy: Double
    /// Wilson's 95 % interval of the accuracy.
    public var accuracyInterval: ClosedRange<Double>
    /// Images by [true class, predicted class].
    public var confusion: Tensor<Int64>
    /// Mean of −log p of the true class.
    public var logLoss: Double
    /// Mean of Σ_k (p_k − y_k)² over the classes: 0 to 2.
    public var brier: Double
    /// Mean over bins, weighted by images, of |accuracy − confidence|.
    public var expectedCalibrationError: Double
    public var reliability: [ReliabilityBin]
    /// The class that the ROC takes as positive.
    public var positiveClass: Int
    /// From (0, 0) to (1, 1); empty when there are only positives or only negatives.
    public var roc: [ROCPoint]
    /// Area under the ROC: the chance that a positive image has a larger probability than a negative one, ties counting
    /// half. Nil where there is no ROC.
    public var areaUnderROC: Double?

    /// - Parameter probabilities: [images, classes], rows adding to 1.
    /// - Parameter bins: of equal width in confidence.
    public init(
        probabilities: Tensor<Double>, labels: [Int], positiveClass: Int = 1, bins: Int = 10
    ) throws(LearningError) {
        guard probabilities.shape.count == 2, probabilities.shape[0] == labels.count, !labels.isEmpty else {
            throw .predictions(
                problem: "probabilities of shape \(probabilities.shape) for \(labels.count) labels; one row a label")
        }
        let classes = probabilities.shape[1]
        if let bad = labels.first(where: { !(0..<classes).contains($0) }) {
            throw .predictions(problem: "label \(bad) among \(classes) classes")
        }
        if !(0..<classes).contains(positiveClass) {
            throw .predictions(problem: "positive class \(positiveClass) among \(classes) classes")
        }
        if bins < 1 { throw .predictions(problem: "\(bins) bins; give 1 or more") }
        if !probabilities.elements.allSatisfy({ $0 >= 0 && $0 <= 1 + 1e-9 }) {
            throw .predictions(problem: "a probability is not a number between 0 and 1")
        }
        let rows = labels.indices.map { Array(probabilities.elements[$0 * classes..<($0 + 1) * classes]) }
        let predicted = rows.map { row in row.indices.reduce(0) { row[$1] > row[$0] ? $1 : $0 } }
        count = labels.count
        var confusion = Tensor<Int64>(shape: [classes, classes], repeating: 0)
        for (label, guess) in zip(labels, predicted) { confusion[label, guess] += 1 }
        self.confusion = confusion
        let correct = zip(labels, predicted).count { $0 == $1 }
        accuracy = Double(correct) / Double(count)
        accuracyInterval = Self.wilsonInterval(successes: correct, of: count)
        // A probability of zero for the true class counts as the smallest number, not as infinity.
        logLoss =
            zip(rows, labels).reduce(0) { $0 - log(max($1.0[$1.1], .leastNormalMagnitude)) } / Double(count)
        brier =
            zip(rows, labels).reduce(0) { sum, pair in
                sum
                    + pair.0.enumerated().reduce(0) { part, entry in
                        let difference = entry.element - (entry.offset == pair.1 ? 1 : 0)
                        return part + difference * difference
                    }
            } / Double(count)
        reliability = Self.bins(
            confidences: zip(rows, predicted).map { $0[$1] }, hits: zip(labels, predicted).map { $0 == $1 }, bins)
        expectedCalibrationError = reliability.reduce(0) {
            $0 + Double($1.count) / Double(labels.count) * abs($1.accuracy - $1.confidence)
        }
        self.positiveClass = positiveClass
        roc = Self.curve(rows.map { $0[positiveClass] }, labels.map { $0 == positiveClass })
        areaUnderROC =
            roc.isEmpty
            ? nil
            : zip(roc, roc.dropFirst()).reduce(0) { area, pair in
                let width = pair.1.falsePositiveRate - pair.0.falsePositiveRate
                return area + width * (pair.0.truePositiveRate + pair.1.truePositiveRate) / 2
            }
    }

    /// Wilson's score interval at 95 % (J. Am. Stat. Assoc. 22, 209, 1927): never outside 0…1, good for few samples.
    public static func wilsonInterval(successes: Int, of count: Int) -> ClosedRange<Double> {
        let z = 1.959_963_984_540_054
        let n = Double(count)
        let p = Double(successes) / n
        let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        return max(0, centre - half)...min(1, centre + half)
    }

    private static func bins(confidences: [Double], hits: [Bool], _ count: Int) -> [ReliabilityBin] {
        var result = (0..<count).map {
            ReliabilityBin(
                lower: Double($0) / Double(count), upper: Double($0 + 1) / Double(count), count: 0, confidence: 0,
                accuracy: 0)
        }
        for (confidence, hit) in zip(confidences, hits) {
            let index = min(count - 1, max(0, Int((confidence * Double(count)).rounded(.up)) - 1))
            result[index].count += 1
            result[index].confidence += confidence
            result[index].accuracy += hit ? 1 : 0
        }
        for index in result.indices where result[index].count > 0 {
            result[index].confidence /= Double(result[index].count)
            result[index].accuracy /= Double(result[index].count)
        }
        return result
    }

    private static func curve(_ scores: [Double], _ isPositive: [Bool]) -> [ROCPoint] {
        let positives = isPositive.count { $0 }
        let negatives = isPositive.count - positives
        if positives == 0 || negatives == 0 { return [] }
        let order = zip(scores, isPositive).sorted { $0.0 > $1.0 }
        var points = [ROCPoint(threshold: .infinity, falsePositiveRate: 0, truePositiveRate: 0)]
        var (truePositives, falsePositives) = (0, 0)
        for (index, entry) in order.enumerated() {
            if entry.1 { truePositives += 1 } else { falsePositives += 1 }
            // Equal scores cannot be told apart by a threshold: one point for all of them.
            if index + 1 < order.count, order[index + 1].0 == entry.0 { continue }
            points.append(
                ROCPoint(
                    threshold: entry.0, falsePositiveRate: Double(falsePositives) / Double(negatives),
                    truePositiveRate: Double(truePositives) / Double(positives)))
        }
        return points
    }
}
