import Artifacts
import Dataflow
import Foundation

/// What is believed of one parameter before the measurement: a distribution over energies in meV.
enum Prior: Sendable, Hashable {
    case fixed(Double)
    case uniform(Double, Double)
    case normal(mean: Double, sigma: Double)
    /// Uniform in the logarithm of the magnitude, between two values of the same sign.
    case logUniform(Double, Double)

    static let parameterType: ParameterType = .either(
        energy,
        .variant([
            .init("uniform", bounds, about: "equally likely between two values"),
            .init(
                "normal",
                .structure([
                    Parameter("mean", energy, about: "centre of the bell"),
                    Parameter("sigma", .quantity(.energy, 1e-9...1e6), about: "standard deviation"),
                ]), about: "a Gaussian bell"),
            .init("log-uniform", bounds, about: "equally likely in the logarithm; both bounds of one sign"),
        ]))

    private static let energy: ParameterType = .quantity(.energy, -1e6...1e6)
    private static let bounds: ParameterType = .list(energy, count: 2...2)

    /// Reads a bound parameter value; nil when the bounds make no distribution.
    init?(_ value: Value) throws {
        if case .double(let fixed) = value {
            self = .fixed(fixed)
            return
        }
        let content = try value.field("value")
        switch try value.string("form") {
        case "uniform":
            let bounds = try content.asDoubles()
            guard bounds[0] < bounds[1] else { return nil }
            self = .uniform(bounds[0], bounds[1])
        case "normal": self = .normal(mean: try content.double("mean"), sigma: try content.double("sigma"))
        default:
            let bounds = try content.asDoubles()
            guard bounds[0] < bounds[1], bounds[0] * bounds[1] > 0 else { return nil }
            self = .logUniform(bounds[0], bounds[1])
        }
    }

    /// The value below which the fraction `u` (0…1, open) of the distribution lies.
    func quantile(_ u: Double) -> Double {
        switch self {
        case .fixed(let value): value
        case .uniform(let low, let high): low + (high - low) * u
        case .normal(let mean, let sigma): mean + sigma * Self.normalQuantile(u)
        case .logUniform(let low, let high): low * pow(high / low, u)
        }
    }

    /// The fraction of the distribution that lies below a value: the inverse of `quantile`; 0 or 1 outside the distribution.
    /// Of a fixed value 0 below and 1 from it on.
    func probability(below value: Double) -> Double {
        switch self {
        case .fixed(let fixed): value < fixed ? 0 : 1
        case .uniform(let low, let high): min(1, max(0, (value - low) / (high - low)))
        case .normal(let mean, let sigma): Self.normalProbability((value - mean) / sigma)
        case .logUniform(let low, let high):
            value * low <= 0 ? (value < low ? 0 : 1) : min(1, max(0, log(value / low) / log(high / low)))
        }
    }

    /// The range that holds all of the distribution; of a normal one, three standard deviations to both sides.
    var range: ClosedRange<Double> {
        switch self {
        case .fixed(let value): value...value
        case .uniform(let low, let high), .logUniform(let low, let high): low...high
        case .normal(let mean, let sigma): mean - 3 * sigma...mean + 3 * sigma
        }
    }

    /// Φ, the normal distribution function.
    static func normalProbability(_ x: Double) -> Double { 0.5 * erfc(-x * 0.5.squareRoot()) }

    /// The inverse of the normal distribution function by bisection and Newton steps on erfc: 40 halvings of ±9
    /// reach 1.6e-11, two Newton steps the last digit.
    static func normalQuantile(_ u: Double) -> Double {
        func cumulative(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
        var low = -9.0
        var high = 9.0
        for _ in 0..<40 {
            let middle = (low + high) / 2
            if cumulative(middle) < u { low = middle } else { high = middle }
        }
        var x = (low + high) / 2
        for _ in 0..<2 {
            let density = exp(-x * x / 2) / (2 * Double.pi).squareRoot()
            if density > 0 { x -= (cumulative(x) - u) / density }
        }
        return x
    }
}
