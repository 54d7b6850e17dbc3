import Compute
import Tensors
import Testing

@testable import Learning

@Suite("images, splits and refusals")
struct ImageSetTests {
    @Test("a split keeps origins together, is about as large as asked, and survives growth")
    func split() throws {
        func set(_ origins: Int) throws -> ImageSet {
            var set = try ImageSet(shape: [1, 1, 1])
            for origin in 0..<origins {
                for _ in 0..<3 { try set.append([0], label: origin % 2, origin: "sample \(origin)") }
            }
            return set
        }
        let small = try set(1000)
        let large = try set(2000)
        let split = Split(small, validationFraction: 0.25)
        let grown = Split(large, validationFraction: 0.25)
        #expect(Set(split.validation.map { $0 / 3 }).isDisjoint(with: split.training.map { $0 / 3 }))
        // Binomial: 250 ± 13.7 origins; five deviations.
        #expect(abs(split.validation.count / 3 - 250) < 69)
        #expect(grown.validation.filter { $0 < 3000 } == split.validation)
        #expect(Split(small, validationFraction: 0.25, salt: "other") != split)
        #expect(Split(small, validationFraction: 0).validation.isEmpty)
        #expect(Split(small, validationFraction: 1).training.isEmpty)
    }

    @Test("values that are not finite are refused, with the place", arguments: [Float.nan, .infinity, -.infinity])
    func notFinite(value: Float) throws {
        var set = try ImageSet(shape: [2, 2, 3])
        var image = [Float](repeating: 1, count: 12)
        image[10] = value
        let error = #expect(throws: LearningError.self) { try set.append(image, label: 0, origin: "s 7") }
        #expect(error?.message == "images: image 0 ('s 7') holds \(value) at channel 1, row 1, column 1")
        #expect(error?.hint == "give masked pixels a number, such as 0, before training or judging")
        #expect(set.isEmpty)

        let spec = try NetworkSpec(inputShape: [2, 2, 3], layers: [.dense(units: 2)], classes: 2)
        let classifier = try Classifier(spec, Weights(initialising: spec, random: RandomStream(seed: 1)))
        let measurement = Tensor(shape: [2, 2, 3], elements: image)
        let refusal = #expect(throws: LearningError.self) { try classifier.logits(of: measurement) }
        #expect(refusal?.message == "images: the image holds \(value) at channel 1, row 1, column 1")
    }

    @Test("images and labels that do not fit are refused")
    func refusals() throws {
        var set = try ImageSet(shape: [1, 2, 2])
        #expect(throws: LearningError.self) { try ImageSet(shape: [2, 2]) }
        #expect(throws: LearningError.self) { try set.append([1], label: 0, origin: "") }
        #expect(throws: LearningError.self) { try set.append([1, 2, 3, 4], label: -1, origin: "") }
        for label in [0, 0, 2] { try set.append([1, 2, 3, 4], label: label, origin: "a") }
        func message(_ shape: [Int], _ classes: Int, _ split: Split) throws -> String? {
            let spec = try NetworkSpec(inputShape: shape, layers: [.dense(units: classes)], classes: classes)
            let error = #expect(throws: LearningError.self) {
                try train(spec, on: set, split: split, settings: TrainingSettings(), random: RandomStream(seed: 1))
            }
            return error?.message
        }
        let all = Split(training: [0, 1, 2], validation: [])
        #expect(try message([1, 2, 3], 3, all) == "images: they have shape [1, 2, 2], the network takes [1, 2, 3]")
        #expect(try message([1, 2, 2], 2, all) == "images: image 2 ('a') has label 2, there are 2 classes")
        #expect(try message([1, 2, 2], 3, all) == "images: class 1 has no training images")
        #expect(
            try message([1, 2, 2], 3, Split(training: [], validation: [0])) == "images: none are left for training")
        #expect(
            try message([1, 2, 2], 3, Split(training: [0, 1], validation: [1]))
                == "images: image 1 is both for training and for validation")
        #expect(
            try message([1, 2, 2], 3, Split(training: [0, 3], validation: []))
                == "images: training image 3 is not among the 3 images")
    }

    @Test("settings outside their range are named")
    func settings() {
        func message(_ change: (inout TrainingSettings) -> Void) -> String? {
            var settings = TrainingSettings()
            change(&settings)
            let error = #expect(throws: LearningError.self) { try settings.validate() }
            return error?.message
        }
        #expect(message { $0.epochs = 0 } == "training setting 'epochs': 0 is less than 1")
        #expect(
            message { $0.batchSize = 20 }
                == "training setting 'batch-size': 20 is not a multiple of the micro-batch size 8")
        #expect(message { $0.learningRate = -1 } == "training setting 'learning-rate': -1.0 is not above 0")
        #expect(message { $0.learningRate = .nan } == "training setting 'learning-rate': nan is not above 0")
        #expect(message { $0.labelSmoothing = 1 } == "training setting 'label-smoothing': 1.0 is outside 0 ≤ ε < 1")
        #expect(message { $0.patience = 0 } == "training setting 'patience': 0 is less than 1 epoch")
        #expect(
            message { $0.optimiser = .sgd(momentum: 1) }
                == "training setting 'momentum': 1.0 is outside 0 ≤ momentum < 1")
        #expect(
            message { $0.schedule = .step(every: 0, factor: 1) }
                == "training setting 'schedule': a step every 0 epochs; give 1 or more")
    }

    @Test("weights go out by name and come back; others are refused")
    func weights() throws {
        let spec = try NetworkSpec(
            inputShape: [1, 3, 3], layers: [.convolution(channels: 2, kernel: [3, 3]), .batchNorm, .dense(units: 2)],
            classes: 2)
        let weights = Weights(initialising: spec, random: RandomStream(seed: 1))
        var tensors = Dictionary(uniqueKeysWithValues: weights.tensors.map { ($0.name, $0.tensor) })
        #expect(tensors["1.kernel"]?.shape == [2, 1, 3, 3])
        #expect(tensors["2.variance"]?.elements == [1, 1])
        #expect(weights["3.kernel"]?.shape == [2, 18])
        #expect(try Weights(spec, tensors: tensors) == weights)
        tensors["9.kernel"] = Tensor(shape: [1], elements: [0])
        var error = #expect(throws: LearningError.self) { try Weights(spec, tensors: tensors) }
        #expect(error?.message == "weights: array '9.kernel' belongs to no layer of the network")
        tensors["9.kernel"] = nil
        tensors["3.bias"] = Tensor(shape: [3], elements: [0, 0, 0])
        error = #expect(throws: LearningError.self) { try Weights(spec, tensors: tensors) }
        #expect(error?.message == "weights: array '3.bias' has shape [3], the network needs [2]")
        tensors["3.bias"] = nil
        error = #expect(throws: LearningError.self) { try Weights(spec, tensors: tensors) }
        #expect(error?.message == "weights: array '3.bias' is missing")
        let other = try NetworkSpec(inputShape: [1, 3, 3], layers: [.dense(units: 2)], classes: 2)
        error = #expect(throws: LearningError.self) { try Classifier(other, weights) }
        #expect(error?.message == "weights: their arrays are not those of the network's layers")
    }

    @Test("initial kernels have He's variance")
    func initialisation() throws {
        let spec = try NetworkSpec(
            inputShape: [1, 16, 16], layers: [.dense(units: 100), .relu, .dense(units: 2)], classes: 2)
        let weights = Weights(initialising: spec, random: RandomStream(seed: 1))
        let kernel = try #require(weights["1.kernel"]).elements.map { Double($0) }
        let variance = kernel.reduce(0) { $0 + $1 * $1 } / Double(kernel.count)
        // 25 600 normal numbers: the variance is known to √(2/25 600) = 0.9 %; five deviations.
        #expect(abs(variance * 256 / 2 - 1) < 0.045)
        #expect(weights["1.bias"]?.elements.allSatisfy { $0 == 0 } == true)
    }
}
