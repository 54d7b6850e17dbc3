import Compute

/// How little a class conforms: the number that a conformal prediction set is made by.
public enum ConformalScore: String, Hashable, Sendable, CaseIterable {
    /// 1 − p of the class: the smallest sets on average (M. Sadinle, J. Lei and L. Wasserman, J. Am. Stat. Assoc. 114
    /// (2019) 223).
    case threshold
    /// The probability of all likelier classes plus a random part u of the class's own (Y. Romano, M. Sesia and
    /// E. Candès, arXiv:2006.02544): sets grow where the answer is hard.
    case adaptive

    /// - Parameters:
    ///   - probabilities: of all classes, adding to 1.
    ///   - u: between 0 and 1, drawn once for each image; only `adaptive` looks at it.
    public func value(_ probabilities: [Double], class index: Int, u: Double) -> Double {
        switch self {
        case .threshold: return 1 - probabilities[index]
        case .adaptive:
            let own = probabilities[index]
            // Of equal classes the one of lower number counts as likelier.
            let likelier = probabilities.indices.reduce(0) { sum, other in
                let isLikelier = probabilities[other] > own || (probabilities[other] == own && other < index)
                return isLikelier ? sum + probabilities[other] : sum
            }
            return likelier + u * own
        }
    }
}

/// Split conformal prediction (V. Vovk, A. Gammerman and G. Shafer, Algorithmic Learning in a Random World, 2005): sets
/// of classes that hold the true one with a guaranteed frequency, whatever the network, as long as the images that
/// calibrate and the one that is judged are exchangeable.
public struct ConformalCalibration: Hashable, Sendable {
    public let score: ConformalScore
    /// Scores of the true classes of the calibrating images, rising. The network must not have learnt from them.
    public let scores: [Double]

    public init(score: ConformalScore, scores: [Double]) {
        self.score = score
        self.scores = scores.sorted()
    }

    /// - Parameter rows: probabilities of each calibrating image, one row an image.
    /// - Parameter u: for each image, between 0 and 1.
    /// - Precondition: as many labels and u as rows.
    public init(score: ConformalScore = .threshold, rows: [[Double]], labels: [Int], u: [Double]) {
        precondition(rows.count == labels.count && rows.count == u.count, "one label and one u for each row")
        self.init(
            score: score, scores: rows.indices.map { score.value(rows[$0], class: labels[$0], u: u[$0]) })
    }

    /// For each class the p-value of "this is the true class": the share of calibrating images, the judged one counted
    /// along, that conform no better. For the true class at most α with probability at most α.
    public func pValues(_ probabilities: [Double], u: Double) -> [Double] {
        probabilities.indices.map { index in
            empiricalPValue(score.value(probabilities, class: index, u: u), amongRising: scores)
        }
    }

    /// The classes whose p-value lies above 1 − `coverage`, in order: they hold the true class with probability
    /// `coverage` or more, over the draw of calibrating images and of the judged one together.
    public func set(_ probabilities: [Double], coverage: Double, u: Double) -> [Int] {
        Self.set(pValues: pValues(probabilities, u: u), coverage: coverage)
    }

    public static func set(pValues: [Double], coverage: Double) -> [Int] {
        // 1 − 0.9 is not 0.1 in binary; p-values are at least 1/(n + 1) apart.
        pValues.indices.filter { pValues[$0] > 1 - coverage + 1e-9 }
    }

    /// Calibrating images below which a set of this coverage can leave no class out: 9 at 90 %, 99 at 99 %.
    public static func required(coverage: Double) -> Int { Int((1 / (1 - coverage) - 1e-6).rounded(.up)) - 1 }
}

/// (1 + the number of `scores` at least as large)/(n + 1): for exchangeable scores at most α with probability at most α.
///
/// - Parameter scores: rising.
public func empiricalPValue(_ value: Double, amongRising scores: [Double]) -> Double {
    var (low, high) = (0, scores.count)
    while low < high {
        let middle = (low + high) / 2
        if scores[middle] < value { low = middle + 1 } else { high = middle }
    }
    return Double(1 + scores.count - low) / Double(scores.count + 1)
}
