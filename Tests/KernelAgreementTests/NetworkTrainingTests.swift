import Compute
import Devices
import HostDevice
import Tensors
import Testing

@testable import Learning

/// Whole trainings on the device in software against the host's.
@Suite("Training: host = CUDA")
struct NetworkTrainingTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var settings: TrainingSettings
    }

    static let examples: [Example] = {
        var sgd = TrainingSettings()
        (sgd.epochs, sgd.batchSize, sgd.microBatchSize) = (1, 6, 3)
        sgd.optimiser = .sgd(momentum: 0.9)
        (sgd.learningRate, sgd.schedule) = (0.05, .constant)
        var clipped = sgd
        (clipped.gradientClipping, clipped.labelSmoothing, clipped.weightDecay) = (0.1, 0.1, 0.02)
        var adam = clipped
        // Gradients that are zero but for rounding, as those of biases before batch-norm, Adam makes steps of full length of.
        // A larger ε keeps them small, so that the rest can be compared.
        adam.optimiser = .adam(epsilon: 1e-3)
        (adam.learningRate, adam.schedule, adam.gradientClipping) = (0.01, .cosine(), nil)
        return [
            Example(testDescription: "SGD", settings: sgd),
            Example(testDescription: "SGD, clipped, smoothed and decaying", settings: clipped),
            Example(testDescription: "AdamW", settings: adam),
        ]
    }()

    /// To 1e-5 of the weights, and of the step to 1e-5 or four times what becomes of it on the host alone when each pixel changes
    /// by a unit in its last place: deep networks normalised over a few pixels enlarge the rounding of every layer.
    @Test("weights after one update", arguments: NetworkBench.cases, examples)
    func update(_ example: NetworkBench.Case, _ how: Example) throws {
        let spec = try example.spec()
        let images = try NetworkBench.images(spec.inputShape, 6)
        let split = Split(training: Array(0..<6), validation: [])
        let (start, random) = (NetworkBench.weights(spec), RandomStream(seed: 4))
        let host = try train(
            spec, on: images, split: split, settings: how.settings, random: random, initial: start)
        let device = try train(
            spec, on: images, split: split, settings: how.settings, random: random, initial: start,
            on: NetworkBench().device)
        let moved = NetworkBench.distance(host.weights.values, start.values)
        let apart = NetworkBench.distance(device.weights.values, host.weights.values)
        #expect(moved > 1e-3)
        var nudged = try ImageSet(shape: images.shape)
        for index in 0..<images.count {
            let values = images.values[images.start(of: index)..<images.start(of: index) + images.imageSize]
            try nudged.append(
                values.enumerated().map { $0.offset % 2 == 0 ? $0.element.nextUp : $0.element.nextDown },
                label: images.labels[index], origin: images.origins[index])
        }
        let other = try train(
            spec, on: nudged, split: split, settings: how.settings, random: random, initial: start)
        let rounding = NetworkBench.distance(other.weights.values, host.weights.values)
        #expect(apart < 1e-5 * NetworkBench.length(start.values))
        #expect(apart < max(1e-5 * moved, 4 * rounding), "\(apart / moved) of the step, rounding \(rounding / moved)")
        let (a, b) = (device.history[0], host.history[0])
        #expect(abs(a.loss - b.loss) < 1e-5 * b.loss && a.accuracy == b.accuracy && a.learningRate == b.learningRate)
    }

    private let spec: NetworkSpec
    private let images: ImageSet
    private let split = Split(training: Array(0..<14), validation: Array(14..<20))

    init() throws {
        spec = try NetworkBench.Case(
            name: "", input: [1, 8, 10],
            layers: [
                .convolution(channels: 4, kernel: [3, 3]), .relu, .batchNorm, .maxPool([2, 2]), .dropout(rate: 0.2),
                .dense(units: 3),
            ]
        ).spec()
        images = try NetworkBench.images([1, 8, 10], 20)
    }

    private func run(
        _ device: NetworkDevice?, from state: TrainingState? = nil
    ) throws -> (result: TrainingResult, states: [TrainingState]) {
        var settings = TrainingSettings()
        // 14 images in micro-batches of 2, four to an update: the last update of an epoch has three.
        (settings.epochs, settings.batchSize, settings.microBatchSize) = (3, 8, 2)
        settings.optimiser = .adam(epsilon: 1e-4)
        settings.learningRate = 3e-3
        var states: [TrainingState] = []
        let result = try train(
            spec, on: images, split: split, settings: settings, random: RandomStream(seed: 6), from: state, on: device,
            afterEpoch: { _, state in states.append(try state()) })
        return (result, states)
    }

    /// Six updates; rounding grows from one to the next, but not beyond 1e-4 in so few.
    @Test("goes on from a checkpoint of the other")
    func checkpoints() throws {
        let bench = try NetworkBench()
        let host = try run(nil)
        let device = try run(bench.device)
        // From its own state a device gives its own bits again.
        #expect(try run(bench.device, from: device.states[0]).result == device.result)
        let others = try [
            device.result, run(bench.device, from: host.states[0]).result, run(nil, from: device.states[1]).result,
        ]
        for other in others {
            #expect(
                NetworkBench.distance(other.weights.values, host.result.weights.values)
                    < 1e-4 * NetworkBench.length(host.result.weights.values))
            for (a, b) in zip(other.history, host.result.history) {
                #expect(abs(a.loss - b.loss) < 1e-4 * b.loss && a.accuracy == b.accuracy)
                let (v, w) = (try #require(a.validationLoss), try #require(b.validationLoss))
                #expect(abs(v - w) < 1e-4 * w && a.isBest == b.isBest)
            }
        }
        #expect(device.states.map(\.updates) == host.states.map(\.updates))
        for (a, b) in zip(device.states, host.states) {
            #expect(
                NetworkBench.distance(a.secondMoments, b.secondMoments) < 1e-3 * NetworkBench.length(b.secondMoments))
        }
    }

    @Test("images that do not fit the device are carried there batch by batch: the same bits")
    func smallDevice() throws {
        // The images take 4,480 bytes on the device: less than half of what is free there, and more.
        let roomy = try run(NetworkBench().device).result
        #expect(try run(NetworkBench(["memory": "400000"]).device).result == roomy)
        #expect(throws: DeviceError.self) { try run(NetworkBench(["memory": "30000"]).device) }
    }

    /// Ten bits of mantissa: a unit in the last place is 1e-3, a sum of some hundred products off by 1e-4 to 1e-3 of its terms.
    @Test("TF32 is off unless asked for, and then reaches both libraries")
    func tf32() throws {
        for layers in [
            [LayerSpec.convolution(channels: 5, kernel: [3, 3]), .globalAveragePool, .dense(units: 3)],
            [.dense(units: 3)],
        ] {
            let spec = try NetworkSpec(inputShape: [2, 6, 8], layers: layers, classes: 3)
            let classifier = try Classifier(spec, NetworkBench.weights(spec))
            let images = try NetworkBench.images(spec.inputShape, 4)
            let host = try classifier.logits(of: images).elements
            func distance(_ usesTF32: Bool) throws -> Double {
                let bench = try NetworkBench(usesTF32: usesTF32)
                let found = try classifier.logits(of: images, at: [0, 1, 2, 3], on: bench.device).elements
                return NetworkBench.distance(found, host) / NetworkBench.length(host)
            }
            #expect(try distance(false) < 2e-6)
            let rounded = try distance(true)
            #expect(rounded > 1e-5 && rounded < 5e-3)
        }
    }

    @Test("integrated gradients and smooth gradients, in batches that do not come out even", arguments: [1, 7, 70])
    func attributions(points: Int) throws {
        let bench = try NetworkBench()
        let classifier = try Classifier(spec, NetworkBench.weights(spec))
        var image = Tensor(shape: [1, 8, 10], elements: Array(images.values[..<80]))
        for pixel in [3, 17, 55] { image.elements[pixel] = 0 }
        let baseline = Tensor<Float>(shape: [1, 8, 10], repeating: 0.1)
        for score in ClassScore.allCases {
            let host = try classifier.integratedGradients(
                of: image, baseline: baseline, class: 1, score: score, steps: points)
            let device = try classifier.integratedGradients(
                of: image, baseline: baseline, class: 1, score: score, steps: points, on: bench.device)
            let size = NetworkBench.length(host.attribution.elements)
            #expect(NetworkBench.distance(device.attribution.elements, host.attribution.elements) < 1e-5 * size)
            #expect(abs(device.score - host.score) < 1e-5 && abs(device.baselineScore - host.baselineScore) < 1e-5)
            #expect(abs(device.residual - host.residual) < 1e-4)
        }
        let random = RandomStream(seed: 9)
        let host = try classifier.smoothGradients(of: image, class: 2, draws: points, random: random)
        let device = try classifier.smoothGradients(
            of: image, class: 2, draws: points, random: random, on: bench.device)
        let size = NetworkBench.length(host.gradient.elements)
        #expect(NetworkBench.distance(device.gradient.elements, host.gradient.elements) < 1e-5 * size)
        #expect(device.deviation == host.deviation)
    }
}
