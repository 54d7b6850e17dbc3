import Artifacts
import Learning

/// How often conformal sets hold the true class, and how large they are, on images that did not calibrate them.
struct CoverageTable: Sendable {
    struct Row: Hashable, Sendable {
        /// What the set promises.
        var level: Double
        var count: Int
        var covered: Int
        /// Mean number of classes in a set.
        var meanSize: Double
        /// Sets of one class only.
        var single: Int
        var empty: Int
        /// Whether there are enough calibrating images for any class to be left out.
        var isReachable: Bool
    }

    static let levels = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99]

    var rows: [Row]

    /// - Parameter u: of each image, for the adaptive score.
    init(_ calibration: ConformalCalibration, rows probabilities: [[Double]], labels: [Int], u: [Double]) {
        let pValues = zip(probabilities, u).map { calibration.pValues($0, u: $1) }
        rows = Self.levels.map { level in
            let sets = pValues.map { ConformalCalibration.set(pValues: $0, coverage: level) }
            let sizes = sets.reduce(0) { $0 + $1.count }
            return Row(
                level: level, count: sets.count, covered: zip(sets, labels).count { $0.contains($1) },
                meanSize: sets.isEmpty ? 0 : Double(sizes) / Double(sets.count), single: sets.count { $0.count == 1 },
                empty: sets.count(where: \.isEmpty),
                isReachable: calibration.scores.count >= ConformalCalibration.required(coverage: level))
        }
    }

    var value: Value {
        .list(
            rows.map { row in
                var fields: [String: Value] = [
                    "level": .double(row.level), "count": .int(row.count), "covered": .int(row.covered),
                    "mean-set-size": .double(row.meanSize), "single": .int(row.single), "empty": .int(row.empty),
                    "reachable": .bool(row.isReachable),
                ]
                if row.count > 0 {
                    let interval = ClassificationReport.wilsonInterval(successes: row.covered, of: row.count)
                    fields["interval"] = .list([.double(interval.lowerBound), .double(interval.upperBound)])
                }
                return .record(fields)
            })
    }
}
