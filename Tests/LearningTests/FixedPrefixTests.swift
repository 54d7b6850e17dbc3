import Compute
import Tensors
import Testing

@testable import Learning

@Suite("a network's fixed prefix")
struct FixedPrefixTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var layers: [LayerSpec]
        var prefix: Int
        var testDescription: String { layers.map(\.name).joined(separator: ", ") }
    }

    static let examples = [
        Example(layers: [.relu, .dense(units: 3)], prefix: 1),
        Example(layers: [.log1p, .dense(units: 3)], prefix: 1),
        Example(layers: [.panels(rows: 3, columns: 4), .dense(units: 3)], prefix: 1),
        Example(layers: [.fold, .dense(units: 3)], prefix: 1),
        Example(layers: [.averagePool([3, 4]), .dense(units: 3)], prefix: 1),
        Example(layers: [.maxPool([5, 2]), .dense(units: 3)], prefix: 1),
        Example(layers: [.maxPool([5, 2], stride: [3, 2], padding: .same), .dense(units: 3)], prefix: 1),
        Example(layers: [.averagePool([4, 3], stride: [2, 3], padding: .same), .dense(units: 3)], prefix: 1),
        Example(layers: [.gelu, .dense(units: 3)], prefix: 1),
        Example(layers: [.relu, .mark("a"), .relu, .add("a"), .dense(units: 3)], prefix: 1),
        Example(layers: [.unitMean(groups: 2, mean: 3), .dense(units: 3)], prefix: 1),
        Example(
            layers: [
                .panels(rows: 3, columns: 4), .fold, .averagePool([2, 2]), .unitMean(groups: 6, mean: 2.7), .log1p,
                .convolution(channels: 8, kernel: [3, 3]), .batchNorm, .relu, .flatten, .dropout(rate: 0.3),
                .dense(units: 3),
            ], prefix: 5),
        // Layers that give vectors, draw numbers or learn end it, and so does the last layer.
        Example(layers: [.relu, .flatten, .log1p, .dense(units: 3)], prefix: 1),
        Example(layers: [.log1p, .globalAveragePool, .dense(units: 3)], prefix: 1),
        Example(layers: [.dropout(rate: 0.5), .relu, .dense(units: 3)], prefix: 0),
        Example(layers: [.batchNorm, .relu, .dense(units: 3)], prefix: 0),
    ]

    private func spec(_ example: Example) throws -> NetworkSpec {
        try NetworkSpec(inputShape: [2, 24, 32], layers: example.layers, classes: 3)
    }

    /// Intensities: positive with some zeros; for layers that treat the sign specially, of both signs.
    private func image(_ spec: NetworkSpec, seed: Int = 4) -> [Float] {
        let random = RandomStream(seed: seed)
        let shift: Double = spec.layers.contains { if case .unitMean = $0 { true } else { false } } ? 0 : 1
        return (0..<spec.imageSize).map { Float(max(0, 5 * random.uniform(at: $0) - 0.5) - shift) }
    }

    @Test("ends where weights, chance or vectors begin, and is what the network itself computes", arguments: examples)
    func equalsNetwork(_ example: Example) throws {
        let spec = try spec(example)
        #expect(spec.fixedPrefix == example.prefix)
        let network = try Network(spec, batch: 1, mode: .attribution)
        let image = image(spec)
        network.setImage(0, from: image)
        try network.load(Weights(initialising: spec, random: RandomStream(seed: 1)))
        _ = try network.forward()
        for count in 0...spec.fixedPrefix {
            let mine = try spec.applyPrefix(count, to: image)
            let its = try network.activation(count)
            #expect(mine.count == its.count)
            for (a, b) in zip(mine, its) {
                // The network's log1p is good to 4e-6; sums of at most 16 values round at 1e-6 of them.
                #expect(abs(a - b) <= 4e-6 + 2e-6 * abs(b))
            }
        }
    }

    @Test("and its suffix together are the network", arguments: examples)
    func suffix(_ example: Example) throws {
        let spec = try spec(example)
        let suffix = try spec.suffix(after: spec.fixedPrefix)
        #expect(suffix.parameterCount == spec.parameterCount)
        let own = Weights(initialising: suffix, random: RandomStream(seed: 2))
        let whole = try Weights(spec, ofSuffix: own, after: spec.fixedPrefix)
        #expect(try whole.suffix(of: spec, after: spec.fixedPrefix) == own)
        #expect(whole.tensors.map(\.tensor) == own.tensors.map(\.tensor))
        let image = image(spec)
        let direct = try Classifier(spec, whole).logits(of: Tensor(shape: spec.inputShape, elements: image))
        let read = try spec.applyPrefix(spec.fixedPrefix, to: image)
        let short = try Classifier(suffix, own).logits(of: Tensor(shape: suffix.inputShape, elements: read))
        for (a, b) in zip(direct.elements, short.elements) {
            // Logits of order 1 to 10 from inputs that agree to 4e-6.
            #expect(abs(a - b) < 1e-4)
        }
    }

    @Test("shifts the numbers of the layers in the names of weights")
    func names() throws {
        let spec = try NetworkSpec(inputShape: [1, 4, 4], layers: [.log1p, .relu, .dense(units: 2)], classes: 2)
        let suffix = try spec.suffix(after: 2)
        let own = Weights(initialising: suffix, random: RandomStream(seed: 1))
        #expect(own.tensors.map(\.name) == ["1.kernel", "1.bias"])
        #expect(try Weights(spec, ofSuffix: own, after: 2).tensors.map(\.name) == ["3.kernel", "3.bias"])
        #expect(throws: LearningError.self) { try Weights(spec, ofSuffix: own, after: 1) }
    }

    @Test("refuses images of another size and values that are no numbers")
    func refusals() throws {
        let spec = try NetworkSpec(inputShape: [1, 2, 3], layers: [.log1p, .dense(units: 2)], classes: 2)
        let short = #expect(throws: LearningError.self) { try spec.applyPrefix(1, to: [1, 2], name: "image 7") }
        #expect(short?.message == "images: image 7 has 2 values, shape [1, 2, 3] needs 6")
        let bad = #expect(throws: LearningError.self) { try spec.applyPrefix(1, to: [0, 1, 2, 3, .nan, 5]) }
        #expect(bad?.message == "images: the image holds nan at channel 0, row 1, column 1")
    }
}
