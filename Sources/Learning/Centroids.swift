import Compute

/// How a network's last layer measures what it sees against one centroid for each class: deterministic uncertainty
/// quantification (J. van Amersfoort et al., arXiv:2003.02037).
///
/// From features f, each class's own matrix W_c [n, features] makes an embedding, and the layer gives
///
///     log K_c = −|W_c f − e_c|² / (2 n σ²)
///
/// so that K_c = 1 at the class's centroid and 0 far from all: where no K_c is large, the image is like nothing that was
/// learnt. Logits are these logarithms, and softmax makes class probabilities K_c/Σ K of them. Centroids are not learnt by
/// gradient. They follow the embeddings of their class's images, e_c = m_c/N_c, with
///
///     N_c ← γ N_c + (1 − γ) n_c,   m_c ← γ m_c + (1 − γ) Σ W_c f
///
/// over the images of each micro-batch (their mean over the micro-batches of an update), as the weights were when it passed;
/// where an update has none of a class, its centroid stays.
public struct Centroids: Hashable, Sendable {
    public var classes: Int
    /// n
    public var width: Int
    /// σ, in units of the embedding's root mean square.
    public var lengthScale: Double
    /// γ
    public var momentum: Double
    /// λ of the two-sided penalty on the length of the kernels' gradient with respect to the image; 0: none.
    public var gradientPenalty: Double

    public init(
        classes: Int, width: Int = 64, lengthScale: Double = 1, momentum: Double = 0.99, gradientPenalty: Double = 0.1
    ) {
        self.classes = classes
        self.width = width
        self.lengthScale = lengthScale
        self.momentum = momentum
        self.gradientPenalty = gradientPenalty
    }

    /// Spread of the centroids before training.
    static let initialSpread = 0.05

    /// - Parameter number: of this layer, from 1, for messages.
    func validate(number: Int) throws(LearningError) {
        func require(_ isRight: Bool, _ problem: String, _ hint: String) throws(LearningError) {
            if !isRight { throw .layer(number: number, problem: "centroids with \(problem)", hint: hint) }
        }
        try require(classes >= 2, "\(classes) classes", "give as many as there are classes")
        try require(width >= 1, "an embedding of \(width) numbers", "give 1 or more; 16 to 512 are usual")
        try require(lengthScale > 0 && lengthScale.isFinite, "length scale \(lengthScale)", "0.1 to 1 are usual")
        try require(momentum >= 0 && momentum < 1, "momentum \(momentum)", "give 0 ≤ momentum < 1; 0.99 is usual")
        try require(
            gradientPenalty >= 0 && gradientPenalty.isFinite, "gradient penalty \(gradientPenalty)",
            "0 for none; 0.05 to 1 are usual")
    }

    // MARK: The layer, in loops. Embeddings u = W_c f − e_c are [images, classes, n]; buffers may be larger than what they hold.

    /// log K_c, [images, classes].
    func logKernels(_ embeddings: Span<Float>, images: Int, into result: inout MutableSpan<Float>) {
        let factor = -1 / (2 * lengthScale * lengthScale * Double(width))
        for row in 0..<images * classes {
            var sum = 0.0
            for index in row * width..<(row + 1) * width {
                sum += Double(embeddings[index]) * Double(embeddings[index])
            }
            result[row] = Float(factor * sum)
        }
    }

    /// From the gradient of log K_c to that of the embeddings.
    func backward(
        _ embeddings: Span<Float>, _ gradient: Span<Float>, images: Int, into result: inout MutableSpan<Float>
    ) {
        let factor = Float(-1 / (lengthScale * lengthScale * Double(width)))
        for row in 0..<images * classes {
            let slope = factor * gradient[row]
            for index in row * width..<(row + 1) * width { result[index] = slope * embeddings[index] }
        }
    }

    /// Σ W_c f over the images of each class, [classes, n], and how many there are, [classes].
    ///
    /// - Parameter offsets: −e_c, [classes, n].
    func statistics(_ embeddings: Span<Float>, offsets: Span<Float>, labels: [Int]) -> (sums: [Float], counts: [Float])
    {
        var sums = [Double](repeating: 0, count: classes * width)
        var counts = [Float](repeating: 0, count: classes)
        for (image, label) in labels.enumerated() {
            counts[label] += 1
            for index in label * width..<(label + 1) * width {
                sums[index] += Double(embeddings[image * classes * width + index]) - Double(offsets[index])
            }
        }
        return (sums.map { Float($0) }, counts)
    }

    /// −e_c = −m_c/N_c, [classes, n].
    func offsets(sums: Span<Float>, counts: Span<Float>, into result: inout MutableSpan<Float>) {
        for index in 0..<classes * width { result[index] = -sums[index] / counts[index / width] }
    }
}

extension NetworkSpec {
    /// Of the last layer, where it has centroids.
    public var centroids: Centroids? {
        if case .centroids(let centroids)? = layers.last { return centroids }
        return nil
    }
}
