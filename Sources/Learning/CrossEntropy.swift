import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Probabilities from logits [samples, classes]: exp(z/T) / Σ exp(z/T) in each row.
///
/// - Parameter temperature: T > 0; 1 takes the network at its word, larger values make it more modest.
public func softmax(_ logits: Tensor<Float>, temperature: Double = 1) -> Tensor<Double> {
    precondition(logits.shape.count == 2 && temperature > 0, "softmax of shape \(logits.shape) at \(temperature)")
    let classes = logits.shape[1]
    var result: [Double] = []
    result.reserveCapacity(logits.count)
    for row in 0..<logits.shape[0] {
        result += probabilities(logits.elements[row * classes..<(row + 1) * classes].map { Double($0) / temperature })
    }
    return Tensor(shape: logits.shape, elements: result)
}

/// Softmax of one row.
public func probabilities(_ logits: [Double]) -> [Double] {
    let top = logits.max() ?? 0
    let exponentials = logits.map { exp($0 - top) }
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
}

/// The loss of one micro-batch, and how to reduce it.
struct CrossEntropy {
    /// Sum over images of −Σ y log p.
    private(set) var loss = 0.0
    /// Images whose largest logit is that of their class.
    private(set) var correct = 0
    /// Of the mean loss, with respect to the logits [images, classes].
    private(set) var gradient: [Float]

    /// - Parameter smoothing: ε of label smoothing (Szegedy et al., arXiv:1512.00567): the target is 1 − ε + ε/K for
    ///   the class and ε/K for the others.
    init(logits: [Float], labels: [Int], classes: Int, smoothing: Double = 0) {
        gradient = []
        gradient.reserveCapacity(labels.count * classes)
        for (row, label) in labels.enumerated() {
            let z = logits[row * classes..<(row + 1) * classes].map { Double($0) }
            let top = z.max() ?? 0
            let logSum = top + log(z.reduce(0) { $0 + exp($1 - top) })
            for index in 0..<classes {
                let target = (index == label ? 1 - smoothing : 0) + smoothing / Double(classes)
                loss += target * (logSum - z[index])
                gradient.append(Float((exp(z[index] - logSum) - target) / Double(labels.count)))
            }
            if (0..<classes).allSatisfy({ $0 == label || z[$0] < z[label] }) { correct += 1 }
        }
    }
}
