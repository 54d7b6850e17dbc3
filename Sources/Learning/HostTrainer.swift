import Compute

/// The epochs of one training on the CPU: its networks, buffers and order.
final class HostTrainer: EpochTrainer {
    private let spec: NetworkSpec
    private let images: ImageSet
    private let split: Split
    private let objective: TrainingObjective
    private let settings: TrainingSettings
    private let random: RandomStream
    private let threads: Int
    private let learners: NetworkPool
    private let judges: NetworkPool
    private let microBatch: Int
    private let sum: GradientSum
    private let update: WeightUpdate
    private let penalty: GradientPenalty?

    init(
        _ spec: NetworkSpec, _ images: ImageSet, _ split: Split, _ objective: TrainingObjective,
        _ settings: TrainingSettings, random: RandomStream, threads: Int
    ) throws {
        self.spec = spec
        self.images = images
        self.split = split
        self.objective = objective
        self.settings = settings
        self.random = random
        microBatch = min(settings.microBatchSize, settings.batchSize, split.training.count)
        let parts = max(1, settings.batchSize / microBatch)
        self.threads = max(1, min(threads, parts))
        penalty = GradientPenalty(spec)
        if penalty != nil, settings.precision != .f32 {
            throw LearningError.setting(
                name: "precision",
                problem: "the gradient penalty of centroids takes differences that bf16 does not show")
        }
        // A penalty's gradient is made of several passes, so that none can leave its kernels to the update's end.
        let defersFrom = penalty == nil ? DeferredKernel.size : .max
        learners = try NetworkPool(
            spec, batch: microBatch, mode: .training, precision: settings.precision, defersFrom: defersFrom,
            wantsInputGradient: penalty != nil, count: self.threads)
        judges = try NetworkPool(spec, batch: Classifier.batch, mode: .inference, count: max(1, threads))
        sum = try GradientSum(
            spec, microBatch: microBatch, parts: parts, precision: settings.precision, defersFrom: defersFrom)
        update = WeightUpdate(spec, settings)
    }

    var memory: (first: [Float], second: [Float], updates: Int) { update.memory }

    func restore(_ state: TrainingState) {
        update.restore(first: state.firstMoments, second: state.secondMoments, updates: state.updates)
    }

    /// - Returns: mean loss and accuracy over the images seen.
    func runEpoch(
        _ epoch: Int, _ weights: inout Weights, isCancelled: () -> Bool
    ) throws -> (loss: Double, accuracy: Double) {
        var order = split.training
        var generator = RandomSequence(random.substream("shuffle", epoch))
        order.shuffle(using: &generator)
        let microBatches = order.count / microBatch
        let perUpdate = max(1, settings.batchSize / microBatch)
        var loss = 0.0
        var correct = 0
        for start in stride(from: 0, to: microBatches, by: perUpdate) {
            if isCancelled() { throw CancellationError() }
            let parts = min(perUpdate, microBatches - start)
            try learners.load(values: weights.values)
            try addGradients(order, start..<start + parts, dropout: random.substream("epoch", epoch))
            loss += sum.loss
            correct += sum.correct
            // In the middle of the update: a schedule that begins or ends at zero wastes none.
            let done = (Double(start) + Double(parts) / 2) / Double(microBatches)
            let rate = settings.learningRate(after: Double(epoch - 1) + done)
            update.apply(to: &weights.values, sum: sum.values, parts: parts, rate: rate)
        }
        let seen = Double(microBatches * microBatch)
        return (loss / seen, Double(correct) / seen)
    }

    /// Sums the gradients of some micro-batches of the epoch.
    private func addGradients(_ order: [Int], _ range: Range<Int>, dropout: RandomStream) throws {
        let (images, sum, learners, microBatch) = (images, sum, learners, microBatch)
        let (objective, spec, smoothing, penalty) = (objective, spec, settings.labelSmoothing, penalty)
        let turns = Turns()
        sum.clear()
        try Parallel.forEach(range.count, threads: threads) { part in
            do {
                try learners.withNetwork { network in
                    let first = (range.lowerBound + part) * microBatch
                    let members = order[first..<first + microBatch]
                    for (place, member) in members.enumerated() {
                        network.setImage(place, from: images.values, at: images.start(of: member))
                    }
                    let address = dropout.substream("micro-batch", range.lowerBound + part)
                    let labels = members.map { images.labels[$0] }
                    let logits = try network.forward(random: address, labels: labels)
                    var result = objective.loss(logits, of: members, images, spec, smoothing: smoothing)
                    try network.backward(result.gradient)
                    if let penalty {
                        network.keepGradients()
                        result.loss += try penalty.add(to: network, logKernels: logits) { () throws(LearningError) in
                            try network.forward(random: address, labels: labels)
                        }
                    }
                    let (loss, correct) = (result.loss, result.correct)
                    try turns.take(part) {
                        try sum.add(network, loss: loss, correct: correct, part: part)
                    }
                }
            } catch {
                turns.abandon()
                throw error
            }
        }
        try sum.finish(parts: range.count)
    }

    /// - Returns: mean loss and accuracy over the validation images; nil without any.
    func validate(_ weights: Weights, isCancelled: () -> Bool) throws -> (loss: Double, accuracy: Double)? {
        if split.validation.isEmpty { return nil }
        if isCancelled() { throw CancellationError() }
        try judges.load(values: weights.values)
        let logits = try judges.logits(of: images, at: split.validation, threads: threads)
        let result = objective.loss(logits, of: split.validation[...], images, spec)
        let count = Double(split.validation.count)
        return (result.loss / count, Double(result.correct) / count)
    }
}
