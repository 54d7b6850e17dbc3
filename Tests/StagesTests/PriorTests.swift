import Artifacts
import Foundation
import Testing

@testable import Stages

@Suite("Priors")
struct PriorTests {
    static let probabilities = [1e-6, 0.01, 0.25, 0.5, 0.75, 0.99, 1 - 1e-6]

    @Test("uniform, log-uniform and fixed quantiles are their closed forms", arguments: probabilities)
    func closedForms(u: Double) {
        #expect(Prior.fixed(0.3).quantile(u) == 0.3)
        #expect(Prior.uniform(-20, 0).quantile(u) == -20 + 20 * u)
        // exp and log each err by a rounding of their argument.
        let expected = exp(log(0.1) + u * log(100))
        #expect(abs(Prior.logUniform(0.1, 10).quantile(u) - expected) < 1e-13 * expected)
        let negative = -exp(log(10) - u * log(100))
        #expect(abs(Prior.logUniform(-10, -0.1).quantile(u) - negative) < 1e-13 * -negative)
    }

    @Test("normal quantiles: tabulated values, and the distribution function brings them back")
    func normal() {
        // Abramowitz and Stegun, table 26.5, and R's qnorm for the tails.
        let table = [
            (0.5, 0.0), (0.975, 1.959963984540054), (0.8413447460685429, 1.0), (1e-6, -4.753424308822899),
            (1e-10, -6.361340902404056),
        ]
        for (u, x) in table { #expect(abs(Prior.normalQuantile(u) - x) < 1e-12, "\(u)") }
        for u in Self.probabilities {
            let x = Prior.normalQuantile(u)
            #expect(abs(0.5 * erfc(-x / 2.0.squareRoot()) - u) < 1e-15 + 1e-12 * u, "\(u)")
            let prior = Prior.normal(mean: -3, sigma: 0.5)
            #expect(prior.quantile(u) == -3 + 0.5 * x)
        }
    }

    @Test("the distribution function undoes the quantile, and is 0 and 1 outside", arguments: probabilities)
    func inverse(u: Double) {
        let priors: [Prior] = [
            .uniform(-20, 0), .logUniform(0.1, 10), .logUniform(-10, -0.1), .normal(mean: -3, sigma: 0.5),
        ]
        for prior in priors {
            // Both directions round once or twice; 1 − 1e-6 in steps of 1e-16 decides.
            #expect(abs(prior.probability(below: prior.quantile(u)) - u) < 1e-13, "\(prior)")
        }
        for prior in priors[..<3] {
            #expect(prior.probability(below: prior.range.lowerBound - 1) == 0)
            #expect(prior.probability(below: prior.range.upperBound + 1) == 1)
        }
        #expect(Prior.fixed(2).probability(below: 1.9) == 0 && Prior.fixed(2).probability(below: 2) == 1)
    }

    @Test("bounds that make no distribution are none")
    func bounds() throws {
        func prior(_ form: String, _ bounds: Double...) throws -> Prior? {
            try Prior(.record(["form": .string(form), "value": .list(bounds.map { .double($0) })]))
        }
        #expect(try prior("uniform", 1, 2) == .uniform(1, 2))
        #expect(try prior("uniform", 2, 1) == nil)
        #expect(try prior("uniform", 1, 1) == nil)
        #expect(try prior("log-uniform", -2, -1) == .logUniform(-2, -1))
        #expect(try prior("log-uniform", -1, 1) == nil)
        #expect(try prior("log-uniform", 0, 1) == nil)
        #expect(try Prior(.double(0.2)) == .fixed(0.2))
        let normal = try Prior(
            .record(["form": .string("normal"), "value": .record(["mean": .double(1), "sigma": .double(2)])]))
        #expect(normal == .normal(mean: 1, sigma: 2))
    }
}
