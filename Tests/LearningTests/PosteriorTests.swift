import Compute
import Tensors
import Testing

@testable import Learning

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Posteriors that networks learn, against posteriors that are known.
@Suite("learnt posteriors")
struct PosteriorTests {
    /// Images with the numbers that they show, and the images' own numbers.
    struct Toy {
        var images: ImageSet
        var targets: TrainingObjective.Targets

        func image(_ index: Int) -> [Double] {
            images.values[index * images.imageSize..<(index + 1) * images.imageSize].map { Double($0) }
        }
    }

    private func toy(
        _ count: Int, seed: Int, size: Int, dimensions: Int, _ image: ([Double], RandomStream) -> [Float]
    ) throws -> Toy {
        var images = try ImageSet(shape: [1, 1, size])
        var values: [Double] = []
        for sample in 0..<count {
            let random = RandomStream(seed: seed).substream("toy", sample)
            let z = (0..<dimensions).map { random.normal(at: $0) }
            try images.append(image(z, random.substream("noise")), label: 0, origin: "toy \(sample)")
            values += z
        }
        return Toy(images: images, targets: .init(dimensions: dimensions, values: values))
    }

    private func posteriors(
        of fresh: Toy, layers: [LayerSpec], head: MixtureHead, learntFrom toy: Toy, epochs: Int, threads: Int = 2
    ) throws -> (mixtures: [GaussianMixture], result: TrainingResult) {
        let spec = try NetworkSpec(
            inputShape: toy.images.shape, layers: layers + [.dense(units: head.outputs)], classes: head.outputs)
        var settings = TrainingSettings()
        settings.epochs = epochs
        settings.batchSize = 64
        settings.microBatchSize = 16
        settings.learningRate = 1e-2
        settings.gradientClipping = 10
        let random = RandomStream(seed: 2)
        let result = try train(
            spec, on: toy.images, split: Split(toy.images, validationFraction: 0.1),
            objective: .density(head, targets: toy.targets), settings: settings, random: random,
            initial: head.initialWeights(spec, random: random.substream("weights")), threads: threads)
        let outputs = try Classifier(spec, result.weights).logits(of: fresh.images, threads: threads)
        let mixtures = (0..<fresh.images.count).map {
            head.mixture(outputs.elements[$0 * head.outputs..<($0 + 1) * head.outputs])
        }
        return (mixtures, result)
    }

    /// Two numbers with standard normal priors. Six pixels show their sum with noise of 0.3 each, two show the first with
    /// noise of 2: the sum is known well, the numbers themselves hardly, as with exchange constants that act together.
    ///
    /// The inverse covariance is 1 + AᵀA/σ² = [[1 + 6/0.09 + 2/4, 6/0.09], [6/0.09, 1 + 6/0.09]].
    static let inverse = [1 + 6 / 0.09 + 0.5, 6 / 0.09, 6 / 0.09, 1 + 6 / 0.09]

    private func linear(_ count: Int, seed: Int) throws -> Toy {
        try toy(count, seed: seed, size: 8, dimensions: 2) { z, noise in
            (0..<8).map { Float($0 < 6 ? z[0] + z[1] + 0.3 * noise.normal(at: $0) : z[0] + 2 * noise.normal(at: $0)) }
        }
    }

    @Test("of images that are linear in the parameters: mean and covariance in closed form")
    func linearGaussian() throws {
        let training = try linear(3000, seed: 1)
        let fresh = try linear(400, seed: 77)
        let (mixtures, result) = try posteriors(
            of: fresh, layers: [.flatten], head: MixtureHead(dimensions: 2, components: 1), learntFrom: training,
            epochs: 60)
        let p = Self.inverse
        let determinant = p[0] * p[3] - p[1] * p[2]
        let covariance = [p[3] / determinant, -p[1] / determinant, p[0] / determinant]
        let deviations = [covariance[0].squareRoot(), covariance[2].squareRoot()]
        // −0.99: what is strongly correlated must come out so.
        let correlation = covariance[1] / (deviations[0] * deviations[1])
        #expect(correlation < -0.98)
        var distance = [0.0, 0.0]
        for (index, mixture) in mixtures.enumerated() {
            let y = fresh.image(index)
            let sum = y[..<6].reduce(0, +) / 0.09
            let first = y[6...].reduce(0, +) / 4
            let right = [sum + first, sum]
            let mean = [
                covariance[0] * right[0] + covariance[1] * right[1],
                covariance[1] * right[0] + covariance[2] * right[1],
            ]
            for number in 0...1 {
                let error = (mixture.components[0].mean[number] - mean[number]) / deviations[number]
                distance[number] += error * error / Double(mixtures.count)
                // The factor may depend on the image, and learns not to: 2700 images fix a deviation to 1.4 %.
                let ratio = mixture.components[0].deviations[number] / deviations[number]
                #expect(abs(ratio - 1) < 0.25, "image \(index): \(ratio)")
            }
        }
        // 8 coefficients learnt from 2700 images: √(9/2700) = 0.06 standard deviations if nothing else erred.
        #expect(distance[0].squareRoot() < 0.15 && distance[1].squareRoot() < 0.15, "\(distance)")
        let draws = (0..<4000).map { mixtures[0].sample(RandomStream(seed: 5).substream("draw", $0)) }
        let sums = draws.map { $0[0] + $0[1] }
        let mean = sums.reduce(0, +) / 4000
        let spread = (sums.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000).squareRoot()
        // The sum is known thirteen times as well as its terms.
        let expected = (covariance[0] + covariance[2] + 2 * covariance[1]).squareRoot()
        #expect(abs(spread / expected - 1) < 0.25, "\(spread) against \(expected)")
        // The loss of a perfect posterior is its entropy: 1 + log 2π − ½ log det.
        let entropy = 1 + log(2 * Double.pi) - 0.5 * log(determinant)
        let loss = zip(mixtures, 0..<400).reduce(0) { $0 - $1.0.logDensity(Array(fresh.targets[$1.1])) } / 400
        // Per image −log q scatters by 1, so the mean of 400 by 0.05; what was learnt from 2700 images adds
        // 21/(2·2700) = 0.004 at best.
        #expect(abs(loss - entropy) < 0.2, "\(loss) against \(entropy)")
        #expect(result.history.allSatisfy { $0.accuracy == 0 })
        coverage(mixtures, fresh)
    }

    /// Intervals as the network gives them hold the truth with the binomial count that they promise.
    private func coverage(_ mixtures: [GaussianMixture], _ fresh: Toy) {
        for level in [0.68, 0.95] {
            for number in 0..<fresh.targets.dimensions {
                let held = mixtures.enumerated().count { index, mixture in
                    let truth = Array(fresh.targets[index])[number]
                    return IntervalCalibration.score(cumulative: mixture.cumulative(number, truth)) <= level
                }
                let count = Double(mixtures.count)
                // Three deviations of the count; a learnt width that is off by 5 % costs two points at 68 %, one more.
                let tolerance = 3 * (level * (1 - level) / count).squareRoot() + 0.025
                #expect(abs(Double(held) / count - level) < tolerance, "\(level), number \(number): \(held)")
            }
        }
    }

    /// The number squared, with noise of 0.2: its sign cannot be known.
    @Test("of a square: two equal peaks, as the exact posterior has them, and coverage")
    func bimodal() throws {
        func square(_ count: Int, seed: Int) throws -> Toy {
            try toy(count, seed: seed, size: 2, dimensions: 1) { z, noise in
                (0..<2).map { Float(z[0] * z[0] + 0.2 * 2.0.squareRoot() * noise.normal(at: $0)) }
            }
        }
        let fresh = try square(400, seed: 78)
        let (mixtures, _) = try posteriors(
            of: fresh, layers: [.dense(units: 32), .gelu, .dense(units: 32), .gelu],
            head: MixtureHead(dimensions: 1, components: 4), learntFrom: square(4000, seed: 4), epochs: 40)
        var worst = 0.0
        var apart = 0
        for (index, mixture) in mixtures.enumerated() {
            let y = fresh.image(index).reduce(0, +) / 2
            // The prior times the likelihood of the mean, on a grid.
            let grid = stride(from: -5.0, through: 5, by: 0.002).map { $0 }
            let density = grid.map { exp(-0.5 * $0 * $0 - 0.5 * ($0 * $0 - y) * ($0 * $0 - y) / 0.04) }
            let total = density.reduce(0, +)
            var (sum, distance) = (0.0, 0.0)
            for (place, x) in grid.enumerated() {
                sum += density[place] / total
                distance = max(distance, abs(sum - mixture.cumulative(0, x)))
            }
            worst += distance / Double(mixtures.count)
            // Where the square is clearly not zero, nothing lies between the two roots.
            if y > 1 {
                apart += 1
                let middle = mixture.cumulative(0, 0.4) - mixture.cumulative(0, -0.4)
                #expect(middle < 0.05, "y = \(y): \(middle) between the roots")
                #expect(abs(mixture.cumulative(0, 0) - 0.5) < 0.15, "y = \(y)")
            }
        }
        #expect(apart > 80)
        // Of 1 at most; a single Gaussian is 0.25 away from two narrow peaks. Learnt signs err by a few per cent.
        #expect(worst < 0.08, "mean distance of the distribution functions: \(worst)")
        coverage(mixtures, fresh)
    }

    @Test("the same bits on one thread and on three")
    func threads() throws {
        let training = try linear(200, seed: 1)
        let weights = try [1, 3].map { threads in
            try posteriors(
                of: training, layers: [.dense(units: 4), .relu], head: MixtureHead(dimensions: 2, components: 2),
                learntFrom: training, epochs: 2, threads: threads
            ).result.weights
        }
        #expect(weights[0] == weights[1])
    }

    @Test("what does not belong together is refused")
    func misfits() throws {
        let training = try linear(40, seed: 1)
        let head = MixtureHead(dimensions: 2, components: 2)
        func refusal(_ outputs: Int, _ targets: TrainingObjective.Targets) -> String? {
            var settings = TrainingSettings()
            settings.epochs = 1
            let error = #expect(throws: LearningError.self) {
                let spec = try NetworkSpec(
                    inputShape: [1, 1, 8], layers: [.dense(units: outputs)], classes: outputs)
                _ = try train(
                    spec, on: training.images, split: Split(training.images, validationFraction: 0),
                    objective: .density(head, targets: targets), settings: settings, random: RandomStream(seed: 1))
            }
            return error?.message
        }
        #expect(
            refusal(3, training.targets) == "network: it gives 3 numbers, 2 Gaussians of 2 numbers take \(head.outputs)"
        )
        #expect(
            refusal(head.outputs, .init(dimensions: 1, values: [1, 2]))
                == "images: 2 images have 1 numbers each, there are 40 and the density is over 2")
        var values = training.targets.values
        values[7] = .nan
        #expect(
            refusal(head.outputs, .init(dimensions: 2, values: values)) == "images: a number of image 3 is nan")
    }
}
