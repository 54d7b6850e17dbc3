import Compute
import Tensors

/// What a refinement found, how sure it is, and what it could not tell.
public struct ImageRefinementResult: Sendable {
    public enum Verdict: String, Sendable, CaseIterable {
        /// A full step would not make the fit better by what matters.
        case converged
        /// So, with one parameter or more at a bound that it is pulled beyond.
        case atBound = "at-bound"
        /// The data leave a combination of parameters open.
        case notIdentifiable = "not-identifiable"
        /// Steps do not bring what they promise, or too many were needed.
        case stalled
        /// The fit gets better towards parameters at which the structure is not stable.
        case unstable
    }

    /// A parameter with its errors; nil where there is none: held, at a bound, or not determined at all.
    public struct Estimate: Sendable, Hashable {
        public var name: String
        public var value: Double
        public var isHeld: Bool
        /// −1 or 1 at a lower or upper bound that it is pulled beyond.
        public var atBound: Int
        /// One standard deviation as the error bars, or gain and floor, have it.
        public var countedError: Double?
        /// The same times √(reduced χ²).
        public var scaledError: Double?
        /// Of one at a bound: the value beyond which, away from the bound, −2 ln L rises by 2.71 (95 %).
        public var limit: Double?
    }

    /// A combination of parameters, the most uncertain first.
    public struct Direction: Sendable, Hashable {
        /// `JF2 − 0.9 JF3`
        public var words: String
        /// Of the parameters of `covarianceNames`; that of the one that moves by the largest part of its range is 1.
        public var components: [Double]
        /// Scaled standard deviation along it, of the parameter whose component is 1; infinite where nothing is known.
        public var deviation: Double
        /// Whether the data tell more of it than its bounds do.
        public var isDetermined: Bool
    }

    public var verdict: Verdict
    /// Each a sentence.
    public var remarks: [String]
    public var estimates: [Estimate]
    /// Of the free parameters that are not at a bound: scaled by the reduced χ², and correlations.
    public var covarianceNames: [String]
    public var covariance: SymmetricMatrix
    public var correlation: SymmetricMatrix
    public var directions: [Direction]
    /// Scales and backgrounds, errors scaled.
    public var coefficients: [ImageComparison.Coefficient]
    public var weighting: ImageLikelihood.Weighting
    /// With variances as counted.
    public var chiSquared: Double
    /// Pixels less parameters and coefficients.
    public var freedom: Double
    public var reducedChiSquared: Double { chiSquared / freedom }
    /// For each incident energy: χ² as counted over pixels.
    public var chiSquaredOfSetting: [Double]
    /// −2 ln L with the last weights.
    public var value: Double
    public var images: Int
    public var unstableImages: Int
    public var shortenedSteps: Int
    public var history: [BoundedLeastSquares.Iteration]
    /// Reduced χ² at the start and after each iteration.
    public var trace: [Double]
    /// Of the best parameters, [domains, rows, columns].
    public var domains: Tensor<Float>
    /// [rows, columns]; 0 where no pixel was used.
    public var fit: Tensor<Float>
    public var residual: Tensor<Float>
    /// Residual over standard deviation.
    public var pull: Tensor<Float>
    /// 1 where no pixel was used.
    public var unused: Tensor<UInt8>
    /// Pearson's, of fit and measurement.
    public var correlationWithData: Double
    public var correlationOfSetting: [Double]
    /// How many values were 0 or less, or dead.
    public var clippedPixels: Int
    /// Weights of the end.
    var weights: ImageLikelihood.Weights

    init(_ refinement: ImageRefinement, _ minimum: ImageRefinement.Minimum, _ counts: ImageCounts) throws {
        let outcome = minimum.outcome
        let point = outcome.point
        let likelihood = refinement.likelihood
        guard let expansion = point.expansion else {
            throw InstrumentError.invalid("the refinement", problem: "was not expanded at its end")
        }
        let free = refinement.free
        let names = free.map { refinement.parameters[$0].name }
        let dispersion = point.weights.dispersion
        let inner = free.indices.filter { outcome.active[$0] == 0 }
        let uncertainty = ParameterUncertainty(
            curvature: outcome.expansion.curvature.part(inner), data: expansion.curvature.part(inner),
            dispersion: dispersion, names: inner.map { names[$0] },
            widths: inner.map {
                Self.width(refinement.parameters[free[$0]], at: outcome.parameters[$0], among: minimum.values)
            })
        covarianceNames = inner.map { names[$0] }
        (covariance, correlation, directions) = (
            uncertainty.covariance, uncertainty.correlation, uncertainty.directions
        )
        estimates = refinement.parameters.indices.map { index in
            var estimate = Estimate(
                name: refinement.parameters[index].name, value: minimum.values[index],
                isHeld: refinement.parameters[index].isHeld, atBound: 0)
            guard let place = free.firstIndex(of: index) else { return estimate }
            estimate.atBound = outcome.active[place]
            if let own = inner.firstIndex(of: place) {
                estimate.scaledError = uncertainty.scaledErrors[own]
                estimate.countedError = uncertainty.countedErrors[own]
            } else {
                estimate.limit = Self.limit(place, outcome, inner)
            }
            return estimate
        }
        coefficients = likelihood.coefficientNames.indices.map { index in
            // Their own scatter, and that of the parameters that they follow.
            let following = inner.map { expansion.following[$0][index] }
            let variance = expansion.coefficients[index, index] + max(uncertainty.covariance.form(following), 0)
            return ImageComparison.Coefficient(
                name: likelihood.coefficientNames[index], value: point.fit.coefficients[index],
                error: variance.squareRoot())
        }
        weighting = likelihood.weighting
        chiSquared = point.fit.chiSquared * dispersion
        freedom = max(point.fit.alive - Double(likelihood.coefficientNames.count + free.count), 1)
        value = outcome.value
        (images, unstableImages, shortenedSteps) = (counts.images, counts.unstable, outcome.shortened)
        (history, trace) = (outcome.history, minimum.trace)
        domains = point.domains
        weights = point.weights
        clippedPixels = likelihood.clippedPixels

        fit = likelihood.image(point.fit.model)
        residual = likelihood.image(zip(likelihood.values, point.fit.model).map { $0 - $1 })
        pull = likelihood.image(
            likelihood.values.indices.map {
                (likelihood.values[$0] - point.fit.model[$0]) / point.weights.variances[$0].squareRoot()
            })
        var unused = Tensor<UInt8>(shape: likelihood.geometry.shape, repeating: 1)
        for pixel in likelihood.pixels { unused.elements[pixel] = 0 }
        self.unused = unused
        let pairs = zip(point.fit.model, likelihood.values).map { ($0, $1) }
        correlationWithData = ImageComparison.pearson(pairs)
        let settings = likelihood.geometry.settings.indices
        var ofSetting = settings.map { _ in [(Double, Double)]() }
        var squares = settings.map { _ in 0.0 }
        for (row, place) in likelihood.places.enumerated() {
            ofSetting[place.setting].append(pairs[row])
            let residual = pairs[row].1 - pairs[row].0
            squares[place.setting] += residual * residual / point.weights.variances[row]
        }
        correlationOfSetting = ofSetting.map { $0.count < 3 ? .nan : ImageComparison.pearson($0) }
        chiSquaredOfSetting = settings.map { dispersion * squares[$0] / Double(max(ofSetting[$0].count, 1)) }
        verdict = .converged
        remarks = []
        if minimum.jump > 0.3 {
            remarks.append(
                "images jump: between neighbouring parameters they differ by \(ParameterUncertainty.short(minimum.jump)) standard "
                    + "deviations in all; a zone grid with an odd number of divisions, or a finer one, makes them smoother"
            )
        }
        judge(refinement, outcome)
    }

    /// Names the verdict and says why.
    private mutating func judge(
        _ refinement: ImageRefinement, _ outcome: BoundedLeastSquares.Outcome<ImageRefinement.Point>
    ) {
        let bounded = estimates.filter { $0.atBound != 0 }
        for estimate in bounded {
            remarks.append(
                "\(estimate.name) is at its \(estimate.atBound < 0 ? "lower" : "upper") bound and is pulled beyond; the errors of "
                    + "the others are those with it there")
        }
        let open = directions.filter { !$0.isDetermined }
        for direction in open { remarks.append("the data leave \(direction.words) open") }
        if shortenedSteps > 0 {
            remarks.append(
                "steps were halved \(shortenedSteps) times where the structure is not stable")
        }
        switch outcome.end {
        case .converged: verdict = !open.isEmpty ? .notIdentifiable : bounded.isEmpty ? .converged : .atBound
        case .stalled:
            // What is promised and does not come is noise of the differences, where it is small.
            verdict = outcome.remaining < 0.01 ? (!open.isEmpty ? .notIdentifiable : .converged) : .stalled
            if verdict == .stalled {
                remarks.append(
                    "steps that promise a decrease of \(ParameterUncertainty.short(outcome.remaining)) in -2 ln L do not bring it"
                )
            }
        case .outOfIterations:
            verdict = .stalled
            remarks.append("\(refinement.iterations) iterations did not do")
        case .edge:
            verdict = .unstable
            remarks.append(
                "the fit gets better towards parameters at which the structure is not stable: another order may be what "
                    + "was measured")
        }
    }

    /// What counts as the whole range of a parameter: its bounds, or three times its size.
    private static func width(_ parameter: ImageRefinement.Parameter, at value: Double, among all: [Double]) -> Double {
        parameter.width ?? 3 * max(abs(value), 0.1 * all.reduce(0) { max($0, abs($1)) }, 1e-6)
    }

    /// Where −2 ln L has risen by 2.71 on the way from a bound inwards, the others following.
    private static func limit(
        _ place: Int, _ outcome: BoundedLeastSquares.Outcome<ImageRefinement.Point>, _ inner: [Int]
    ) -> Double? {
        let curvature = outcome.expansion.curvature
        let coupling = inner.map { curvature[place, $0] }
        guard let taken = curvature.part(inner).solved([coupling])?.first else { return nil }
        let own = curvature[place, place] - zip(coupling, taken).reduce(0) { $0 + $1.0 * $1.1 }
        guard own > 0 else { return nil }
        let side = Double(outcome.active[place])
        let outward = max(side * outcome.expansion.pull[place], 0)
        return outcome.parameters[place] - side * ((outward * outward + 2.706 * own).squareRoot() - outward) / own
    }
}
