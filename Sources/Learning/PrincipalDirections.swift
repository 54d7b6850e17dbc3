import Compute

/// Directions along which lists of numbers vary most, for more and longer lists than a full decomposition is worth.
///
/// Subspace iteration from random directions (N. Halko, P. G. Martinsson and J. A. Tropp, SIAM Rev. 53 (2011) 217,
/// algorithm 4.4). The directions span what they should; within the span they are in no order.
struct PrincipalDirections {
    /// Orthonormal, [count, columns].
    let elements: [Float]
    let count: Int

    /// - Parameters:
    ///   - rows: [n, columns], row-major, of mean 0.
    ///   - limit: directions wanted; fewer come where the rows span fewer.
    init(rows: [Float], columns: Int, limit: Int, random: RandomStream, iterations: Int = 4) {
        let n = rows.count / max(columns, 1)
        var count = min(limit, n, columns)
        var directions = (0..<count * columns).map { Float(random.normal(at: $0)) }
        for _ in 0..<iterations where count > 0 {
            let seen = LinearAlgebra.product(
                directions, rows, rows: count, inner: columns, columns: n, transposed: true)
            directions = LinearAlgebra.product(seen, rows, rows: count, inner: n, columns: columns)
            (directions, count) = Self.orthonormal(directions, columns: columns)
        }
        elements = directions
        self.count = count
    }

    /// Gram and Schmidt's procedure, twice over, by which single precision keeps its digits. What is left of a direction
    /// by rounding alone is dropped.
    private static func orthonormal(_ directions: [Float], columns: Int) -> ([Float], Int) {
        var kept: [[Float]] = []
        var longest = 0.0
        for start in stride(from: 0, to: directions.count, by: columns) {
            var direction = Array(directions[start..<start + columns])
            let before = scalarProduct(direction, direction).squareRoot()
            longest = max(longest, before)
            guard before > 1e-10 * longest, before > 0 else { continue }
            for place in 0..<columns { direction[place] /= Float(before) }
            for _ in 0..<2 {
                for other in kept { subtract(Float(scalarProduct(other, direction)), other, from: &direction) }
            }
            let left = scalarProduct(direction, direction).squareRoot()
            guard left > 1e-5 else { continue }
            for place in 0..<columns { direction[place] /= Float(left) }
            kept.append(direction)
        }
        return (kept.flatMap { $0 }, kept.count)
    }

    private static func subtract(_ factor: Float, _ other: [Float], from direction: inout [Float]) {
        for place in 0..<direction.count { direction[place] -= factor * other[place] }
    }

    private static func scalarProduct(_ a: [Float], _ b: [Float]) -> Double {
        // Eight sums side by side, each rounded once in double precision.
        var sums = SIMD8<Double>(repeating: 0)
        let whole = a.count - a.count % 8
        for start in stride(from: 0, to: whole, by: 8) {
            for lane in 0..<8 { sums[lane] += Double(a[start + lane]) * Double(b[start + lane]) }
        }
        var sum = sums.sum()
        for place in whole..<a.count { sum += Double(a[place]) * Double(b[place]) }
        return sum
    }
}
