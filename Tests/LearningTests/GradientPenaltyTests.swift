import Compute
import Foundation
import Testing

@testable import Learning

/// The penalty's gradient, which is found by differences along the gradient of the image, against differentiating twice.
@Suite("gradient penalty")
struct GradientPenaltyTests {
    /// A number with its first derivatives along two directions and the mixed second one, all exact: f(a + bε₁ + cε₂ + dε₁ε₂) with
    /// ε₁² = ε₂² = 0 (J. A. Fike and J. J. Alonso, AIAA 2011-886).
    struct HyperDual {
        var value: Double
        var first = 0.0
        var second = 0.0
        var mixed = 0.0

        static func + (x: Self, y: Self) -> Self {
            Self(
                value: x.value + y.value, first: x.first + y.first, second: x.second + y.second,
                mixed: x.mixed + y.mixed)
        }

        static func * (x: Self, y: Self) -> Self {
            Self(
                value: x.value * y.value, first: x.first * y.value + x.value * y.first,
                second: x.second * y.value + x.value * y.second,
                mixed: x.mixed * y.value + x.first * y.second + x.second * y.first + x.value * y.mixed)
        }

        /// f of it, from f and its first two derivatives at the value.
        func map(_ f: (Double) -> (Double, Double, Double)) -> Self {
            let (f0, f1, f2) = f(value)
            return Self(
                value: f0, first: f1 * first, second: f1 * second, mixed: f1 * mixed + f2 * first * second)
        }
    }

    static let penalty = 0.4
    static let centroids = Centroids(classes: 2, width: 3, lengthScale: 0.9, gradientPenalty: penalty)

    /// Σ_c K_c of one image: dense 5, GELU, centroids, from the weights as `Weights.values` has them.
    static func kernelSum(_ w: [HyperDual], _ x: [HyperDual]) -> HyperDual {
        let inputs = x.count
        let hidden = (0..<5).map { unit -> HyperDual in
            let sum = x.indices.reduce(w[5 * inputs + unit]) { $0 + w[unit * inputs + $1] * x[$1] }
            return sum.map { x in
                let density = exp(-x * x / 2) / (2 * Double.pi).squareRoot()
                let distribution = 0.5 * erfc(-x * 0.5.squareRoot())
                return (x * distribution, distribution + x * density, density * (2 - x * x))
            }
        }
        let start = 5 * inputs + 5
        let (sums, counts) = (start + 2 * 3 * 5, start + 2 * 3 * 5 + 2 * 3)
        return (0..<2).reduce(HyperDual(value: 0)) { total, label in
            var square = HyperDual(value: 0)
            for row in 0..<3 {
                let unit = 3 * label + row
                let inverse = w[counts + label].map { (1 / $0, -1 / ($0 * $0), 2 / ($0 * $0 * $0)) }
                var u = w[sums + unit] * inverse * HyperDual(value: -1)
                for column in 0..<5 { u = u + w[start + unit * 5 + column] * hidden[column] }
                square = square + u * u
            }
            return total
                + (square * HyperDual(value: -1 / (2 * 3 * 0.9 * 0.9))).map { (exp($0), exp($0), exp($0)) }
        }
    }

    @Test("agrees with exact double differentiation of a small network", arguments: 0..<4)
    func isExact(seed: Int) throws {
        let spec = try NetworkSpec(
            inputShape: [1, 2, 2], layers: [.dense(units: 5), .gelu, .centroids(Self.centroids)], classes: 2)
        let random = RandomStream(seed: seed)
        var weights = Weights(initialising: spec, random: random.substream("weights"))
        for index in weights.values.indices { weights.values[index] += 0.2 * Float(random.normal(at: index)) }
        for index in spec.parameter(3, .centroidCount).range { weights.values[index] = 1.5 }
        let batch = 2
        let images = (0..<4 * batch).map { Float(random.substream("images").normal(at: $0)) }
        // Exactly: ∂P/∂w_k = λ/B Σ_i 2 (|g| − 1)/|g| Σ_j g_j ∂²S/∂x_j∂w_k.
        let values = weights.values.map { HyperDual(value: Double($0)) }
        var expected = [Double](repeating: 0, count: values.count)
        var loss = 0.0
        for image in 0..<batch {
            let x = images[4 * image..<4 * image + 4].map { HyperDual(value: Double($0)) }
            var second = [[Double]](repeating: [], count: 4)
            var gradient = [Double](repeating: 0, count: 4)
            for j in 0..<4 {
                var moved = x
                moved[j].first = 1
                gradient[j] = Self.kernelSum(values, moved).first
                second[j] = values.indices.map { k in
                    var turned = values
                    turned[k].second = 1
                    return Self.kernelSum(turned, moved).mixed
                }
            }
            let length = gradient.reduce(0) { $0 + $1 * $1 }.squareRoot()
            loss += Self.penalty * (length - 1) * (length - 1)
            let factor = Self.penalty / Double(batch) * 2 * (length - 1) / length
            for k in values.indices {
                expected[k] += factor * (0..<4).reduce(0) { $0 + gradient[$1] * second[$1][k] }
            }
        }
        let found = try Self.penalty(spec, weights, images, batch: batch)
        #expect(abs(found.loss - loss) < 1e-4 * loss)
        func length(_ gradient: [Double]) -> Double {
            var sum = 0.0
            for parameter in spec.parameters where parameter.role.isTrained {
                for index in parameter.range { sum += gradient[index] * gradient[index] }
            }
            return sum.squareRoot()
        }
        let error = length(zip(expected, found.gradient).map { $0 - Double($1) })
        // Steps of 0.02 where derivatives are of order 1: third derivatives times step²/6 are some 1e-4 of the whole; single
        // precision leaves 1e-7/0.02 of S's own gradient, some 1e-5.
        #expect(error < 2e-3 * length(expected), "\(error) of \(length(expected))")
    }

    /// P and its gradient alone.
    static func penalty(
        _ spec: NetworkSpec, _ weights: Weights, _ images: [Float], batch: Int
    ) throws -> (loss: Double, gradient: [Float]) {
        let network = try Network(spec, batch: batch, mode: .training, wantsInputGradient: true)
        try network.load(weights)
        network.images = images
        let address = RandomStream(seed: 3)
        let labels = [Int](repeating: 0, count: batch)
        let logits = try network.forward(random: address, labels: labels)
        // The gradient of nothing, so that what is added is the penalty's.
        try network.backward([Float](repeating: 0, count: batch * spec.classes))
        network.keepGradients()
        let statistics = network.parameterGradients
        let penalty = try #require(GradientPenalty(spec))
        let loss = try penalty.add(to: network, logKernels: logits) { () throws(LearningError) in
            try network.forward(random: address, labels: labels)
        }
        let gradient = network.parameterGradients
        for parameter in spec.parameters where !parameter.role.isTrained {
            #expect(Array(gradient[parameter.range]) == Array(statistics[parameter.range]), "\(parameter.name)")
        }
        return (loss, gradient)
    }

    static let networks: [[LayerSpec]] = [
        [.convolution(channels: 4, kernel: [3, 3]), .gelu, .globalAveragePool],
        // Batch-norm makes each image's kernels depend on all images.
        [.convolution(channels: 4, kernel: [3, 3]), .batchNorm, .gelu, .averagePool([2, 2])],
        [.log1p, .convolution(channels: 4, kernel: [3, 3]), .groupNorm(groups: 2), .gelu, .dropout(rate: 0.3)],
    ]

    /// P is made of first derivatives alone, which other tests hold to differences.
    @Test("agrees with differences of the penalty itself along its gradient", arguments: networks)
    func isTheSlope(layers: [LayerSpec]) throws {
        let spec = try NetworkSpec(
            inputShape: [1, 4, 6],
            layers: layers + [.centroids(Centroids(classes: 2, width: 4, lengthScale: 0.8, gradientPenalty: 1))],
            classes: 2)
        let random = RandomStream(seed: 31)
        let weights = Weights(initialising: spec, random: random.substream("weights"))
        let batch = 3
        let images = GradientTests.images(spec, count: batch, random.substream("images"))
        let gradient = try Self.penalty(spec, weights, images, batch: batch).gradient
        var trained = Set<Int>()
        for parameter in spec.parameters where parameter.role.isTrained { trained.formUnion(parameter.range) }
        let length = trained.reduce(0) { $0 + Double(gradient[$1]) * Double(gradient[$1]) }.squareRoot()
        #expect(length > 1e-2)
        // P bends strongly behind batch-norm; it is known to 1e-6, so that steps of 0.01 leave 1e-4 of a slope of order 1.
        let step = 0.01
        func moved(_ sign: Double) throws -> Double {
            var other = weights
            for index in trained { other.values[index] += Float(sign * step / length) * gradient[index] }
            return try Self.penalty(spec, other, images, batch: batch).loss / Double(batch)
        }
        let slope = try (moved(1) - moved(-1)) / (2 * step)
        #expect(abs(slope - length) < 0.01 * length, "\(slope) and \(length)")
    }

    /// K of about e⁻⁹⁵ is a subnormal number: slopes of 1e-41 have a direction, and a length that must not be divided by.
    @Test("images whose kernels are next to nothing leave gradients finite", arguments: [80.0, 88, 92, 95, 100, 110])
    func vanishingKernels(distance: Double) throws {
        let spec = try NetworkSpec(
            inputShape: [1, 1, 3],
            layers: [.centroids(Centroids(classes: 2, width: 1, lengthScale: 1, gradientPenalty: 1))], classes: 2)
        var weights = Weights(initialising: spec, random: RandomStream(seed: 1))
        let kernel = spec.parameter(1, .kernel)
        for index in kernel.range { weights.values[index] = index % 3 == 0 ? 1 : 0 }
        for index in spec.parameter(1, .centroidSum).range { weights.values[index] = 0 }
        let images = [Float((2 * distance).squareRoot()), 0, 0, 0.5, 0, 0]
        let found = try Self.penalty(spec, weights, images, batch: 2)
        #expect(found.loss.isFinite)
        #expect(found.gradient.allSatisfy { $0.isFinite })
    }

    /// Moves of 0.02 over many pixels are rounded where intensities are large: by 5 % of each pixel's part here.
    @Test("images of large numbers have the gradient that the same network of images moved by as much has")
    func largeImages() throws {
        let size = 4096
        let spec = try NetworkSpec(
            inputShape: [1, 64, 64],
            layers: [
                .dense(units: 6), .gelu,
                .centroids(Centroids(classes: 2, width: 3, lengthScale: 1, gradientPenalty: 1)),
            ], classes: 2)
        let random = RandomStream(seed: 12)
        let weights = Weights(initialising: spec, random: random.substream("weights"))
        let small = (0..<size).map { Float(random.normal(at: $0)) }
        let large = small.map { $0 + 300 }
        // The first layer's bias takes the constant away again.
        var moved = weights
        let (kernel, bias) = (spec.parameter(1, .kernel), spec.parameter(1, .bias))
        for unit in 0..<6 {
            let sum = (0..<size).reduce(0.0) { $0 + Double(weights.values[kernel.offset + unit * size + $1]) }
            moved.values[bias.offset + unit] -= Float(300 * sum)
        }
        let expected = try Self.penalty(spec, weights, small, batch: 1).gradient
        let found = try Self.penalty(spec, moved, large, batch: 1).gradient
        let last = spec.parameter(3, .kernel).range
        let length = last.reduce(0) { $0 + Double(expected[$1]) * Double(expected[$1]) }.squareRoot()
        let error = last.reduce(0) { $0 + pow(Double(expected[$1] - found[$1]), 2) }.squareRoot()
        // Rounding is random, so that little of it lies along what matters: 0.7 %. Ten times the intensity gives 8 %.
        #expect(error < 0.03 * length, "\(error) of \(length)")
    }

    @Test("training finds the images' gradient that attribution finds, twice the same", arguments: GradientTests.cases)
    func imageGradient(_ example: GradientTests.Case) throws {
        let spec = try NetworkSpec(inputShape: example.input, layers: example.layers, classes: 3)
        // These differ in what they do on purpose.
        for layer in spec.layers {
            switch layer {
            case .batchNorm, .dropout: return
            default: break
            }
        }
        let random = RandomStream(seed: 19)
        let weights = Weights(initialising: spec, random: random.substream("weights"))
        let images = GradientTests.images(spec, count: 2, random.substream("images"))
        let slope = (0..<6).map { Float(random.normal(at: $0)) }
        func gradients(_ mode: Network.Mode) throws -> [[Float]] {
            let network = try Network(spec, batch: 2, mode: mode, wantsInputGradient: true)
            try network.load(weights)
            network.images = images
            _ = try network.forward(random: random)
            return try (0..<2).map { _ in
                try network.backward(slope)
                return try network.inputGradient
            }
        }
        let (found, expected) = (try gradients(.training), try gradients(.attribution))
        #expect(found[0] == found[1])
        let scale = expected[0].reduce(0) { max($0, abs($1)) }
        // Fused layers sum in another order.
        for (a, b) in zip(found[0], expected[0]) { #expect(abs(a - b) <= 1e-5 * scale) }
    }

    @Test("a network without centroids or with weight 0 has none")
    func isAbsent() throws {
        let plain = try NetworkSpec(inputShape: [1, 2, 2], layers: [.dense(units: 2)], classes: 2)
        let free = try NetworkSpec(
            inputShape: [1, 2, 2], layers: [.centroids(Centroids(classes: 2, gradientPenalty: 0))], classes: 2)
        #expect(GradientPenalty(plain) == nil && GradientPenalty(free) == nil)
    }
}
