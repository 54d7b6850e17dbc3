import Compute

/// What known patterns explain of another one, number by number: the goodness of their fit.
///
/// A pattern is a list of numbers, such as the blocks of an image. It is fitted by the known patterns' mean and the directions
/// along which these vary most. What is left over of a number is compared with
///
///     a + b σ² + c f²,   a, b ≥ 0 of each number by least squares over known patterns
///
/// where σ² is the pattern's own noise and f what the fit adds to the mean: so that neither a noisy measurement of the right
/// kind is strange, nor a quiet one of a wrong kind usual; and images with much to explain, such as narrow bright bands, may
/// leave more.
public struct KnownPattern: Hashable, Sendable {
    /// Of each number.
    public let mean: [Float]
    /// Each number is multiplied by this before the fit; 0 leaves it out, which fewer than half of the known patterns have.
    public let weights: [Float]
    /// Orthonormal, of the weighted numbers: [directions, numbers].
    public let directions: [Float]
    /// a and b of each number.
    public let constant: [Float]
    public let slope: [Float]
    /// c
    public let share: Float

    public init(
        mean: [Float], weights: [Float], directions: [Float], constant: [Float], slope: [Float], share: Float
    ) {
        self.mean = mean
        self.weights = weights
        self.directions = directions
        self.constant = constant
        self.slope = slope
        self.share = share
    }

    /// - Parameters:
    ///   - values: of known patterns, two or more; NaN where there is nothing.
    ///   - noise: σ² of each pattern, for equal parts of its numbers; empty for patterns without noise of their own.
    ///   - directions: at most; a quarter as many as there are patterns are used at most.
    ///   - share: c.
    ///   - least: lowest a, in units of what a typical number varies by before the fit: keeps numbers that hardly ever vary, such
    ///     as the zeros of bright blocks, from deciding alone.
    public init(_ values: [[Float]], noise: [[Float]], directions limit: Int, share: Float, least: Double = 1e-9) {
        precondition(values.count > 1, "a spread takes two patterns")
        let (n, size) = (values.count, values[0].count)
        let (mean, weights) = Self.scale(values, size)
        var rows = [Float](repeating: 0, count: n * size)
        for (row, known) in values.enumerated() {
            for place in 0..<size {
                let value = (known[place] - mean[place]) * weights[place]
                rows[row * size + place] = value.isNaN ? 0 : value
            }
        }
        let found = PrincipalDirections(
            rows: rows, columns: size, limit: min(limit, n / 4),
            random: RandomStream(seed: 0).substream("principal directions"))
        if found.count > 0 {
            let parts = LinearAlgebra.product(
                rows, found.elements, rows: n, inner: size, columns: found.count, transposed: true)
            let fitted = LinearAlgebra.product(parts, found.elements, rows: n, inner: found.count, columns: size)
            for place in rows.indices { rows[place] -= fitted[place] }
        }
        self.mean = mean
        self.weights = weights
        self.share = share
        directions = found.elements
        // The directions were fitted to these very patterns: of n degrees of freedom n − directions are left.
        (constant, slope) = Self.variances(
            rows, noise, size: size, factor: Double(n) / Double(n - found.count), least: least)
    }

    private static func scale(_ values: [[Float]], _ size: Int) -> (mean: [Float], weights: [Float]) {
        var sums = [Double](repeating: 0, count: size)
        var squares = sums
        var counts = sums
        for known in values {
            for place in 0..<size where !known[place].isNaN {
                let value = Double(known[place])
                sums[place] += value
                squares[place] += value * value
                counts[place] += 1
            }
        }
        let used = (0..<size).filter { 2 * counts[$0] >= Double(values.count) }
        var variances = sums
        for place in 0..<size where counts[place] > 0 {
            let average = sums[place] / counts[place]
            variances[place] = max(0, squares[place] / counts[place] - average * average)
        }
        let total: Double = used.reduce(0) { $0 + variances[$1] }
        let typical = (total / Double(max(1, used.count))).squareRoot()
        var mean = [Float](repeating: 0, count: size)
        var weights = mean
        for place in used {
            mean[place] = Float(sums[place] / counts[place])
            weights[place] = typical > 0 ? Float(1 / max(variances[place].squareRoot(), 0.05 * typical)) : 1
        }
        return (mean, weights)
    }

    /// a and b of each number, from what the fit left of each pattern.
    private static func variances(
        _ rows: [Float], _ noise: [[Float]], size: Int, factor: Double, least: Double
    ) -> (constant: [Float], slope: [Float]) {
        let n = Double(rows.count / size)
        let parts = noise.first?.count ?? 1
        let line = size / max(1, parts)
        var constant = [Float](repeating: 1, count: size)
        var slope = [Float](repeating: 0, count: size)
        for place in 0..<size {
            var (x, y, xx, xy) = (0.0, 0.0, 0.0, 0.0)
            for row in 0..<rows.count / size {
                let variance = noise.isEmpty ? 0 : Double(noise[row][place / line])
                let left = Double(rows[row * size + place])
                x += variance
                y += factor * left * left
                xx += variance * variance
                xy += factor * variance * left * left
            }
            (x, y, xx, xy) = (x / n, y / n, xx / n, xy / n)
            let spread = xx - x * x
            var b = spread > 1e-12 * xx ? (xy - x * y) / spread : 0
            // Neither part is negative, and patterns without noise are not all alike.
            b = x > 0 ? min(max(b, 0), 0.98 * y / x) : 0
            constant[place] = Float(max(y - b * x, least))
            slope[place] = Float(b)
        }
        return (constant, slope)
    }

    /// Squares of what is left over of a pattern in units of what is left of known ones, about 1 on average for one of their
    /// kind; NaN where nothing is seen.
    public func squares(of values: [Float], noise: [Float]) -> [Float] {
        let size = mean.count
        var left = [Float](repeating: 0, count: size)
        for place in 0..<size where !values[place].isNaN {
            left[place] = (values[place] - mean[place]) * weights[place]
        }
        let whole = left
        directions.withUnsafeBufferPointer { directions in
            for start in stride(from: 0, to: directions.count, by: size) {
                var part = 0.0
                for place in 0..<size { part += Double(directions[start + place]) * Double(whole[place]) }
                for place in 0..<size { left[place] -= Float(part) * directions[start + place] }
            }
        }
        let line = size / max(1, noise.count)
        for place in 0..<size {
            let isSeen = weights[place] > 0 && !values[place].isNaN
            let fit = whole[place] - left[place]
            let own = noise.isEmpty ? 0 : slope[place] * noise[place / line]
            left[place] = isSeen ? left[place] * left[place] / (constant[place] + own + share * fit * fit) : .nan
        }
        return left
    }
}

/// Over what is not NaN; nil where nothing is.
func meanOfSeen(_ squares: some Sequence<Float>) -> Double? {
    var (sum, count) = (0.0, 0.0)
    for square in squares where !square.isNaN {
        sum += Double(square)
        count += 1
    }
    return count > 0 ? sum / count : nil
}
