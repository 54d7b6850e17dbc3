import Artifacts
import Dataflow
import Foundation

/// The parameters that a posterior is about, and the way between their values and the numbers that networks learn.
///
/// A value θ with prior distribution function F becomes z = Φ⁻¹(F(θ)): without data each z is a standard normal number,
/// whatever the prior, and no z lies outside it.
struct ParameterSpace: Sendable, Hashable {
    /// All in meV.
    static let unit = "meV"

    /// In alphabetical order; those that the priors fix are not among them.
    let names: [String]
    let priors: [Prior]
    /// As bound: by name.
    let value: Value

    /// How close to 0 and 1 the prior's distribution function is let come: |z| stays below 4.8.
    private static let edge = 1e-6

    /// - Parameter value: the priors of a `priors` parameter, by name.
    /// - Throws: `ValueError` for bounds that make no distribution and where nothing varies.
    init(_ value: Value) throws {
        var found: [(String, Prior)] = []
        for (name, written) in try value.asRecord().sorted(by: { $0.key < $1.key }) {
            guard let prior = try Prior(written) else {
                throw ValueError(expected: "a lower bound below the upper one", field: name, found: "no distribution")
            }
            if case .fixed = prior { continue }
            found.append((name, prior))
        }
        guard !found.isEmpty else {
            throw ValueError(expected: "a parameter that varies", field: "priors", found: "none")
        }
        names = found.map(\.0)
        priors = found.map(\.1)
        self.value = value
    }

    var dimensions: Int { names.count }

    /// Problems with a `priors` parameter that a stage can see without images.
    static func problems(in parameters: Value) -> [ParameterProblem] {
        guard case .record(let priors)? = parameters["priors"] else { return [] }
        var varies = false
        for (name, written) in priors.sorted(by: { $0.key < $1.key }) {
            guard let prior = (try? Prior(written)) ?? nil else {
                return [
                    ParameterProblem(
                        ["priors", name], "the bounds of '\(name)' make no distribution",
                        hint: "write the lower bound first; for log-uniform both must have the same sign and not be 0")
                ]
            }
            if case .fixed = prior { continue }
            varies = true
        }
        return varies
            ? []
            : [
                ParameterProblem(
                    ["priors"], "no parameter varies, so there is nothing to estimate",
                    hint: "give the priors that the parameters were drawn from")
            ]
    }

    /// The values of the parameters of this space, in order.
    ///
    /// - Throws: `StepFailure` when one is missing or lies outside its prior.
    func values(of set: ParameterSet) throws(StepFailure) -> [Double] {
        var values: [Double] = []
        for (name, prior) in zip(names, priors) {
            guard let value = set.values[name] else {
                throw StepFailure(
                    "the parameters have no '\(name)', of which there is a prior",
                    hint: "give the priors of the node that made the parameters")
            }
            let range = prior.range
            // A quantile may miss a bound by a rounding.
            let slack = 1e-9 * (range.upperBound - range.lowerBound)
            if case .normal = prior {
            } else if value < range.lowerBound - slack || value > range.upperBound + slack {
                throw StepFailure(
                    "\(name) = \(value) \(Self.unit) lies outside its prior, \(range.lowerBound) to "
                        + "\(range.upperBound) \(Self.unit)",
                    hint: "give the priors of the node that made the parameters")
            }
            values.append(value)
        }
        return values
    }

    /// z of values in order.
    func coordinates(_ values: [Double]) -> [Double] {
        zip(priors, values).map { prior, value in
            if case .normal(let mean, let sigma) = prior { return (value - mean) / sigma }
            return Prior.normalQuantile(min(1 - Self.edge, max(Self.edge, prior.probability(below: value))))
        }
    }

    /// The value of the parameter at `index` that belongs to z; infinite ones give the ends of the prior.
    func value(_ index: Int, _ z: Double) -> Double {
        if case .normal(let mean, let sigma) = priors[index] { return mean + sigma * z }
        return priors[index].quantile(Prior.normalProbability(z))
    }
}
