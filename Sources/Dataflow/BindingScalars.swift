import Artifacts
import Diagnostics
import GraphLanguage
import Quantities

// Single values: truth, numbers, quantities, words. Each reader reports what is wrong and then returns nil.
extension ParameterReader {
    /// The text of a single value, or a report that something else stands there.
    mutating func text(_ written: Located, as type: ParameterType, _ subject: String) -> String? {
        if written.isNull {
            report("'\(subject)' has no value", at: written.range, hint: "it must be \(type.phrase)")
            return nil
        }
        guard let text = written.text else {
            report("'\(subject)' must be \(type.phrase), found \(written.kind)", at: written.range)
            return nil
        }
        return text
    }

    mutating func boolean(_ written: Located, _ subject: String) -> Value? {
        guard let text = text(written, as: .boolean, subject) else { return nil }
        switch text.lowercased() {
        case "true", "yes": return .bool(true)
        case "false", "no": return .bool(false)
        default:
            report("'\(subject)' must be true or false, found '\(text)'", at: written.range)
            return nil
        }
    }

    mutating func integer(_ written: Located, within range: ClosedRange<Int>, _ subject: String) -> Value? {
        let type = ParameterType.integer(range)
        guard let text = text(written, as: type, subject), refuseQuotes(written, text, type, subject) else {
            return nil
        }
        guard let number = Int(text) else {
            let digits = text.drop { $0 == "-" || $0 == "+" }
            var hint: String?
            if !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isNumber }) {
                report("'\(subject)' is too large: \(text)", at: written.range, hint: "it must be \(type.phrase)")
                return nil
            } else if let whole = Self.decimal(text).flatMap({ Int(exactly: $0) })
                ?? Int(text.filter { $0 != "_" && $0 != " " && $0 != "," })
            {
                hint = "write \(whole)"
            }
            report("'\(subject)' must be \(type.phrase), found '\(text)'", at: written.range, hint: hint)
            return nil
        }
        guard range.contains(number) else {
            report("'\(subject)' must be \(type.phrase), found \(text)", at: written.range)
            return nil
        }
        return .int(number)
    }

    mutating func number(_ written: Located, within range: ClosedRange<Double>, _ subject: String) -> Value? {
        let type = ParameterType.number(range)
        guard let text = text(written, as: type, subject), refuseQuotes(written, text, type, subject) else {
            return nil
        }
        guard let number = Self.decimal(text) else {
            let (leading, rest) = Quantity.split(text)
            var hint: String?
            if text.lowercased().hasPrefix("0x") {
                hint = "write it in decimal"
            } else if Self.decimal(leading) != nil, rest.hasPrefix(",") {
                hint = "write the decimals behind a point: \(leading).\(rest.dropFirst())"
            } else if Self.decimal(leading) != nil, !rest.isEmpty {
                hint = "it has no unit; remove '\(rest)'"
            }
            report("'\(subject)' must be \(type.phrase), found '\(text)'", at: written.range, hint: hint)
            return nil
        }
        return checked(number, as: type, range, written, text, subject)
    }

    mutating func quantity(
        _ written: Located, of dimension: Dimension, within range: ClosedRange<Double>, _ subject: String
    ) -> Value? {
        let type = ParameterType.quantity(dimension, range)
        guard let text = text(written, as: type, subject) else { return nil }
        do {
            let quantity = try Quantity(text, as: dimension)
            return checked(quantity.value, as: type, range, written, text, subject)
        } catch {
            report(error, text: text, dimension: dimension, type: type, at: written.range, subject)
            return nil
        }
    }

    private mutating func report(
        _ error: Quantity.ParseError, text: String, dimension: Dimension, type: ParameterType, at range: SourceRange,
        _ subject: String
    ) {
        switch error {
        case .notANumber:
            report(
                "'\(subject)' must be \(type.phrase), found '\(text)'", at: range,
                hint: "write for instance '\(dimension.example)'")
        case .notFinite:
            report("'\(subject)' must be finite, found '\(text)'", at: range)
        case .missingUnit:
            report(
                "'\(subject)' needs a unit, found '\(text)'", at: range,
                hint: "write '\(text) \(dimension.baseUnit)' if you mean \(dimension.baseUnit); "
                    + "units of \(dimension.rawValue): \(dimension.unitNames)")
        case .wrongUnit(let unit, _):
            let owners = Dimension.allCases.filter { $0.units.contains { $0.name == unit } }
            if owners.isEmpty {
                let nearest = Spelling.nearest(to: unit, among: dimension.units.map(\.name))
                report(
                    "'\(unit)' is no unit of \(dimension.rawValue) ('\(subject)')", at: range,
                    hint: nearest.map { "did you mean '\($0)'?" }
                        ?? "units of \(dimension.rawValue): \(dimension.unitNames)")
            } else {
                let kinds = owners.map(\.rawValue).joined(separator: " or ")
                report(
                    "'\(unit)' is a unit of \(kinds), '\(subject)' takes \(dimension.withArticle)", at: range,
                    hint: "units of \(dimension.rawValue): \(dimension.unitNames)")
            }
        }
    }

    mutating func choice(_ written: Located, among names: [String], _ subject: String) -> Value? {
        guard let text = text(written, as: .choice(names), subject) else { return nil }
        guard names.contains(text) else {
            report(
                "'\(subject)' cannot be '\(text)'", at: written.range,
                hint: Spelling.nearest(to: text, among: names).map { "did you mean '\($0)'?" }
                    ?? "it is one of \(names.joined(separator: ", "))")
            return nil
        }
        return .string(text)
    }

    /// A number in quotation marks was meant as a text, or the marks were not meant.
    private mutating func refuseQuotes(
        _ written: Located, _ text: String, _ type: ParameterType, _ subject: String
    ) -> Bool {
        guard case .scalar(_, quoted: true) = written.content else { return true }
        report(
            "'\(subject)' must be \(type.phrase), found a text", at: written.range, hint: "remove the quotation marks")
        return false
    }

    private mutating func checked(
        _ number: Double, as type: ParameterType, _ range: ClosedRange<Double>, _ written: Located, _ text: String,
        _ subject: String
    ) -> Value? {
        guard number.isFinite else {
            report("'\(subject)' must be finite, found '\(text)'", at: written.range)
            return nil
        }
        guard range.contains(number) else {
            report("'\(subject)' must be \(type.phrase), found \(text)", at: written.range)
            return nil
        }
        // One zero: -0 equals 0 but has other bits, and bits are what keys compare.
        return .double(number == 0 ? 0 : number)
    }

    /// A decimal number as written in a file; `Double` alone would also take hexadecimal.
    ///
    /// Infinities and NaN are returned as such, so that the caller can name them.
    private static func decimal(_ text: String) -> Double? {
        let bare = text.lowercased().drop { $0 == "+" || $0 == "-" }
        switch bare {
        case ".inf", "inf", "infinity": return text.hasPrefix("-") ? -.infinity : .infinity
        case ".nan", "nan": return .nan
        default: break
        }
        guard text.allSatisfy({ $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }) else { return nil }
        return Double(text)
    }
}
