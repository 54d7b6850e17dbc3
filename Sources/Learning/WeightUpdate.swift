import CKernels

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Changes weights by their gradients; keeps what the optimiser remembers between updates.
final class WeightUpdate {
    private let settings: TrainingSettings
    private let parameters: [NetworkSpec.Parameter]
    private let centroids: Centroids?
    /// Velocity of SGD, first moment of Adam.
    private let first: FloatBuffer
    /// Second moment of Adam.
    private let second: FloatBuffer
    private var updates = 0

    init(_ spec: NetworkSpec, _ settings: TrainingSettings) {
        self.settings = settings
        parameters = spec.parameters
        centroids = spec.centroids
        first = FloatBuffer(count: spec.parameterCount)
        var needsSecond = false
        if case .adam = settings.optimiser { needsSecond = true }
        second = FloatBuffer(count: needsSecond ? spec.parameterCount : 0)
    }

    /// All that later updates depend on.
    var memory: (first: [Float], second: [Float], updates: Int) {
        (first.prefix(first.count), second.prefix(second.count), updates)
    }

    /// - Precondition: `memory` of an update of the same network by the same optimiser.
    func restore(first: [Float], second: [Float], updates: Int) {
        self.first.copy(first, 0..<self.first.count, to: 0)
        self.second.copy(second, 0..<self.second.count, to: 0)
        self.updates = updates
    }

    /// One update.
    ///
    /// - Parameter sum: gradients (statistics in the places of mean and variance) added over `parts` micro-batches.
    func apply(to values: inout [Float], sum: FloatBuffer, parts: Int, rate: Double) {
        updates += 1
        var scale = 1 / Double(parts)
        if let limit = settings.gradientClipping {
            let length = sum.withSpan { gradientLength($0) } / Double(parts)
            if length > limit { scale *= limit / length }
        }
        for parameter in parameters {
            switch parameter.role {
            case .mean, .variance:
                average(parameter.range, &values, sum, parts, part: settings.batchNormMomentum)
            case .centroidSum, .centroidCount: follow(parameter, &values, sum, parts)
            case .kernel, .bias, .scale, .shift:
                let decay = parameter.role == .kernel ? Float(rate * settings.weightDecay) : 0
                move(parameter.range, &values, sum, scale: Float(scale), rate: rate, decay: decay)
            }
        }
    }

    /// Before clipping.
    private func gradientLength(_ gradient: Span<Float>) -> Double {
        var squares = 0.0
        for parameter in parameters where parameter.role.isTrained {
            for index in parameter.range { squares += Double(gradient[index]) * Double(gradient[index]) }
        }
        return squares.squareRoot()
    }

    /// Centroids follow the classes that the update has images of. Those of others stay, as m and N would shrink alike, until
    /// nothing were left of either.
    private func follow(
        _ parameter: NetworkSpec.Parameter, _ values: inout [Float], _ sum: FloatBuffer, _ parts: Int
    ) {
        guard let centroids, let counts = parameters.first(where: { $0.role == .centroidCount }) else { return }
        let size = parameter.count / centroids.classes
        for label in 0..<centroids.classes where sum.withSpan({ $0[counts.offset + label] > 0 }) {
            let start = parameter.offset + label * size
            average(start..<start + size, &values, sum, parts, part: 1 - centroids.momentum)
        }
    }

    /// - Parameter part: of the new mean in the running one.
    private func average(
        _ range: Range<Int>, _ values: inout [Float], _ sum: FloatBuffer, _ parts: Int, part: Double
    ) {
        let momentum = Float(part)
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
                    second.withMutableSpan { second in
                        adam(
                            &weights, sum, &first, &second, range, scale: scale, beta1: Float(beta1),
                            beta2: Float(beta2), epsilon: Float(epsilon * correction2), step: step, decay: decay)
                    }
                }
            }
        }
    }
}

/// `m ← β₁m + (1 − β₁)g`, `v ← β₂v + (1 − β₂)g²`, `w ← w − (step·m/(√v + ε) + decay·w)` over `range`.
private func adam(
    _ weights: inout MutableSpan<Float>, _ gradient: Span<Float>, _ first: inout MutableSpan<Float>,
    _ second: inout MutableSpan<Float>, _ range: Range<Int>, scale: Float, beta1: Float, beta2: Float, epsilon: Float,
    step: Float, decay: Float
) {
    precondition(range.lowerBound >= 0 && range.upperBound <= weights.count && range.upperBound <= gradient.count)
    precondition(range.upperBound <= first.count && range.upperBound <= second.count)
    let (start, count) = (range.lowerBound, Int64(range.count))
    if count == 0 { return }
    weights.withUnsafeMutableBufferPointer { weights in
        gradient.withUnsafeBufferPointer { gradient in
            first.withUnsafeMutableBufferPointer { first in
                second.withUnsafeMutableBufferPointer { second in
                    guard let w = weights.baseAddress, let g = gradient.baseAddress, let m = first.baseAddress,
                        let v = second.baseAddress
                    else { return }
                    sw_adam(
                        w + start, g + start, m + start, v + start, count, scale, beta1, beta2, epsilon, step, decay)
                }
            }
        }
    }
}
