/// What a training makes small, and the truth that it takes for it.
public enum TrainingObjective: Hashable, Sendable {
    /// Cross-entropy with the labels of the images: of the classes, or of each class's kernel where the network has centroids.
    case classes
    /// −log of the density that the network gives to the numbers that belong to each image.
    case density(MixtureHead, targets: Targets)

    /// The numbers that belong to images: one block of [images, d].
    public struct Targets: Hashable, Sendable {
        public let dimensions: Int
        public let values: [Double]

        /// - Precondition: whole rows of `dimensions` numbers.
        public init(dimensions: Int, values: [Double]) {
            precondition(dimensions > 0 && values.count % dimensions == 0, "\(values.count) numbers in \(dimensions)s")
            self.dimensions = dimensions
            self.values = values
        }

        public var count: Int { values.count / dimensions }

        public subscript(image: Int) -> ArraySlice<Double> { values[image * dimensions..<(image + 1) * dimensions] }
    }
}

/// The loss of one micro-batch, and how to reduce it.
struct BatchLoss {
    /// Sum over images.
    var loss: Double
    /// Images that are named rightly; 0 where there is nothing to name.
    var correct: Int
    /// Of the mean loss, with respect to the outputs [images, outputs].
    var gradient: [Float]
}

extension TrainingObjective {
    /// - Parameters:
    ///   - outputs: of the network, [members, outputs].
    ///   - members: which images they are.
    ///   - smoothing: of labels.
    func loss(
        _ outputs: [Float], of members: ArraySlice<Int>, _ images: ImageSet, _ spec: NetworkSpec,
        smoothing: Double = 0
    ) -> BatchLoss {
        let count = spec.classes
        switch self {
        case .classes where spec.centroids != nil:
            let result = KernelLoss(
                logKernels: outputs, labels: members.map { images.labels[$0] }, classes: count, smoothing: smoothing)
            return BatchLoss(loss: result.loss, correct: result.correct, gradient: result.gradient)
        case .classes:
            let result = CrossEntropy(
                logits: outputs, labels: members.map { images.labels[$0] }, classes: count, smoothing: smoothing)
            return BatchLoss(loss: result.loss, correct: result.correct, gradient: result.gradient)
        case .density(let head, let targets):
            var batch = BatchLoss(loss: 0, correct: 0, gradient: [])
            batch.gradient.reserveCapacity(outputs.count)
            for (row, member) in members.enumerated() {
                let found = head.loss(outputs[row * count..<(row + 1) * count], target: targets[member])
                batch.loss += found.value
                batch.gradient += found.gradient.map { Float($0 / Double(members.count)) }
            }
            return batch
        }
    }

    /// - Throws: `LearningError` where the objective does not belong to the network and the images.
    func check(_ spec: NetworkSpec, _ images: ImageSet, _ split: Split) throws(LearningError) {
        switch self {
        case .classes:
            for label in 0..<spec.classes where !split.training.contains(where: { images.labels[$0] == label }) {
                throw .images(problem: "class \(label) has no training images", hint: "give samples of every class")
            }
        case .density(let head, let targets):
            if spec.centroids != nil {
                throw .network(
                    problem: "its last layer gives distances to centroids, not a density", hint: "end with dense")
            }
            if spec.classes != head.outputs {
                throw .network(
                    problem: "it gives \(spec.classes) numbers, \(head.components) Gaussians of \(head.dimensions) "
                        + "numbers take \(head.outputs)",
                    hint: "end the list of layers with dense of \(head.outputs) units")
            }
            if targets.dimensions != head.dimensions || targets.count != images.count {
                throw .images(
                    problem: "\(targets.count) images have \(targets.dimensions) numbers each, there are "
                        + "\(images.count) and the density is over \(head.dimensions)",
                    hint: "give each image its numbers")
            }
            if let bad = targets.values.firstIndex(where: { !$0.isFinite }) {
                throw .images(
                    problem: "a number of image \(bad / targets.dimensions) is \(targets.values[bad])",
                    hint: "a density is learnt from finite numbers")
            }
        }
    }
}
