import Foundation
import Testing

@testable import Compute

@Suite("Poisson counts by address")
struct PoissonTests {
    let stream = RandomStream(seed: 3).substream("counts")

    /// Below, at and above the change of algorithm, up to where a pixel never counts.
    static let means = [0.02, 0.7, 3, 9.99, 10.01, 12.5, 30, 400, 1e4, 1e6]

    /// Chi-squared of bins that hold at least 40 expected draws each: its own mean is the number of bins less one, its
    /// variance twice that; five deviations, and half of that for a fit that would be too good to be random.
    @Test("the distribution is Poisson's", arguments: means)
    func distribution(mean: Double) {
        let count = 500_000
        var observed: [Int: Int] = [:]
        for index in 0..<count { observed[stream.poisson(mean: mean, at: index), default: 0] += 1 }
        #expect((observed.keys.min() ?? 0) >= 0)
        let low = max(0, Int(mean - 12 * mean.squareRoot() - 10))
        let high = Int(mean + 12 * mean.squareRoot() + 30)
        var (chi, bins) = (0.0, 0)
        var (expectedInBin, observedInBin, all) = (0.0, 0, 0)
        for value in low...high {
            // The gamma function of the C library, which the draws do not use.
            let logarithm = Double(value) * log(mean) - mean - lgamma(Double(value) + 1)
            expectedInBin += Double(count) * exp(logarithm)
            observedInBin += observed[value] ?? 0
            all += observed[value] ?? 0
            // Many bins at large means would each have too few: a few hundred are enough.
            if expectedInBin >= max(40, Double(count) / 300) || value == high {
                if expectedInBin >= 5 {
                    let difference = Double(observedInBin) - expectedInBin
                    chi += difference * difference / expectedInBin
                    bins += 1
                }
                (expectedInBin, observedInBin) = (0, 0)
            }
        }
        #expect(all == count)
        let freedom = Double(bins - 1)
        #expect(abs(chi - freedom) < 5 * (2 * freedom).squareRoot(), "\(chi) for \(freedom)")
    }

    /// Standard errors: mean √(m/n), variance √((2m² + m)/n); five of them.
    @Test(
        "mean and variance are both the mean, also where counts have thirteen digits", arguments: means + [1e9, 1e13])
    func moments(mean: Double) {
        let n = 50_000
        let deviations = (0..<n).map { Double(stream.poisson(mean: mean, at: $0)) - mean }
        let shift = deviations.reduce(0, +) / Double(n)
        let variance = deviations.reduce(0) { $0 + ($1 - shift) * ($1 - shift) } / Double(n - 1)
        #expect(abs(shift) < 5 * (mean / Double(n)).squareRoot())
        #expect(abs(variance - mean) < 5 * ((2 * mean * mean + mean) / Double(n)).squareRoot())
    }

    @Test("the same address gives the same count in any order; neighbours are independent", arguments: [2.0, 50])
    func addresses(mean: Double) {
        let forwards = (0..<4000).map { stream.poisson(mean: mean, at: $0) }
        let backwards = (0..<4000).reversed().map { stream.poisson(mean: mean, at: $0) }
        #expect(forwards == backwards.reversed())
        let lag = zip(forwards, forwards.dropFirst()).reduce(0) {
            $0 + (Double($1.0) - mean) * (Double($1.1) - mean)
        }
        #expect(abs(lag / mean / 4000) < 5 / 4000.0.squareRoot())
    }

    @Test("no counts without a mean, and none that cannot be held")
    func limits() {
        #expect(stream.poisson(mean: 0, at: 0) == 0)
        #expect(stream.poisson(mean: -3, at: 0) == 0)
        let large = Double(stream.poisson(mean: 1e17, at: 0))
        #expect(abs(large - 1e17) < 6 * 1e17.squareRoot())
        #expect(stream.poisson(mean: 1e300, at: 0) > 0)
    }

    /// Probabilities of a sum of some 24 √m terms, each right to about 1e-13.
    @Test("the probabilities used add up to one", arguments: [10, 100, 1e4, 1e8])
    func probabilities(mean: Double) {
        let width = Int(12 * mean.squareRoot())
        let sum = (max(0, Int(mean) - width)...Int(mean) + width).reduce(0.0) {
            $0 + exp(RandomStream.logPoisson(Double($1), mean: mean))
        }
        #expect(abs(sum - 1) < 1e-9)
    }
}
