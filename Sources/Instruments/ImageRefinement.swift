import Compute
import Synchronization
import Tensors

/// Finds the parameters whose computed image explains a measured one best, with errors and correlations.
///
/// −2 ln L of `ImageLikelihood`, minimised within bounds by Levenberg and Marquardt's method (`BoundedLeastSquares`); derivatives are
/// differences over about one standard deviation to both sides. A set of parameters without an image, since the assumed
/// structure is not stable there, shortens the step that led to it.
///
/// The covariance is (JᵀWJ)⁻¹ with the coefficients eliminated and parameters at an active bound left out. The same bits come
/// out on any number of threads.
public struct ImageRefinement: Sendable {
    public struct Parameter: Sendable {
        public var name: String
        /// nil for a side without bound; in the parameter's unit, meV.
        public var lower: Double?
        public var upper: Double?
        /// A normal prior, which counts like one more measured value.
        public var prior: (mean: Double, sigma: Double)?
        /// Keeps the value that it starts with.
        public var isHeld: Bool

        public init(
            _ name: String, lower: Double? = nil, upper: Double? = nil, prior: (mean: Double, sigma: Double)? = nil,
            isHeld: Bool = false
        ) {
            self.name = name
            (self.lower, self.upper, self.prior, self.isHeld) = (lower, upper, prior, isHeld)
        }

        /// How far it may go: the width of its bounds, or four standard deviations of its prior; else nil.
        var width: Double? {
            if let lower, let upper { return upper - lower }
            if let prior { return 4 * prior.sigma }
            return nil
        }
    }

    /// Images of the domains, [domains, rows, columns], on up to so many threads; nil where the structure is not stable.
    public typealias Image = @Sendable (_ values: [Double], _ threads: Int) throws -> Tensor<Float>?

    public var likelihood: ImageLikelihood
    /// In the order of the values.
    public var parameters: [Parameter]
    public var image: Image
    public var iterations = 50
    /// As `BoundedLeastSquares.tolerance`.
    public var tolerance = 1e-3
    public var threads = 1
    /// Told after each iteration: images computed, iterations, reduced χ².
    public var progress: @Sendable (Int, Int, Double) -> Void = { _, _, _ in }
    /// Kept at all points instead of being taken from the model: what makes values of −2 ln L comparable.
    var frozen: ImageLikelihood.Weights?

    public init(_ likelihood: ImageLikelihood, parameters: [Parameter], image: @escaping Image) {
        self.likelihood = likelihood
        self.parameters = parameters
        self.image = image
    }

    /// An image with its best coefficients.
    struct Point: Sendable {
        var domains: Tensor<Float>
        var columns: [[Double]]
        var weights: ImageLikelihood.Weights
        var fit: ImageLikelihood.Fit
        /// Where it was expanded.
        var expansion: ImageLikelihood.Expansion?
    }

    /// Where a minimisation ended.
    struct Minimum {
        /// Of all parameters.
        var values: [Double]
        /// Of the free ones.
        var outcome: BoundedLeastSquares.Outcome<Point>
        /// Reduced χ² at the start and after each iteration.
        var trace: [Double]
        /// How many standard deviations, over all pixels, two images differ by whose parameters are almost the same.
        var jump: Double
    }

    var free: [Int] { parameters.indices.filter { !parameters[$0].isHeld } }

    /// Refines from a start.
    ///
    /// - Parameter start: values of all parameters, in their order; free ones are brought into their bounds.
    /// - Returns: nil when the structure is not stable at the start.
    /// - Throws: `.invalid`, `.shape` of the likelihood; what `image` throws.
    public func refined(from start: [Double]) throws -> ImageRefinementResult? {
        let counts = ImageCounts()
        guard let minimum = try minimum(from: start, counts) else { return nil }
        return try ImageRefinementResult(self, minimum, counts)
    }

    func minimum(from start: [Double], _ counts: ImageCounts) throws -> Minimum? {
        guard start.count == parameters.count, start.allSatisfy(\.isFinite) else {
            throw InstrumentError.invalid("the start", problem: "needs \(parameters.count) finite values")
        }
        let free = free
        func all(_ p: [Double]) -> [Double] {
            var values = start
            for (place, index) in free.enumerated() { values[index] = p[place] }
            return values
        }
        var solver = BoundedLeastSquares(
            lower: free.map { parameters[$0].lower ?? -.infinity },
            upper: free.map { parameters[$0].upper ?? .infinity })
        solver.iterations = iterations
        solver.tolerance = tolerance
        let widest = firstSteps(start)
        var steps = widest
        var trace: [Double] = []
        var jump: Double?
        let outcome = try solver.minimise(
            from: free.map { start[$0] },
            evaluate: { p, like -> (value: Double, point: Point)? in
                guard let domains = try counts.counting({ try image(all(p), threads) }) else { return nil }
                let point = try point(domains, like: like)
                return (point.fit.value + penalty(p), point)
            },
            linearise: { p, point in
                var point = try reweighted(point, times: 2)
                trace.append(point.weights.dispersion)
                let roughness = try jump ?? roughness(of: point, at: all(p), widest, counts)
                jump = roughness
                let derivatives = try derivatives(at: all(p), point, steps: &steps, counts)
                let expansion = try likelihood.expansion(point.fit, columns: point.columns, derivatives: derivatives)
                point.expansion = expansion
                let local = withPriors(expansion, at: p)
                // The next differences are over one standard deviation, the others held, and well above the images' jumps.
                for place in free.indices where local.curvature[place, place] > 0 {
                    let deviation = max(1, 20 * roughness) / local.curvature[place, place].squareRoot()
                    steps[place] = min(max(deviation, 1e-3 * widest[place]), widest[place])
                }
                return (point.fit.value + penalty(p), point, local)
            },
            progress: { iteration, _ in progress(counts.images, iteration, trace.last ?? 1) })
        guard let outcome else { return nil }
        return Minimum(values: all(outcome.parameters), outcome: outcome, trace: trace, jump: jump ?? 0)
    }

    /// Of normal priors.
    private func penalty(_ p: [Double]) -> Double {
        var sum = 0.0
        for (place, index) in free.enumerated() {
            guard let prior = parameters[index].prior else { continue }
            sum += (p[place] - prior.mean) * (p[place] - prior.mean) / (prior.sigma * prior.sigma)
        }
        return sum
    }

    private func withPriors(
        _ expansion: ImageLikelihood.Expansion, at p: [Double]
    ) -> BoundedLeastSquares.Expansion {
        var (curvature, pull) = (expansion.curvature, expansion.pull)
        for (place, index) in free.enumerated() {
            guard let prior = parameters[index].prior else { continue }
            let precision = 1 / (prior.sigma * prior.sigma)
            curvature[place, place] += precision
            pull[place] += (prior.mean - p[place]) * precision
        }
        return BoundedLeastSquares.Expansion(curvature: curvature, pull: pull)
    }

    /// The best coefficients for an image, weighted like another point, or until weights and model agree.
    private func point(_ domains: Tensor<Float>, like: Point?) throws -> Point {
        let columns = try likelihood.columns(domains)
        let weights = like?.weights ?? frozen ?? likelihood.firstWeights
        let fit = try likelihood.fit(columns, weights: weights, from: like?.fit.coefficients)
        let point = Point(domains: domains, columns: columns, weights: weights, fit: fit)
        return like == nil ? try reweighted(point, times: 6) : point
    }

    private func reweighted(_ point: Point, times: Int) throws -> Point {
        if frozen != nil { return point }
        var point = point
        for _ in 0..<times {
            point.weights = likelihood.weights(after: point.fit, weighted: point.weights, parameters: free.count)
            point.fit = try likelihood.fit(
                point.columns, weights: point.weights, from: point.fit.coefficients)
        }
        return point
    }
}

/// How many images were asked for, and how many of them there were not.
final class ImageCounts: Sendable {
    private let numbers = Mutex((images: 0, unstable: 0))

    var images: Int { numbers.withLock { $0.images } }
    /// Parameter sets whose structure is not stable.
    var unstable: Int { numbers.withLock { $0.unstable } }

    func counting(_ make: () throws -> Tensor<Float>?) rethrows -> Tensor<Float>? {
        let image = try make()
        numbers.withLock {
            $0.images += 1
            if image == nil { $0.unstable += 1 }
        }
        return image
    }
}
