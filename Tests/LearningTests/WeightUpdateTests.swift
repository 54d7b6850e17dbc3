import Compute
import Foundation
import Tensors
import Testing

@testable import Learning

@Suite("updates of weights")
struct WeightUpdateTests {
    @Test("schedules")
    func schedules() {
        var settings = TrainingSettings()
        settings.epochs = 10
        settings.learningRate = 2
        settings.schedule = .constant
        #expect(settings.learningRate(after: 7.5) == 2)
        settings.schedule = .step(every: 3, factor: 0.5)
        #expect([0, 2.9, 3, 6.1].map { settings.learningRate(after: $0) } == [2, 2, 1, 0.5])
        settings.schedule = .cosine(final: 0.1)
        // cos 0 = 1, cos π/2 = 0, cos π = −1
        for (progress, rate) in [(0.0, 2.0), (5, 1.1), (10, 0.2)] {
            #expect(abs(settings.learningRate(after: progress) - rate) < 1e-12)
        }
        settings.schedule = .constant
        settings.warmUp = 2
        #expect([0.5, 1, 4].map { settings.learningRate(after: $0) } == [0.5, 1, 2])
    }

    @Test("one update of SGD and of Adam, by hand")
    func updates() throws {
        let spec = try NetworkSpec(inputShape: [1, 1, 1], layers: [.dense(units: 2)], classes: 2)
        let sum = FloatBuffer(count: 4)
        sum.withMutableSpan { span in
            for (index, value) in [Float(2), -4, 0, 8].enumerated() { span[index] = value }
        }
        var settings = TrainingSettings()
        settings.weightDecay = 0.5
        settings.optimiser = .sgd(momentum: 0.5)
        var values: [Float] = [1, 1, 1, 1]
        let sgd = WeightUpdate(spec, settings)
        // Mean gradients 1, −2, 0, 4; kernels (the first two) decay by 0.1·0.5.
        sgd.apply(to: &values, sum: sum, parts: 2, rate: 0.1)
        for (value, expected) in zip(values, [0.85, 1.15, 1, 0.6]) { #expect(abs(Double(value) - expected) < 1e-6) }
        sgd.apply(to: &values, sum: sum, parts: 2, rate: 0.1)
        // Velocities 1.5, −3, 0, 6.
        for (value, expected) in zip(values, [0.85 * 0.95 - 0.15, 1.15 * 0.95 + 0.3, 1, 0]) {
            #expect(abs(Double(value) - expected) < 1e-6)
        }
        settings.optimiser = .adam()
        settings.weightDecay = 0
        values = [1, 1, 1, 1]
        WeightUpdate(spec, settings).apply(to: &values, sum: sum, parts: 2, rate: 0.1)
        // The first step of Adam has the length of the rate, whatever the gradient.
        for (value, expected) in zip(values, [0.9, 1.1, 1, 0.9]) { #expect(abs(Double(value) - expected) < 1e-6) }
        // The mean gradient's length is √21: clipped to half of it, steps are half as long.
        settings.optimiser = .sgd(momentum: 0)
        settings.gradientClipping = 21.0.squareRoot() / 2
        values = [1, 1, 1, 1]
        WeightUpdate(spec, settings).apply(to: &values, sum: sum, parts: 2, rate: 0.1)
        for (value, expected) in zip(values, [0.95, 1.1, 1, 0.8]) { #expect(abs(Double(value) - expected) < 1e-6) }
    }

    /// The equations of arXiv:1412.6980 with decoupled decay, number by number. No operation is fused, so that vectors of any
    /// width give the same bits.
    @Test("Adam in vectors is Adam number by number, bit for bit", arguments: [1, 7, 8, 37, 1000])
    func adamInVectors(count: Int) throws {
        let spec = try NetworkSpec(inputShape: [1, 1, count], layers: [.dense(units: 2)], classes: 2)
        var settings = TrainingSettings()
        (settings.optimiser, settings.weightDecay) = (.adam(), 0.01)
        let random = RandomStream(seed: 21)
        let total = spec.parameterCount
        var values = (0..<total).map { Float(random.normal(at: $0)) }
        var (expected, m, v) = (values, [Float](repeating: 0, count: total), [Float](repeating: 0, count: total))
        let update = WeightUpdate(spec, settings)
        let sum = FloatBuffer(count: total)
        let kernel = spec.parameter(1, .kernel)
        for step in 1...3 {
            let gradient = (0..<total).map { Float(random.substream("gradient", step).normal(at: $0)) }
            sum.copy(gradient, 0..<total, to: 0)
            update.apply(to: &values, sum: sum, parts: 2, rate: 0.01)
            let correction = (1 - pow(0.999, Double(step))).squareRoot()
            let rate = Float(0.01 * correction / (1 - pow(0.9, Double(step))))
            let (b1, b2, epsilon) = (Float(0.9), Float(0.999), Float(1e-8 * correction))
            for index in 0..<total {
                let g = 0.5 * gradient[index]
                m[index] = b1 * m[index] + (1 - b1) * g
                v[index] = b2 * v[index] + (1 - b2) * g * g
                let decay = kernel.offset..<kernel.offset + kernel.count ~= index ? Float(0.01 * 0.01) : 0
                expected[index] -= rate * m[index] / (v[index].squareRoot() + epsilon) + decay * expected[index]
            }
            #expect(values == expected, "update \(step)")
        }
    }
}
