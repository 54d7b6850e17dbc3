extension AllowedTensor: CustomStringConvertible {
    /// The entries of the symmetric part by rows, in letters: `A`, `-B`, `√3/2 A - √3/2 B`, `0`.
    public var symmetricEntries: [[String]] {
        (0..<3).map { row in
            (0..<3).map { column in Self.combination(symmetric.map { $0[row][column] }, from: 0) }
        }
    }

    /// The components of D, in the letters behind those of the symmetric part.
    public var dmEntries: [String] {
        (0..<3).map { k in Self.combination(antisymmetric.map { $0[k] }, from: symmetric.count) }
    }

    /// Rows of the symmetric part in aligned columns, and D beside the second row where there is one.
    public var lines: [String] {
        let entries = symmetricEntries
        let widths = (0..<3).map { column in entries.map { $0[column].count }.max() ?? 0 }
        var lines = entries.map { row in
            let padded = zip(row, widths).map { text, width in String(repeating: " ", count: width - text.count) + text
            }
            return "[ " + padded.joined(separator: "  ") + " ]"
        }
        if !antisymmetric.isEmpty { lines[1] += "   D = (\(dmEntries.joined(separator: ", ")))" }
        return lines
    }

    public var description: String { lines.joined(separator: "\n") }

    private static func combination(_ factors: [Double], from first: Int) -> String {
        var text = ""
        for (k, factor) in factors.enumerated() where abs(factor) > 1e-9 {
            let size = coefficient(abs(factor))
            let sign = factor < 0 ? (text.isEmpty ? "-" : " - ") : (text.isEmpty ? "" : " + ")
            text += sign + (size.isEmpty ? "" : size + " ") + letter(first + k)
        }
        return text.isEmpty ? "0" : text
    }

    /// A … I: a 3 × 3 matrix has nine entries at most.
    private static func letter(_ k: Int) -> String { String(UnicodeScalar(UInt8(65 + k))) }

    /// Nothing for 1; else a fraction, perhaps times √2 or √3, where it is one; else six digits.
    private static func coefficient(_ value: Double) -> String {
        if abs(value - 1) < 1e-9 { return "" }
        for (name, root) in [("", 1.0), ("√3", 3.0.squareRoot()), ("√2", 2.0.squareRoot())] {
            for denominator in [1, 2, 3, 4, 6, 8] {
                let numerator = value / root * Double(denominator)
                guard numerator > 0.5, numerator < 20, abs(numerator - numerator.rounded()) < 1e-7 else { continue }
                let whole = Int(numerator.rounded())
                let top = name.isEmpty ? "\(whole)" : (whole == 1 ? "" : "\(whole)") + name
                return denominator == 1 ? top : "\(top)/\(denominator)"
            }
        }
        return String(shortest: value)
    }
}
