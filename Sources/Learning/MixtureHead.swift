import Compute
import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How a network's outputs are read as a density over d numbers: a mixture density network (C. M. Bishop, Aston
/// University report NCRG/94/004, 1994) with full covariances, as in the amortised posteriors of G. Papamakarios and
/// I. Murray (arXiv:1605.06376).
///
/// For each component in turn: the logarithm of its weight up to a common constant, d means, d logarithms of the factor's
/// diagonal, and the d(d − 1)/2 numbers below the diagonal, row by row.
public struct MixtureHead: Hashable, Sendable {
    /// d
    public let dimensions: Int
    /// K
    public let components: Int

    /// Logarithms of the diagonal saturate here: widths between e⁻⁸ and e⁸ of the unit. Without it one step too long in
    /// early training overflows.
    static let saturation = 8.0

    public init(dimensions: Int, components: Int) {
        precondition(dimensions > 0 && components > 0, "\(components) components in \(dimensions) dimensions")
        self.dimensions = dimensions
        self.components = components
    }

    /// Numbers that describe one component.
    private var stride: Int { 1 + 2 * dimensions + dimensions * (dimensions - 1) / 2 }

    /// Numbers that the network gives.
    public var outputs: Int { components * stride }

    /// The density that the outputs of one image describe.
    public func mixture(_ outputs: ArraySlice<Float>) -> GaussianMixture {
        precondition(outputs.count == self.outputs, "\(outputs.count) outputs, \(self.outputs) make a mixture")
        let raw = outputs.map { Double($0) }
        let weights = probabilities((0..<components).map { raw[$0 * stride] })
        return GaussianMixture(
            (0..<components).map { index in
                let part = Array(raw[index * stride..<(index + 1) * stride])
                return GaussianMixture.Component(
                    weight: weights[index], mean: Array(part[1...dimensions]), factor: factor(part))
            })
    }

    private func factor(_ part: [Double]) -> [Double] {
        var factor = [Double](repeating: 0, count: dimensions * dimensions)
        var next = 1 + 2 * dimensions
        for row in 0..<dimensions {
            for column in 0..<row {
                factor[row * dimensions + column] = part[next]
                next += 1
            }
            factor[row * dimensions + row] = exp(Self.saturation * tanh(part[1 + dimensions + row] / Self.saturation))
        }
        return factor
    }

    /// −log q(z) of one image and its gradient with respect to the outputs.
    func loss(_ outputs: ArraySlice<Float>, target z: ArraySlice<Double>) -> (value: Double, gradient: [Double]) {
        let z = Array(z)
        let mixture = mixture(outputs)
        let logTerms = mixture.components.map { log(max($0.weight, .leastNormalMagnitude)) + $0.logDensity(z) }
        let top = logTerms.max() ?? 0
        let logDensity = top + log(logTerms.reduce(0) { $0 + exp($1 - top) })
        var gradient = [Double](repeating: 0, count: self.outputs)
        for (index, component) in mixture.components.enumerated() {
            let start = index * stride
            // How much of the density at z is this component's.
            let share = exp(logTerms[index] - logDensity)
            gradient[start] = component.weight - share
            let factor = component.factor
            let distance = zip(z, component.mean).map { $0 - $1 }
            var next = start + 1 + 2 * dimensions
            for row in 0..<dimensions {
                let line = row * dimensions
                let y = (0...row).reduce(0) { $0 + factor[line + $1] * distance[$1] }
                for column in 0...row { gradient[start + 1 + column] -= share * y * factor[line + column] }
                for column in 0..<row {
                    gradient[next] = share * y * distance[column]
                    next += 1
                }
                let slope = tanh(Double(outputs[outputs.startIndex + start + 1 + dimensions + row]) / Self.saturation)
                gradient[start + 1 + dimensions + row] =
                    share * (y * factor[line + row] * distance[row] - 1) * (1 - slope * slope)
            }
        }
        return (-logDensity, gradient)
    }

    /// Weights to begin with: random, but the last layer, which must be dense and gives the outputs, starts near a mixture
    /// of unit Gaussians whose means are scattered by half a unit, whatever the image. Components that all began alike
    /// would stay alike.
    public func initialWeights(_ spec: NetworkSpec, random: RandomStream) -> Weights {
        var weights = Weights(initialising: spec, random: random)
        let scatter = random.substream("means")
        for parameter in weights.parameters where parameter.layer == spec.layers.count {
            switch parameter.role {
            case .kernel: for index in parameter.range { weights.values[index] *= 0.1 }
            case .bias:
                for index in 0..<components where components > 1 {
                    for number in 0..<dimensions {
                        weights.values[parameter.range.lowerBound + index * stride + 1 + number] =
                            Float(0.5 * scatter.normal(at: index * dimensions + number))
                    }
                }
            default: break
            }
        }
        return weights
    }
}
