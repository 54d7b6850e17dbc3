/// A number with a unit as a person writes it: `0.8 meV`, `300 Hz`, `4 K`.
public struct Quantity: Hashable, Sendable {
    /// The value in the base unit of the dimension that was asked for.
    public let value: Double

    public enum ParseError: Error, Hashable, Sendable {
        /// No number stands at the beginning.
        case notANumber(String)
        /// NaN or infinite.
        case notFinite(String)
        /// A number without its unit.
        case missingUnit(Double)
        /// The unit belongs to no dimension, or to another one (`belongsTo`).
        case wrongUnit(String, belongsTo: Dimension?)
    }

    /// Reads `text` as a quantity of `dimension`.
    ///
    /// Zero needs no unit; every other number does. One operation turns the number into base units, so that
    /// `0.8 meV` and `800 ueV` are the same `Double`.
    public init(_ text: String, as dimension: Dimension) throws(ParseError) {
        let (number, unit) = Self.split(text)
        guard let value = Double(number) else { throw .notANumber(text) }
        guard value.isFinite else { throw .notFinite(text) }
        if unit.isEmpty {
            if value == 0 {
                self.value = 0
                return
            }
            throw .missingUnit(value)
        }
        guard let factor = dimension.units.first(where: { $0.name == unit })?.factor else {
            throw .wrongUnit(
                unit, belongsTo: Dimension.allCases.first { $0.units.contains { $0.name == unit } })
        }
        // Division by the reciprocal keeps decimal values exact where multiplication by 1e-3 would not:
        // 800 × 1e-3 rounds, 800 / 1000 does not.
        let reciprocal = (1 / factor).rounded()
        self.value = factor < 1 && abs(reciprocal * factor - 1) < 1e-15 ? value / reciprocal : value * factor
    }

    /// The leading number and the unit behind it, both trimmed.
    public static func split(_ text: String) -> (number: String, unit: String) {
        let text = text.trimmingSpaces()
        var end = text.startIndex
        var previous: Character = " "
        while end < text.endIndex {
            let c = text[end]
            let exponent = (c == "e" || c == "E") && previous.isNumber && Self.exponentFollows(text, end)
            let sign = (c == "+" || c == "-") && (end == text.startIndex || previous == "e" || previous == "E")
            guard c.isASCII, c.isNumber || c == "." || exponent || sign else { break }
            previous = c
            end = text.index(after: end)
        }
        if end == text.startIndex {
            // inf and nan are numbers to Double, and must be named as such rather than as a missing number.
            let word = text.prefix { $0 != " " }
            return (String(word), String(text.dropFirst(word.count)).trimmingSpaces())
        }
        return (String(text[..<end]), String(text[end...]).trimmingSpaces())
    }

    /// True when the `e` at `index` starts an exponent (`1e3`) and not a unit (`1 eV` written `1eV`).
    private static func exponentFollows(_ text: String, _ index: String.Index) -> Bool {
        var next = text.index(after: index)
        guard next < text.endIndex else { return false }
        if text[next] == "+" || text[next] == "-" { next = text.index(after: next) }
        return next < text.endIndex && text[next].isASCII && text[next].isNumber
    }
}

extension String {
    func trimmingSpaces() -> String {
        var view = self[...]
        while view.first == " " || view.first == "\t" { view.removeFirst() }
        while view.last == " " || view.last == "\t" { view.removeLast() }
        return String(view)
    }
}
