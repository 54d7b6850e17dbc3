import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What several networks, trained from different beginnings, say together (Lakshminarayanan et al., arXiv:1612.01474).
public struct EnsemblePrediction: Hashable, Sendable {
    /// Mean of the members' probabilities, [images, classes].
    public var probabilities: Tensor<Double>
    /// Standard deviation of the members' probabilities (n − 1 in the denominator; 0 for one member).
    public var deviation: Tensor<Double>
    /// Entropy of the mean probabilities for each image, in nats: all uncertainty.
    public var entropy: [Double]
    /// Entropy of the mean minus mean entropy of the members, in nats: the part that comes from their disagreement, and
    /// is large where an image is unlike those trained on. 0 or more.
    public var mutualInformation: [Double]

    /// - Parameter members: probabilities [images, classes] of each member.
    public init(_ members: [Tensor<Double>]) throws(LearningError) {
        guard let first = members.first, first.shape.count == 2 else {
            throw .predictions(problem: "an ensemble needs one member or more, with probabilities [images, classes]")
        }
        if let other = members.first(where: { $0.shape != first.shape }) {
            throw .predictions(problem: "members of shapes \(first.shape) and \(other.shape)")
        }
        let count = Double(members.count)
        let mean = first.elements.indices.map { index in members.reduce(0) { $0 + $1.elements[index] } / count }
        let variance = mean.indices.map { index in
            members.reduce(0) { $0 + ($1.elements[index] - mean[index]) * ($1.elements[index] - mean[index]) }
                / max(1, count - 1)
        }
        probabilities = Tensor(shape: first.shape, elements: mean)
        deviation = Tensor(shape: first.shape, elements: variance.map { $0.squareRoot() })
        let whole = Self.entropies(probabilities)
        entropy = whole
        let parts = members.map { Self.entropies($0) }
        mutualInformation = whole.indices.map { row in
            max(0, whole[row] - parts.reduce(0) { $0 + $1[row] } / count)
        }
    }

    private static func entropies(_ probabilities: Tensor<Double>) -> [Double] {
        let classes = probabilities.shape[1]
        return (0..<probabilities.shape[0]).map { row in
            probabilities.elements[row * classes..<(row + 1) * classes].reduce(0) { $1 > 0 ? $0 - $1 * log($1) : $0 }
        }
    }
}
