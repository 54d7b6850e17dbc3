import ArgumentParser
import Quantities
import SpinWaves

/// What the command line says of paths and numbers.
enum DispersionText {
    /// `h k l, h k l, …`; fractions such as `1/2` may be written, and semicolons between corners.
    static func corners(_ text: String) throws -> [Vector3] {
        let parts = text.split { $0 == "," || $0 == ";" }
        guard parts.count >= 2 else {
            throw ValidationError("--path \"\(text)\": write two corners or more, such as \"0 0 0, 1 0 0\"")
        }
        return try parts.map { part in
            let q = try numbers(String(part), count: 3, "--path")
            return Vector3(q[0], q[1], q[2])
        }
    }

    /// `count` numbers or fractions between blanks.
    static func numbers(_ text: String, count: Int, _ option: String) throws -> [Double] {
        let values = text.split(separator: " ").compactMap { fraction(String($0)) }
        guard values.count == count, text.split(separator: " ").count == count else {
            let wanted = count == 3 ? "three numbers, h k l" : "\(count) numbers"
            throw ValidationError("\(option) \"\(text.trimmed)\": write \(wanted)")
        }
        return values
    }

    /// An amount with its unit: `0.5meV`.
    static func quantity(_ text: String, _ dimension: Quantities.Dimension, _ option: String) throws -> Double {
        do {
            return try Quantity(text, as: dimension).value
        } catch {
            let example = dimension == .energy ? "0.5meV" : "4K"
            throw ValidationError("\(option) \(text): write a number with its unit, such as \(example)")
        }
    }

    /// `0.25` or `1/4`; nil for what is no finite number.
    static func fraction(_ word: String) -> Double? {
        let parts = word.split(separator: "/", omittingEmptySubsequences: false).map { Double($0) }
        if parts.count == 1, let value = parts[0], value.isFinite { return value }
        if parts.count == 2, let top = parts[0], let bottom = parts[1], bottom != 0, (top / bottom).isFinite {
            return top / bottom
        }
        return nil
    }
}

extension String {
    fileprivate var trimmed: String { split(separator: " ").joined(separator: " ") }
}
