import Compute
import Devices
import HostDevice
import Testing

@testable import Learning

/// Networks on the device in software, with cuDNN and cuBLAS in software, against the host's by oneDNN.
///
/// Both compute in single precision, in other orders. A sum of n terms of one size is good to √n·6e-8; activations here are sums of a
/// few hundred, through up to six layers, normalised between: 1e-5 of the whole holds with room, and any kernel that did
/// something else would miss it by orders.
@Suite("Networks: host = CUDA")
struct NetworkAgreementTests {
    static let tolerance = 1e-5

    @Test("outputs and gradients of all weights, of two micro-batches at once", arguments: NetworkBench.cases)
    func gradients(_ example: NetworkBench.Case) throws {
        let bench = try NetworkBench()
        try Self.compareGradients(example, on: bench.device)
    }

    static func compareGradients(_ example: NetworkBench.Case, on network: NetworkDevice) throws {
        let spec = try example.spec()
        let (parts, microBatch) = (2, 3)
        let weights = NetworkBench.weights(spec)
        let images = try NetworkBench.images(spec.inputShape, parts * microBatch)
        let random = RandomStream(seed: 11)
        let streams = (0..<parts).map { random.substream("micro-batch", $0) }
        let pull = (0..<parts * microBatch * 3).map { Float(random.normal(at: $0)) }
        // The host, micro-batch by micro-batch.
        let host = try Network(spec, batch: microBatch, mode: .training)
        try host.load(weights)
        var logits: [Float] = []
        let sum = FloatBuffer(count: spec.parameterCount)
        for part in 0..<parts {
            for place in 0..<microBatch {
                host.setImage(place, from: images.values, at: images.start(of: part * microBatch + place))
            }
            let labels = Array(images.labels[part * microBatch..<(part + 1) * microBatch])
            logits += try host.forward(random: streams[part], labels: labels)
            try host.backward(Array(pull[part * microBatch * 3..<(part + 1) * microBatch * 3]))
            host.addGradients(to: sum, 0..<spec.parameterCount)
        }
        let layout = DeviceLayout(spec)
        let device = network.device
        let parameters = try DeviceFloats(count: layout.count, on: device)
        try device.write(layout.spread(weights.values), to: parameters.memory)
        let gradients = try DeviceFloats(count: layout.count, on: device)
        let passes = try DeviceNetwork(
            spec, parts: parts, microBatch: microBatch, mode: .training, parameters: parameters, gradients: gradients,
            on: network)
        // Twice: a pass leaves nothing behind that the next one sees.
        for _ in 0..<2 {
            try device.write(images.values, to: passes.input.memory)
            try device.write(images.labels.map { Int32($0) }, to: passes.labels.memory)
            try passes.forward(random: streams)
            let found = try device.read(Float.self, count: logits.count, from: passes.logits.memory)
            #expect(NetworkBench.distance(found, logits) < tolerance * NetworkBench.length(logits))
            try device.write(pull, to: try #require(passes.logitGradient).memory)
            try passes.backward()
        }
        let found = layout.gather(try device.read(Float.self, count: layout.count, from: gradients.memory))
        let expected = sum.prefix(spec.parameterCount)
        let trained = spec.parameters.filter { $0.role.isTrained }
        let length = NetworkBench.length(trained.flatMap { expected[$0.range] })
        for parameter in spec.parameters {
            let (own, hosts) = (Array(found[parameter.range]), Array(expected[parameter.range]))
            // Statistics have a size of their own.
            let scale = parameter.role.isTrained ? length : NetworkBench.length(hosts)
            let distance = NetworkBench.distance(own, hosts)
            #expect(distance < tolerance * scale, "\(parameter.name): \(distance / scale)")
        }
    }

    @Test("outputs after training, and gradients of the image", arguments: NetworkBench.cases)
    func image(_ example: NetworkBench.Case) throws {
        let spec = try example.spec()
        let classifier = try Classifier(spec, NetworkBench.weights(spec))
        let images = try NetworkBench.images(spec.inputShape, 5)
        let bench = try NetworkBench()
        let host = try classifier.logits(of: images).elements
        let found = try classifier.logits(of: images, at: [0, 1, 2, 3, 4], on: bench.device).elements
        #expect(NetworkBench.distance(found, host) < Self.tolerance * NetworkBench.length(host))
        let reference = try Network(spec, batch: 5, mode: .attribution)
        try reference.load(classifier.weights)
        for place in 0..<5 { reference.setImage(place, from: images.values, at: images.start(of: place)) }
        _ = try reference.forward()
        let pull = (0..<15).map { Float(RandomStream(seed: 3).normal(at: $0)) }
        try reference.backward(pull)
        let expected = try reference.activationGradient(0)
        let network = try classifier.network(images: 5, mode: .attribution, on: bench.device)
        try bench.device.device.write(images.values, to: network.input.memory)
        try network.forward()
        try bench.device.device.write(pull, to: try #require(network.logitGradient).memory)
        try network.backward()
        let gradient = try bench.device.device.read(
            Float.self, count: expected.count, from: try #require(network.inputGradient).memory)
        let distance = NetworkBench.distance(gradient, expected) / NetworkBench.length(expected)
        #expect(distance < Self.tolerance, "\(distance)")
    }

    @Test("of several largest pixels the same one receives the gradient", arguments: [[2, 2], [3, 2]])
    func ties(stride: [Int]) throws {
        let spec = try NetworkSpec(
            inputShape: [1, 8, 9],
            layers: [.maxPool([3, 3], stride: stride, padding: .same), .dense(units: 3)], classes: 3)
        let classifier = try Classifier(spec, NetworkBench.weights(spec))
        // Steps of three heights: most windows have several largest pixels.
        let image = (0..<72).map { Float($0 * 7 % 12 / 4) }
        let pull: [Float] = [1, -2, 0.5]
        let host = try Network(spec, batch: 1, mode: .attribution)
        try host.load(classifier.weights)
        host.setImage(0, from: image)
        _ = try host.forward()
        try host.backward(pull)
        let bench = try NetworkBench()
        let network = try classifier.network(images: 1, mode: .attribution, on: bench.device)
        try bench.device.device.write(image, to: network.input.memory)
        try network.forward()
        try bench.device.device.write(pull, to: try #require(network.logitGradient).memory)
        try network.backward()
        let gradient = try bench.device.device.read(
            Float.self, count: 72, from: try #require(network.inputGradient).memory)
        let expected = try host.activationGradient(0)
        #expect(
            NetworkBench.distance(gradient, expected) < Self.tolerance * NetworkBench.length(expected))
        #expect(expected.count { $0 == 0 } > 30)
    }

    @Test(
        "nothing depends on the order of threads: the same bits of a training", arguments: NetworkBench.cases,
        ["1", "20261"])
    func order(_ example: NetworkBench.Case, _ order: String) throws {
        let (plain, other) = (try NetworkBench(), try NetworkBench(["order": order]))
        #expect(try Self.trained(example, on: other.device) == Self.trained(example, on: plain.device))
    }

    static func trained(
        _ example: NetworkBench.Case, precision: Precision = .f32, on device: NetworkDevice
    ) throws -> TrainingResult {
        var settings = TrainingSettings()
        settings.precision = precision
        (settings.epochs, settings.batchSize, settings.microBatchSize) = (2, 6, 3)
        settings.gradientClipping = 0.5
        return try train(
            example.spec(), on: NetworkBench.images(example.input, 15),
            split: Split(training: Array(0..<12), validation: [12, 13, 14]), settings: settings,
            random: RandomStream(seed: 2), on: device)
    }
}

/// The same on this machine's device, with NVIDIA's libraries; skipped where there is none.
@Suite(
    "Networks on this machine's CUDA device",
    .enabled(if: NetworkBench.hardware != nil, "there is no CUDA device with cuDNN and cuBLAS here"), .serialized)
struct NetworkHardwareTests {
    private func device(usesTF32: Bool = false) throws -> NetworkDevice {
        let found = try #require(NetworkBench.hardware)
        return try NetworkDevice(CUDAKernelDevice(found.kernels), found.libraries, usesTF32: usesTF32)
    }

    @Test("cuDNN and cuBLAS give right answers", arguments: [false, true])
    func check(usesTF32: Bool) throws {
        #expect(try NetworkCheck.problem(of: device(usesTF32: usesTF32)) == nil)
    }

    @Test("outputs and gradients of all weights", arguments: NetworkBench.cases)
    func gradients(_ example: NetworkBench.Case) throws {
        try NetworkAgreementTests.compareGradients(example, on: device())
    }

    @Test("a training gives the same bits twice", arguments: NetworkBench.cases)
    func repeats(_ example: NetworkBench.Case) throws {
        #expect(
            try NetworkAgreementTests.trained(example, on: device())
                == NetworkAgreementTests.trained(example, on: device()))
    }

    @Test("a training in bf16 gives the same bits twice", arguments: NetworkBench.roundedCases)
    func repeatsRounded(_ example: NetworkBench.Case) throws {
        #expect(
            try NetworkAgreementTests.trained(example, precision: .bf16, on: device())
                == NetworkAgreementTests.trained(example, precision: .bf16, on: device()))
    }

    @Test("products in bf16 are right, and gradients by them as near as the host's")
    func bf16() throws {
        let device = try device()
        #expect(try NetworkCheck.problem(of: device, bf16: true) == nil)
        if !Precision.bf16.isSupported { return }
        for example in NetworkBench.roundedCases { try NetworkRoundingTests.compare(example, on: device) }
    }
}
