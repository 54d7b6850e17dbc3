import Compute
import Foundation
import Tensors
import Testing

@testable import Learning

/// Networks that end in centroids: the layer, its loss, how centroids move, and what such a network knows of its ignorance.
@Suite("centroids")
struct CentroidTests {
    @Test("the layer gives −|W f − m/N|²/2nσ², written out in double precision")
    func closedForm() throws {
        let centroids = Centroids(classes: 2, width: 3, lengthScale: 0.7)
        let spec = try NetworkSpec(inputShape: [1, 1, 4], layers: [.centroids(centroids)], classes: 2)
        var weights = Weights(initialising: spec, random: RandomStream(seed: 4))
        let (kernel, sums) = (spec.parameter(1, .kernel), spec.parameter(1, .centroidSum))
        let counts = spec.parameter(1, .centroidCount)
        #expect([kernel.shape, sums.shape, counts.shape] == [[2, 3, 4], [2, 3], [2]])
        (weights.values[counts.offset], weights.values[counts.offset + 1]) = (2, 5)
        let image: [Float] = [0.3, -1, 2, 0.5]
        let logits = try Classifier(spec, weights).logits(of: Tensor(shape: [1, 1, 4], elements: image))
        for label in 0..<2 {
            var sum = 0.0
            for row in 0..<3 {
                var u = -Double(weights.values[sums.offset + 3 * label + row]) / (label == 0 ? 2 : 5)
                for column in 0..<4 {
                    u += Double(weights.values[kernel.offset + (3 * label + row) * 4 + column]) * Double(image[column])
                }
                sum += u * u
            }
            let expected = -sum / (2 * 3 * 0.7 * 0.7)
            // A sum of a dozen products in single precision.
            #expect(abs(Double(logits.elements[label]) - expected) < 1e-5 * max(1, abs(expected)))
        }
    }

    @Test(
        "the loss is the cross-entropy of K with the labels, its gradient the difference quotient", arguments: [0, 0.1])
    func loss(smoothing: Double) {
        let z: [Float] = [-0.3, -1.5, -0.01, -2, -7, -0.5]
        let labels = [0, 1]
        func loss(_ z: [Float]) -> KernelLoss {
            KernelLoss(logKernels: z, labels: labels, classes: 3, smoothing: smoothing)
        }
        var expected = 0.0
        for (index, value) in z.enumerated() {
            let k = exp(Double(value))
            let y = (index % 3 == labels[index / 3] ? 1 - smoothing : 0) + smoothing / 3
            expected -= (y * log(k) + (1 - y) * log(1 - k)) / 3
        }
        let found = loss(z)
        #expect(abs(found.loss - expected) < 1e-12 * expected)
        // The first image lies nearest to the third centroid.
        #expect(found.correct == 0)
        for index in z.indices {
            // Exact in single precision; third derivatives (largest 2/0.01³ at z = −0.01) times step²/6.
            let step: Float = 1 / 65536
            var (plus, minus) = (z, z)
            plus[index] += step
            minus[index] -= step
            let quotient = (loss(plus).loss - loss(minus).loss) / Double(plus[index] - minus[index]) / 2
            #expect(abs(quotient - Double(found.gradient[index])) < 1e-4 * max(1, abs(quotient)))
        }
    }

    @Test("rightly named is the image whose largest kernel is its class's, alone")
    func correct() {
        // Right, wrong, and two that share the place.
        let result = KernelLoss(logKernels: [-1, -2, -1, -2, -3, -3], labels: [0, 1, 0], classes: 2)
        #expect(result.correct == 1)
    }

    @Test("certainty is the largest mean kernel, distance the mean of each member's nearest")
    func certainty() {
        let found = KernelCertainty(logKernels: [[0, -2], [-3, -1]])
        #expect(abs(found.kernels[0] - (1 + exp(-3)) / 2) < 1e-15)
        #expect(abs(found.kernels[1] - (exp(-2) + exp(-1)) / 2) < 1e-15)
        #expect(found.certainty == found.kernels[0] && found.distance == 0.5)
    }

    @Test("a rejection curve keeps the most certain, and equal ones together")
    func rejection() {
        let images = [(0.9, true), (0.2, false), (0.5, true), (0.5, false), (0.4, true)]
            .map { (certainty: $0.0, isRight: $0.1) }
        let points = RejectionCurve(images, points: 5).points
        #expect(points.map(\.kept) == [1, 0.8, 0.6, 0.2])
        #expect(points.map(\.certainty) == [0.2, 0.4, 0.5, 0.9])
        for (point, accuracy) in zip(points, [3.0 / 5, 3.0 / 4, 2.0 / 3, 1]) {
            #expect(abs(point.accuracy - accuracy) < 1e-15)
        }
        #expect(RejectionCurve([]).points.isEmpty)
    }

    @Test("an image on a wrong centroid costs much and has no slope; one far from its own still has one")
    func extremes() {
        let result = KernelLoss(logKernels: [0, -1000], labels: [1], classes: 2)
        #expect(abs(result.loss - (-log(KernelLoss.nearest) + 1000) / 2) < 1e-3)
        #expect(result.gradient == [0, -0.5])
    }

    @Test(
        "centroids move to the mean embedding of their class by 1 − γ an update, whatever the threads",
        arguments: [1, 2])
    func averages(threads: Int) throws {
        let centroids = Centroids(classes: 2, width: 3, momentum: 0.75, gradientPenalty: 0.5)
        let spec = try NetworkSpec(inputShape: [1, 1, 4], layers: [.centroids(centroids)], classes: 2)
        var set = try ImageSet(shape: [1, 1, 4])
        let random = RandomStream(seed: 6)
        for sample in 0..<8 {
            // Two of the first class and six of the second.
            try set.append(
                (0..<4).map { Float(random.normal(at: 4 * sample + $0)) }, label: sample < 2 ? 0 : 1,
                origin: "\(sample)")
        }
        var settings = TrainingSettings()
        (settings.epochs, settings.batchSize, settings.microBatchSize) = (1, 8, 4)
        // W hardly moves, so that one update's centroids are those of the weights at the beginning.
        (settings.learningRate, settings.optimiser) = (1e-12, .sgd(momentum: 0))
        let initial = Weights(initialising: spec, random: random.substream("weights"))
        let result = try train(
            spec, on: set, split: Split(training: Array(0..<8), validation: []), settings: settings, random: random,
            initial: initial, threads: threads)
        let (kernel, sums) = (spec.parameter(1, .kernel), spec.parameter(1, .centroidSum))
        let counts = spec.parameter(1, .centroidCount)
        for label in 0..<2 {
            let members = label == 0 ? 0..<2 : 2..<8
            // Means over the two micro-batches.
            let count = 0.75 * 1 + 0.25 * Double(members.count) / 2
            #expect(abs(Double(result.weights.values[counts.offset + label]) - count) < 1e-6)
            for row in 0..<3 {
                var sum = 0.0
                for member in members {
                    for column in 0..<4 {
                        sum +=
                            Double(initial.values[kernel.offset + (3 * label + row) * 4 + column])
                            * Double(set.values[4 * member + column])
                    }
                }
                let place = sums.offset + 3 * label + row
                let expected = 0.75 * Double(initial.values[place]) + 0.25 * sum / 2
                // Single precision of sums of order 1.
                #expect(abs(Double(result.weights.values[place]) - expected) < 1e-5)
            }
        }
    }

    @Test("a class that an update lacks keeps its centroid, even without any momentum", arguments: [0, 0.5])
    func absentClass(momentum: Double) throws {
        let spec = try NetworkSpec(
            inputShape: [1, 1, 2],
            layers: [.centroids(Centroids(classes: 2, width: 2, momentum: momentum, gradientPenalty: 0))], classes: 2)
        var set = try ImageSet(shape: [1, 1, 2])
        // One of the first class among forty of the second: most updates of four lack the first.
        for sample in 0..<41 {
            try set.append([Float(sample % 5), 1], label: sample == 0 ? 0 : 1, origin: "\(sample)")
        }
        var settings = TrainingSettings()
        (settings.epochs, settings.batchSize, settings.microBatchSize) = (40, 4, 4)
        let result = try train(
            spec, on: set, split: Split(training: Array(0..<41), validation: []), settings: settings,
            random: RandomStream(seed: 8))
        #expect(result.weights.values.allSatisfy { $0.isFinite })
        let counts = spec.parameter(1, .centroidCount)
        // Each update that had the first class had one of it.
        #expect(abs(result.weights.values[counts.offset] - 1) < 1e-6)
        let logits = try Classifier(spec, result.weights).logits(of: set)
        #expect(logits.elements.allSatisfy { $0.isFinite })
    }

    static func barNetwork(penalty: Double) throws -> NetworkSpec {
        try NetworkSpec(
            inputShape: [1, 12, 12],
            layers: barLayers.dropLast()
                + [.centroids(Centroids(classes: 2, width: 8, lengthScale: 0.5, gradientPenalty: penalty))], classes: 2)
    }

    @Test("learns to tell bars apart, with and without a penalty", arguments: [0, 0.2])
    func learns(penalty: Double) throws {
        let spec = try Self.barNetwork(penalty: penalty)
        let images = try bars(240)
        let result = try train(
            spec, on: images, split: Split(images, validationFraction: 0.2), settings: .ofBars,
            random: RandomStream(seed: 1), threads: 2)
        let fresh = try bars(200, seed: 99)
        let logits = try Classifier(spec, result.weights).logits(of: fresh)
        let report = try ClassificationReport(probabilities: softmax(logits), labels: fresh.labels)
        // Guessing gives 0.5 ± 0.035.
        #expect(report.accuracy > 0.9)
        #expect(logits.elements.allSatisfy { $0 <= 0 })
        // Most lie near their centroid: at K = 0.5 and less nothing would have been learnt of it.
        let certain = (0..<200).count { exp(Double(max(logits.elements[2 * $0], logits.elements[2 * $0 + 1]))) > 0.5 }
        #expect(certain > 150)
    }

    @Test("the same bits with 1 and 3 threads, and where a training goes on after an epoch")
    func isDeterministic() throws {
        let spec = try Self.barNetwork(penalty: 0.3)
        let images = try bars(60)
        let split = Split(images, validationFraction: 0.2)
        var settings = TrainingSettings.ofBars
        settings.epochs = 3
        var states: [TrainingState] = []
        let whole = try train(
            spec, on: images, split: split, settings: settings, random: RandomStream(seed: 5),
            afterEpoch: { states.append(try $1()) })
        let threaded = try train(
            spec, on: images, split: split, settings: settings, random: RandomStream(seed: 5), threads: 3)
        #expect(threaded == whole)
        let resumed = try train(
            spec, on: images, split: split, settings: settings, random: RandomStream(seed: 5), from: states[0],
            threads: 2)
        #expect(resumed == whole)
    }

    @Test("weights written and read back are the same network")
    func tensors() throws {
        let spec = try Self.barNetwork(penalty: 0)
        let weights = Weights(initialising: spec, random: RandomStream(seed: 2))
        let arrays = Dictionary(uniqueKeysWithValues: weights.tensors.map { ($0.name, $0.tensor) })
        #expect(arrays["9.centroid-sum"]?.shape == [2, 8] && arrays["9.centroid-count"]?.elements == [1, 1])
        #expect(try Weights(spec, tensors: arrays) == weights)
        var empty = arrays
        empty["9.centroid-count"] = Tensor(shape: [2], elements: [1, 0])
        let error = try #require(throws: LearningError.self) { try Weights(spec, tensors: empty) }
        #expect(error.message.contains("9.centroid-count"))
    }

    /// Inference takes buffers from layers before, which may be larger.
    @Test("behind wide layers the same numbers come out as in training")
    func wideLayers() throws {
        let spec = try NetworkSpec(
            inputShape: [1, 4, 4],
            layers: [
                .convolution(channels: 32, kernel: [3, 3]), .gelu, .convolution(channels: 32, kernel: [3, 3]), .gelu,
                .globalAveragePool, .centroids(Centroids(classes: 2, width: 2, lengthScale: 1)),
            ], classes: 2)
        let weights = Weights(initialising: spec, random: RandomStream(seed: 2))
        let images = GradientTests.images(spec, count: 4, RandomStream(seed: 3))
        let answers = try [Network.Mode.inference, .training].map { mode in
            let network = try Network(spec, batch: 4, mode: mode)
            try network.load(weights)
            network.images = images
            return try network.forward()
        }
        for (a, b) in zip(answers[0], answers[1]) { #expect(abs(a - b) < 1e-5 * max(1, abs(b))) }
    }

    struct Mistake: Sendable {
        var layers: [LayerSpec]
        var message: String
    }

    @Test(
        "mistakes are named",
        arguments: [
            Mistake(
                layers: [.centroids(Centroids(classes: 2)), .relu], message: "layer 1: centroids before the last layer"),
            Mistake(layers: [.centroids(Centroids(classes: 3))], message: "the last layer gives shape [3]"),
            Mistake(
                layers: [.centroids(Centroids(classes: 2, lengthScale: 0))],
                message: "layer 1: centroids with length scale 0"),
            Mistake(
                layers: [.centroids(Centroids(classes: 2, momentum: 1))], message: "layer 1: centroids with momentum 1"),
        ])
    func mistakes(_ example: Mistake) throws {
        let error = try #require(throws: LearningError.self) {
            try NetworkSpec(inputShape: [1, 2, 2], layers: example.layers, classes: 2)
        }
        #expect(error.message.contains(example.message))
    }

    @Test("a penalty is not learnt in bf16", .enabled(if: Precision.bf16.isSupported, "needs bf16"))
    func refusesCoarseDifferences() throws {
        let images = try bars(20)
        var settings = TrainingSettings.ofBars
        (settings.epochs, settings.precision) = (1, .bf16)
        func run(_ penalty: Double) throws {
            _ = try train(
                Self.barNetwork(penalty: penalty), on: images, split: Split(training: Array(0..<20), validation: []),
                settings: settings, random: RandomStream(seed: 1))
        }
        try run(0)
        let error = try #require(throws: LearningError.self) { try run(0.1) }
        #expect(error.message.contains("precision"))
    }

    /// The claim of the method (shown by its authors with two moons, here with two clouds): a network that answers with probabilities is
    /// sure far from all it has seen, one with centroids and a penalty is not.
    @Test("far from all that was learnt no kernel is large, where softmax is sure")
    func knowsItsIgnorance() throws {
        let random = RandomStream(seed: 17)
        func cloud(_ count: Int, _ stream: RandomStream) throws -> ImageSet {
            var set = try ImageSet(shape: [1, 1, 2])
            for sample in 0..<count {
                let side: Float = sample % 2 == 0 ? -1 : 1
                let place = (0..<2).map { 0.35 * Float(stream.normal(at: 2 * sample + $0)) }
                try set.append([side + place[0], place[1]], label: sample % 2, origin: "\(sample)")
            }
            return set
        }
        let training = try cloud(400, random.substream("training"))
        let split = Split(training: Array(0..<400), validation: [])
        var settings = TrainingSettings()
        (settings.epochs, settings.batchSize, settings.microBatchSize) = (40, 32, 16)
        (settings.learningRate, settings.weightDecay) = (5e-3, 1e-3)
        let body: [LayerSpec] = [.dense(units: 32), .gelu, .dense(units: 32), .gelu]
        func classifier(_ last: LayerSpec) throws -> Classifier {
            let spec = try NetworkSpec(inputShape: [1, 1, 2], layers: body + [last], classes: 2)
            let result = try train(
                spec, on: training, split: split, settings: settings, random: random, threads: 2)
            return try Classifier(spec, result.weights)
        }
        let kernels = try classifier(
            .centroids(Centroids(classes: 2, width: 8, lengthScale: 0.3, gradientPenalty: 0.5)))
        let plain = try classifier(.dense(units: 2))
        // On a circle of radius 8: twenty deviations from either cloud.
        var far = try ImageSet(shape: [1, 1, 2])
        for step in 0..<64 {
            let angle = 2 * Double.pi * (Double(step) + 0.5) / 64
            try far.append([Float(8 * cos(angle)), Float(8 * sin(angle))], label: 0, origin: "\(step)")
        }
        func largestKernels(_ set: ImageSet) throws -> [Double] {
            let logits = try kernels.logits(of: set).elements
            return stride(from: 0, to: logits.count, by: 2).map { exp(Double(max(logits[$0], logits[$0 + 1]))) }
                .sorted()
        }
        let near = try largestKernels(cloud(400, random.substream("fresh")))
        let beyond = try largestKernels(far)
        // 99 % of fresh points of the clouds are nearer to a centroid than 95 % of the far ones.
        #expect(near[4] > beyond[60], "near \(near[4]), \(near[200]); far \(beyond[60]), \(beyond[32])")
        let sure = try softmax(plain.logits(of: far)).elements
        let confident = (0..<64).count { max(sure[2 * $0], sure[2 * $0 + 1]) > 0.99 }
        #expect(confident > 48)
        let named = try softmax(kernels.logits(of: cloud(400, random.substream("fresh"))))
        #expect(try ClassificationReport(probabilities: named, labels: (0..<400).map { $0 % 2 }).accuracy > 0.98)
    }
}
