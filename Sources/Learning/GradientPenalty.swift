#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The two-sided penalty on how fast the kernels change with the image (J. van Amersfoort et al., arXiv:2003.02037; the length
/// itself, not its square, as their program and that of the published study have it):
///
///     P = λ/B Σ_i (|g_i| − 1)²,   g = ∂S/∂X,   S = Σ_images Σ_c K_c
///
/// Without it images unlike all that was learnt may fall on a centroid; with it the network has to follow what changes.
///
/// Its gradient asks for second derivatives: with v_i = 2 (|g_i| − 1) g_i/|g_i|,
///
///     ∂P/∂θ = λ/B ∂/∂ε [∂S/∂θ (X + ε v)]  ≈  λ/B [∂S/∂θ (X + ε v) − ∂S/∂θ (X − ε v)] / 2ε
///
/// two passes in place of a second derivative of every layer. All images move at once, so that what batch-norm lets them
/// share is in it. The error is of order ε² where the layers are smooth. Across the kink of a ReLU this sees the change of
/// slope that differentiating twice leaves out: it is the slope of the penalty smoothed over ±ε.
struct GradientPenalty {
    /// λ
    let weight: Double

    /// How far the image that moves most is moved, where no length is above 1. S changes by about that much at the length 1 that is
    /// aimed at: far above the rounding of single precision (1e-7 of S), far below where S bends. A move of many large numbers is
    /// rounded itself: at 4,096 pixels of 100, 300, 1,000 and 3,000 gradients are off by 0.3, 1, 4 and 9 %. Larger moves would be worse, as
    /// S bends; log1p or unit-mean before is the remedy.
    static let step = 0.02

    /// nil where there is nothing to penalise.
    init?(_ spec: NetworkSpec) {
        guard let weight = spec.centroids?.gradientPenalty, weight > 0 else { return nil }
        self.weight = weight
    }

    /// Adds the penalty's gradient, for the mean over the images, to what `network` has kept.
    ///
    /// - Parameters:
    ///   - logKernels: what `network` gave for the images that it holds, [images, classes].
    ///   - again: another pass forward, with the same dropout.
    /// - Returns: the sum of the images' penalties.
    func add(
        to network: Network, logKernels: [Float], again: () throws(LearningError) -> [Float]
    ) throws(LearningError) -> Double {
        let (batch, size) = (network.batch, network.spec.imageSize)
        try network.backward(Self.kernels(logKernels))
        let gradient = try network.inputGradient
        var loss = 0.0
        var longest = 1.0
        var farthest = 0.0
        let images = network.images
        // v without λ/B.
        var direction = gradient
        for image in 0..<batch {
            let range = image * size..<(image + 1) * size
            let length = Self.length(gradient[range])
            loss += weight * (length - 1) * (length - 1)
            longest = max(longest, length)
            farthest = max(farthest, abs(2 * (length - 1)))
            // No direction where nothing changes: the corner of |g|. In double precision, as lengths are tiny far from all centroids.
            let factor = length > 0 ? 2 * (length - 1) / length : 0
            for index in range { direction[index] = Float(factor * Double(gradient[index])) }
        }
        if !(farthest > 0) { return loss }
        let epsilon = Self.step / longest / farthest
        for sign in [1.0, -1.0] {
            let move = Float(sign * epsilon)
            network.images = zip(images, direction).map { $0 + move * $1 }
            try network.backward(Self.kernels(again()))
            network.keepGradients(factor: Float(sign * weight / Double(batch) / (2 * epsilon)))
        }
        return loss
    }

    private static func length(_ vector: ArraySlice<Float>) -> Double {
        vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    /// ∂S/∂ log K = K
    private static func kernels(_ logKernels: [Float]) -> [Float] { logKernels.map { Float(exp(Double($0))) } }
}
