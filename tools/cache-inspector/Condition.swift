import ArgumentParser
import Artifacts
import Quantities

/// One `--where`: a name, a relation, and what to compare with.
///
///     J1 > 2 meV      J1 in 1..2 meV      unstable = true      decision = second
///
/// Numbers compare in base units (meV, angstrom, K, T, deg, Hz, s, m), as the store keeps them.
struct Condition: Equatable {
    enum Relation: String, CaseIterable {
        // The longer before the shorter, for parsing.
        case atLeast = ">=", atMost = "<=", unequal = "!=", equals = "==", equal = "=", above = ">", below = "<"
    }

    enum Test: Equatable {
        case number(Relation, Double)
        case range(ClosedRange<Double>)
        case text(isEqual: Bool, String)
    }

    /// The end of a dotted path: `J1` is `value.parameters.J1` too.
    let name: [String]
    let test: Test
    let source: String

    init(_ source: String) throws {
        self.source = source
        let wrong = ValidationError(
            "'\(source)' is no condition: write 'J1 > 2 meV', 'J1 in 1..2 meV', 'unstable = true' or 'decision = second'"
        )
        let (nameText, relation, valueText) = try Self.split(source, wrong)
        name = nameText.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !name.contains(""), !valueText.isEmpty else { throw wrong }
        if relation == nil || relation == .equal || relation == .equals, let range = try Self.range(valueText) {
            test = .range(range)
            return
        }
        guard let relation else { throw wrong }
        if let number = try Self.number(valueText) {
            test = .number(relation, number)
        } else {
            guard [.equal, .equals, .unequal].contains(relation) else {
                throw ValidationError(
                    "'\(source)': '\(valueText)' is no number, and can be compared with = and != only")
            }
            test = .text(isEqual: relation != .unequal, valueText)
        }
    }

    /// - Returns: the relation is nil for `in`.
    private static func split(
        _ source: String, _ wrong: ValidationError
    ) throws -> (name: String, relation: Relation?, value: String) {
        if let word = source.firstRange(of: " in ") {
            return (trimmed(source[..<word.lowerBound]), nil, trimmed(source[word.upperBound...]))
        }
        guard let start = source.firstIndex(where: { "<>=!".contains($0) }),
            let relation = Relation.allCases.first(where: { source[start...].hasPrefix($0.rawValue) })
        else { throw wrong }
        let end = source.index(start, offsetBy: relation.rawValue.count)
        return (trimmed(source[..<start]), relation, trimmed(source[end...]))
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    /// `1..2 meV`, `1 meV..2 meV`; nil for text without two dots.
    private static func range(_ text: String) throws -> ClosedRange<Double>? {
        guard let dots = text.firstRange(of: "..") else { return nil }
        let (lowText, highText) = (trimmed(text[..<dots.lowerBound]), trimmed(text[dots.upperBound...]))
        let unit = Quantity.split(highText).unit
        // The unit behind the second number serves the first, too.
        let lowWithUnit = Quantity.split(lowText).unit.isEmpty && !unit.isEmpty ? "\(lowText) \(unit)" : lowText
        guard let low = try number(lowWithUnit), let high = try number(highText), low <= high else {
            throw ValidationError("'\(text)' is no range: write 1..2 meV, the smaller number first")
        }
        return low...high
    }

    /// A number in base units; nil for text that does not start as one.
    private static func number(_ text: String) throws -> Double? {
        let (digits, unit) = Quantity.split(text)
        guard let plain = Double(digits), plain.isFinite else { return nil }
        if unit.isEmpty { return plain }
        let dimensions = Dimension.allCases.filter { $0.units.contains { $0.name == unit } }
        guard let dimension = dimensions.first else {
            throw ValidationError("'\(text)': there is no unit '\(unit)'")
        }
        if dimensions.count > 1 {
            let choices = dimensions.map { "\($0.rawValue) (write \($0.baseUnit == unit ? "no unit" : $0.baseUnit))" }
            throw ValidationError("'\(text)': \(unit) may be \(choices.joined(separator: " or "))")
        }
        return try Quantity(text, as: dimension).value
    }

    func holds(for value: Value) -> Bool {
        let number: Double? =
            switch value {
            case .int(let int): Double(int)
            case .double(let double): double
            default: nil
            }
        switch test {
        case .range(let range): return number.map(range.contains) ?? false
        case .number(let relation, let bound):
            guard let number else { return false }
            switch relation {
            case .atLeast: return number >= bound
            case .atMost: return number <= bound
            case .above: return number > bound
            case .below: return number < bound
            case .equal, .equals: return number == bound
            case .unequal: return number != bound
            }
        case .text(let isEqual, let text):
            switch value {
            case .string(let string): return (string == text) == isEqual
            case .bool(let bool): return ("\(bool)" == text) == isEqual
            default: return false
            }
        }
    }
}
