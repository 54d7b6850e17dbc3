import Compute

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A density over d numbers as a sum of Gaussians with full covariances.
///
///     q(z) = Σ_k w_k |det U_k| (2π)^(−d/2) exp(−½ |U_k (z − μ_k)|²)
///
/// with U_k lower triangular with positive diagonal: U_kᵀ U_k is the inverse of the k-th covariance.
public struct GaussianMixture: Hashable, Sendable {
    public struct Component: Hashable, Sendable {
        /// w, positive; those of all components add up to 1.
        public var weight: Double
        /// μ, d numbers.
        public var mean: [Double]
        /// U, row-major [d, d], zero above the diagonal.
        public var factor: [Double]
        /// Of each marginal: √ of the covariance's diagonal.
        public let deviations: [Double]

        public init(weight: Double, mean: [Double], factor: [Double]) {
            precondition(factor.count == mean.count * mean.count, "a factor of \(factor.count) for \(mean.count) means")
            self.weight = weight
            self.mean = mean
            self.factor = factor
            let size = mean.count
            // The covariance is V Vᵀ with V = U⁻¹: each column of V is U solved for a unit vector.
            var variances = [Double](repeating: 0, count: size)
            for column in 0..<size {
                var unit = [Double](repeating: 0, count: size)
                unit[column] = 1
                let solved = Self.solved(factor, unit)
                for row in column..<size { variances[row] += solved[row] * solved[row] }
            }
            deviations = variances.map { $0.squareRoot() }
        }

        /// log of the Gaussian without its weight.
        func logDensity(_ z: [Double]) -> Double {
            let size = mean.count
            var result = -0.5 * Double(size) * log(2 * Double.pi)
            for row in 0..<size {
                var y = 0.0
                for column in 0...row { y += factor[row * size + column] * (z[column] - mean[column]) }
                result += log(factor[row * size + row]) - 0.5 * y * y
            }
            return result
        }

        /// U⁻¹ y by substitution.
        static func solved(_ factor: [Double], _ y: [Double]) -> [Double] {
            let size = y.count
            var result = y
            for row in 0..<size {
                for column in 0..<row { result[row] -= factor[row * size + column] * result[column] }
                result[row] /= factor[row * size + row]
            }
            return result
        }
    }

    public let components: [Component]

    /// d
    public var dimensions: Int { components.first?.mean.count ?? 0 }

    /// - Parameter components: of equal dimensions, one or more; their weights are scaled to add up to 1.
    public init(_ components: [Component]) {
        let sum = components.reduce(0) { $0 + $1.weight }
        precondition(sum > 0 && sum.isFinite, "weights that add up to \(sum)")
        self.components = components.map { component in
            var scaled = component
            scaled.weight /= sum
            return scaled
        }
    }

    /// What several say together, each counting the same: the density of a number drawn from one of them at random.
    public init(mixing mixtures: [GaussianMixture]) {
        self.init(
            mixtures.flatMap { mixture in
                mixture.components.map { component in
                    var part = component
                    part.weight /= Double(mixtures.count)
                    return part
                }
            })
    }

    public func logDensity(_ z: [Double]) -> Double {
        let terms = components.map { log(max($0.weight, .leastNormalMagnitude)) + $0.logDensity(z) }
        let top = terms.max() ?? -.infinity
        return top + log(terms.reduce(0) { $0 + exp($1 - top) })
    }

    /// The probability that number `index` lies below `value`, whatever the others.
    public func cumulative(_ index: Int, _ value: Double) -> Double {
        components.reduce(0) { sum, component in
            let distance = (value - component.mean[index]) / component.deviations[index]
            return sum + component.weight * 0.5 * erfc(-distance * 0.5.squareRoot())
        }
    }

    /// The value below which number `index` lies with a probability, whatever the others: `cumulative`, bisected to
    /// about 1e-13 of the range in which the components lie.
    ///
    /// - Parameter probability: 0 and 1 give the infinities.
    public func quantile(_ index: Int, _ probability: Double) -> Double {
        if probability <= 0 { return -.infinity }
        if probability >= 1 { return .infinity }
        // Beyond 40 deviations from every component there is less than the smallest number.
        var low = components.reduce(Double.infinity) { min($0, $1.mean[index] - 40 * $1.deviations[index]) }
        var high = components.reduce(-Double.infinity) { max($0, $1.mean[index] + 40 * $1.deviations[index]) }
        for _ in 0..<52 {
            let middle = (low + high) / 2
            if cumulative(index, middle) < probability { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// One draw, d numbers.
    public func sample(_ random: RandomStream) -> [Double] {
        var left = random.uniform(at: 0)
        var chosen = components.count - 1
        for (index, component) in components.enumerated() {
            left -= component.weight
            if left < 0 {
                chosen = index
                break
            }
        }
        let component = components[chosen]
        let normals = random.substream("normals")
        let deviation = Component.solved(component.factor, (0..<dimensions).map { normals.normal(at: $0) })
        return zip(component.mean, deviation).map { $0 + $1 }
    }
}
