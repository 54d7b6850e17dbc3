import Compute
import Devices
import HostDevice
import Tensors
import Testing

@testable import Learning

/// Whole trainings of densities and of networks with centroids on the device in software, against the host's.
@Suite("Training densities and centroids: host = CUDA")
struct NetworkHeadTrainingTests {
    enum Kind: String, CaseIterable, Sendable { case density, centroids, penalty }

    /// A network of one kind, images, and what is learnt of them.
    struct Lesson {
        var spec: NetworkSpec
        var objective: TrainingObjective
        var images: ImageSet
        var initial: Weights

        init(_ kind: Kind, images count: Int = 20) throws {
            images = try NetworkBench.images([1, 6, 8], count)
            let body: [LayerSpec] = [
                .convolution(channels: 4, kernel: [3, 3]), .gelu, .batchNorm, .averagePool([2, 2]), .dropout(rate: 0.2),
            ]
            switch kind {
            case .density:
                let head = MixtureHead(dimensions: 2, components: 3)
                spec = try NetworkSpec(
                    inputShape: [1, 6, 8], layers: body + [.dense(units: head.outputs)], classes: head.outputs)
                let random = RandomStream(seed: 21)
                objective = .density(
                    head, targets: .init(dimensions: 2, values: (0..<2 * count).map { random.normal(at: $0) }))
                initial = head.initialWeights(spec, random: random)
            case .centroids, .penalty:
                let last = Centroids(classes: 3, width: 4, momentum: 0.8, gradientPenalty: kind == .penalty ? 0.4 : 0)
                spec = try NetworkSpec(inputShape: [1, 6, 8], layers: body + [.centroids(last)], classes: 3)
                objective = .classes
                initial = NetworkBench.weights(spec)
            }
        }

        func run(
            _ device: NetworkDevice?, _ settings: TrainingSettings, split: Split, from state: TrainingState? = nil
        ) throws -> (result: TrainingResult, states: [TrainingState]) {
            var states: [TrainingState] = []
            let result = try train(
                spec, on: images, split: split, objective: objective, settings: settings, random: RandomStream(seed: 6),
                initial: initial, from: state, on: device, afterEpoch: { _, state in states.append(try state()) })
            return (result, states)
        }
    }

    /// 1e-5 of the weights, and of the step: what the penalty's rounding is of its gradient, and less of the whole.
    @Test(
        "weights after one update to 1e-5, centroids among them", arguments: Kind.allCases,
        NetworkTrainingTests.examples)
    func update(_ kind: Kind, _ how: NetworkTrainingTests.Example) throws {
        try Self.compareUpdate(kind, how, on: NetworkBench().device)
    }

    static func compareUpdate(_ kind: Kind, _ how: NetworkTrainingTests.Example, on network: NetworkDevice) throws {
        let lesson = try Lesson(kind, images: 6)
        let split = Split(training: Array(0..<6), validation: [])
        let host = try lesson.run(nil, how.settings, split: split).result
        let device = try lesson.run(network, how.settings, split: split).result
        let (a, b) = (device.weights.values, host.weights.values)
        let moved = NetworkBench.distance(b, lesson.initial.values)
        let apart = NetworkBench.distance(a, b)
        #expect(moved > 1e-3)
        #expect(apart < 1e-5 * NetworkBench.length(b), "\(apart / NetworkBench.length(b))")
        #expect(apart < 1e-5 * moved, "\(apart / moved) of the step")
        #expect(abs(device.history[0].loss - host.history[0].loss) < 1e-5 * abs(host.history[0].loss))
        #expect(device.history[0].accuracy == host.history[0].accuracy)
        for parameter in lesson.spec.parameters where !parameter.role.isTrained {
            let (own, hosts) = (Array(a[parameter.range]), Array(b[parameter.range]))
            #expect(NetworkBench.distance(own, hosts) < 1e-6 * NetworkBench.length(hosts), "\(parameter.name)")
            #expect(hosts != Array(lesson.initial.values[parameter.range]))
        }
    }

    @Test("a class without images in an update keeps its centroid, to the bit; counts are whole")
    func absentClass() throws {
        var lesson = try Lesson(.centroids, images: 7)
        // Label 2 is of one image only, which a shuffled epoch leaves to the last update or to none.
        var images = try ImageSet(shape: [1, 6, 8])
        for image in 0..<7 {
            let start = lesson.images.start(of: image)
            try images.append(
                Array(lesson.images.values[start..<start + 48]), label: image == 6 ? 2 : image % 2, origin: "\(image)")
        }
        lesson.images = images
        var settings = TrainingSettings()
        (settings.epochs, settings.batchSize, settings.microBatchSize) = (1, 3, 3)
        // Two updates of three images: one has the class, or it is left out.
        let split = Split(training: Array(0..<7), validation: [])
        let (host, device) = (
            try lesson.run(nil, settings, split: split).result,
            try lesson.run(NetworkBench().device, settings, split: split).result
        )
        let counts = lesson.spec.parameter(6, .centroidCount)
        // 1 → 1 + 0.2 (n − 1) for each update with n of them; none leaves it.
        for label in 0..<3 {
            let (own, hosts) = (
                device.weights.values[counts.offset + label], host.weights.values[counts.offset + label]
            )
            #expect(own == hosts)
        }
        let kept = (0..<3).filter {
            host.weights.values[counts.offset + $0] == lesson.initial.values[counts.offset + $0]
        }
        let sums = lesson.spec.parameter(6, .centroidSum)
        for label in kept {
            let range = sums.offset + 4 * label..<sums.offset + 4 * (label + 1)
            #expect(device.weights.values[range] == lesson.initial.values[range])
        }
        #expect(kept.count < 3)
    }

    static func settings(_ epochs: Int = 3) -> TrainingSettings {
        var settings = TrainingSettings()
        // 14 images in micro-batches of 2, four to an update: the last update of an epoch has three.
        (settings.epochs, settings.batchSize, settings.microBatchSize) = (epochs, 8, 2)
        settings.optimiser = .adam(epsilon: 1e-3)
        settings.learningRate = 3e-3
        return settings
    }

    static let split = Split(training: Array(0..<14), validation: Array(14..<20))

    /// Six updates; rounding grows from one to the next, but not beyond 1e-4 in so few.
    @Test("goes on from a checkpoint of the other, and is watched by its own loss", arguments: Kind.allCases)
    func checkpoints(_ kind: Kind) throws {
        let lesson = try Lesson(kind)
        let device = try NetworkBench().device
        let host = try lesson.run(nil, Self.settings(), split: Self.split)
        let own = try lesson.run(device, Self.settings(), split: Self.split)
        // From its own state a device gives its own bits again.
        #expect(try lesson.run(device, Self.settings(), split: Self.split, from: own.states[0]).result == own.result)
        let others = try [
            own.result, lesson.run(device, Self.settings(), split: Self.split, from: host.states[0]).result,
            lesson.run(nil, Self.settings(), split: Self.split, from: own.states[1]).result,
        ]
        for other in others {
            let expected = host.result.weights.values
            let apart = NetworkBench.distance(other.weights.values, expected) / NetworkBench.length(expected)
            #expect(apart < 1e-4, "\(apart)")
            for (a, b) in zip(other.history, host.result.history) {
                #expect(abs(a.loss - b.loss) < 1e-4 * abs(b.loss) && a.accuracy == b.accuracy)
                let (v, w) = (try #require(a.validationLoss), try #require(b.validationLoss))
                #expect(abs(v - w) < 1e-4 * abs(w) && a.validationAccuracy == b.validationAccuracy)
            }
        }
        #expect(own.states.map(\.updates) == host.states.map(\.updates))
    }

    @Test("the same bits in any order of threads, and where images do not fit", arguments: Kind.allCases)
    func repeats(_ kind: Kind) throws {
        let lesson = try Lesson(kind)
        func run(_ settings: [String: String]) throws -> TrainingResult {
            try lesson.run(NetworkBench(settings).device, Self.settings(2), split: Self.split).result
        }
        let expected = try run([:])
        #expect(try run(["order": "1"]) == expected)
        #expect(try run(["order": "20261"]) == expected)
        // The images take 2,688 bytes: less than half of what is free there, or more.
        #expect(try run(["memory": "400000"]) == expected)
    }

    /// Losses, names and weights are read at the end, whatever the number of updates.
    @Test("an epoch waits for the device three times, at its end", arguments: Kind.allCases)
    func waits(_ kind: Kind) throws {
        let lesson = try Lesson(kind)
        let split = Split(training: Self.split.training, validation: [])
        for batch in [2, 8] {
            var settings = Self.settings(1)
            settings.batchSize = batch
            func run(failingAt call: Int) throws {
                let bench = try NetworkBench(["fail": "cuMemcpyDtoHAsync:\(call)"])
                _ = try train(
                    lesson.spec, on: lesson.images, split: split, objective: lesson.objective, settings: settings,
                    random: RandomStream(seed: 6), initial: lesson.initial, on: bench.device)
            }
            try run(failingAt: 4)
            #expect(throws: DeviceError.self) { try run(failingAt: 3) }
        }
    }

    @Test("in bf16 the CPU alone learns them", arguments: Kind.allCases)
    func coarse(_ kind: Kind) throws {
        var settings = Self.settings()
        settings.precision = .bf16
        let lesson = try Lesson(kind)
        let error = try #require(throws: LearningError.self) {
            try lesson.run(NetworkBench().device, settings, split: Self.split)
        }
        #expect(error.message.contains("densities and centroids in bf16"))
    }

    /// Single precision, in another order: 1e-5 of the whole, as of other networks.
    @Test("integrated gradients of a class's kernel")
    func attribution() throws {
        let lesson = try Lesson(.penalty)
        let classifier = try Classifier(lesson.spec, lesson.initial)
        let image = Tensor(shape: [1, 6, 8], elements: Array(lesson.images.values[..<48]))
        let baseline = Tensor<Float>(shape: [1, 6, 8], repeating: 0.1)
        let host = try classifier.integratedGradients(of: image, baseline: baseline, class: 1, steps: 20)
        let device = try classifier.integratedGradients(
            of: image, baseline: baseline, class: 1, steps: 20, on: NetworkBench().device)
        let size = NetworkBench.length(host.attribution.elements)
        #expect(size > 1e-3)
        #expect(NetworkBench.distance(device.attribution.elements, host.attribution.elements) < 1e-5 * size)
        #expect(abs(device.score - host.score) < 1e-5)
    }
}

/// The same on this machine's device, with NVIDIA's libraries; skipped where there is none.
@Suite(
    "Densities and centroids on this machine's CUDA device",
    .enabled(if: NetworkBench.hardware != nil, "there is no CUDA device with cuDNN and cuBLAS here"), .serialized)
struct NetworkHeadHardwareTests {
    private func device() throws -> NetworkDevice {
        let found = try #require(NetworkBench.hardware)
        return try NetworkDevice(CUDAKernelDevice(found.kernels), found.libraries, usesTF32: false)
    }

    @Test("−log of a density and its gradient", arguments: NetworkHeadTests.heads)
    func density(_ how: NetworkHeadTests.Head) throws { try NetworkHeadTests.compareDensity(how, on: device()) }

    @Test("the loss of kernels and its gradient", arguments: [0, 0.1])
    func kernels(smoothing: Double) throws { try NetworkHeadTests.compareKernels(smoothing, on: device()) }

    @Test("the penalty and its gradient", arguments: NetworkHeadTests.penalised)
    func penalty(layers: [LayerSpec]) throws { try NetworkHeadTests.comparePenalty(layers, on: device()) }

    @Test(
        "weights after one update", arguments: NetworkHeadTrainingTests.Kind.allCases, NetworkTrainingTests.examples)
    func update(_ kind: NetworkHeadTrainingTests.Kind, _ how: NetworkTrainingTests.Example) throws {
        try NetworkHeadTrainingTests.compareUpdate(kind, how, on: device())
    }

    @Test("a training gives the same bits twice", arguments: NetworkHeadTrainingTests.Kind.allCases)
    func repeats(_ kind: NetworkHeadTrainingTests.Kind) throws {
        let lesson = try NetworkHeadTrainingTests.Lesson(kind)
        func run() throws -> TrainingResult {
            try lesson.run(
                device(), NetworkHeadTrainingTests.settings(2), split: NetworkHeadTrainingTests.split
            ).result
        }
        #expect(try run() == run())
    }
}
