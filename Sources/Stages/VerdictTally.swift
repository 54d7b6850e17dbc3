import Artifacts
import Learning
import Tensors

/// What came of judging images with one fault, or without any.
struct VerdictTally: Sendable {
    var fault: MeasurementFault?
    var classes: [String]
    /// Decisions by what the image shows: the classes in their order, then what is of no class.
    var decisions: [[String: Int]]
    /// Images whose p-value of a measure alone lies below the level.
    var seenBy: [String: Int] = [:]
    /// In-domain p-values, in the order of the images.
    var pValues: [Double] = []
    /// Of the images that show a class, without a fault.
    var probabilities: [(row: [Double], label: Int, origin: String)] = []

    init(fault: MeasurementFault?, classes: [String]) {
        self.fault = fault
        self.classes = classes
        decisions = Array(repeating: [:], count: classes.count + 1)
    }

    var count: Int { decisions.reduce(0) { $0 + $1.values.reduce(0, +) } }

    func decided(_ decision: String) -> Int { decisions.reduce(0) { $0 + ($1[decision] ?? 0) } }

    /// Images of which a class was named, and of which the right one.
    var named: (right: Int, all: Int) {
        (
            zip(classes, decisions).reduce(0) { $0 + ($1.1[$1.0] ?? 0) },
            classes.reduce(0) { $0 + decided($1) }
        )
    }

    var value: Value {
        let flagged = decided(VerdictCriteria.outOfDomain)
        func counts(_ numbers: [String: Int]) -> Value { .record(numbers.mapValues { .int($0) }) }
        var fields: [String: Value] = [
            "fault": fault.map { .string($0.rawValue) } ?? .none, "about": .string(fault?.wording ?? "nothing"),
            "count": .int(count), "out-of-domain": .int(flagged),
            "seen-by": counts(seenBy),
            "decisions": .record(
                Dictionary(
                    uniqueKeysWithValues: zip(classes + ["of no class"], decisions.map(counts)).filter {
                        if case .record(let counts) = $1 { !counts.isEmpty } else { false }
                    })),
            "p-values": .tensor(Tensor(shape: [pValues.count], elements: pValues)),
        ]
        if count > 0 {
            let interval = ClassificationReport.wilsonInterval(successes: flagged, of: count)
            fields["interval"] = .list([.double(interval.lowerBound), .double(interval.upperBound)])
        }
        return .record(fields)
    }
}
