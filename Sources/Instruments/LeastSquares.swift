/// Linear least squares with a few unknowns and many rows, by normal equations.
///
/// Columns are scaled to unit length first, so that the equations are as well conditioned as the problem; the loss of half the
/// digits that is left does not matter for fits to counts.
enum LeastSquares {
    struct Solution {
        var values: [Double]
        /// One standard deviation each, from the scatter of the residual over rows minus unknowns.
        var errors: [Double]
        /// For each row.
        var fitted: [Double]
    }

    /// - Throws: `.invalid` when there are fewer rows than unknowns, or a combination of columns vanishes.
    static func solve(
        count m: Int, rows: [(factors: [Double], value: Double)]
    ) throws(InstrumentError) -> Solution {
        guard rows.count > m else {
            throw .invalid("the comparison", problem: "has \(rows.count) pixels for \(m) coefficients")
        }
        var lengths = [Double](repeating: 0, count: m)
        for row in rows { for a in 0..<m { lengths[a] += row.factors[a] * row.factors[a] } }
        lengths = lengths.map { $0.squareRoot() }
        guard let least = lengths.min(), least > 0 else {
            throw .invalid("the comparison", problem: "has a term that is zero at every pixel with a detector")
        }
        var normal = [[Double]](repeating: Array(repeating: 0, count: m), count: m)
        var right = [Double](repeating: 0, count: m)
        for row in rows {
            for a in 0..<m {
                let x = row.factors[a] / lengths[a]
                right[a] += x * row.value
                for b in 0...a { normal[a][b] += x * row.factors[b] / lengths[b] }
            }
        }
        // Cholesky: L Lᵀ; then the inverse, which the errors need anyway.
        var lower = normal
        for a in 0..<m {
            for b in 0...a {
                var sum = normal[a][b]
                for c in 0..<b { sum -= lower[a][c] * lower[b][c] }
                if a == b {
                    guard sum > 1e-12 else {
                        throw .invalid(
                            "the comparison",
                            problem: "has terms that cannot be told apart at the pixels with a detector")
                    }
                    lower[a][a] = sum.squareRoot()
                } else {
                    lower[a][b] = sum / lower[b][b]
                }
            }
        }
        func solved(_ b: [Double]) -> [Double] {
            var y = b
            for i in 0..<m {
                for c in 0..<i { y[i] -= lower[i][c] * y[c] }
                y[i] /= lower[i][i]
            }
            for i in (0..<m).reversed() {
                for c in i + 1..<max(i + 1, m) { y[i] -= lower[c][i] * y[c] }
                y[i] /= lower[i][i]
            }
            return y
        }
        let scaled = solved(right)
        let values = zip(scaled, lengths).map { $0 / $1 }
        let fitted = rows.map { row in zip(row.factors, values).reduce(0) { $0 + $1.0 * $1.1 } }
        let square = zip(rows, fitted).reduce(0) { $0 + ($1.0.value - $1.1) * ($1.0.value - $1.1) }
        let variance = square / Double(rows.count - m)
        let errors = (0..<m).map { a in
            var unit = [Double](repeating: 0, count: m)
            unit[a] = 1
            return (variance * solved(unit)[a]).squareRoot() / lengths[a]
        }
        return Solution(values: values, errors: errors, fitted: fitted)
    }
}
