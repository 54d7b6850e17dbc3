#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How certain networks with centroids are of one image: J. van Amersfoort et al., arXiv:2003.02037, here of an ensemble.
public struct KernelCertainty: Hashable, Sendable {
    /// K_c, mean over the members: 1 on a class's centroid, 0 far from it.
    public let kernels: [Double]
    /// Mean over the members of −log K of the nearest centroid: how far the image is from all that was learnt.
    public let distance: Double

    /// - Parameter logKernels: logits of each member, one for each class; one member or more.
    public init(logKernels: [[Double]]) {
        precondition(!logKernels.isEmpty, "certainty of no network")
        let count = Double(logKernels.count)
        kernels = logKernels[0].indices.map { label in logKernels.reduce(0) { $0 + exp($1[label]) } / count }
        distance = logKernels.reduce(0) { $0 - ($1.max() ?? 0) } / count
    }

    /// The largest kernel.
    public var certainty: Double { kernels.max() ?? 0 }
}

/// What is right of the most certain images, where the others are left aside.
public struct RejectionCurve: Hashable, Sendable {
    public struct Point: Hashable, Sendable {
        /// Fraction of the images that is kept.
        public var kept: Double
        /// Of the least certain image that is kept.
        public var certainty: Double
        /// Fraction of the kept images that are named rightly.
        public var accuracy: Double
    }

    /// By falling fraction kept; at most `points`.
    public let points: [Point]

    /// - Parameter images: certainty of each image, and whether it was named rightly; equal certainties stay together.
    public init(_ images: [(certainty: Double, isRight: Bool)], points count: Int = 20) {
        let ordered = images.sorted { $0.certainty > $1.certainty }
        var points: [Point] = []
        var right = 0
        var next = 0
        for part in 1...max(1, count) where !ordered.isEmpty {
            var end = max(1, ordered.count * part / count)
            while end < ordered.count, ordered[end].certainty == ordered[end - 1].certainty { end += 1 }
            if end <= next { continue }
            right += ordered[next..<end].count { $0.isRight }
            next = end
            points.append(
                Point(
                    kept: Double(end) / Double(ordered.count), certainty: ordered[end - 1].certainty,
                    accuracy: Double(right) / Double(end)))
        }
        self.points = points.reversed()
    }
}
