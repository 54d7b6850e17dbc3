import Compute
import Foundation

/// Errors, correlations and open directions from the curvature of −2 ln L.
struct ParameterUncertainty {
    var covariance: SymmetricMatrix
    var correlation: SymmetricMatrix
    /// nil where a parameter is part of a direction of which nothing is known.
    var scaledErrors: [Double?]
    var countedErrors: [Double?]
    /// The most uncertain first.
    var directions: [ImageRefinementResult.Direction]

    /// A direction is open where its standard deviation is more than this part of its range: an even distribution over the range
    /// has 1/√12 = 0.29.
    static let openness = 0.3

    /// - Parameter curvature: inverse covariance, variances with the dispersion in them, and priors.
    /// - Parameter data: the same without priors.
    /// - Parameter widths: the whole range of each parameter.
    init(curvature: SymmetricMatrix, data: SymmetricMatrix, dispersion: Double, names: [String], widths: [Double]) {
        let n = names.count
        let pairs = curvature.scaled(by: widths).eigenpairs()
        let least = 1e-11 * max(pairs.last?.value ?? 0, 1e-300)
        var covariance = SymmetricMatrix(size: n)
        var isKnown = [Bool](repeating: true, count: n)
        for pair in pairs {
            let value = max(pair.value, least)
            for i in 0..<n {
                if pair.value <= least, abs(pair.vector[i]) > 0.01 { isKnown[i] = false }
                for j in 0...i {
                    covariance[i, j] += widths[i] * widths[j] * pair.vector[i] * pair.vector[j] / value
                }
            }
        }
        self.covariance = covariance
        correlation = covariance.scaled(by: covariance.diagonal.map { $0 > 0 ? 1 / $0.squareRoot() : 0 })
        scaledErrors = (0..<n).map { isKnown[$0] ? covariance[$0, $0].squareRoot() : nil }
        // As counted, the data weigh more by the dispersion, and priors as they did.
        var counted = curvature
        for i in 0..<n { for j in 0...i { counted[i, j] += (dispersion - 1) * data[i, j] } }
        let inverse = counted.inverse
        countedErrors = (0..<n).map { index in
            guard isKnown[index] else { return nil }
            return inverse.map { max($0[index, index], 0).squareRoot() }
        }
        directions = pairs.map { pair in
            // The parameter that moves by the largest part of its range leads.
            let leading = pair.vector.indices.max { abs(pair.vector[$0]) < abs(pair.vector[$1]) } ?? 0
            let unit = widths[leading] * pair.vector[leading]
            let components = zip(widths, pair.vector).map { $0 * $1 / unit }
            let deviation = pair.value > least ? 1 / pair.value.squareRoot() : .infinity
            return ImageRefinementResult.Direction(
                words: Self.words(components, pair.vector, names), components: components,
                deviation: deviation * abs(unit), isDetermined: deviation < Self.openness)
        }
    }

    /// `JF2 − 0.9 JF3`: the leading parameter first; those that move by less than a seventh of what it does, in parts of their
    /// ranges, are left out.
    static func words(_ components: [Double], _ shares: [Double], _ names: [String]) -> String {
        var text = ""
        let order = shares.indices.sorted { abs(shares[$0]) > abs(shares[$1]) }
        for index in order where abs(shares[index]) > 0.15 * abs(shares[order[0]]) {
            let factor = String(format: "%.2g", abs(components[index]))
            let sign = components[index] < 0 ? " − " : text.isEmpty ? "" : " + "
            text += sign + (factor == "1" ? "" : "\(factor) ") + names[index]
        }
        return text
    }

    /// Three digits, for sentences.
    static func short(_ x: Double) -> String { String(format: "%.3g", x) }
}
