/// A training between two epochs: all that is needed to go on as if it had never stopped.
public struct TrainingState: Hashable, Sendable {
    /// The weights now, and after the best epoch, in the order of `Weights.values`.
    public var weights: [Float]
    public var bestWeights: [Float]
    /// Watched at the best epoch; infinite before the first.
    public var bestLoss: Double
    public var bestEpoch: Int
    /// What the optimiser remembers: velocities, or Adam's first moments; Adam's second moments, else empty.
    public var firstMoments: [Float]
    public var secondMoments: [Float]
    /// Updates of the weights so far.
    public var updates: Int
    /// Of every epoch so far.
    public var history: [EpochReport]

    /// The last epoch that is done.
    public var epoch: Int { history.count }

    public init(
        weights: [Float], bestWeights: [Float], bestLoss: Double, bestEpoch: Int, firstMoments: [Float],
        secondMoments: [Float], updates: Int, history: [EpochReport]
    ) {
        self.weights = weights
        self.bestWeights = bestWeights
        self.bestLoss = bestLoss
        self.bestEpoch = bestEpoch
        self.firstMoments = firstMoments
        self.secondMoments = secondMoments
        self.updates = updates
        self.history = history
    }

    /// Whether it is of a training of `spec` with `optimiser`, of at most `epochs` epochs.
    public func fits(_ spec: NetworkSpec, _ settings: TrainingSettings) -> Bool {
        let count = spec.parameterCount
        var moments = 0
        if case .adam = settings.optimiser { moments = count }
        return epoch >= 1 && epoch <= settings.epochs && weights.count == count && bestWeights.count == count
            && firstMoments.count == count && secondMoments.count == moments && (1...epoch).contains(bestEpoch)
    }
}
