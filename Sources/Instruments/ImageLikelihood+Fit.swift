import Compute
import Foundation

extension ImageLikelihood {
    /// Variances as they are frozen while L is maximised.
    struct Weights: Sendable {
        /// κ
        var dispersion: Double
        /// v, with κ in it.
        var variances: [Double]
    }

    /// The linear coefficients for one image, and what L says of its pixels.
    struct Fit: Sendable {
        var coefficients: [Double]
        /// Model at the pixels seen.
        var model: [Double]
        /// −2 ln L, but for a constant.
        var value: Double
        /// −½ ∂(−2 ln L)/∂model, and its slope: (data − model)/v and 1/v for a pixel that is not clipped.
        var score: [Double]
        var weight: [Double]
        /// Jᵀ W J of the coefficients.
        var curvature: SymmetricMatrix
        /// Σ (data − model)²/v, a clipped pixel counting as it is expected to: with the probability that it is alive and the
        /// mean of its square.
        var chiSquared: Double
        /// How many pixels that are alive.
        var alive: Double
    }

    /// What the first fit is weighted with: the error bars, or the variance as if the model were the data.
    var firstWeights: Weights {
        Weights(
            dispersion: 1,
            variances: weighting == .errorBars
                ? variances : values.map { options.gain * max($0, 0) + max(options.floor, options.gain) })
    }

    /// Variances of the model that was fitted, and κ from what it leaves.
    ///
    /// - Parameter parameters: how many were fitted besides the coefficients.
    func weights(after fit: Fit, weighted old: Weights, parameters: Int) -> Weights {
        let freedom = max(fit.alive - Double(coefficientNames.count + parameters), 1)
        let dispersion = max(old.dispersion * fit.chiSquared / freedom, 1e-12)
        if weighting == .errorBars {
            return Weights(dispersion: dispersion, variances: variances.map { dispersion * $0 })
        }
        // Without a floor, dark pixels would have no variance at all.
        let least = max(options.floor, 1e-6 * options.gain)
        return Weights(
            dispersion: dispersion,
            variances: fit.model.map { dispersion * max(options.gain * max($0, 0) + options.floor, least) })
    }

    /// Maximises L over the coefficients by Newton's method: one step where nothing is clipped, since the problem is linear then.
    ///
    /// - Parameter columns: of `columns(_:)`.
    /// - Throws: `.invalid` where the image leaves a coefficient undetermined.
    func fit(_ columns: [[Double]], weights: Weights, from start: [Double]? = nil) throws(InstrumentError) -> Fit {
        var coefficients = start ?? [Double](repeating: 0, count: coefficientNames.count)
        var fit = assess(columns, coefficients, weights)
        for _ in 0..<60 {
            let step = try newtonStep(columns, &fit)
            // The decrease that this step promises; 1e-9 is far below what tells two parameter sets apart.
            let promised = fit.curvature.form(step)
            if promised < 1e-9 { break }
            var length = 1.0
            var next = fit
            for _ in 0..<30 {
                let trial = zip(coefficients, step).map { $0 + length * $1 }
                next = assess(columns, trial, weights)
                if next.value <= fit.value + 1e-9 { break }
                length /= 2
            }
            coefficients = next.coefficients
            fit = next
            if length == 1, clippedPixels == 0 {
                _ = try newtonStep(columns, &fit)
                break
            }
        }
        return fit
    }

    /// Also leaves the coefficients' curvature in `fit`.
    private func newtonStep(_ columns: [[Double]], _ fit: inout Fit) throws(InstrumentError) -> [Double] {
        let count = coefficientNames.count
        var curvature = SymmetricMatrix(size: count)
        var right = [Double](repeating: 0, count: count)
        for row in pixels.indices {
            let (w, s) = (fit.weight[row], fit.score[row])
            let terms = terms(row, columns)
            for (a, (i, x)) in terms.enumerated() {
                right[i] += x * s
                for (j, y) in terms[...a] { curvature[i, j] += w * x * y }
            }
        }
        for index in firstBackground..<count {
            curvature[index, index] += backgroundPrecision
            right[index] -= backgroundPrecision * fit.coefficients[index]
        }
        fit.curvature = curvature
        if let zero = curvature.diagonal.firstIndex(where: { $0 <= 0 }) {
            throw .invalid(
                "the comparison",
                problem: "has a term that is zero at every pixel with a detector: \(coefficientNames[zero])")
        }
        guard let step = curvature.solved([right])?.first else {
            throw .invalid(
                "the comparison", problem: "has terms that cannot be told apart at the pixels with a detector")
        }
        return step
    }

    /// The coefficients that a pixel sees, ascending, with their factors.
    func terms(_ row: Int, _ columns: [[Double]]) -> [(index: Int, factor: Double)] {
        let place = places[row]
        var terms: [(index: Int, factor: Double)] = []
        terms.reserveCapacity(columns.count + 2)
        for t in columns.indices { terms.append((place.scale + t, columns[t][row])) }
        if backgroundTerms > 0 { terms.append((place.background, 1)) }
        if backgroundTerms > 1 { terms.append((place.background + 1, place.x)) }
        return terms
    }

    /// L and its derivatives by the model, at given coefficients.
    private func assess(_ columns: [[Double]], _ coefficients: [Double], _ weights: Weights) -> Fit {
        let count = pixels.count
        var fit = Fit(
            coefficients: coefficients, model: [Double](repeating: 0, count: count), value: 0,
            score: [Double](repeating: 0, count: count), weight: [Double](repeating: 0, count: count),
            curvature: SymmetricMatrix(size: 0), chiSquared: 0, alive: 0)
        let backgrounds = backgroundTerms
        for index in firstBackground..<coefficients.count {
            fit.value += backgroundPrecision * coefficients[index] * coefficients[index]
        }
        for row in 0..<count {
            let place = places[row]
            var model = 0.0
            for t in columns.indices { model += coefficients[place.scale + t] * columns[t][row] }
            if backgrounds > 0 { model += coefficients[place.background] }
            if backgrounds > 1 { model += coefficients[place.background + 1] * place.x }
            fit.model[row] = model
            let v = weights.variances[row]
            if isClipped[row] {
                let c = clipped(-model / v.squareRoot())
                fit.value += c.value
                fit.score[row] = -c.slope / v.squareRoot()
                fit.weight[row] = c.curvature / v
                fit.chiSquared += c.square
                fit.alive += c.alive
            } else {
                let residual = values[row] - model
                fit.value += residual * residual / v
                fit.score[row] = residual / v
                fit.weight[row] = 1 / v
                fit.chiSquared += residual * residual / v
                fit.alive += 1
            }
        }
        return fit
    }

    /// What a clipped pixel says, by z = (0 − model)/σ.
    private func clipped(_ z: Double) -> (
        value: Double, slope: Double, curvature: Double, square: Double, alive: Double
    ) {
        let dead = options.deadFraction
        // Φ and φ; far below, where both vanish, the detector is dead.
        let below = 0.5 * erfc(-z / 2.0.squareRoot())
        let density = exp(-z * z / 2) / (2 * Double.pi).squareRoot()
        let chance = max(dead + (1 - dead) * below, 1e-300)
        let slope = (1 - dead) * density / chance
        return (
            -2 * log(chance), slope, max(slope * (slope + z), 0), (1 - dead) * (below - z * density) / chance,
            (1 - dead) * below / chance
        )
    }
}
