/// What the micro-batches of one update add up to.
///
/// `@unchecked Sendable`: `Turns` lets one thread at a time add to it.
final class GradientSum: @unchecked Sendable {
    let values: FloatBuffer
    private(set) var loss = 0.0
    private(set) var correct = 0
    private let deferred: DeferredKernels
    /// All arrays but those that are deferred.
    private var ranges: [Range<Int>] = []

    /// - Parameter parts: micro-batches in an update, at most.
    /// - Parameter defersFrom: as the networks were built.
    init(
        _ spec: NetworkSpec, microBatch: Int, parts: Int, precision: Precision, defersFrom: Int
    ) throws(LearningError) {
        values = FloatBuffer(count: spec.parameterCount)
        deferred = try DeferredKernels(
            spec, microBatch: microBatch, parts: parts, precision: precision, from: defersFrom)
        var start = 0
        for range in deferred.ranges {
            ranges.append(start..<range.lowerBound)
            start = range.upperBound
        }
        ranges.append(start..<spec.parameterCount)
    }

    func clear() {
        for range in ranges { values.clear(range) }
        loss = 0
        correct = 0
    }

    /// Adds what a network found in part `part` of the update; to be called in the order of the parts.
    func add(_ network: Network, loss: Double, correct: Int, part: Int) throws(LearningError) {
        for range in ranges { network.addGradients(to: values, range) }
        try deferred.take(part, from: network)
        self.loss += loss
        self.correct += correct
    }

    /// After the last of `parts` parts.
    func finish(parts: Int) throws(LearningError) { try deferred.finish(parts: parts, into: values) }
}
