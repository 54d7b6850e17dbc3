#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How plausible it is that numbers were drawn evenly from 0…1: the two-sided test of Kolmogorov and Smirnov, with the
/// correction for small samples of M. A. Stephens (J. R. Stat. Soc. B 32 (1970) 115), good to 0.02 for ten
/// numbers, and better where it matters, at small values.
///
/// The ranks of true parameters in honest posteriors are even (S. Talts et al., arXiv:1804.06788): ∪ shapes tell of
/// posteriors too narrow, ∩ shapes of ones too wide, slopes of a bias.
///
/// - Returns: the probability of a distance between the distribution functions as large as this one or larger; 1 for none.
public func uniformityPValue(_ numbers: [Double]) -> Double {
    if numbers.isEmpty { return 1 }
    let count = Double(numbers.count)
    var distance = 0.0
    for (index, number) in numbers.sorted().enumerated() {
        distance = max(distance, number - Double(index) / count, Double(index + 1) / count - number)
    }
    let root = count.squareRoot()
    let x = (root + 0.12 + 0.11 / root) * distance
    // The series converges slowly where its sum is 1 to four digits.
    if x < 0.3 { return 1 }
    var sum = 0.0
    for term in 1...100 {
        let part: Double = 2 * exp(-2 * Double(term * term) * x * x)
        sum += term % 2 == 1 ? part : -part
    }
    return min(1, max(0, sum))
}

/// How many numbers of 0…1 fall into each of `bins` equal bins.
public func rankHistogram(_ numbers: [Double], bins: Int = 20) -> [Int] {
    var counts = [Int](repeating: 0, count: bins)
    for number in numbers { counts[min(bins - 1, max(0, Int(number * Double(bins))))] += 1 }
    return counts
}
