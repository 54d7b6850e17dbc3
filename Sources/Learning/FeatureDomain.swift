#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Where the features of known images lie: a normal distribution around each class's mean, with one covariance for all
/// (K. Lee et al., arXiv:1807.03888).
///
/// The covariance is shrunk towards a multiple of the unit matrix by the oracle approximating estimate of Y. Chen et al.
/// (IEEE Trans. Signal Process. 58 (2010) 5016, equation 23), so that it is invertible for fewer images than features.
public struct FeatureDomain: Hashable, Sendable {
    /// Of each class, [classes][features]; classes without images are left out.
    public let means: [[Double]]
    /// Lower triangle L of the covariance L Lᵀ, row by row.
    public let factor: [[Double]]
    /// The weight of the unit matrix, 0 to 1.
    public let shrinkage: Double

    public init(means: [[Double]], factor: [[Double]], shrinkage: Double) {
        self.means = means
        self.factor = factor
        self.shrinkage = shrinkage
    }

    /// - Parameter features: one row for each image, all of one length.
    /// - Parameter labels: classes of the images.
    /// - Throws: `LearningError.predictions` without images, or for rows of different lengths.
    public init(features: [[Double]], labels: [Int]) throws(LearningError) {
        guard let first = features.first, !first.isEmpty, features.count == labels.count,
            features.allSatisfy({ $0.count == first.count })
        else {
            throw .predictions(problem: "a domain of features needs one image or more, and rows of one length")
        }
        let size = first.count
        var sums: [Int: (sum: [Double], count: Double)] = [:]
        for (row, label) in zip(features, labels) {
            var entry = sums[label] ?? ([Double](repeating: 0, count: size), 0)
            for index in 0..<size { entry.sum[index] += row[index] }
            entry.count += 1
            sums[label] = entry
        }
        let centres = sums.mapValues { entry in entry.sum.map { $0 / entry.count } }
        let residuals = zip(features, labels).map { row, label in
            zip(row, centres[label] ?? row).map { $0 - $1 }
        }
        let (covariance, shrinkage) = Self.shrunk(residuals)
        means = centres.keys.sorted().compactMap { centres[$0] }
        factor = Self.factor(covariance)
        self.shrinkage = shrinkage
    }

    /// The smallest squared Mahalanobis distance to a class, divided by the number of features: about 1 in the domain.
    public func distance(_ features: [Double]) -> Double {
        means.reduce(.infinity) { least, mean in
            // |L⁻¹ (f − μ)|² by forward substitution.
            var solved = [Double](repeating: 0, count: mean.count)
            var sum = 0.0
            for row in mean.indices {
                var value = features[row] - mean[row]
                let line = factor[row]
                for column in 0..<row { value -= line[column] * solved[column] }
                solved[row] = value / line[row]
                sum += solved[row] * solved[row]
            }
            return min(least, sum / Double(mean.count))
        }
    }

    /// The lower triangle of (1 − ρ) S + ρ (tr S/d) 1, S the mean of x xᵀ.
    static func shrunk(_ rows: [[Double]]) -> (lower: [[Double]], shrinkage: Double) {
        let (n, size) = (Double(rows.count), rows[0].count)
        var lower = (0..<size).map { [Double](repeating: 0, count: $0 + 1) }
        for row in rows {
            for i in 0..<size where row[i] != 0 {
                let factor = row[i] / n
                for j in 0...i { lower[i][j] += factor * row[j] }
            }
        }
        var (trace, square) = (0.0, 0.0)
        for i in 0..<size {
            trace += lower[i][i]
            square += lower[i][i] * lower[i][i]
            for j in 0..<i { square += 2 * lower[i][j] * lower[i][j] }
        }
        let d = Double(size)
        let denominator = (n + 1 - 2 / d) * (square - trace * trace / d)
        let numerator = (1 - 2 / d) * square + trace * trace
        // A multiple of the unit matrix already: nothing to shrink, and nothing changes.
        let shrinkage = denominator > 0 ? min(1, max(0, numerator / denominator)) : 1
        for i in 0..<size {
            for j in 0...i { lower[i][j] *= 1 - shrinkage }
            lower[i][i] += shrinkage * trace / d
        }
        return (lower, shrinkage)
    }

    /// Cholesky's factor. Of features that never vary, where any difference is infinitely strange, the unit matrix.
    private static func factor(_ lower: [[Double]]) -> [[Double]] {
        var result = lower
        let trace = lower.indices.reduce(0) { $0 + lower[$1][$1] }
        if !(trace > 0) {
            for i in result.indices { result[i][i] = 1 }
            return result
        }
        // Rounding may leave nothing of a pivot where shrinkage is tiny.
        let least = 1e-12 * trace / Double(lower.count)
        for i in result.indices {
            for j in 0...i {
                var value = lower[i][j]
                for k in 0..<j { value -= result[i][k] * result[j][k] }
                result[i][j] = i == j ? max(value, least).squareRoot() : value / result[j][j]
            }
        }
        return result
    }
}
