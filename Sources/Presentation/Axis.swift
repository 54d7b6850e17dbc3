import Foundation

/// What a direction of a chart stands for.
public struct Axis: Hashable, Sendable {
    public enum Scale: Sendable { case linear, logarithmic }

    public var title: String
    public var unit: String?
    public var scale: Scale
    /// What is shown; nil for all the data with a little air.
    public var range: ClosedRange<Double>?

    public init(_ title: String, unit: String? = nil, scale: Scale = .linear, range: ClosedRange<Double>? = nil) {
        (self.title, self.unit, self.scale, self.range) = (title, unit, scale, range)
    }

    var label: String { unit.map { "\(title) (\($0))" } ?? title }
}

/// An axis with its limits and ticks settled.
struct AxisScale {
    var lower: Double
    var upper: Double
    var isLogarithmic: Bool
    var ticks: [(value: Double, label: String)] = []

    /// - Parameter data: the values to show; those that are not finite, or not positive on a logarithmic axis, do not
    ///   count.
    /// - Parameter includesZero: bars start at zero.
    init(_ axis: Axis, data: [Double], tickCount: Int, includesZero: Bool = false) {
        isLogarithmic = axis.scale == .logarithmic
        let valid = data.filter { $0.isFinite && (axis.scale == .linear || $0 > 0) }
        var low = valid.min() ?? (isLogarithmic ? 1 : 0)
        var high = valid.max() ?? (isLogarithmic ? 10 : 1)
        if includesZero, !isLogarithmic { (low, high) = (min(low, 0), max(high, 0)) }
        if isLogarithmic {
            if low == high { (low, high) = (low / 2, high * 2) }
            let air = pow(high / low, 0.04)
            (lower, upper) = (low / air, high * air)
        } else {
            if low == high { (low, high) = low == 0 ? (0, 1) : (low - low.magnitude / 2, high + high.magnitude / 2) }
            let air = (high - low) * 0.04
            (lower, upper) = (includesZero && low == 0 ? 0 : low - air, includesZero && high == 0 ? 0 : high + air)
        }
        if let range = axis.range, range.lowerBound.isFinite, range.upperBound.isFinite,
            range.lowerBound < range.upperBound, !isLogarithmic || range.lowerBound > 0
        {
            (lower, upper) = (range.lowerBound, range.upperBound)
        }
        ticks =
            isLogarithmic
            ? Self.logarithmicTicks(lower, upper) : Self.linearTicks(lower, upper, count: tickCount)
    }

    /// 0 at the lower limit, 1 at the upper; nil for what cannot be shown.
    func position(_ value: Double) -> Double? {
        guard value.isFinite else { return nil }
        if isLogarithmic { return value > 0 ? log(value / lower) / log(upper / lower) : nil }
        return (value - lower) / (upper - lower)
    }

    /// Multiples of 1, 2 or 5 times a power of ten, about `count` of them, labelled with as many decimals as they need.
    static func linearTicks(_ lower: Double, _ upper: Double, count: Int) -> [(value: Double, label: String)] {
        let rough = (upper - lower) / Double(max(1, count))
        guard rough > 0, rough.isFinite else { return [] }
        let power = pow(10, floor(log10(rough)))
        // Steps come from the ladder 1, 2, 5, 10: the nearest one in ratio.
        let ladder = [1.0, 2, 5, 10]
        let step = power * (ladder.min { abs(log($0 * power / rough)) < abs(log($1 * power / rough)) } ?? 1)
        let tolerance = step * 1e-6
        let first = ((lower - tolerance) / step).rounded(.up), last = ((upper + tolerance) / step).rounded(.down)
        guard first <= last, last - first < 1000 else { return [] }
        let decimals = max(0, Int((-log10(step) - 1e-9).rounded(.up)))
        let plain = max(abs(lower), abs(upper)) < 1e6 && decimals <= 5
        return stride(from: first, through: last, by: 1).map { multiple in
            let value = multiple * step
            let label = plain ? Wording.fixed(value, decimals: decimals) : Wording.number(value, significant: 6)
            return (value, plain && decimals == 0 ? Wording.count(Int(value.rounded())) : label)
        }
    }

    /// Powers of ten; with few of them, also 2 and 5 times.
    static func logarithmicTicks(_ lower: Double, _ upper: Double) -> [(value: Double, label: String)] {
        guard lower > 0, upper > lower, upper.isFinite else { return [] }
        let first = Int(floor(log10(lower))), last = Int(ceil(log10(upper)))
        let decades = log10(upper / lower)
        let multiples: [Double] = decades > 3 ? [1] : [1, 2, 5]
        let every = max(1, Int((decades / 8).rounded(.up)))
        var ticks: [(value: Double, label: String)] = []
        for exponent in first...last where exponent % every == 0 {
            for multiple in multiples {
                let value = multiple * pow(10, Double(exponent))
                guard value >= lower * (1 - 1e-9), value <= upper * (1 + 1e-9) else { continue }
                let plain = (-3...4).contains(exponent)
                let power = "10" + Wording.superscript(exponent)
                ticks.append(
                    (value, plain ? Wording.number(value) : multiple == 1 ? power : "\(Int(multiple))×" + power))
            }
        }
        return ticks
    }
}
