import Diagnostics
import Foundation
import GraphLanguage
import Quantities
import SpinWaves

/// Numbers, vectors and quantities as a model file writes them.
extension ModelReader {
    mutating func report(_ message: String, at range: SourceRange, hint: String? = nil) {
        diagnostics.append(Diagnostic(message, at: range, hint: hint))
    }

    /// Reports keys that mean nothing.
    mutating func checkKeys(_ mapping: Located, _ known: [String], of subject: String) {
        for entry in mapping.entries ?? [] where !known.contains(entry.key) {
            report(
                "\(subject) has no '\(entry.key)'", at: entry.keyRange,
                hint: Spelling.nearest(to: entry.key, among: known).map { "did you mean '\($0)'?" }
                    ?? "it has \(known.joined(separator: ", "))")
        }
    }

    mutating func required(_ key: String, in mapping: Located, of subject: String) -> Located? {
        if let value = mapping[key], !value.isNull { return value }
        report("\(subject) needs '\(key)'", at: mapping.range)
        return nil
    }

    /// A number or a fraction: `0.25`, `7/4`.
    mutating func number(_ written: Located, _ subject: String) -> Double? {
        let parts = (written.text ?? "").split(separator: "/", omittingEmptySubsequences: false).map {
            Double($0.trimmingCharacters(in: .whitespaces))
        }
        if parts.count == 1, let value = parts[0], value.isFinite { return value }
        if parts.count == 2, let top = parts[0], let bottom = parts[1], bottom != 0, (top / bottom).isFinite {
            return top / bottom
        }
        report("\(subject) must be a number, not \(described(written))", at: written.range)
        return nil
    }

    mutating func quantity(_ written: Located, _ dimension: Quantities.Dimension, _ subject: String) -> Double? {
        guard let text = written.text else {
            report("\(subject) must be a number with a unit, not \(written.kind)", at: written.range)
            return nil
        }
        do {
            return try Quantity(text, as: dimension).value
        } catch {
            let units = dimension.units.map(\.name).joined(separator: ", ")
            switch error {
            case .missingUnit:
                report(
                    "\(subject) needs a unit", at: written.range, hint: "write \(text) \(dimension.baseUnit), say")
            case .wrongUnit(let unit, let other):
                report(
                    "\(subject) is in '\(unit)', which is \(other.map { "a unit of \($0.rawValue)" } ?? "no unit")",
                    at: written.range, hint: "units of \(dimension.rawValue) are \(units)")
            case .notANumber, .notFinite:
                report("\(subject) must be a number with a unit, not \(described(written))", at: written.range)
            }
            return nil
        }
    }

    mutating func vector(_ written: Located, _ subject: String) -> Vector3? {
        guard let items = written.items, items.count == 3 else {
            report("\(subject) must be three numbers, such as [0, 0, 1]", at: written.range)
            return nil
        }
        let values = items.compactMap { number($0, subject) }
        return values.count == 3 ? Vector3(values[0], values[1], values[2]) : nil
    }

    mutating func matrix(_ written: Located, _ subject: String) -> Matrix3? {
        guard let rows = written.items, rows.count == 3 else {
            report("\(subject) must be three rows of three numbers", at: written.range)
            return nil
        }
        let vectors = rows.compactMap { vector($0, subject) }
        return vectors.count == 3 ? Matrix3(rows: vectors[0], vectors[1], vectors[2]) : nil
    }

    /// `x`, `y`, `z` or a vector that is not zero, Cartesian.
    mutating func direction(_ written: Located, _ subject: String) -> Vector3? {
        if let text = written.text, let axis = ["x", "y", "z"].firstIndex(of: text) {
            var unit = Vector3.zero
            unit[axis] = 1
            return unit
        }
        if written.items == nil {
            report("\(subject) must be x, y, z or a vector, not \(described(written))", at: written.range)
            return nil
        }
        guard let value = vector(written, subject) else { return nil }
        if value.length < 1e-6 {
            report("\(subject) is zero", at: written.range)
            return nil
        }
        return value
    }

    /// An entry linear in one parameter: `J`, `-J`, `0.5 J`, `-1/2*J`, `1.5 meV` or `0`.
    mutating func linear(_ written: Located) -> (parameter: String?, factor: Double)? {
        guard let text = written.text?.trimmingCharacters(in: .whitespaces), !text.isEmpty else {
            report("an exchange must be a parameter, perhaps with a factor, or an energy", at: written.range)
            return nil
        }
        if Double(text.prefix { $0 != " " && $0 != "*" && $0 != "/" }) == nil {
            let isNegative = text.hasPrefix("-")
            let name = text.drop { $0 == "-" || $0 == "+" || $0 == " " }
            return use(String(name), at: written.range) ? (String(name), isNegative ? -1 : 1) : nil
        }
        let (factor, rest) = split(text)
        let energies = Dimension.energy.units.map(\.name)
        if rest.isEmpty || (energies.contains(rest) && declared[rest] == nil) {
            return quantity(written, .energy, "this exchange").map { (nil, $0) }
        }
        guard let factor, factor.isFinite else {
            report("'\(text)' is no factor times a parameter", at: written.range, hint: "write 0.5 J or -1/2 J")
            return nil
        }
        return use(rest, at: written.range) ? (rest, factor) : nil
    }

    /// A leading number or fraction, and the name behind it.
    private func split(_ text: String) -> (factor: Double?, rest: String) {
        var number = text.prefix { $0.isNumber || "+-./".contains($0) }
        // An exponent belongs to the number (1e-3 meV), a name that begins with e does not (2 exchange).
        if let match = text.prefixMatch(of: /[+-]?[0-9.]+[eE][+-]?[0-9]+/) { number = match.output }
        let rest = text.dropFirst(number.count).drop { $0 == " " || $0 == "*" }
        let parts = number.split(separator: "/").compactMap { Double($0) }
        let factor = parts.count == 1 ? parts[0] : parts.count == 2 ? parts[0] / parts[1] : nil
        return (factor, String(rest))
    }

    private func described(_ written: Located) -> String { written.text.map { "'\($0)'" } ?? written.kind }
}
