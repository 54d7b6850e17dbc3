import Artifacts
import Compute
import Instruments
import Tensors

/// A refined model: what flows along `refinement` edges.
///
/// Built from a result, read back field by field; the record is the one form.
struct Refinement: Sendable {
    let value: Value
    /// What a record keeps for reports.
    let facts: [String: Value]

    init(
        _ result: ImageRefinementResult, profiles: [ImageRefinement.Profile], fractions: [Double],
        measurement: Measurement, bestStart: Int, ends: [Double?], images: Int
    ) {
        let estimates = result.estimates.map { estimate in
            Self.estimate(estimate, profile: profiles.first { $0.name == estimate.name })
        }
        let common: [String: Value] = [
            "verdict": .string(result.verdict.rawValue), "remarks": .list(result.remarks.map { .string($0) }),
            "estimates": .list(estimates), "reduced-chi-squared": .double(result.reducedChiSquared),
            "images": .int(images), "unstable-images": .int(result.unstableImages),
            "shortened-steps": .int(result.shortenedSteps), "iterations": .int(result.history.count),
            "correlation": .double(result.correlationWithData),
        ]
        facts = ["refinement": .record(common)]
        var fields = common
        fields["weights"] = .string(result.weighting.rawValue)
        fields["chi-squared"] = .double(result.chiSquared)
        fields["degrees-of-freedom"] = .double(result.freedom)
        fields["reduced-chi-squared-of-setting"] = Self.doubles(result.chiSquaredOfSetting)
        fields["correlation-of-setting"] = Self.doubles(result.correlationOfSetting)
        fields["clipped-pixels"] = .int(result.clippedPixels)
        fields["parameters"] = .record(
            Dictionary(uniqueKeysWithValues: result.estimates.map { ($0.name, .double($0.value)) }))
        fields["covariance-names"] = .list(result.covarianceNames.map { .string($0) })
        fields["covariance"] = Self.matrix(result.covariance)
        fields["correlations"] = Self.matrix(result.correlation)
        fields["directions"] = .list(
            result.directions.map {
                .record([
                    "words": .string($0.words), "components": Self.doubles($0.components),
                    "deviation": Self.finite($0.deviation), "determined": .bool($0.isDetermined),
                ])
            })
        fields["coefficients"] = .list(
            result.coefficients.map {
                .record(["name": .string($0.name), "value": .double($0.value), "error": .double($0.error)])
            })
        fields["trace"] = Self.doubles(result.trace)
        fields["history"] = .list(
            result.history.map {
                .record([
                    "value": .double($0.value), "step": .double($0.step), "damping": .double($0.damping),
                    "refused": .int($0.refused), "shortened": .int($0.shortened),
                ])
            })
        fields["profiles"] = .list(
            profiles.map {
                .record([
                    "name": .string($0.name), "values": Self.doubles($0.values), "rises": Self.doubles($0.rises),
                ])
            })
        fields["best-start"] = .int(bestStart + 1)
        fields["starts"] = .list(ends.map { $0.map { .double($0) } ?? .none })
        fields["fit"] = .tensor(.float32(result.fit))
        fields["residual"] = .tensor(.float32(result.residual))
        fields["missing"] = .tensor(.uint8(result.unused))
        fields["domains"] = .tensor(.float32(result.domains))
        fields["fractions"] = Self.doubles(fractions)
        fields["geometry"] = measurement.geometry
        fields["simulated"] = .bool(measurement.isSimulated)
        value = .record(fields)
    }

    private static func estimate(
        _ estimate: ImageRefinementResult.Estimate, profile: ImageRefinement.Profile?
    ) -> Value {
        func interval(_ factor: Double) -> Value {
            guard let error = estimate.scaledError else { return .none }
            return .list([.double(estimate.value - factor * error), .double(estimate.value + factor * error)])
        }
        func ends(_ ends: ImageRefinement.Ends?) -> Value {
            guard let ends else { return .none }
            return .list([optional(ends.lower), optional(ends.upper)])
        }
        let state =
            estimate.isHeld
            ? "held" : estimate.atBound < 0 ? "at-lower-bound" : estimate.atBound > 0 ? "at-upper-bound" : "free"
        return .record([
            "name": .string(estimate.name), "value": .double(estimate.value), "state": .string(state),
            "error": optional(estimate.scaledError), "counted-error": optional(estimate.countedError),
            "interval-68": interval(1), "interval-95": interval(1.959964), "limit": optional(estimate.limit),
            "profile-68": ends(profile?.interval68), "profile-95": ends(profile?.interval95),
        ])
    }

    private static func optional(_ x: Double?) -> Value { x.map { .double($0) } ?? .none }
    private static func finite(_ x: Double) -> Value { x.isFinite ? .double(x) : .none }
    private static func doubles(_ values: [Double]) -> Value { .list(values.map { .double($0) }) }
    private static func matrix(_ matrix: SymmetricMatrix) -> Value {
        .tensor(.float64(Tensor(shape: [matrix.size, matrix.size], elements: matrix.elements)))
    }
}
