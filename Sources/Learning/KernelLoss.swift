#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The loss of one micro-batch of a network with centroids: cross-entropy of each class's kernel with "is it this class?"
/// (J. van Amersfoort et al., arXiv:2003.02037), its mean over the classes, as their program has it.
///
///     L = −(1/C) Σ_c [ y_c log K_c + (1 − y_c) log(1 − K_c) ]
///
/// Written in log K_c, which has a slope for an image however far it lies from its centroid.
struct KernelLoss {
    /// Sum over images.
    private(set) var loss = 0.0
    /// Images whose largest kernel is that of their class.
    private(set) var correct = 0
    /// Of the mean loss, with respect to log K, [images, classes].
    private(set) var gradient: [Float] = []

    /// log(1 − K) diverges where an image lies on another class's centroid; nearer than this it counts as so near.
    static let nearest = 1e-6

    /// - Parameter logKernels: [images, classes], none above 0.
    /// - Parameter smoothing: ε: y is 1 − ε + ε/C for the class and ε/C for the others.
    init(logKernels: [Float], labels: [Int], classes: Int, smoothing: Double = 0) {
        gradient.reserveCapacity(logKernels.count)
        let count = Double(classes)
        for (row, label) in labels.enumerated() {
            let z = logKernels[row * classes..<(row + 1) * classes].map { Double($0) }
            for (index, value) in z.enumerated() {
                let target = (index == label ? 1 - smoothing : 0) + smoothing / count
                let distance = max(-value, Self.nearest)
                // 1 − K = 1 − e^(−distance)
                loss -= (target * value + (1 - target) * log(-expm1(-distance))) / count
                let slope = value < -Self.nearest ? (1 - target) / expm1(distance) : 0
                gradient.append(Float((slope - target) / count / Double(labels.count)))
            }
            if (0..<classes).allSatisfy({ $0 == label || z[$0] < z[label] }) { correct += 1 }
        }
    }
}
