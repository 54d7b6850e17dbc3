import Tensors

/// The temperature that makes probabilities softmax(z/T) most likely given the labels of a validation set (Guo et al.,
/// arXiv:1706.04599). It changes no decision, only how sure the classifier says it is.
///
/// The log-likelihood is concave in 1/T: its derivative is bisected, to a relative accuracy of 1e-9.
///
/// - Parameter logits: [images, classes].
/// - Returns: T between 1/20 and 20; the lower end when every image is right, where the best T would be 0.
public func temperature(fitting logits: Tensor<Float>, labels: [Int]) throws(LearningError) -> Double {
    guard logits.shape.count == 2, logits.shape[0] == labels.count, !labels.isEmpty else {
        throw .predictions(problem: "logits of shape \(logits.shape) for \(labels.count) labels; one row a label")
    }
    let classes = logits.shape[1]
    if let bad = labels.first(where: { !(0..<classes).contains($0) }) {
        throw .predictions(problem: "label \(bad) among \(classes) classes")
    }
    let rows = labels.indices.map { logits.elements[$0 * classes..<($0 + 1) * classes].map { Double($0) } }
    /// d/dβ of the negative log-likelihood at β = 1/T: Σ (⟨z⟩ − z of the true class).
    func slope(_ inverse: Double) -> Double {
        zip(rows, labels).reduce(0) { sum, pair in
            let p = probabilities(pair.0.map { $0 * inverse })
            return sum + zip(p, pair.0).reduce(0) { $0 + $1.0 * $1.1 } - pair.0[pair.1]
        }
    }
    var (low, high) = (1.0 / 20, 20.0)
    if slope(low) >= 0 { return 1 / low }
    if slope(high) <= 0 { return 1 / high }
    while high - low > 1e-9 * low {
        let middle = (low + high) / 2
        if slope(middle) < 0 { low = middle } else { high = middle }
    }
    return 2 / (low + high)
}
