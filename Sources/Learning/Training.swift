import Compute
import Devices

/// What one epoch gave.
public struct EpochReport: Hashable, Sendable {
    /// From 1.
    public var epoch: Int
    /// Mean loss over the epoch's training images, as the weights were when each was seen, with the penalty on gradients.
    public var loss: Double
    /// Fraction of images named rightly; 0 where a density is learnt.
    public var accuracy: Double
    /// After the epoch; nil without validation images.
    public var validationLoss: Double?
    public var validationAccuracy: Double?
    /// At the end of the epoch.
    public var learningRate: Double
    /// Whether this epoch's weights are the best so far.
    public var isBest: Bool

    public init(
        epoch: Int, loss: Double, accuracy: Double, validationLoss: Double?, validationAccuracy: Double?,
        learningRate: Double, isBest: Bool
    ) {
        self.epoch = epoch
        self.loss = loss
        self.accuracy = accuracy
        self.validationLoss = validationLoss
        self.validationAccuracy = validationAccuracy
        self.learningRate = learningRate
        self.isBest = isBest
    }
}

public struct TrainingResult: Hashable, Sendable {
    /// Those after `keptEpoch`.
    public var weights: Weights
    /// The epoch of the lowest validation loss, or of the lowest training loss without validation images.
    public var bestEpoch: Int
    /// `bestEpoch`, or the last one trained, as the settings say.
    public var keptEpoch: Int
    public var history: [EpochReport]
    /// Whether patience ended the training before the last epoch.
    public var stoppedEarly: Bool
}

/// Trains a network.
///
/// Same data, settings and random stream give the same bits, for any number of threads: images go through in
/// micro-batches whose gradients are added in a fixed order. An epoch shuffles the images anew; the few that do not
/// fill the last micro-batch are left out of it.
///
/// - Parameter objective: what is made small.
/// - Parameter random: addresses initial weights, shuffling and dropout.
/// - Parameter initial: weights to begin with; nil: random ones.
/// - Parameter state: where to go on, from `afterEpoch` of a training with the same network, images, split, random stream
///   and settings but for `epochs`. The result is that of an undisturbed training, bit for bit, unless the schedule
///   depends on the number of epochs and that is another. A state that does not fit is not used.
/// - Parameter device: computes the epochs in place of the CPU; weights after an update agree to rounding (in bf16, to its), and
///   either goes on from the other's state.
/// - Parameter progress: called after each epoch, on the calling thread.
/// - Parameter afterEpoch: called after each epoch with whether it is the last, and with how to take the state then.
/// - Throws: `LearningError` for unusable settings, data or layers and when the loss is no longer finite;
///   `CancellationError` soon after `isCancelled` says true; what `afterEpoch` throws.
public func train(
    _ spec: NetworkSpec, on images: ImageSet, split: Split, objective: TrainingObjective = .classes,
    settings: TrainingSettings, random: RandomStream, initial: Weights? = nil, from state: TrainingState? = nil,
    threads: Int = 1, on device: NetworkDevice? = nil,
    progress: (EpochReport) -> Void = { _ in },
    afterEpoch: (_ isLast: Bool, _ state: () throws -> TrainingState) throws -> Void = { _, _ in },
    isCancelled: () -> Bool = { false }
) throws -> TrainingResult {
    try settings.validate()
    try images.check(fit: spec, split)
    try objective.check(spec, images, split)
    try initial?.check(fit: spec)
    var weights = initial ?? Weights(initialising: spec, random: random.substream("weights"))
    let trainer: any EpochTrainer =
        if let device {
            try DeviceTrainer(spec, images, split, objective, settings, random: random, on: device)
        } else {
            try HostTrainer(spec, images, split, objective, settings, random: random, threads: threads)
        }
    var best = (loss: Double.infinity, epoch: 0, weights: weights)
    var history: [EpochReport] = []
    if let state, state.fits(spec, settings) {
        weights.values = state.weights
        best.weights.values = state.bestWeights
        (best.loss, best.epoch, history) = (state.bestLoss, state.bestEpoch, state.history)
        try trainer.restore(state)
    }
    func isPatienceOver() -> Bool {
        guard let patience = settings.patience, !history.isEmpty else { return false }
        return history.count - best.epoch >= patience
    }
    while history.count < settings.epochs, !isPatienceOver() {
        let epoch = history.count + 1
        let (loss, accuracy) = try trainer.runEpoch(epoch, &weights, isCancelled: isCancelled)
        if !loss.isFinite || !weights.values.allSatisfy(\.isFinite) { throw LearningError.diverged(epoch: epoch) }
        let validation = try trainer.validate(weights, isCancelled: isCancelled)
        let watched = validation?.loss ?? loss
        let isBest = watched < best.loss
        if isBest { best = (watched, epoch, weights) }
        let report = EpochReport(
            epoch: epoch, loss: loss, accuracy: accuracy, validationLoss: validation?.loss,
            validationAccuracy: validation?.accuracy,
            learningRate: settings.learningRate(after: Double(epoch)), isBest: isBest)
        history.append(report)
        progress(report)
        try afterEpoch(epoch == settings.epochs || isPatienceOver()) {
            let (first, second, updates) = try trainer.memory
            return TrainingState(
                weights: weights.values, bestWeights: best.weights.values, bestLoss: best.loss, bestEpoch: best.epoch,
                firstMoments: first, secondMoments: second, updates: updates, history: history)
        }
    }
    // A validation loss that was never finite leaves no best epoch.
    if best.epoch == 0 { throw LearningError.diverged(epoch: 1) }
    let keepsBest = settings.keep == .best
    return TrainingResult(
        weights: keepsBest ? best.weights : weights, bestEpoch: best.epoch,
        keptEpoch: keepsBest ? best.epoch : history.count, history: history,
        stoppedEarly: history.count < settings.epochs)
}

/// Who computes the epochs of one training.
protocol EpochTrainer {
    /// - Returns: mean loss and accuracy over the images seen.
    func runEpoch(
        _ epoch: Int, _ weights: inout Weights, isCancelled: () -> Bool
    ) throws -> (loss: Double, accuracy: Double)
    /// - Returns: mean loss and accuracy over the validation images; nil without any.
    func validate(_ weights: Weights, isCancelled: () -> Bool) throws -> (loss: Double, accuracy: Double)?
    /// What the optimiser remembers, in the order of `Weights.values`.
    var memory: (first: [Float], second: [Float], updates: Int) { get throws }
    func restore(_ state: TrainingState) throws
}

extension ImageSet {
    /// - Throws: `LearningError.images` where a network cannot learn from this set.
    fileprivate func check(fit spec: NetworkSpec, _ split: Split) throws(LearningError) {
        try check(fit: spec)
        if split.training.isEmpty {
            throw .images(problem: "none are left for training", hint: "give more samples or set fewer aside")
        }
        let both = Set(split.training).intersection(split.validation)
        if let shared = both.min() {
            throw .images(
                problem: "image \(shared) is both for training and for validation", hint: "split the set by origin")
        }
        for (name, members) in [("training", split.training), ("validation", split.validation)] {
            if let outside = members.first(where: { !labels.indices.contains($0) }) {
                throw .images(
                    problem: "\(name) image \(outside) is not among the \(count) images", hint: "split this very set")
            }
        }
    }

    /// - Throws: `LearningError.images` when images or labels are not those of the network.
    func check(fit spec: NetworkSpec) throws(LearningError) {
        if shape != spec.inputShape {
            throw .images(
                problem: "they have shape \(shape), the network takes \(spec.inputShape)",
                hint: "images must be made on the grid that the network was declared for")
        }
        if let bad = labels.firstIndex(where: { $0 >= spec.classes }) {
            throw .images(
                problem: "image \(bad) ('\(origins[bad])') has label \(labels[bad]), there are \(spec.classes) classes",
                hint: "labels count from 0")
        }
    }
}
