import Compute

extension ImageLikelihood {
    /// The expansion of −2 ln L in the parameters, the coefficients following them.
    struct Expansion: Sendable {
        /// JᵀWJ of the parameters, less what the coefficients can take over: the inverse of their covariance.
        var curvature: SymmetricMatrix
        /// Jᵀ s: half the negative gradient.
        var pull: [Double]
        /// H⁻¹ X: how the coefficients follow the parameters, with the opposite sign; [parameter][coefficient].
        var following: [[Double]]
        /// H⁻¹: the coefficients' covariance at fixed parameters.
        var coefficients: SymmetricMatrix
    }

    /// - Parameter fit: at its optimum, of these columns.
    /// - Parameter derivatives: for each parameter, of each column.
    func expansion(
        _ fit: Fit, columns: [[Double]], derivatives: [[[Double]]]
    ) throws(InstrumentError) -> Expansion {
        let n = derivatives.count
        let count = coefficientNames.count
        var own = SymmetricMatrix(size: n)
        var pull = [Double](repeating: 0, count: n)
        var cross = [[Double]](repeating: [Double](repeating: 0, count: count), count: n)
        var slopes = [Double](repeating: 0, count: n)
        for row in pixels.indices {
            let (w, s) = (fit.weight[row], fit.score[row])
            let scale = places[row].scale
            for a in 0..<n {
                var slope = 0.0
                for t in columns.indices { slope += fit.coefficients[scale + t] * derivatives[a][t][row] }
                slopes[a] = slope
            }
            let terms = terms(row, columns)
            for a in 0..<n {
                pull[a] += s * slopes[a]
                let weighted = w * slopes[a]
                for b in 0...a { own[a, b] += weighted * slopes[b] }
                for (index, factor) in terms { cross[a][index] += weighted * factor }
            }
        }
        guard let inverse = fit.curvature.inverse else {
            throw .invalid(
                "the comparison", problem: "has terms that cannot be told apart at the pixels with a detector")
        }
        let following = cross.map { inverse.times($0) }
        for a in 0..<n {
            for b in 0...a { own[a, b] -= zip(cross[a], following[b]).reduce(0) { $0 + $1.0 * $1.1 } }
        }
        return Expansion(curvature: own, pull: pull, following: following, coefficients: inverse)
    }
}
