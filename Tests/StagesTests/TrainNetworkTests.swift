import Artifacts
import Compute
import Dataflow
import Foundation
import Instruments
import Interchange
import Learning
import Tensors
import Testing

@testable import Stages

/// Training on small images, whose fixed layers are computed while reading.
@Suite("train-network")
struct TrainNetworkTests {
    static let geometry: ImageGeometry = {
        var geometry = ImageGeometry.pcsmo
        geometry.settings = [geometry.settings[0], geometry.settings[3]]
        geometry.energyBins.count = 3
        geometry.h.count = 8
        geometry.k.count = 8
        return geometry
    }()

    /// Two noisy copies for each of 24 samples of two classes: the ring of class b is wider. Each setting has a scale
    /// of its own.
    static func image(_ className: String, _ sample: Int) -> NoisyImages {
        let random = RandomStream(seed: 11).substream(className, sample)
        let radius = className == "a" ? 1.5 : 3
        var elements: [Float] = []
        for copy in 0..<2 {
            for row in 0..<16 {
                let scale = 1 + 20 * random.substream("scale", row / 8).uniform(at: 0)
                for column in 0..<24 {
                    let (y, x) = (Double(row % 8) - 3.5, Double(column % 8) - 3.5)
                    let distance = (x * x + y * y).squareRoot() - radius
                    let ring = 1 / (1 + distance * distance)
                    let noise = 0.2 * random.substream("noise", copy).uniform(at: row * 24 + column)
                    elements.append(Float(scale * (ring + noise)))
                }
            }
        }
        return NoisyImages(
            images: Tensor(shape: [2, 16, 24], elements: elements), mask: Tensor(shape: [16, 24], repeating: 0),
            geometry: geometry.value, isUnstable: sample == 3)
    }

    static let members: [Step.Member] = ["a", "b"].flatMap { name in
        (0..<24).map { sample in
            Step.Member(className: name, sample: sample, digest: Digest(of: [UInt8(sample)])) {
                image(name, sample).value
            }
        }
    }

    private static func layer(_ form: String, _ value: Value = .record([:])) -> Value {
        .record(["form": .string(form), "value": value])
    }

    static let layers: Value = .list([
        layer("panels", .record(["rows": .int(2), "columns": .int(3)])), layer("fold"),
        layer("average-pool", .list([.int(2), .int(2)])),
        layer("unit-mean", .record(["groups": .int(2), "mean": .double(2.7)])), layer("log1p"),
        layer(
            "conv",
            .record([
                "channels": .int(8), "kernel": .list([.int(3), .int(3)]), "stride": .list([.int(1), .int(1)]),
                "padding": .string("same"),
            ])), layer("relu"), layer("dense", .int(2)),
    ])

    static func parameters(validation: Double, keep: String = "best", layers: Value = layers) -> Value {
        .record([
            "layers": layers, "members": .int(1), "epochs": .int(12), "batch": .int(16), "micro-batch": .int(8),
            "learning-rate": .double(0.01), "optimiser": layer("adam"), "schedule": layer("cosine"),
            "warm-up": .double(0), "weight-decay": .double(0), "label-smoothing": .double(0), "clip-gradient": .none,
            "patience": .none, "validation": .double(validation), "keep": .string(keep),
            "precision": .string("f32"), "initial-weights": .none,
        ])
    }

    private func trained(_ parameters: Value, threads: Int = 1) throws -> (TrainedNetwork, StepOutput) {
        let step = Step(
            node: "networks", sample: 0, collections: ["images": Self.members], random: RandomStream(seed: 1),
            threads: threads)
        let output = try TrainNetwork(parameters: parameters).run(step)
        return (try TrainedNetwork(output.value), output)
    }

    @Test("gives a network of the whole images, whatever the number of threads")
    func wholeNetwork() throws {
        let (network, output) = try trained(Self.parameters(validation: 0.25))
        let (again, _) = try trained(Self.parameters(validation: 0.25), threads: 2)
        #expect(again.value == network.value)
        #expect(network.classifier.spec.inputShape == [1, 16, 24])
        #expect(network.classifier.weights.tensors.map(\.name) == ["6.kernel", "6.bias", "8.kernel", "8.bias"])
        #expect(network.temperature != 1)
        #expect(try output.summary["unstable-simulations"]?.asInt() == 2)
        // Judged on the raw images, as `evaluate` and `judge` do it.
        let images = try LabelledImages(Self.members, isCancelled: { false })
        #expect(images.set.shape == [1, 16, 24] && images.features.isEmpty)
        let logits = try network.classifier.logits(of: images.set)
        let report = try ClassificationReport(
            probabilities: softmax(logits, temperature: network.temperature), labels: images.set.labels)
        #expect(report.accuracy == 1)
        // The domain speaks of raw images too: none of them lies beyond the outermost.
        let last = try #require(network.domain.distanceQuantiles.last)
        for index in 0..<images.set.count {
            let features = TrainingDomain.features(
                images.set.values[index * 384..<(index + 1) * 384], rows: 2, columns: 3, height: 8, width: 8)
            #expect(network.domain.distance(features) <= last * (1 + 1e-12))
        }
    }

    @Test("weights go out to a file and begin another training")
    func weightsFiles() throws {
        let (network, _) = try trained(Self.parameters(validation: 0.25))
        let path = FileManager.default.temporaryDirectory.path + "/weights-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try weightsFile(of: network.value).write(to: path)
        let file = try Safetensors.read(path: path)
        #expect(file.metadata["classes"] == "a, b")
        #expect(file.tensors["6.kernel"] == .float32(try #require(network.classifier.weights["6.kernel"])))
        guard case .record(var fields) = Self.parameters(validation: 0.25) else { return }
        fields["initial-weights"] = .record(["path": .string(path), "content": .digest(Digest(of: [1]))])
        fields["epochs"] = .int(1)
        fields["learning-rate"] = .double(1e-9)
        let (next, _) = try trained(.record(fields))
        for (old, new) in zip(network.classifier.weights.values, next.classifier.weights.values) {
            // Six updates of Adam are at most some ten times the rate.
            #expect(abs(old - new) < 1e-6)
        }
        // Weights of other layers are refused, with the file's name.
        try Safetensors(tensors: ["6.kernel": .float32(Tensor(shape: [1], elements: [1]))]).write(to: path)
        let error = #expect(throws: StepFailure.self) { try self.trained(.record(fields)) }
        #expect(error?.message == "\(path): weights: array '6.kernel' has shape [1], the network needs [8, 6, 3, 3]")
    }

    @Test("a network becomes an ONNX model, and nothing else does")
    func onnx() throws {
        let (network, _) = try trained(Self.parameters(validation: 0.25))
        // What the model says is tested against onnxruntime where it is made; here, that classes come along.
        let bytes = try onnxModel(of: network.value)
        #expect(bytes.count > 4 * network.classifier.weights.values.count)
        #expect(String(decoding: bytes, as: UTF8.self).contains("a, b"))
        #expect(throws: (any Error).self) { try onnxModel(of: .record([:])) }
    }

    @Test("keeps what the fixed layers make of an image, in the order of the collection, for any number of threads")
    func reading() throws {
        let layers = try LayerParameters.layers(Self.layers)
        let read = try [1, 3].map { threads in
            try LabelledImages(Self.members, layers: layers, threads: threads, isCancelled: { false })
        }
        #expect(read[0].set.shape == [6, 2, 2] && read[0].prefix == 5)
        #expect(read[1].set.values == read[0].set.values && read[1].features == read[0].features)
        #expect(read[1].set.labels == read[0].set.labels && read[1].set.origins == read[0].set.origins)
        #expect(read[0].set.origins.prefix(3) == ["a#0", "a#0", "a#1"] && read[0].set.origins.last == "b#23")
        let spec = try #require(read[0].network)
        let second = try spec.applyPrefix(5, to: Self.image("a", 0).copy(1))
        #expect(Array(read[0].set.values[24..<48]) == second)
    }

    @Test("without validation: everything is learnt from, and the temperature is 1", arguments: ["best", "last"])
    func withoutValidation(keep: String) throws {
        let (network, output) = try trained(Self.parameters(validation: 0, keep: keep))
        #expect(network.temperature == 1)
        #expect(try output.summary["training-images"]?.asInt() == 96)
        #expect(try output.summary["validation-images"]?.asInt() == 0)
        if keep == "last" { #expect(network.keptEpoch == 12) } else { #expect(network.keptEpoch == network.bestEpoch) }
    }

    @Test("layers that do not fit the images are the user's to mend")
    func misfit() throws {
        let layers: Value = .list([Self.layer("panels", .record(["rows": .int(5), "columns": .int(3)]))])
        let failure = #expect(throws: StepFailure.self) {
            _ = try trained(Self.parameters(validation: 0, layers: layers))
        }
        #expect(failure?.message == "layer 1: a 16×24 image cannot be cut into 5×3 equal panels")
    }
}
