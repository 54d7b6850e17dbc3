import Compute
import Tensors

/// Gradients of a class score, averaged over noisy copies of the image.
public struct SmoothGradients: Hashable, Sendable {
    /// Shape of the image: the mean of ∂F/∂x, score per unit of intensity.
    public var gradient: Tensor<Float>
    /// gradient × (image − baseline), in units of the score: comparable with integrated gradients, but without their sum rule.
    public var attribution: Tensor<Float>
    /// Standard deviation of the noise, in the units of the image.
    public var deviation: Double
}

extension Classifier {
    /// SmoothGrad (D. Smilkov et al., arXiv:1706.03825):
    ///
    ///     G_i = (1/n) Σ_d ∂F/∂x_i (x + σ ε_d),   ε_d ~ N(0, 1)
    ///
    /// with σ a fraction of the image's range. Pixels that are exactly 0, as masked ones are, get no noise.
    ///
    /// - Parameter noise: σ / (largest − smallest pixel that is not 0); 0.1 to 0.2 in the paper.
    /// - Parameter draws: n; draw d reads `random.substream("draw", d)` at the pixel's number.
    /// - Parameter baseline: an image without evidence, for `attribution`; nil: `NetworkSpec.neutralBaseline`.
    public func smoothGradients(
        of image: Tensor<Float>, baseline: Tensor<Float>? = nil, class index: Int, score: ClassScore = .logOdds,
        noise: Double = 0.1, draws: Int = 32, random: RandomStream
    ) throws(LearningError) -> SmoothGradients {
        try check(image, "the image")
        let baseline = baseline ?? spec.neutralBaseline(for: image)
        try check(baseline, "the baseline")
        try check(classIndex: index)
        if draws < 1 { throw .setting(name: "draws", problem: "\(draws) is less than 1") }
        if !(noise >= 0 && noise.isFinite) { throw .setting(name: "noise", problem: "\(noise) is not 0 or more") }
        let seen = image.elements.filter { $0 != 0 }
        let deviation = noise * Double((seen.max() ?? 0) - (seen.min() ?? 0))
        let size = spec.imageSize
        let batch = min(Self.batch, draws)
        let network = try Network(spec, batch: batch, mode: .attribution)
        try network.load(weights)
        var mean = [Double](repeating: 0, count: size)
        for start in stride(from: 0, to: draws, by: batch) {
            let used = min(batch, draws - start)
            for place in 0..<used {
                let stream = random.substream("draw", start + place)
                var noisy = image.elements
                for pixel in 0..<size where noisy[pixel] != 0 {
                    noisy[pixel] += Float(deviation * stream.normal(at: pixel))
                }
                network.setImage(place, from: noisy)
            }
            network.clearImages(from: used)
            let logits = try network.forward()
            var gradient = [Float](repeating: 0, count: batch * spec.classes)
            for place in 0..<used {
                let row = logits[place * spec.classes..<(place + 1) * spec.classes].map { Double($0) }
                for (offset, value) in score.gradient(row, index).enumerated() {
                    gradient[place * spec.classes + offset] = Float(value)
                }
            }
            try network.backward(gradient)
            let pixels = try network.activationGradient(0)
            for place in 0..<used {
                for pixel in 0..<size { mean[pixel] += Double(pixels[place * size + pixel]) / Double(draws) }
            }
        }
        let parts = mean.indices.map { Float(mean[$0] * Double(image.elements[$0] - baseline.elements[$0])) }
        return SmoothGradients(
            gradient: Tensor(shape: image.shape, elements: mean.map { Float($0) }),
            attribution: Tensor(shape: image.shape, elements: parts), deviation: deviation)
    }
}
