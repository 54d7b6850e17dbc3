#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Changes weights by their gradients; keeps what the optimiser remembers between updates.
final class WeightUpdate {
    private let settings: TrainingSettings
    private let parameters: [NetworkSpec.Parameter]
    /// Velocity of SGD, first moment of Adam.
    private let first: FloatBuffer
    /// Second moment of Adam.
    private let second: FloatBuffer
    private var updates = 0

    init(_ spec: NetworkSpec, _ settings: TrainingSettings) {
        self.settings = settings
        parameters = spec.parameters
        first = FloatBuffer(count: spec.parameterCount)
        var needsSecond = false
        if case .adam = settings.optimiser { needsSecond = true }
        second = FloatBuffer(count: needsSecond ? spec.parameterCount : 0)
    }

    /// One update.
    ///
    /// - Parameter sum: gradients (statistics in the places of mean and variance) added over `parts` micro-batches.
    /// - Returns: the length of the mean gradient, before clipping.
    func apply(to values: inout [Float], sum: FloatBuffer, parts: Int, rate: Double) -> Double {
        updates += 1
        let length = sum.withSpan { gradientLength($0) } / Double(parts)
        var scale = 1 / Double(parts)
        if let limit = settings.gradientClipping, length > limit { scale *= limit / length }
        for parameter in parameters {
            switch parameter.role {
            case .mean, .variance: average(parameter.range, &values, sum, parts)
            default:
                let decay = parameter.role == .kernel ? Float(rate * settings.weightDecay) : 0
                move(parameter.range, &values, sum, scale: Float(scale), rate: rate, decay: decay)
            }
        }
        return length
    }

    private func gradientLength(_ gradient: Span<Float>) -> Double {
        var squares = 0.0
        for parameter in parameters where parameter.role.isTrained {
            for index in parameter.range { squares += Double(gradient[index]) * Double(gradient[index]) }
        }
        return squares.squareRoot()
    }

    private func average(_ range: Range<Int>, _ values: inout [Float], _ sum: FloatBuffer, _ parts: Int) {
        let momentum = Float(settings.batchNormMomentum)
        sum.withSpan { sum in
            for index in range { values[index] += momentum * (sum[index] / Float(parts) - values[index]) }
        }
    }

    private func move(
        _ range: Range<Int>, _ values: inout [Float], _ sum: FloatBuffer, scale: Float, rate: Double, decay: Float
    ) {
        sum.withSpan { sum in
            first.withMutableSpan { first in
                var weights = values.mutableSpan
                switch settings.optimiser {
                case .sgd(let momentum):
                    let (momentum, rate) = (Float(momentum), Float(rate))
                    for index in range {
                        first[index] = momentum * first[index] + scale * sum[index]
                        weights[index] -= rate * first[index] + decay * weights[index]
                    }
                case .adam(let beta1, let beta2, let epsilon):
                    // Both moments begin at zero; the corrections for that go into the rate and epsilon.
                    let correction2 = (1 - pow(beta2, Double(updates))).squareRoot()
                    let step = Float(rate * correction2 / (1 - pow(beta1, Double(updates))))
                    let (b1, b2, e) = (Float(beta1), Float(beta2), Float(epsilon * correction2))
                    second.withMutableSpan { second in
                        for index in range {
                            let gradient = scale * sum[index]
                            first[index] = b1 * first[index] + (1 - b1) * gradient
                            second[index] = b2 * second[index] + (1 - b2) * gradient * gradient
                            weights[index] -=
                                step * first[index] / (second[index].squareRoot() + e) + decay * weights[index]
                        }
                    }
                }
            }
        }
    }
}
