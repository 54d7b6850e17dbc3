import Compute
import Devices
import HostDevice
import Testing

@testable import Learning

/// Losses beside the cross-entropy of classes, the penalty and centroids, on the device in software against the host's.
@Suite("Densities and centroids: host = CUDA")
struct NetworkHeadTests {
    struct Head: Sendable, CustomTestStringConvertible {
        var dimensions: Int
        var components: Int
        var testDescription: String { "\(components) of \(dimensions)" }
    }

    /// Both sides compute in double and round once: 1e-7 of each number, where 1e-6 of the whole is asked for. 300 components are
    /// more than a block has threads.
    @Test(
        "−log of a density and its gradient, to 1e-6 of the gradient's length",
        arguments: heads)
    func density(_ how: Head) throws { try Self.compareDensity(how, on: NetworkBench().device) }

    static let heads = [
        Head(dimensions: 1, components: 1), Head(dimensions: 3, components: 2), Head(dimensions: 6, components: 5),
        Head(dimensions: 2, components: 300),
    ]

    static func compareDensity(_ how: Head, on device: NetworkDevice) throws {
        let head = MixtureHead(dimensions: how.dimensions, components: how.components)
        let random = RandomStream(seed: 41)
        var outputs = (0..<6 * head.outputs).map { Float(random.normal(at: $0)) }
        // Of two images a width saturates, and a weight is next to nothing.
        outputs[0] = -900
        outputs[head.outputs + how.dimensions + 1] = 500
        outputs[2 * head.outputs + how.dimensions + 1] = -500
        let values = (0..<10 * how.dimensions).map { 2 * random.substream("targets").normal(at: $0) }
        let targets = TrainingObjective.Targets(dimensions: how.dimensions, values: values)
        let order: [Int32] = [8, 6, 9, 4, 2, 0, 5, 1]
        let found = try found(
            .density(head, targets: targets), .dense(units: head.outputs), outputs: outputs, order: order,
            on: device)
        for image in 0..<6 {
            let slots = image * head.outputs..<(image + 1) * head.outputs
            let expected = head.loss(outputs[slots], target: targets[Int(order[image + 2])])
            #expect(abs(found.losses[image] - expected.value) < 1e-12 * max(1, abs(expected.value)))
            let slope = expected.gradient.map { Float($0 / 3) }
            let distance = NetworkBench.distance(Array(found.gradient[slots]), slope)
            #expect(distance < 1e-6 * NetworkBench.length(slope), "\(distance / NetworkBench.length(slope))")
        }
    }

    /// Double precision and one rounding again. Among the images are one on its centroid, one on another's, and one far from all.
    @Test("the loss of kernels and its gradient", arguments: [0, 0.1])
    func kernels(smoothing: Double) throws { try Self.compareKernels(smoothing, on: NetworkBench().device) }

    static func compareKernels(_ smoothing: Double, on device: NetworkDevice) throws {
        let random = RandomStream(seed: 43)
        var logs = (0..<18).map { -Float(2 * random.uniform(at: $0)) }
        (logs[0], logs[4], logs[6]) = (0, -1e-7, -200)
        let labels = [0, 0, 1, 2, 1, 0]
        let expected = KernelLoss(logKernels: Array(logs[..<9]), labels: [0, 0, 1], classes: 3, smoothing: smoothing)
        let others = KernelLoss(logKernels: Array(logs[9...]), labels: [2, 1, 0], classes: 3, smoothing: smoothing)
        let found = try found(
            .classes, .centroids(Centroids(classes: 3)), outputs: logs, smoothing: smoothing,
            labels: labels.map { Int32($0) }, on: device)
        let loss = expected.loss + others.loss
        #expect(abs(found.losses.reduce(0, +) - loss) < 1e-12 * loss)
        #expect(found.correct == expected.correct + others.correct && (1...5).contains(found.correct))
        for (a, b) in zip(found.gradient, expected.gradient + others.gradient) {
            #expect(abs(a - b) <= 1e-6 * abs(b), "\(a) \(b)")
        }
    }

    /// What the device says of `outputs`: of six images in two micro-batches, the epoch's third and following.
    private static func found(
        _ objective: TrainingObjective, _ last: LayerSpec, outputs: [Float], smoothing: Double = 0,
        order: [Int32] = [], labels: [Int32] = [], on bench: NetworkDevice
    ) throws -> (losses: [Double], correct: Int, gradient: [Float]) {
        let device = bench.device
        let spec = try NetworkSpec(inputShape: [1, 1, 2], layers: [last], classes: outputs.count / 6)
        let weights = DeviceLayout(spec).count
        let network = try DeviceNetwork(
            spec, parts: 2, microBatch: 3, mode: .training, parameters: DeviceFloats(count: weights, on: device),
            gradients: DeviceFloats(count: weights, on: device), on: bench)
        try device.write(outputs, to: network.logits.memory)
        try device.write(labels, to: network.labels.memory)
        let loss = try DeviceObjective(
            objective, spec, members: Array(0..<10), microBatch: 3, images: 6, smoothing: smoothing, on: bench)
        try device.write([0.0, 0], to: loss.losses.memory)
        try loss.findGradient(network, from: 2, members: DeviceValues(order, on: device))
        let losses = try device.read(Double.self, count: 8, from: loss.losses.memory)
        let gradient = try device.read(
            Float.self, count: outputs.count, from: try #require(network.logitGradient).memory)
        return (Array(losses[2...]), try loss.totals(of: 8).correct, gradient)
    }

    static let penalised: [[LayerSpec]] = [
        [.dense(units: 6), .gelu],
        [.convolution(channels: 4, kernel: [3, 3]), .gelu, .globalAveragePool],
        // Batch-norm makes each image's kernels depend on all images of its micro-batch.
        [.convolution(channels: 4, kernel: [3, 3]), .batchNorm, .gelu, .averagePool([2, 2])],
        [.log1p, .convolution(channels: 4, kernel: [3, 3]), .groupNorm(groups: 2), .gelu, .dropout(rate: 0.3)],
        // Kinks: the same units are on either side of them.
        [.convolution(channels: 6, kernel: [3, 3]), .batchNorm, .relu, .maxPool([2, 2]), .dense(units: 6), .relu],
    ]

    /// A difference of two gradients over 2ε, ε about 0.01: their rounding is enlarged some fifty times, on either side. So the claim is
    /// 1e-4 of the penalty's gradient, and its loss, which is of first derivatives, is held to 1e-5. Behind log1p within the network 5e-4:
    /// the host rounds 1 + x before it takes the logarithm.
    @Test("the penalty and its gradient, each micro-batch moved as far as on the host", arguments: penalised)
    func penalty(layers: [LayerSpec]) throws { try Self.comparePenalty(layers, on: NetworkBench().device) }

    static func comparePenalty(_ layers: [LayerSpec], on bench: NetworkDevice) throws {
        let spec = try NetworkSpec(
            inputShape: [1, 4, 6],
            layers: layers + [.centroids(Centroids(classes: 3, width: 4, lengthScale: 0.8, gradientPenalty: 0.6))],
            classes: 3)
        let weights = NetworkBench.weights(spec)
        var values = try NetworkBench.images([1, 4, 6], 6).values
        // Farther from all centroids, so that slopes are others in the second micro-batch.
        for index in values.count / 2..<values.count { values[index] *= 2 }
        let streams = (0..<2).map { RandomStream(seed: 5).substream("micro-batch", $0) }
        let expected = try hostPenalty(spec, weights, values, streams)
        let found = try devicePenalty(spec, weights, values, streams, on: bench)
        #expect(abs(found.loss - expected.loss) < 1e-5 * expected.loss)
        func learnt(_ values: [Float]) -> [Float] {
            spec.parameters.filter { $0.role.isTrained }.flatMap { values[$0.range] }
        }
        let length = NetworkBench.length(learnt(expected.gradient))
        let distance = NetworkBench.distance(learnt(found.gradient), learnt(expected.gradient))
        #expect(length > 1e-2)
        let limit = layers.contains(.log1p) ? 5e-4 : 1e-4
        #expect(distance < limit * length, "\(distance / length)")
        // Statistics are those of the images themselves, not of those that were moved.
        for parameter in spec.parameters where !parameter.role.isTrained {
            let (a, b) = (Array(found.gradient[parameter.range]), Array(expected.gradient[parameter.range]))
            let apart = NetworkBench.distance(a, b) / NetworkBench.length(b)
            #expect(apart < 1e-5, "\(parameter.name): \(apart)")
        }
    }

    /// K of about e⁻⁹⁵ is a subnormal number: slopes of 1e-41 have a direction, and a length that must not be divided by in single
    /// precision. Weights of 1 and 0, so that a slope is that of the first pixel.
    @Test("images whose kernels are next to nothing leave gradients finite", arguments: [80.0, 88, 92, 95, 100, 110])
    func vanishingKernels(distance: Double) throws {
        let spec = try NetworkSpec(
            inputShape: [1, 1, 3],
            layers: [.centroids(Centroids(classes: 2, width: 1, lengthScale: 1, gradientPenalty: 1))], classes: 2)
        var weights = Weights(initialising: spec, random: RandomStream(seed: 1))
        for index in spec.parameter(1, .kernel).range { weights.values[index] = index % 3 == 0 ? 1 : 0 }
        for index in spec.parameter(1, .centroidSum).range { weights.values[index] = 0 }
        let images = [Float((2 * distance).squareRoot()), 0, 0, 0.5, 0, 0, -1, 0, 0].map { Float($0) }
        let streams = (0..<2).map { RandomStream(seed: $0) }
        let found = try Self.devicePenalty(
            spec, weights, images + images, streams, on: NetworkBench().device)
        #expect(found.loss.isFinite && found.loss > 0)
        #expect(found.gradient.allSatisfy { $0.isFinite } && found.gradient.contains { $0 != 0 })
    }

    /// Of two micro-batches of three images, with the gradient of nothing before, so that what is added is the penalty's.
    private static func devicePenalty(
        _ spec: NetworkSpec, _ weights: Weights, _ values: [Float], _ streams: [RandomStream], on bench: NetworkDevice
    ) throws -> (loss: Double, gradient: [Float]) {
        let device = bench.device
        let layout = DeviceLayout(spec)
        let zeros = [Float](repeating: 0, count: layout.count)
        let (parameters, gradients) = (
            try DeviceFloats(count: layout.count, on: device), try DeviceFloats(count: layout.count, on: device)
        )
        try device.write(layout.spread(weights.values), to: parameters.memory)
        try device.write(zeros, to: gradients.memory)
        let penalty = try #require(
            try DevicePenalty(spec, parts: 2, microBatch: 3, zeros: zeros, on: bench))
        let update = try DeviceUpdate(
            layout, TrainingSettings(), weights: parameters, gradients: penalty.kept, on: bench)
        let network = try DeviceNetwork(
            spec, parts: 2, microBatch: 3, mode: .training, parameters: parameters, gradients: gradients,
            wantsInputGradient: true, on: bench)
        try device.write(values, to: network.input.memory)
        try device.write((0..<6).map { Int32($0 % 3) }, to: network.labels.memory)
        try network.forward(random: streams)
        try device.write([Float](repeating: 0, count: 6 * spec.classes), to: try #require(network.logitGradient).memory)
        try network.backward()
        let losses = try DeviceValues([Double](repeating: 0, count: 6), on: device)
        try penalty.add(to: network, random: streams, losses: losses.target(), update: update)
        let loss = try device.read(Double.self, count: 6, from: losses.memory).reduce(0, +)
        let kept = try device.read(Float.self, count: layout.count, from: penalty.kept.memory)
        return (loss, layout.gather(kept))
    }

    /// Summed over two micro-batches of three.
    private static func hostPenalty(
        _ spec: NetworkSpec, _ weights: Weights, _ images: [Float], _ streams: [RandomStream]
    ) throws -> (loss: Double, gradient: [Float]) {
        let network = try Network(spec, batch: 3, mode: .training, wantsInputGradient: true)
        try network.load(weights)
        let penalty = try #require(GradientPenalty(spec))
        var loss = 0.0
        var gradient = [Float](repeating: 0, count: spec.parameterCount)
        for (part, random) in streams.enumerated() {
            network.images = Array(images[part * images.count / 2..<(part + 1) * images.count / 2])
            let logits = try network.forward(random: random, labels: [0, 1, 2])
            try network.backward([Float](repeating: 0, count: 9))
            network.keepGradients()
            loss += try penalty.add(to: network, logKernels: logits) { () throws(LearningError) in
                try network.forward(random: random, labels: [0, 1, 2])
            }
            for (index, value) in network.parameterGradients.enumerated() { gradient[index] += value }
        }
        return (loss, gradient)
    }
}
