import Compute
import Tensors
import Testing

@testable import Learning

@Suite("the domain of features")
struct FeatureDomainTests {
    /// Correlated normal features of two classes, whose means differ in the first.
    private func features(_ count: Int, size: Int, seed: Int) -> (rows: [[Double]], labels: [Int]) {
        var rows: [[Double]] = []
        var labels: [Int] = []
        for image in 0..<count {
            let random = RandomStream(seed: seed).substream("image", image)
            let shared = random.normal(at: size)
            labels.append(image % 2)
            rows.append(
                (0..<size).map { index in
                    Double(index + 1) * random.normal(at: index) + 3 * shared
                        + (index == 0 && image % 2 == 1 ? 40 : 0)
                })
        }
        return (rows, labels)
    }

    @Test("distances by hand: one feature, two classes, variance 4")
    func byHand() throws {
        let domain = try FeatureDomain(features: [[-2], [2], [98], [102]], labels: [0, 0, 1, 1])
        #expect(domain.means == [[0], [100]])
        // Of one feature shrinking changes nothing.
        #expect(abs(domain.distance([6]) - 9) < 1e-12)
        #expect(abs(domain.distance([97]) - 9.0 / 4) < 1e-12)
        #expect(throws: LearningError.self) { try FeatureDomain(features: [], labels: []) }
        #expect(throws: LearningError.self) { try FeatureDomain(features: [[1], [1, 2]], labels: [0, 0]) }
    }

    @Test("images of the domain lie at a distance of 1 on average, and far in a rare direction counts for more")
    func chiSquared() throws {
        let size = 8
        let known = features(4000, size: size, seed: 1)
        let domain = try FeatureDomain(features: known.rows, labels: known.labels)
        #expect(domain.shrinkage < 0.01)
        let others = features(2000, size: size, seed: 2)
        let mean = others.rows.reduce(0) { $0 + domain.distance($1) } / 2000
        // χ²/d has variance 2/d: 0.011 for the mean of 2000; the covariance of 4000 images adds d/4000 and the shrinkage
        // less than 0.01.
        #expect(abs(mean - 1) < 0.06)
        // Against the shared part, features 0 and 1 in opposite directions; the same length along it.
        var along = domain.means[0]
        var against = domain.means[0]
        for index in 0..<2 {
            along[index] += 6
            against[index] += index == 0 ? 6 : -6
        }
        #expect(domain.distance(against) > 2 * domain.distance(along))
    }

    @Test("fewer images than features: the covariance is shrunk, and nearer to the true one than without")
    func fewImages() throws {
        let size = 30
        // Variances from 1 to 2, independent.
        let rows = (0..<20).map { image in
            let random = RandomStream(seed: 3).substream("image", image)
            return (0..<size).map { (1 + Double($0) / 29).squareRoot() * random.normal(at: $0) }
        }
        let (lower, shrinkage) = FeatureDomain.shrunk(rows)
        #expect(shrinkage > 0.5 && shrinkage <= 1)
        var (shrunkError, sampleError) = (0.0, 0.0)
        for i in 0..<size {
            for j in 0...i {
                let truth = i == j ? 1 + Double(i) / 29 : 0
                let sample = rows.reduce(0) { $0 + $1[i] * $1[j] } / 20
                let weight: Double = i == j ? 1 : 2
                shrunkError += weight * (lower[i][j] - truth) * (lower[i][j] - truth)
                sampleError += weight * (sample - truth) * (sample - truth)
            }
        }
        #expect(shrunkError < 0.3 * sampleError)
        let domain = try FeatureDomain(features: rows, labels: [Int](repeating: 0, count: 20))
        #expect(domain.distance(rows[0].map { 10 * $0 }).isFinite)
    }

    @Test("features that never vary: no distance where they are, a large one elsewhere")
    func constant() throws {
        let domain = try FeatureDomain(features: [[1, 2], [1, 2]], labels: [0, 0])
        #expect(domain.distance([1, 2]) == 0)
        #expect(domain.distance([1, 4]) == 2)
    }

    private func classifier(_ layers: [LayerSpec], shape: [Int]) throws -> Classifier {
        let spec = try NetworkSpec(inputShape: shape, layers: layers, classes: 2)
        return try Classifier(spec, Weights(initialising: spec, random: RandomStream(seed: 4)))
    }

    @Test("are what the last dense layer sees")
    func extraction() throws {
        let classifier = try classifier([.flatten, .dense(units: 3), .relu, .dense(units: 2)], shape: [1, 2, 2])
        let image = Tensor<Float>(shape: [1, 2, 2], elements: [0.5, -1, 2, 0.25])
        let features = try FeatureExtractor(classifier).features(of: image)
        let kernel = try #require(classifier.weights["2.kernel"])
        let last = try #require(classifier.weights["4.kernel"])
        let logits = try classifier.logits(of: image)
        for unit in 0..<3 {
            let sum = (0..<4).reduce(0) { $0 + Double(kernel[unit, $1]) * Double(image.elements[$1]) }
            // Single precision.
            #expect(abs(features[unit] - max(0, sum)) < 1e-6)
        }
        for index in 0..<2 {
            let sum = (0..<3).reduce(0) { $0 + Double(last[index, $1]) * features[$1] }
            #expect(abs(sum - Double(logits.elements[index])) < 1e-5)
        }
        var set = try ImageSet(shape: [1, 2, 2])
        for number in 0..<3 { try set.append(image.elements, label: 0, origin: "\(number)") }
        let rows = try FeatureExtractor(classifier).features(of: set, threads: 2)
        #expect(rows.count == 3 && zip(rows[2], features).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    @Test("too many are projected on random directions, which keep lengths", arguments: [[LayerSpec.flatten], []])
    func projection(before: [LayerSpec]) throws {
        let classifier = try classifier(before + [.dense(units: 2)], shape: [1, 20, 20])
        let random = RandomStream(seed: 8)
        let image = Tensor<Float>(shape: [1, 20, 20], elements: (0..<400).map { Float(random.normal(at: $0)) })
        let features = try FeatureExtractor(classifier).features(of: image)
        #expect(features.count == FeatureExtractor.limit)
        let length = image.elements.reduce(0) { $0 + Double($1) * Double($1) }
        let projected = features.reduce(0) { $0 + $1 * $1 }
        // The ratio is χ²/128: standard deviation 0.125; five of them.
        #expect(abs(projected / length - 1) < 0.625)
    }
}
