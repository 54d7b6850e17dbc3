extension SymmetryOperator {
    /// Reads `-x, y+1/2, -z`, perhaps with a fourth entry +1 or −1 for time reversal.
    ///
    /// - Throws: `CrystalError.operatorText` when it is not three such entries, or when R is not a matrix of whole numbers
    ///   with determinant ±1.
    public init(_ text: String) throws(CrystalError) {
        let entries = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard entries.count == 3 || entries.count == 4 else {
            throw .operatorText(text, reason: "it has \(entries.count) entries, not three")
        }
        var rows: [SIMD3<Int>] = []
        var translation = Vector3.zero
        for (k, entry) in entries.prefix(3).enumerated() {
            do {
                let (row, shift) = try Self.row(entry)
                rows.append(row)
                translation[k] = shift
            } catch {
                throw .operatorText(text, reason: error.reason)
            }
        }
        var reversesTime = false
        if entries.count == 4 {
            switch entries[3].filter({ $0 != " " }) {
            case "+1", "1", "m", "+": break
            case "-1", "-m", "-": reversesTime = true
            default: throw .operatorText(text, reason: "the fourth entry must be +1 or -1")
            }
        }
        let rotation = IntegerMatrix3(rows: rows[0], rows[1], rows[2])
        guard abs(rotation.determinant) == 1 else {
            throw .operatorText(text, reason: "its matrix has the determinant \(rotation.determinant), not 1 or -1")
        }
        self.init(rotation: rotation, translation: translation, reversesTime: reversesTime)
    }

    private struct Misreading: Error { var reason: String }

    /// One entry: a sum of ±x, ±y, ±z (with whole factors) and numbers or fractions.
    private static func row(_ entry: String) throws(Misreading) -> (SIMD3<Int>, Double) {
        var row = SIMD3<Int>.zero
        var shift = 0.0
        var rest = entry.lowercased().filter { !$0.isWhitespace }[...]
        if rest.isEmpty { throw Misreading(reason: "an entry is empty") }
        while let first = rest.first {
            let sign = first == "-" ? -1.0 : 1.0
            if first == "-" || first == "+" { rest.removeFirst() }
            let digits = rest.prefix { ("0"..."9").contains($0) || $0 == "." || $0 == "/" }
            rest.removeFirst(digits.count)
            let parts = digits.split(separator: "/", omittingEmptySubsequences: false).map { Double($0) }
            var value = 1.0
            if !digits.isEmpty {
                guard parts.count <= 2, let top = parts[0], let bottom = parts.count == 2 ? parts[1] : 1, bottom != 0,
                    abs(top) < 1e6
                else { throw Misreading(reason: "'\(digits)' is no number") }
                value = top / bottom
            }
            if rest.first == "*" { rest.removeFirst() }
            if let axis = rest.first.flatMap({ ["x", "y", "z"].firstIndex(of: String($0)) }) {
                rest.removeFirst()
                guard value == value.rounded() else {
                    throw Misreading(
                        reason: "the factor \(digits) of \(["x", "y", "z"][axis]) is not a whole number")
                }
                row[axis] += Int(sign * value)
                // No symmetry of a lattice in a basis that a person would choose; and products of these must fit.
                if abs(row[axis]) > 99 {
                    throw Misreading(reason: "the factor of \(["x", "y", "z"][axis]) is too large")
                }
            } else {
                guard !digits.isEmpty else {
                    throw Misreading(
                        reason:
                            "'\(rest.first.map { "\($0)" } ?? entry.filter { $0 != " " })' is neither x, y, z nor a number"
                    )
                }
                shift += sign * value
            }
        }
        return (row, shift)
    }
}
