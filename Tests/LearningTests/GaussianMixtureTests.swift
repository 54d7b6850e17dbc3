import Compute
import Testing

@testable import Learning

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A mixture of two Gaussians in two dimensions: covariances [[1, −0.6], [−0.6, 0.5]] and [[0.2, 0.05], [0.05, 0.4]].
private let pair = GaussianMixture([
    .init(weight: 0.3, mean: [0.3, -0.2], factor: [1, 0, 0.6 / 0.14.squareRoot(), 1 / 0.14.squareRoot()]),
    .init(
        weight: 0.7, mean: [-1, 0.8],
        factor: [1 / 0.2.squareRoot(), 0, -0.25 / 0.3875.squareRoot(), 1 / 0.3875.squareRoot()]),
])

@Suite("mixtures of Gaussians")
struct GaussianMixtureTests {
    @Test("density and marginal distributions are SciPy's")
    func density() {
        // scipy.stats 1.x: multivariate_normal.pdf and norm.cdf of these covariances.
        #expect(abs(pair.logDensity([-0.4, 0.5]) - -1.605547086103806) < 1e-12)
        #expect(abs(pair.cumulative(0, -0.4) - 0.709689722459272) < 1e-12)
        #expect(abs(pair.cumulative(1, 0.5) - 0.4740098826746496) < 1e-12)
    }

    @Test(
        "quantiles undo the distribution function; the ends are infinite", arguments: [1e-6, 0.025, 0.5, 0.84, 0.999])
    func quantiles(p: Double) {
        for index in 0...1 {
            // 52 halvings of a range of some 80 leave 2e-14, times a density below 1.
            #expect(abs(pair.cumulative(index, pair.quantile(index, p)) - p) < 1e-13)
        }
        #expect(pair.quantile(0, 0) == -.infinity && pair.quantile(0, 1) == .infinity)
    }

    @Test("draws have the mixture's means and covariance")
    func draws() {
        let count = 20_000
        let draws = (0..<count).map { pair.sample(RandomStream(seed: 3).substream("draw", $0)) }
        let mean = [0.3 * 0.3 - 0.7, -0.3 * 0.2 + 0.7 * 0.8]
        // Σ w (C + μμᵀ) − mean·meanᵀ.
        let covariance = [
            0.3 * (1 + 0.09) + 0.7 * (0.2 + 1) - mean[0] * mean[0],
            0.3 * (-0.6 - 0.06) + 0.7 * (0.05 - 0.8) - mean[0] * mean[1],
            0.3 * (0.5 + 0.04) + 0.7 * (0.4 + 0.64) - mean[1] * mean[1],
        ]
        for index in 0...1 {
            let found = draws.reduce(0) { $0 + $1[index] } / Double(count)
            // Four standard errors; deviations are about 1.
            #expect(abs(found - mean[index]) < 4 / Double(count).squareRoot())
        }
        for (place, (a, b)) in [(0, 0), (0, 1), (1, 1)].enumerated() {
            let found = draws.reduce(0) { $0 + ($1[a] - mean[a]) * ($1[b] - mean[b]) } / Double(count)
            // Fourth moments are below 4, so products scatter by less than 2: four standard errors again.
            #expect(abs(found - covariance[place]) < 8 / Double(count).squareRoot())
        }
    }

    @Test("a mixture of mixtures is the mean of their densities")
    func mixing() {
        let other = GaussianMixture([.init(weight: 5, mean: [1, 1], factor: [1, 0, 0, 1])])
        let both = GaussianMixture(mixing: [pair, other])
        let z = [0.2, 0.1]
        let mean = (exp(pair.logDensity(z)) + exp(other.logDensity(z))) / 2
        #expect(abs(exp(both.logDensity(z)) - mean) < 1e-14)
        #expect(abs(exp(other.logDensity(z)) - exp(-(0.64 + 0.81) / 2) / (2 * Double.pi)) < 1e-15)
    }

    @Test("the loss is −log of the density that the outputs describe, and its gradient that of differences")
    func gradient() {
        let head = MixtureHead(dimensions: 3, components: 2)
        #expect(head.outputs == 2 * (1 + 3 + 3 + 3))
        let random = RandomStream(seed: 8)
        let outputs = (0..<head.outputs).map { Float(random.normal(at: $0)) }
        let z: [Double] = [0.3, -0.8, 0.5]
        let found = head.loss(outputs[...], target: z[...])
        #expect(abs(found.value + head.mixture(outputs[...]).logDensity(z)) < 1e-12)
        for index in outputs.indices {
            // Outputs are single precision: steps that are exact there, and the loss in double.
            let step: Float = 0x1p-9
            var (above, below) = (outputs, outputs)
            above[index] += step
            below[index] -= step
            let width = Double(above[index]) - Double(below[index])
            let slope =
                (head.loss(above[...], target: z[...]).value - head.loss(below[...], target: z[...]).value) / width
            // The error of the quotient is the step's square, 4e-6, times a third derivative of some tens.
            #expect(abs(found.gradient[index] - slope) < 1e-3 * max(1, abs(slope)), "\(index)")
        }
    }

    @Test("an output beyond all bounds gives a finite loss")
    func saturation() {
        let head = MixtureHead(dimensions: 2, components: 1)
        let outputs: [Float] = [0, 0, 0, 500, -500, 3]
        let found = head.loss(outputs[...], target: [0.1, 0.2][...])
        #expect(found.value.isFinite && found.gradient.allSatisfy(\.isFinite))
    }
}

@Suite("calibrated intervals")
struct IntervalCalibrationTests {
    @Test("by hand: the smallest content of so many")
    func byHand() {
        let calibration = IntervalCalibration(scores: [0.9, 0.1, 0.5, 0.3, 0.7, 0.2, 0.4, 0.6, 0.8])
        // ⌈10·0.5⌉ = 5th and ⌈10·0.9⌉ = 9th of nine; 95 % would be the tenth.
        #expect(calibration.content(coverage: 0.5) == 0.5)
        #expect(calibration.content(coverage: 0.9) == 0.9)
        #expect(calibration.content(coverage: 0.95) == 1)
        #expect(calibration.isReachable(coverage: 0.9) && !calibration.isReachable(coverage: 0.95))
        #expect(IntervalCalibration(scores: []).content(coverage: 0.1) == 1)
        #expect(IntervalCalibration.score(cumulative: 0.9) == 0.8)
    }

    @Test("cover as often as they promise, however wrong the density", arguments: [0.68, 0.95])
    func coverage(level: Double) {
        // The truth is standard normal; the density says a width of 0.4 and is off by 0.3. With n = 99 scores without ties
        // the coverage is exactly 68/100 and 95/100; each trial draws calibration and test anew, so that the count is
        // binomial.
        let said = GaussianMixture([.init(weight: 1, mean: [0.3], factor: [2.5])])
        let trials = 2000
        var (covered, uncalibrated) = (0, 0)
        for trial in 0..<trials {
            let random = RandomStream(seed: 21).substream("trial", trial)
            let scores = (0..<100).map {
                IntervalCalibration.score(cumulative: said.cumulative(0, random.normal(at: $0)))
            }
            if scores[99] <= IntervalCalibration(scores: Array(scores[..<99])).content(coverage: level) { covered += 1 }
            if scores[99] <= level { uncalibrated += 1 }
        }
        let deviation = (level * (1 - level) * Double(trials)).squareRoot()
        #expect(abs(Double(covered) - level * Double(trials)) < 3.5 * deviation)
        // Without calibration the same density is far off.
        #expect(abs(Double(uncalibrated) - level * Double(trials)) > 20 * deviation)
    }

    @Test("evenness: p-values are SciPy's")
    func uniformity() {
        // scipy.stats.kstest against 'uniform', which is exact; the corrected asymptotic formula is good to 0.02 for ten.
        let few = [0.05, 0.12, 0.31, 0.33, 0.48, 0.52, 0.61, 0.64, 0.79, 0.93]
        let squares = (0..<19).map { pow(0.05 + 0.9 * Double($0) / 18, 2) }
        let more = (0..<40).map { pow((Double($0) + 0.5) / 40, 2) }
        #expect(abs(uniformityPValue(few) - 0.9258) < 0.02)
        #expect(abs(uniformityPValue(squares) - 0.0894) < 0.01)
        #expect(abs(uniformityPValue(more) - 0.00643) < 0.001)
        #expect(uniformityPValue([]) == 1)
        #expect(rankHistogram([0, 0.05, 0.5, 1], bins: 10) == [2, 0, 0, 0, 0, 1, 0, 0, 0, 1])
    }
}
