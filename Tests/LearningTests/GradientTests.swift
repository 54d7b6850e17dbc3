import Compute
import Testing

@testable import Learning

/// Gradients against central differences: [L(w + εd) − L(w − εd)] / 2ε along directions d of length 1, where L is a
/// fixed random combination of the logits. The first direction is that of the gradient itself, which a wrong gradient cannot
/// have; others are random.
///
/// L is known to about 1e-6 of its terms (single precision), so that with steps of 1e-3 the quotient is good to about
/// 1e-3 of the gradient's length. Steps of 1e-2 would round less but cross kinks of ReLU and pooling (errors of 4 %,
/// shrinking with the step). A gradient that were wrong in one array would be off by the order of 1.
@Suite("gradients agree with differences")
struct GradientTests {
    static let tolerance = 5e-3

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var input: [Int]
        var layers: [LayerSpec]
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(name: "dense", input: [1, 3, 4], layers: [.dense(units: 3)]),
        Case(name: "dense twice", input: [2, 3, 4], layers: [.dense(units: 7), .relu, .dense(units: 3)]),
        Case(
            name: "conv same", input: [2, 7, 9],
            layers: [.convolution(channels: 5, kernel: [3, 3]), .flatten, .dense(units: 3)]),
        Case(
            name: "conv same, even kernel and strides", input: [1, 8, 9],
            layers: [.convolution(channels: 3, kernel: [4, 2], stride: [2, 3]), .dense(units: 3)]),
        Case(
            name: "conv valid, 1×3", input: [3, 6, 11],
            layers: [.convolution(channels: 16, kernel: [1, 3], padding: .valid), .dense(units: 3)]),
        Case(
            name: "conv relu conv", input: [1, 10, 12],
            layers: [
                .convolution(channels: 16, kernel: [5, 5]), .relu, .convolution(channels: 32, kernel: [3, 3]), .relu,
                .globalAveragePool, .dense(units: 3),
            ]),
        Case(
            name: "max-pool", input: [2, 7, 9],
            layers: [.convolution(channels: 4, kernel: [3, 3]), .maxPool([2, 3]), .dense(units: 3)]),
        Case(
            name: "average-pool", input: [2, 7, 9],
            layers: [.convolution(channels: 4, kernel: [3, 3]), .averagePool([3, 2]), .dense(units: 3)]),
        Case(
            name: "max-pool that overlaps, padded", input: [2, 7, 9],
            layers: [
                .convolution(channels: 4, kernel: [3, 3]), .maxPool([3, 3], stride: [2, 2], padding: .same),
                .dense(units: 3),
            ]),
        Case(
            name: "average-pool that overlaps, padded", input: [2, 7, 9],
            layers: [
                .convolution(channels: 4, kernel: [3, 3]), .averagePool([3, 2], stride: [2, 1], padding: .same),
                .dense(units: 3),
            ]),
        Case(
            name: "gelu", input: [2, 6, 8],
            layers: [.convolution(channels: 5, kernel: [3, 3]), .gelu, .dense(units: 6), .gelu, .dense(units: 3)]),
        Case(
            name: "group-norm", input: [2, 6, 8],
            layers: [.convolution(channels: 6, kernel: [3, 3]), .groupNorm(groups: 3), .relu, .dense(units: 3)]),
        Case(
            name: "group-norm first", input: [4, 6, 8], layers: [.groupNorm(groups: 2), .gelu, .dense(units: 3)]),
        Case(
            name: "a join", input: [2, 6, 8],
            layers: [
                .convolution(channels: 5, kernel: [3, 3]), .relu, .mark("stem"),
                .convolution(channels: 5, kernel: [3, 3]), .relu, .convolution(channels: 5, kernel: [3, 3]),
                .add("stem"), .relu, .dense(units: 3),
            ]),
        Case(
            name: "joins that share a mark, and one within another", input: [2, 6, 8],
            layers: [
                .mark("image"), .convolution(channels: 2, kernel: [3, 3]), .mark("inner"), .relu,
                .convolution(channels: 2, kernel: [3, 3]), .add("inner"), .add("image"), .dropout(rate: 0.3),
                .add("image"), .dense(units: 4), .mark("vector"), .relu, .dense(units: 4), .add("vector"),
                .dense(units: 3),
            ]),
        Case(
            name: "a residual network", input: [1, 12, 20],
            layers: [
                .convolution(channels: 8, kernel: [3, 3]), .groupNorm(groups: 2), .gelu, .mark("a"),
                .convolution(channels: 8, kernel: [3, 3]), .batchNorm, .relu,
                .convolution(channels: 8, kernel: [3, 3]),
                .batchNorm, .add("a"), .relu, .maxPool([3, 3], stride: [2, 2], padding: .same), .mark("b"),
                .convolution(channels: 8, kernel: [1, 3]), .gelu, .add("b"), .globalAveragePool, .dense(units: 3),
            ]),
        Case(
            name: "batch-norm of maps", input: [2, 6, 8],
            layers: [.convolution(channels: 5, kernel: [3, 3]), .batchNorm, .relu, .dense(units: 3)]),
        Case(
            name: "batch-norm of vectors", input: [1, 3, 4],
            layers: [.dense(units: 6), .batchNorm, .relu, .dense(units: 3)]),
        Case(
            name: "dropout", input: [1, 6, 6],
            layers: [
                .convolution(channels: 3, kernel: [3, 3]), .dropout(rate: 0.3), .dense(units: 8), .dropout(rate: 0.5),
                .dense(units: 3),
            ]),
        Case(
            name: "log1p and panels", input: [2, 6, 12],
            layers: [
                .log1p, .panels(rows: 2, columns: 3), .convolution(channels: 4, kernel: [3, 3]), .relu,
                .dense(units: 3),
            ]),
        Case(
            name: "fold", input: [2, 6, 8],
            layers: [.convolution(channels: 3, kernel: [3, 3]), .fold, .relu, .dense(units: 3)]),
        Case(name: "fold first", input: [2, 6, 8], layers: [.fold, .dense(units: 3)]),
        // The mean of a group must not come near zero: positive values before it.
        Case(
            name: "unit-mean", input: [2, 6, 8],
            layers: [
                .convolution(channels: 6, kernel: [3, 3]), .relu, .unitMean(groups: 3, mean: 2), .dense(units: 3),
            ]),
        Case(
            name: "unit-mean first", input: [2, 6, 8],
            layers: [.relu, .unitMean(groups: 2), .log1p, .dense(units: 3)]),
        Case(
            name: "folded panels of unit mean", input: [1, 12, 24],
            layers: [
                .relu, .panels(rows: 2, columns: 3), .fold, .averagePool([1, 2]), .unitMean(groups: 2, mean: 2.7),
                .log1p, .convolution(channels: 8, kernel: [3, 3]), .batchNorm, .relu, .flatten, .dropout(rate: 0.3),
                .dense(units: 3),
            ]),
        Case(
            name: "centroids", input: [1, 3, 4],
            layers: [.dense(units: 5), .gelu, .centroids(Centroids(classes: 3, width: 4, lengthScale: 1))]),
        Case(
            name: "centroids behind a map", input: [2, 4, 5],
            layers: [
                .convolution(channels: 4, kernel: [3, 3]), .batchNorm, .relu,
                .centroids(Centroids(classes: 3, width: 16, lengthScale: 2)),
            ]),
        Case(
            name: "a whole network", input: [1, 12, 20],
            layers: [
                .log1p, .averagePool([1, 2]), .convolution(channels: 8, kernel: [3, 3]), .relu, .maxPool([2, 2]),
                .batchNorm, .convolution(channels: 16, kernel: [3, 3], stride: [2, 1]), .batchNorm, .relu,
                .globalAveragePool, .dropout(rate: 0.25), .dense(units: 8), .relu, .dense(units: 3),
            ]),
    ]

    /// Pixels of both signs, smooth enough to be images.
    static func images(_ spec: NetworkSpec, count: Int, _ random: RandomStream) -> [Float] {
        (0..<spec.imageSize * count).map { Float(random.normal(at: $0)) + 0.3 }
    }

    /// Σ c·logits in double precision.
    static func functional(_ logits: [Float], _ random: RandomStream) -> Double {
        logits.enumerated().reduce(0) { $0 + Double($1.element) * random.normal(at: $1.offset) }
    }

    @Test("of every array, in training", arguments: cases)
    func weights(_ example: Case) throws {
        let spec = try NetworkSpec(inputShape: example.input, layers: example.layers, classes: 3)
        let random = RandomStream(seed: 7)
        let batch = 4
        let network = try Network(spec, batch: batch, mode: .training)
        var weights = Weights(initialising: spec, random: random.substream("weights"))
        // Biases, scales and shifts away from their special values.
        for index in weights.values.indices { weights.values[index] += 0.1 * Float(random.normal(at: index)) }
        let images = Self.images(spec, count: batch, random.substream("images"))
        for place in 0..<batch { network.setImage(place, from: images, at: place * spec.imageSize) }
        func loss(_ values: [Float]) throws -> Double {
            try network.load(values: values)
            return Self.functional(try network.forward(random: random), random.substream("functional"))
        }
        _ = try loss(weights.values)
        try network.backward((0..<batch * 3).map { Float(random.substream("functional").normal(at: $0)) })
        let gradient = network.parameterGradients
        let length = gradientLength(gradient, spec)
        for parameter in spec.parameters where parameter.role.isTrained {
            for attempt in 0..<3 {
                let own = gradient[parameter.range].map { Double($0) }
                let direction = unit(attempt == 0 ? own : normals(own.count, random, parameter.name, attempt))
                let step = 1e-3
                var (plus, minus) = (weights.values, weights.values)
                var expected = 0.0
                for index in parameter.range {
                    let d = direction[index - parameter.offset]
                    plus[index] += Float(step * d)
                    minus[index] -= Float(step * d)
                    expected += Double(gradient[index]) * Double(plus[index] - minus[index]) / (2 * step)
                }
                let quotient = (try loss(plus) - loss(minus)) / (2 * step)
                #expect(abs(quotient - expected) < Self.tolerance * length, "\(parameter.name)")
            }
        }
    }

    @Test("of the image, in attribution", arguments: cases)
    func image(_ example: Case) throws {
        let spec = try NetworkSpec(inputShape: example.input, layers: example.layers, classes: 3)
        let random = RandomStream(seed: 8)
        let network = try Network(spec, batch: 1, mode: .attribution)
        let weights = Weights(initialising: spec, random: random.substream("weights"))
        try network.load(weights)
        let image = Self.images(spec, count: 1, random.substream("images"))
        func loss(_ image: [Float]) throws -> Double {
            network.setImage(0, from: image)
            return Self.functional(try network.forward(), random.substream("functional"))
        }
        _ = try loss(image)
        try network.backward((0..<3).map { Float(random.substream("functional").normal(at: $0)) })
        let gradient = try network.activationGradient(0)
        let length = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        for attempt in 0..<5 {
            let direction = unit(
                attempt == 0 ? gradient.map { Double($0) } : normals(image.count, random, "image", attempt))
            let step = 1e-3
            var (plus, minus) = (image, image)
            var expected = 0.0
            for index in image.indices {
                let d = direction[index]
                plus[index] += Float(step * d)
                minus[index] -= Float(step * d)
                expected += Double(gradient[index]) * Double(plus[index] - minus[index]) / (2 * step)
            }
            #expect(abs((try loss(plus) - loss(minus)) / (2 * step) - expected) < Self.tolerance * length)
        }
    }

    private func normals(_ count: Int, _ random: RandomStream, _ name: String, _ attempt: Int) -> [Double] {
        let stream = random.substream(name, attempt)
        return (0..<count).map { stream.normal(at: $0) }
    }

    /// Length 1; zero stays zero (the gradient of a bias before batch-norm).
    private func unit(_ vector: [Double]) -> [Double] {
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length > 0 ? vector.map { $0 / length } : vector
    }

    private func gradientLength(_ gradient: [Float], _ spec: NetworkSpec) -> Double {
        spec.parameters.filter(\.role.isTrained).flatMap { gradient[$0.range] }
            .reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    @Test("of the cross-entropy, with and without label smoothing", arguments: [0, 0.1])
    func crossEntropy(smoothing: Double) {
        let logits: [Float] = [0.3, -1.2, 2, 1, 0, -0.5]
        let labels = [2, 1]
        let result = CrossEntropy(logits: logits, labels: labels, classes: 3, smoothing: smoothing)
        for index in logits.indices {
            let step: Float = 1 / 1024  // exact in single precision
            var (plus, minus) = (logits, logits)
            plus[index] += step
            minus[index] -= step
            let difference =
                CrossEntropy(logits: plus, labels: labels, classes: 3, smoothing: smoothing).loss
                - CrossEntropy(logits: minus, labels: labels, classes: 3, smoothing: smoothing).loss
            // The loss is a sum, the gradient that of the mean over two images; third derivatives times step²/6.
            #expect(abs(difference / Double(2 * step) / 2 - Double(result.gradient[index])) < 1e-6)
        }
    }
}
