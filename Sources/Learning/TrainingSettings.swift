#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How a network is trained.
public struct TrainingSettings: Hashable, Sendable {
    public enum Optimiser: Hashable, Sendable {
        /// v ← momentum·v + g; w ← w − rate·v
        case sgd(momentum: Double = 0.9)
        /// Kingma and Ba, arXiv:1412.6980.
        case adam(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8)
    }

    /// How the learning rate changes, as a factor of `learningRate`.
    public enum Schedule: Hashable, Sendable {
        case constant
        /// Multiplied by `factor` after every so many epochs.
        case step(every: Int, factor: Double)
        /// Half a cosine from 1 to `final` over all epochs.
        case cosine(final: Double = 0)
    }

    /// Which epoch's weights are kept.
    public enum Keep: String, Hashable, Sendable, CaseIterable {
        /// That of the lowest validation loss, or of the lowest training loss without validation images.
        case best
        /// The last one. With a small validation set, whose loss is mostly chance, the last epoch of a schedule that
        /// ends near zero is usually at least as good as the best one.
        case last
    }

    /// Passes over the training images, at most.
    public var epochs = 30
    /// Images between two updates of the weights.
    public var batchSize = 32
    /// Images that go through the network together; batch-norm takes its statistics from them ("ghost batches"). The
    /// answer depends on it, but never on the number of threads. Small ones keep activations in cache.
    public var microBatchSize = 8
    public var learningRate = 1e-3
    public var optimiser = Optimiser.adam()
    public var schedule = Schedule.cosine()
    /// Epochs over which the rate first rises from zero.
    public var warmUp = 0.0
    /// Decoupled (Loshchilov and Hutter, arXiv:1711.05101): each update shrinks kernels by rate·weightDecay.
    public var weightDecay = 0.0
    public var labelSmoothing = 0.0
    /// Longest allowed gradient (Euclidean norm over all weights); nil: any.
    public var gradientClipping: Double?
    /// Stop when the validation loss has not improved for so many epochs; nil: never.
    public var patience: Int?
    public var keep = Keep.best
    /// Of the layers with kernels while training; validation images and everything later are judged in single precision.
    public var precision = Precision.f32
    /// Part of each new statistic in the running statistics of batch-norm.
    public var batchNormMomentum = 0.1

    public init() {}

    /// The learning rate after `progress` epochs (not whole).
    public func learningRate(after progress: Double) -> Double {
        let factor: Double
        switch schedule {
        case .constant: factor = 1
        case .step(let every, let step): factor = pow(step, (progress / Double(every)).rounded(.down))
        case .cosine(let final):
            factor = final + (1 - final) * 0.5 * (1 + cos(Double.pi * min(1, progress / Double(epochs))))
        }
        let rise = warmUp > 0 ? min(1, progress / warmUp) : 1
        return learningRate * factor * rise
    }

    /// - Throws: `LearningError.setting` for the first value outside its range.
    public func validate() throws(LearningError) {
        func require(_ condition: Bool, _ name: String, _ problem: String) throws(LearningError) {
            if !condition { throw .setting(name: name, problem: problem) }
        }
        try require(epochs >= 1, "epochs", "\(epochs) is less than 1")
        try require(batchSize >= 1, "batch-size", "\(batchSize) is less than 1")
        try require(microBatchSize >= 1, "micro-batch-size", "\(microBatchSize) is less than 1")
        try require(
            batchSize <= microBatchSize || batchSize % microBatchSize == 0, "batch-size",
            "\(batchSize) is not a multiple of the micro-batch size \(microBatchSize)")
        try require(learningRate > 0 && learningRate.isFinite, "learning-rate", "\(learningRate) is not above 0")
        try require(warmUp >= 0 && warmUp.isFinite, "warm-up", "\(warmUp) is less than 0 epochs")
        try require(weightDecay >= 0 && weightDecay.isFinite, "weight-decay", "\(weightDecay) is less than 0")
        try require(
            labelSmoothing >= 0 && labelSmoothing < 1, "label-smoothing", "\(labelSmoothing) is outside 0 ≤ ε < 1")
        try require(gradientClipping ?? 1 > 0, "gradient-clipping", "\(gradientClipping ?? 0) is not above 0")
        try require(patience ?? 1 >= 1, "patience", "\(patience ?? 0) is less than 1 epoch")
        try require(
            batchNormMomentum > 0 && batchNormMomentum <= 1, "batch-norm-momentum",
            "\(batchNormMomentum) is outside 0 < momentum ≤ 1")
        switch optimiser {
        case .sgd(let momentum):
            try require(momentum >= 0 && momentum < 1, "momentum", "\(momentum) is outside 0 ≤ momentum < 1")
        case .adam(let beta1, let beta2, let epsilon):
            try require(beta1 >= 0 && beta1 < 1, "beta1", "\(beta1) is outside 0 ≤ β < 1")
            try require(beta2 >= 0 && beta2 < 1, "beta2", "\(beta2) is outside 0 ≤ β < 1")
            try require(epsilon > 0, "epsilon", "\(epsilon) is not above 0")
        }
        switch schedule {
        case .constant: break
        case .step(let every, let factor):
            try require(every >= 1, "schedule", "a step every \(every) epochs; give 1 or more")
            try require(factor > 0 && factor <= 1, "schedule", "factor \(factor) is outside 0 < factor ≤ 1")
        case .cosine(let final):
            try require(final >= 0 && final <= 1, "schedule", "final factor \(final) is outside 0 ≤ factor ≤ 1")
        }
    }
}
