#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension RandomStream {
    /// Poisson counts by address: the same stream, index and mean give the same count, in any order.
    ///
    /// Below a mean of 10 by inversion of the distribution function from one uniform number of 52 bits, so that counts
    /// less likely than 2⁻⁵² in the upper tail are never drawn. From 10 on by transformed rejection, which is exact
    /// (algorithm PTRS of W. Hörmann, Insurance: Mathematics and Economics 12 (1993) 39), with the probability written
    /// as C. Loader does (Fast and accurate computation of binomial probabilities, 2000), so that it keeps its precision
    /// at large means. Above 10¹⁵, where a `Double` cannot count any more, a rounded normal number.
    ///
    /// - Parameter mean: 0 or more and finite; below 0 counts as 0.
    /// - Parameter index: at least 0 and below 2⁴⁰: higher bits count the attempts of the rejection.
    public func poisson(mean: Double, at index: Int) -> Int {
        if mean <= 0 { return 0 }
        if mean < 10 { return Self.invertedPoisson(mean: mean, uniform: uniform(at: index)) }
        if mean > 1e15 { return Int(min((mean + mean.squareRoot() * normal(at: index)).rounded(), 9e18)) }
        let b = 0.931 + 2.53 * mean.squareRoot()
        let a = -0.059 + 0.02483 * b
        let inverseAlpha = 1.1239 + 1.1328 / (b - 3.4)
        let acceptance = 0.9277 - 3.6224 / (b - 2)
        var attempt = 0
        while true {
            let bits = bits(at: index &+ attempt << 40)
            attempt += 1
            let u = Self.unit(bits.x, bits.y) - 0.5
            let v = Self.unit(bits.z, bits.w)
            let distance = 0.5 - abs(u)
            let count = ((2 * a / distance + b) * u + mean + 0.43).rounded(.down)
            if distance >= 0.07, v <= acceptance { return Int(count) }
            if count < 0 || (distance < 0.013 && v > distance) { continue }
            let bound = log(v * inverseAlpha / (a / (distance * distance) + b))
            if bound <= Self.logPoisson(count, mean: mean) { return Int(count) }
        }
    }

    private static func invertedPoisson(mean: Double, uniform: Double) -> Int {
        var probability = exp(-mean)
        var sum = probability
        var count = 0
        // The sum can end a rounding below 1, so that a vanishing term ends the search too.
        while uniform > sum, Double(count) < mean || probability > 0x1p-60 {
            count += 1
            probability *= mean / Double(count)
            sum += probability
        }
        return count
    }

    /// Logarithm of the probability of `count` (a whole number, 0 or more) at `mean` > 0.
    static func logPoisson(_ count: Double, mean: Double) -> Double {
        if count == 0 { return -mean }
        return -stirlingError(count) - deviance(count, mean: mean) - 0.5 * log(2 * Double.pi * count)
    }

    /// log n! − log(√(2πn) (n/e)ⁿ), to 1e-13 for whole n ≥ 1.
    private static func stirlingError(_ n: Double) -> Double {
        if n < 16 {
            var factorial = 1.0
            for factor in 1...Int(n) { factorial *= Double(factor) }
            return log(factorial) - (n + 0.5) * log(n) + n - 0.5 * log(2 * Double.pi)
        }
        let square = n * n
        return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - 1.0 / 1680 / square) / square) / square) / n
    }

    /// n log(n/m) + m − n without cancellation where n ≈ m.
    private static func deviance(_ n: Double, mean m: Double) -> Double {
        guard abs(n - m) < 0.1 * (n + m) else { return n * log(n / m) + m - n }
        let ratio = (n - m) / (n + m)
        var sum = (n - m) * ratio
        var term = 2 * n * ratio
        for j in 1..<100 {
            term *= ratio * ratio
            let next = sum + term / Double(2 * j + 1)
            if next == sum { break }
            sum = next
        }
        return sum
    }
}
