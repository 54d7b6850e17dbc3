import Compute
import Foundation
import Tensors
import Testing

@testable import Learning

/// Bars in noise: across (class 0) or upright (class 1), anywhere in a 12×12 image.
func bars(_ count: Int, seed: Int = 3, noise: Double = 0.3) throws -> ImageSet {
    var set = try ImageSet(shape: [1, 12, 12])
    for sample in 0..<count {
        let random = RandomStream(seed: seed).substream("bar", sample)
        var image = (0..<144).map { Float(noise * random.normal(at: $0)) }
        let place = Int(random.uniform(at: 1000) * 12)
        let start = Int(random.uniform(at: 1001) * 6)
        for step in start..<start + 6 { image[sample % 2 == 0 ? place * 12 + step : step * 12 + place] += 1 }
        try set.append(image, label: sample % 2, origin: "bar \(sample)")
    }
    return set
}

let barLayers: [LayerSpec] = [
    .convolution(channels: 8, kernel: [3, 3]), .relu, .batchNorm, .maxPool([2, 2]),
    .convolution(channels: 16, kernel: [3, 3]), .relu, .globalAveragePool, .dropout(rate: 0.1), .dense(units: 2),
]

extension TrainingSettings {
    /// A dozen short epochs, enough for bars.
    static var ofBars: TrainingSettings {
        var settings = TrainingSettings()
        settings.epochs = 12
        settings.batchSize = 16
        settings.microBatchSize = 4
        settings.learningRate = 1e-2
        return settings
    }
}

@Suite("training")
struct TrainingTests {
    let spec: NetworkSpec

    init() throws { spec = try NetworkSpec(inputShape: [1, 12, 12], layers: barLayers, classes: 2) }

    var settings: TrainingSettings { .ofBars }

    @Test("learns to tell bars apart, and says so about new ones")
    func learns() throws {
        let images = try bars(240)
        let split = Split(images, validationFraction: 0.2)
        var reports: [EpochReport] = []
        let result = try train(
            spec, on: images, split: split, settings: settings, random: RandomStream(seed: 1),
            progress: { reports.append($0) })
        #expect(reports == result.history)
        #expect(result.history.count == 12 && !result.stoppedEarly)
        let fresh = try bars(200, seed: 99)
        let logits = try Classifier(spec, result.weights).logits(of: fresh)
        let report = try ClassificationReport(probabilities: softmax(logits), labels: fresh.labels)
        // Guessing gives 0.5 ± 0.035; 0.9 is eleven deviations away.
        #expect(report.accuracy > 0.9)
        #expect(try #require(report.areaUnderROC) > 0.95)
    }

    @Test("gives the same bits with 1, 2 and 3 threads")
    func isDeterministic() throws {
        let images = try bars(60)
        let split = Split(images, validationFraction: 0.2)
        var settings = settings
        settings.epochs = 3
        settings.weightDecay = 0.01
        settings.gradientClipping = 1
        let results = try [1, 2, 3].map {
            try train(spec, on: images, split: split, settings: settings, random: RandomStream(seed: 5), threads: $0)
        }
        #expect(results[1] == results[0])
        #expect(results[2] == results[0])
        let classifier = try Classifier(spec, results[0].weights)
        let logits = try [1, 2].map { try classifier.logits(of: images, threads: $0) }
        #expect(logits[0] == logits[1])
        let other = try train(spec, on: images, split: split, settings: settings, random: RandomStream(seed: 6))
        #expect(other.weights != results[0].weights)
    }

    /// Joins, group-norm, and a dense layer large enough (1024 × 1152) that its gradient is found once an update.
    @Test("so does a network with joins and a large dense layer", arguments: Precision.allCases.filter(\.isSupported))
    func isDeterministicWithLargeLayers(precision: Precision) throws {
        let layers: [LayerSpec] = [
            .convolution(channels: 8, kernel: [3, 3]), .gelu, .mark("stem"), .convolution(channels: 8, kernel: [3, 3]),
            .groupNorm(groups: 2), .relu, .add("stem"), .batchNorm, .dense(units: 1024), .relu, .dropout(rate: 0.2),
            .dense(units: 2),
        ]
        let spec = try NetworkSpec(inputShape: [1, 12, 12], layers: layers, classes: 2)
        #expect(spec.defersKernel(9, from: DeferredKernel.size, 4))
        let images = try bars(60)
        let split = Split(images, validationFraction: 0.2)
        var settings = settings
        settings.epochs = 2
        settings.precision = precision
        let results = try [1, 2, 3].map {
            try train(spec, on: images, split: split, settings: settings, random: RandomStream(seed: 5), threads: $0)
        }
        #expect(results[1] == results[0])
        #expect(results[2] == results[0])
    }

    @Test("a gradient that is found once an update is the sum over micro-batches", arguments: [2, 3])
    func deferredGradients(parts: Int) throws {
        let layers: [LayerSpec] = [
            .convolution(channels: 4, kernel: [3, 3]), .relu, .batchNorm, .dense(units: 6), .relu, .dense(units: 2),
        ]
        let spec = try NetworkSpec(inputShape: [1, 12, 12], layers: layers, classes: 2)
        let images = try bars(12)
        let weights = Weights(initialising: spec, random: RandomStream(seed: 4))
        // All dense layers, or none.
        let sums = try [1, 1 << 30].map { size in
            let network = try Network(spec, batch: 4, mode: .training, defersFrom: size)
            let sum = try GradientSum(spec, microBatch: 4, parts: 3, precision: .f32, defersFrom: size)
            try network.load(weights)
            sum.clear()
            for part in 0..<parts {
                for place in 0..<4 {
                    network.setImage(place, from: images.values, at: images.start(of: 4 * part + place))
                }
                let labels = Array(images.labels[4 * part..<4 * part + 4])
                let result = CrossEntropy(logits: try network.forward(), labels: labels, classes: 2)
                try network.backward(result.gradient)
                try sum.add(network, loss: result.loss, correct: result.correct, part: part)
            }
            try sum.finish(parts: parts)
            return sum.values.prefix(spec.parameterCount)
        }
        let largest = sums[1].reduce(0) { max($0, abs($1)) }
        // The same products in another order: a few roundings of the largest.
        for (deferred, added) in zip(sums[0], sums[1]) { #expect(abs(deferred - added) < 1e-6 * largest) }
        let dense = spec.parameter(4, .kernel)
        #expect(sums[1][dense.offset..<dense.offset + dense.count].contains { $0 != 0 })
    }

    @Test("bf16 learns the bars as f32 does", .enabled(if: Precision.bf16.isSupported))
    func learnsInBF16() throws {
        let images = try bars(240)
        let split = Split(images, validationFraction: 0.2)
        var settings = settings
        settings.precision = .bf16
        let result = try train(spec, on: images, split: split, settings: settings, random: RandomStream(seed: 1))
        let fresh = try bars(200, seed: 99)
        let logits = try Classifier(spec, result.weights).logits(of: fresh)
        let report = try ClassificationReport(probabilities: softmax(logits), labels: fresh.labels)
        // As for f32: guessing gives 0.5 ± 0.035.
        #expect(report.accuracy > 0.9)
    }

    /// bf16 rounds to 8 bits, 0.4 %: gradients of a whole network agree with those in single precision to a few of these.
    @Test("gradients in bf16 are those in f32, rounded", .enabled(if: Precision.bf16.isSupported))
    func gradientsInBF16() throws {
        let images = try bars(8)
        let weights = Weights(initialising: spec, random: RandomStream(seed: 4))
        let random = RandomStream(seed: 9)
        let gradients = try Precision.allCases.map { precision in
            let network = try Network(spec, batch: 8, mode: .training, precision: precision)
            try network.load(weights)
            for place in 0..<8 { network.setImage(place, from: images.values, at: images.start(of: place)) }
            let result = CrossEntropy(logits: try network.forward(random: random), labels: images.labels, classes: 2)
            try network.backward(result.gradient)
            return network.parameterGradients
        }
        var (distance, length) = (0.0, 0.0)
        for parameter in spec.parameters where parameter.role.isTrained {
            for index in parameter.range {
                let (exact, rounded) = (Double(gradients[0][index]), Double(gradients[1][index]))
                distance += (exact - rounded) * (exact - rounded)
                length += exact * exact
            }
        }
        #expect(distance > 0)
        #expect(distance.squareRoot() < 0.03 * length.squareRoot())
    }

    @Test("the answer for an image does not depend on its neighbours")
    func isIndependent() throws {
        let images = try bars(11)
        let classifier = try Classifier(spec, Weights(initialising: spec, random: RandomStream(seed: 2)))
        let all = try classifier.logits(of: images)
        let some = try classifier.logits(of: images, at: [9, 4])
        #expect(some.elements == Array(all.elements[18..<20] + all.elements[8..<10]))
    }

    @Test(
        "fits a tiny set perfectly",
        arguments: [TrainingSettings.Optimiser.sgd(momentum: 0.9), .adam()])
    func overfits(optimiser: TrainingSettings.Optimiser) throws {
        let images = try bars(8, noise: 1)
        let layers: [LayerSpec] = [.convolution(channels: 8, kernel: [3, 3]), .relu, .dense(units: 2)]
        let spec = try NetworkSpec(inputShape: [1, 12, 12], layers: layers, classes: 2)
        var settings = settings
        settings.optimiser = optimiser
        settings.epochs = 60
        settings.batchSize = 8
        let result = try train(
            spec, on: images, split: Split(training: Array(0..<8), validation: []), settings: settings,
            random: RandomStream(seed: 1))
        let last = try #require(result.history.last)
        #expect(last.accuracy == 1)
        #expect(last.loss < 0.05)
        #expect(last.validationLoss == nil)
    }

    @Test("batch-norm: running statistics of one batch reproduce what that batch gave in training")
    func batchNormConsistency() throws {
        let layers: [LayerSpec] = [.convolution(channels: 5, kernel: [3, 3]), .batchNorm, .relu, .dense(units: 2)]
        let spec = try NetworkSpec(inputShape: [1, 12, 12], layers: layers, classes: 2)
        let images = try bars(6)
        var weights = Weights(initialising: spec, random: RandomStream(seed: 4))
        let training = try Network(spec, batch: 6, mode: .training)
        try training.load(weights)
        for place in 0..<6 { training.setImage(place, from: images.values, at: images.start(of: place)) }
        let inTraining = try training.forward()
        let update = { (settings: TrainingSettings) throws in
            let sum = FloatBuffer(count: spec.parameterCount)
            training.addGradients(to: sum, 0..<spec.parameterCount)
            WeightUpdate(spec, settings).apply(to: &weights.values, sum: sum, parts: 1, rate: 0)
        }
        var settings = TrainingSettings()
        settings.batchNormMomentum = 1
        try update(settings)
        for mode in [Network.Mode.inference, .attribution] {
            let network = try Network(spec, batch: 6, mode: mode)
            try network.load(weights)
            for place in 0..<6 { network.setImage(place, from: images.values, at: images.start(of: place)) }
            for (a, b) in zip(try network.forward(), inTraining) {
                // A few dozen single-precision operations on values of order 1.
                #expect(abs(a - b) < 1e-4)
            }
        }
    }

    @Test("the published network of six convolutions builds at full size and takes a step")
    func publishedNetwork() throws {
        let layers: [LayerSpec] = [
            .convolution(channels: 16, kernel: [5, 5]), .relu, .convolution(channels: 16, kernel: [3, 3]), .relu,
            .maxPool([1, 2]), .batchNorm, .convolution(channels: 16, kernel: [1, 3]), .relu,
            .convolution(channels: 32, kernel: [1, 3]), .relu, .maxPool([2, 2]), .batchNorm,
            .convolution(channels: 32, kernel: [1, 3]), .relu, .convolution(channels: 32, kernel: [1, 3]), .relu,
            .batchNorm, .dense(units: 64), .relu, .dense(units: 2),
        ]
        let full = try NetworkSpec(inputShape: [1, 240, 400], layers: layers, classes: 2)
        #expect(full.shapes[16] == [32, 120, 100])
        #expect(full.parameterCount == 24_587_810)

        let spec = try NetworkSpec(inputShape: [1, 12, 12], layers: layers, classes: 2)
        let images = try bars(8)
        var settings = TrainingSettings()
        settings.epochs = 1
        settings.batchSize = 8
        settings.microBatchSize = 4
        let result = try train(
            spec, on: images, split: Split(training: Array(0..<8), validation: []), settings: settings,
            random: RandomStream(seed: 1))
        let before = Weights(initialising: spec, random: RandomStream(seed: 1).substream("weights"))
        for (old, new) in zip(before.tensors, result.weights.tensors) {
            #expect(old.tensor != new.tensor, "\(old.name) did not change")
        }
    }

    @Test("stops when asked")
    func cancellation() throws {
        let images = try bars(16)
        #expect(throws: CancellationError.self) {
            try train(
                spec, on: images, split: Split(training: Array(0..<16), validation: []), settings: settings,
                random: RandomStream(seed: 1), isCancelled: { true })
        }
    }

    @Test("a learning rate beyond all measure is reported as divergence")
    func divergence() throws {
        let images = try bars(16)
        var settings = settings
        settings.learningRate = 1e30
        settings.optimiser = .sgd()
        let error = #expect(throws: LearningError.self) {
            try train(
                spec, on: images, split: Split(training: Array(0..<16), validation: []), settings: settings,
                random: RandomStream(seed: 1))
        }
        #expect(error == .diverged(epoch: 1) || error == .diverged(epoch: 2))
    }

}
