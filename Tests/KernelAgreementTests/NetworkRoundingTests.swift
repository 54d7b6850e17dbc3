import CKernels
import Compute
import Devices
import HostDevice
import Testing

@testable import Learning

/// Networks in bf16 on the device in software, with cuDNN and cuBLAS in software, against the host's in bf16 and in single precision.
///
/// Both round at the same places (DeviceNetwork+Rounding.swift), but for cuDNN's two: a convolution before its bias is added, and the
/// gradient of its kernel. So without biases of convolutions they agree to that second rounding. With them a value in two is
/// rounded otherwise, and ReLU and pooling choose otherwise where numbers are near: what can be claimed then is that both are as far from
/// single precision, which is 2¹⁶ times finer. Where cuDNN takes the same numbers as singles, everything agrees to single precision.
@Suite("Networks in bf16: host = CUDA", .enabled(if: Precision.bf16.isSupported, "this processor has no avx512_bf16"))
struct NetworkRoundingTests {
    static let (parts, microBatch) = (2, 3)

    struct Gradients {
        var logits: [Float]
        /// Of the weights that are learnt.
        var weights: [Float]
        var statistics: [Float]

        init(_ spec: NetworkSpec, _ logits: [Float], _ all: [Float]) {
            self.logits = logits
            weights = spec.parameters.filter { $0.role.isTrained }.flatMap { all[$0.range] }
            statistics = spec.parameters.filter { !$0.role.isTrained }.flatMap { all[$0.range] }
        }
    }

    /// A network with images and a gradient of its logits.
    struct Draw {
        var spec: NetworkSpec
        var weights: Weights
        var images: ImageSet
        var pull: [Float]
        let random = RandomStream(seed: 11)

        init(_ example: NetworkBench.Case, _ number: Int = 0, withoutBiases: Bool = false) throws {
            spec = try example.spec()
            weights = NetworkRoundingTests.weights(spec, withoutBiases: withoutBiases)
            images = try NetworkBench.images(spec.inputShape, parts * microBatch, seed: 5 + number)
            pull = (0..<parts * microBatch * 3).map { Float(RandomStream(seed: 3 + number).normal(at: $0)) }
        }

        func onHost(_ precision: Precision) throws -> Gradients {
            let network = try Network(spec, batch: microBatch, mode: .training, precision: precision)
            try network.load(weights)
            var logits: [Float] = []
            let sum = FloatBuffer(count: spec.parameterCount)
            for part in 0..<parts {
                for place in 0..<microBatch {
                    network.setImage(place, from: images.values, at: images.start(of: part * microBatch + place))
                }
                logits += try network.forward(random: random.substream("micro-batch", part))
                try network.backward(Array(pull[part * microBatch * 3..<(part + 1) * microBatch * 3]))
                network.addGradients(to: sum, 0..<spec.parameterCount)
            }
            return Gradients(spec, logits, sum.prefix(spec.parameterCount))
        }

        func onDevice(_ network: NetworkDevice) throws -> Gradients {
            let layout = DeviceLayout(spec)
            let device = network.device
            let parameters = try DeviceFloats(count: layout.count, on: device)
            try device.write(layout.spread(weights.values), to: parameters.memory)
            let gradients = try DeviceFloats(count: layout.count, on: device)
            let passes = try DeviceNetwork(
                spec, parts: parts, microBatch: microBatch, mode: .training, precision: .bf16, parameters: parameters,
                gradients: gradients, on: network)
            var logits: [Float] = []
            // Twice: a pass leaves nothing behind that the next one sees.
            for _ in 0..<2 {
                try device.write(images.values, to: passes.input.memory)
                try passes.forward(random: (0..<parts).map { random.substream("micro-batch", $0) })
                logits = try device.read(Float.self, count: parts * microBatch * 3, from: passes.logits.memory)
                try device.write(pull, to: try #require(passes.logitGradient).memory)
                try passes.backward()
            }
            let found = layout.gather(try device.read(Float.self, count: layout.count, from: gradients.memory))
            return Gradients(spec, logits, found)
        }
    }

    static func weights(_ spec: NetworkSpec, withoutBiases: Bool) -> Weights {
        var weights = NetworkBench.weights(spec)
        for parameter in spec.parameters where withoutBiases && parameter.role == .bias {
            guard case .convolution = spec.layers[parameter.layer - 1] else { continue }
            for index in parameter.range { weights.values[index] = 0 }
        }
        return weights
    }

    private static func apart(_ a: [Float], _ b: [Float]) -> Double {
        b.isEmpty ? 0 : NetworkBench.distance(a, b) / NetworkBench.length(b)
    }

    /// The middle of some draws' numbers: in one of several a sum lies so near a tie that its order decides, and moves what ReLU and
    /// pooling choose behind it.
    private static func middle(of draws: Int, _ body: (Int) throws -> Double) rethrows -> Double {
        try (0..<draws).map(body).sorted()[draws / 2]
    }

    /// The second rounding moves each number of a kernel's gradient by 2⁻⁹ of itself at most, all else is equal.
    @Test(
        "the same roundings: outputs and gradients of all weights, where no biases are between",
        arguments: NetworkBench.roundedCases)
    func roundings(_ example: NetworkBench.Case) throws {
        try Self.compare(example, withoutBiases: true, tolerance: 0x1p-9, on: NetworkBench().device)
    }

    /// The same numbers as singles: every rounding is the host's, with biases too. But for two: where pooling windows overlap, what they
    /// send back differs by a rounding (2⁻⁸ of a pixel; the device adds singles and rounds once), and oneDNN's logarithm is good to 4e-6,
    /// so that one value in a thousand is a rounding apart.
    @Test("where cuDNN has no way in bf16, convolutions in singles", arguments: NetworkBench.roundedCases)
    func singles(_ example: NetworkBench.Case) throws {
        let isRoundedOtherwise = example.layers.contains { layer in
            switch layer {
            case .maxPool(let kernel, let stride, _), .averagePool(let kernel, let stride, _):
                zip(kernel, stride ?? kernel).contains { $0 > $1 }
            case .log1p: true
            default: false
            }
        }
        try Self.compare(
            example, withoutBiases: false,
            tolerance: isRoundedOtherwise ? 0x1p-9 : NetworkAgreementTests.tolerance,
            on: NetworkBench(["bf16-ways": "0"]).device)
    }

    private static func compare(
        _ example: NetworkBench.Case, withoutBiases: Bool, tolerance: Double, on device: NetworkDevice
    ) throws {
        var (logits, statistics): ([Double], [Double]) = ([], [])
        let weights = try middle(of: 5) { number in
            let draw = try Draw(example, number, withoutBiases: withoutBiases)
            let (host, found) = (try draw.onHost(.bf16), try draw.onDevice(device))
            logits.append(apart(found.logits, host.logits))
            statistics.append(apart(found.statistics, host.statistics))
            return apart(found.weights, host.weights)
        }
        #expect(weights < tolerance, "\(weights)")
        #expect(middle(of: 5) { logits[$0] } < NetworkAgreementTests.tolerance)
        #expect(middle(of: 5) { statistics[$0] } < NetworkAgreementTests.tolerance)
    }

    /// Of nine draws the middle one. Errors of one cause in other draws: as long, but for √2 where each value is rounded twice, and
    /// for the spread of the middle of nine.
    @Test(
        "outputs and gradients of all weights are as near to those in single precision",
        arguments: NetworkBench.roundedCases)
    func gradients(_ example: NetworkBench.Case) throws {
        try Self.compare(example, on: NetworkBench().device)
    }

    static func compare(_ example: NetworkBench.Case, on device: NetworkDevice) throws {
        let parts = [("logits", \Gradients.logits), ("gradient", \Gradients.weights)]
        var (hosts, own) = ([[Double]](repeating: [], count: 2), [[Double]](repeating: [], count: 2))
        for number in 0..<9 {
            let draw = try Draw(example, number)
            let (exact, host) = (try draw.onHost(.f32), try draw.onHost(.bf16))
            let found = try draw.onDevice(device)
            for (index, (_, part)) in parts.enumerated() {
                hosts[index].append(apart(host[keyPath: part], exact[keyPath: part]))
                own[index].append(apart(found[keyPath: part], exact[keyPath: part]))
            }
        }
        for (index, (name, _)) in parts.enumerated() {
            let (a, b) = (own[index].sorted()[4], hosts[index].sorted()[4])
            #expect(a > 0x1p-12 && a < 2 * b, "\(name): \(a), host \(b)")
        }
    }

    /// By SGD, whose step is the gradient's, clipped, with labels smoothed and kernels decaying.
    @Test("weights after one update, where no biases are between", arguments: NetworkBench.roundedCases)
    func update(_ example: NetworkBench.Case) throws {
        let spec = try example.spec()
        let start = Self.weights(spec, withoutBiases: true)
        var settings = NetworkTrainingTests.examples[1].settings
        settings.precision = .bf16
        let network = try NetworkBench().device
        var losses: [Double] = []
        let steps = try Self.middle(of: 3) { number in
            let images = try NetworkBench.images(spec.inputShape, 6, seed: 5 + number)
            func trained(on device: NetworkDevice?) throws -> TrainingResult {
                try train(
                    spec, on: images, split: Split(training: Array(0..<6), validation: []), settings: settings,
                    random: RandomStream(seed: 4), initial: start, on: device)
            }
            let (host, device) = (try trained(on: nil), try trained(on: network))
            let moved = NetworkBench.distance(host.weights.values, start.values)
            #expect(moved > 1e-3)
            losses.append(abs(device.history[0].loss - host.history[0].loss) / host.history[0].loss)
            return NetworkBench.distance(device.weights.values, host.weights.values) / moved
        }
        #expect(steps < 0x1p-9, "\(steps) of the step")
        #expect(Self.middle(of: 3) { losses[$0] } < 1e-5)
    }

    @Test("nothing depends on the order of threads: the same bits of a training", arguments: ["1", "20261"])
    func order(_ order: String) throws {
        let example = try #require(NetworkBench.roundedCases.last)
        let (plain, other) = (try NetworkBench(), try NetworkBench(["order": order]))
        #expect(
            try NetworkAgreementTests.trained(example, precision: .bf16, on: other.device)
                == NetworkAgreementTests.trained(example, precision: .bf16, on: plain.device))
    }

    /// Six images by heart: guessing gives a loss of 1.1. Losses part as the weights do, by a rounding an update, which is fewer than ten in
    /// a hundred on the way down.
    @Test("learns as fast as the host, and as in single precision")
    func learns() throws {
        let spec = try NetworkBench.Case(
            name: "", input: [1, 6, 8],
            layers: [
                .convolution(channels: 5, kernel: [3, 3]), .relu, .batchNorm, .maxPool([2, 2]), .dropout(rate: 0.1),
                .dense(units: 8), .relu, .dense(units: 3),
            ]
        ).spec()
        let images = try NetworkBench.images(spec.inputShape, 6)
        var settings = TrainingSettings()
        (settings.epochs, settings.batchSize, settings.microBatchSize) = (20, 6, 6)
        settings.learningRate = 2e-2
        func losses(_ precision: Precision, _ device: NetworkDevice? = nil) throws -> [Double] {
            settings.precision = precision
            let result = try train(
                spec, on: images, split: Split(training: Array(0..<6), validation: []), settings: settings,
                random: RandomStream(seed: 6), on: device)
            #expect(result.history.last?.accuracy == 1)
            return result.history.map(\.loss)
        }
        let exact = try losses(.f32)
        let host = try losses(.bf16)
        let device = try losses(.bf16, NetworkBench().device)
        for found in [exact, host, device] { #expect(try #require(found.last) < 0.1) }
        for (a, b) in zip(device, exact) { #expect(abs(a - b) < 0.1 * b + 0.01) }
    }
}
