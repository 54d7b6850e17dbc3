import Compute
import Foundation

extension ImageRefinement {
    /// Where the profile of −2 ln L over one parameter crosses 1 and 3.84, all others refined again at each value.
    public struct Profile: Sendable, Hashable {
        public var name: String
        /// Values and the rise of −2 ln L above its minimum, ascending.
        public var values: [Double]
        public var rises: [Double]
        /// 68.3 and 95 %; nil where the parameter's bound, or the edge of stability, comes first.
        public var interval68: Ends
        public var interval95: Ends
    }

    public struct Ends: Sendable, Hashable {
        public var lower: Double?
        public var upper: Double?
    }

    /// Intervals by profile likelihood (D. J. Venzon and S. H. Moolgavkar, Appl. Statist. 37 (1988) 87), weights as at the minimum.
    ///
    /// - Returns: nil for a parameter without error: held, at a bound, or not determined.
    public func profile(of name: String, around result: ImageRefinementResult) throws -> Profile? {
        guard let index = parameters.firstIndex(where: { $0.name == name }),
            let own = result.covarianceNames.firstIndex(of: name), let error = result.estimates[index].scaledError
        else { return nil }
        var held = self
        held.parameters[index].isHeld = true
        held.frozen = result.weights
        held.tolerance = min(tolerance, 1e-2)
        let best = result.estimates.map(\.value)
        var points: [(value: Double, rise: Double)] = [(best[index], 0)]
        /// The rise at a value; nil where there is no structure.
        func rise(_ value: Double) throws -> Double? {
            var start = best
            // Along the ridge: what the others do, on average, when this one moves.
            for (place, other) in result.covarianceNames.enumerated() {
                guard let at = parameters.firstIndex(where: { $0.name == other }) else { continue }
                start[at] += result.covariance[place, own] / result.covariance[own, own] * (value - best[index])
            }
            start[index] = value
            let counts = ImageCounts()
            var minimum = try held.minimum(from: start, counts)
            if minimum == nil {
                start = best
                start[index] = value
                minimum = try held.minimum(from: start, counts)
            }
            guard let minimum else { return nil }
            // Its own prior is no part of what the others are refined by.
            let own = parameters[index].prior.map { ($0.mean - value) * ($0.mean - value) / ($0.sigma * $0.sigma) } ?? 0
            let rise = max(minimum.outcome.value + own - result.value, 0)
            points.append((value, rise))
            return rise
        }
        /// √rise is nearly straight, so that the secant finds its crossing in a few steps.
        func crossing(_ target: Double, _ side: Double) throws -> Double? {
            let bound = side < 0 ? parameters[index].lower : parameters[index].upper
            var distance = target * error
            for _ in 0..<8 {
                var value = best[index] + side * distance
                if let bound { value = side < 0 ? max(value, bound) : min(value, bound) }
                guard let found = try rise(value)?.squareRoot() else { return nil }
                if abs(found - target) < 0.01 * target { return value }
                if value == bound, found < target { return nil }
                let there = abs(value - best[index])
                distance = found > 0 ? there * min(max(target / found, 0.3), 3) : 2 * there
            }
            return best[index] + side * distance
        }
        let one = 1.0
        let two = 3.8415.squareRoot()
        let (low, high) = (try crossing(one, -1), try crossing(one, 1))
        let (lowest, highest) = (try crossing(two, -1), try crossing(two, 1))
        points.sort { $0.value < $1.value }
        return Profile(
            name: name, values: points.map(\.value), rises: points.map(\.rise),
            interval68: Ends(lower: low, upper: high), interval95: Ends(lower: lowest, upper: highest))
    }
}
