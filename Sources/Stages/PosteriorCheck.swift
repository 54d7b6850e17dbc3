import Artifacts
import Compute
import Foundation
import Learning

/// How honest posteriors are of one quantity: one parameter, or all of them together.
///
/// Everything is said by two numbers of each image. The *rank* of the true value in the posterior lies evenly in 0…1 if
/// posteriors are honest (S. Talts et al., arXiv:1804.06788). The *score* is the content of the smallest of a family of
/// nested regions that holds the true value: central intervals of one parameter, regions of highest density of all
/// together (J. Hermans et al., arXiv:2110.06581).
struct PosteriorCheck: Sendable {
    var ranks: [Double]
    var scores: [Double]

    /// Of one parameter.
    ///
    /// - Parameter cumulative: of each image, the posterior's distribution function at the true value.
    init(cumulative: [Double]) {
        ranks = cumulative
        scores = cumulative.map { IntervalCalibration.score(cumulative: $0) }
    }

    /// Of all parameters together.
    ///
    /// - Parameter contents: of each image, the fraction of the posterior where its density is higher than at the truth.
    init(contents: [Double]) {
        ranks = contents
        scores = contents
    }

    /// Fraction of the posterior that is denser than at z, from draws.
    static func content(_ mixture: GaussianMixture, at z: [Double], draws: Int = 256, random: RandomStream) -> Double {
        let density = mixture.logDensity(z)
        let denser = (0..<draws).count { mixture.logDensity(mixture.sample(random.substream("draw", $0))) > density }
        // Among draws and truth, all places are equally likely; within a place, any point.
        return (Double(denser) + random.uniform(at: 0)) / Double(draws + 1)
    }

    static let levels = [0.5, 0.68, 0.8, 0.9, 0.95]

    /// How often regions held the true value.
    struct Coverage: Hashable, Sendable {
        var level: Double
        var count: Int
        var covered: Int

        var value: Value {
            var fields: [String: Value] = [
                "level": .double(level), "count": .int(count), "covered": .int(covered),
            ]
            if count > 0 {
                let interval = ClassificationReport.wilsonInterval(successes: covered, of: count)
                fields["interval"] = .list([.double(interval.lowerBound), .double(interval.upperBound)])
            }
            return .record(fields)
        }
    }

    /// Of regions as the networks give them, over all images.
    var coverage: [Coverage] {
        Self.levels.map { level in
            Coverage(level: level, count: scores.count, covered: scores.count { $0 <= level })
        }
    }

    /// Of regions calibrated by some images, over others.
    func calibratedCoverage(_ split: CalibrationSplit, positions: [Int: Int]) -> [Coverage] {
        let calibration = calibration(split, positions: positions)
        let tested = split.reference.compactMap { positions[$0] }.map { scores[$0] }
        return Self.levels.map { level in
            let content = calibration.content(coverage: level)
            return Coverage(level: level, count: tested.count, covered: tested.count { $0 <= content })
        }
    }

    /// - Parameter positions: where each image of the test set stands among the scores.
    func calibration(_ split: CalibrationSplit, positions: [Int: Int]) -> IntervalCalibration {
        IntervalCalibration(scores: split.calibration.compactMap { positions[$0] }.map { scores[$0] })
    }

    /// What an artifact says of it.
    func value(_ split: CalibrationSplit, positions: [Int: Int]) -> [String: Value] {
        [
            "ranks": .list(ranks.map { .double($0) }),
            "rank-histogram": .list(rankHistogram(ranks).map { .int($0) }),
            "uniformity-p-value": .double(uniformityPValue(ranks)),
            "coverage": .list(coverage.map(\.value)),
            "calibrated-coverage": .list(calibratedCoverage(split, positions: positions).map(\.value)),
            "calibration-scores": .list(calibration(split, positions: positions).scores.map { .double($0) }),
        ]
    }
}
