import Artifacts
import Dataflow
import Foundation

/// The values that one parameter takes in a sweep, in meV: listed, or evenly spaced between two ends.
enum SweepAxis: Sendable, Hashable {
    case listed([Value])
    case spaced(from: Double, to: Double, count: Int, isLogarithmic: Bool)

    static let parameterType: ParameterType = .either(
        .list(energy, count: 1...SweepAxis.limit),
        .structure([
            Parameter("from", energy, about: "the first value"),
            Parameter("to", energy, about: "the last value"),
            Parameter("count", .integer(2...SweepAxis.limit), about: "number of values, both ends included"),
            Parameter(
                "spacing", .choice(["linear", "logarithmic"]), default: .text("linear"),
                about: "equal steps, or equal ratios; for these both ends have the same sign and are not 0"),
        ]))

    static let energy: ParameterType = .quantity(.energy, -1e6...1e6)
    /// Points of a sweep.
    static let limit = 1_000_000

    /// Reads a bound parameter value, without copying a list.
    init?(_ value: Value) {
        switch value {
        case .list(let values): self = .listed(values)
        case .record(let fields):
            guard case .double(let from)? = fields["from"], case .double(let to)? = fields["to"],
                case .int(let count)? = fields["count"], case .string(let spacing)? = fields["spacing"]
            else { return nil }
            self = .spaced(from: from, to: to, count: count, isLogarithmic: spacing == "logarithmic")
        default: return nil
        }
    }

    var count: Int {
        switch self {
        case .listed(let values): values.count
        case .spaced(_, _, let count, _): count
        }
    }

    /// Values in equal ratios need ends of one sign; nil where nothing is wrong.
    var problem: String? {
        guard case .spaced(let from, let to, _, let isLogarithmic) = self else { return nil }
        if from == to { return "'from' and 'to' are the same value" }
        return isLogarithmic && from * to <= 0 ? "logarithmic spacing from \(from) to \(to) meV passes 0" : nil
    }

    /// The fraction of the way is rounded once, so that a refinement (11 values, then 21 or 31) meets its old points in
    /// every bit and they are not computed again.
    subscript(index: Int) -> Double {
        switch self {
        case .listed(let values):
            guard case .double(let value) = values[index] else { return .nan }
            return value
        case .spaced(let from, let to, let count, let isLogarithmic):
            if index == count - 1 { return to }
            let fraction = Double(index) / Double(count - 1)
            return isLogarithmic ? from * pow(to / from, fraction) : from + (to - from) * fraction
        }
    }
}

/// All axes of a sweep and how they are taken together.
struct SweepPoints: Sendable {
    /// In alphabetical order: the order in which a graph file writes them changes nothing.
    let axes: [(name: String, values: SweepAxis)]
    let isProduct: Bool

    /// - Returns: nil where the parameters are not a sweep's.
    init?(_ parameters: Value) {
        guard case .record(let written)? = parameters["values"], case .string(let combine)? = parameters["combine"]
        else { return nil }
        var axes: [(name: String, values: SweepAxis)] = []
        for name in written.keys.sorted() {
            guard let value = written[name], let axis = SweepAxis(value) else { return nil }
            axes.append((name, axis))
        }
        self.axes = axes
        isProduct = combine == "product"
    }

    /// nil where axes that are taken together have different lengths, or none is given; at most `Int.max`.
    var count: Int? {
        guard let first = axes.first?.values.count else { return nil }
        if !isProduct { return axes.allSatisfy { $0.values.count == first } ? first : nil }
        return axes.reduce(1) { total, axis in
            let (product, overflow) = total.multipliedReportingOverflow(by: axis.values.count)
            return overflow ? .max : product
        }
    }

    /// The point of one sample, by parameter name; of a product the last name in alphabetical order runs fastest.
    subscript(sample: Int) -> [String: Double] {
        var point: [String: Double] = [:]
        var rest = sample
        for axis in axes.reversed() {
            point[axis.name] = axis.values[isProduct ? rest % axis.values.count : sample]
            if isProduct { rest /= axis.values.count }
        }
        return point
    }
}
