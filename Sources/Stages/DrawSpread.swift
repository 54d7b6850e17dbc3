import Artifacts

/// What verdicts of random variations of one kind come to.
struct DrawSpread: Sendable {
    var draws: Int
    /// Of the probabilities, by class.
    var mean: [Double]
    /// Of the measurement's most likely class: standard deviation (n − 1 in the denominator; 0 for one draw) and the least.
    var deviation: Double
    var least: Double
    /// Draws in which another class is the most likely.
    var changed: Int

    /// - Parameters:
    ///   - rows: probabilities of each draw, of one or more.
    ///   - best: the measurement's most likely class.
    init(_ rows: [[Double]], best: Int) {
        let count = Double(rows.count)
        draws = rows.count
        mean = rows[0].indices.map { index in rows.reduce(0) { $0 + $1[index] } / count }
        let centre = mean[best]
        let squares = rows.reduce(0) { $0 + ($1[best] - centre) * ($1[best] - centre) }
        deviation = (squares / max(1, count - 1)).squareRoot()
        least = rows.reduce(1) { min($0, $1[best]) }
        changed = rows.count { largest($0) != best }
    }
}

extension VerdictStability.Row {
    /// As flags name it.
    var wording: String { spread.map { "\(variation), \($0.changed) of \($0.draws) draws" } ?? variation }

    func value(_ classes: [String]) -> Value {
        var fields: [String: Value] = [
            "variation": .string(variation), "probabilities": named(classes, probabilities),
            "most-likely": .string(classes[largest(probabilities)]),
        ]
        if let spread {
            fields["draws"] = .int(spread.draws)
            fields["deviation"] = .double(spread.deviation)
            fields["least"] = .double(spread.least)
            fields["changed"] = .int(spread.changed)
        }
        return .record(fields)
    }
}
