import Tensors

/// How much each pixel adds to a class score, compared with a baseline image.
public struct IntegratedGradients: Hashable, Sendable {
    /// Shape of the image; positive values speak for the class.
    public var attribution: Tensor<Float>
    /// Score of the image and of the baseline.
    public var score: Double
    public var baselineScore: Double
    /// Sum of the attribution minus the difference of the scores: zero for infinitely many steps.
    public var residual: Double
}

extension Classifier {
    /// Integrated gradients (Sundararajan, Taly and Yan, arXiv:1703.01365):
    ///
    ///     A_i = (x_i − x'_i) ∫₀¹ ∂F/∂x_i (x' + α(x − x')) dα,   Σ A_i = F(x) − F(x')
    ///
    /// by the midpoint rule.
    ///
    /// - Parameter baseline: x', an image without evidence; nil: `NetworkSpec.neutralBaseline`, zeros for most
    ///   networks.
    /// - Parameter steps: points on the path; 64 usually leave a residual below 1 % of the difference.
    public func integratedGradients(
        of image: Tensor<Float>, baseline: Tensor<Float>? = nil, class index: Int, score: ClassScore = .logOdds,
        steps: Int = 64
    ) throws(LearningError) -> IntegratedGradients {
        try check(image, "the image")
        let baseline = baseline ?? spec.neutralBaseline(for: image)
        try check(baseline, "the baseline")
        try check(classIndex: index)
        if steps < 1 { throw .setting(name: "steps", problem: "\(steps) is less than 1") }
        let size = spec.imageSize
        let batch = min(Self.batch, steps)
        let network = try Network(spec, batch: batch, mode: .attribution)
        try network.load(weights)
        var mean = [Double](repeating: 0, count: size)
        for start in stride(from: 0, to: steps, by: batch) {
            let used = min(batch, steps - start)
            for place in 0..<batch {
                // Places past the last step repeat it; their gradients are not used.
                let alpha = (Float(min(start + place, steps - 1)) + 0.5) / Float(steps)
                let point = zip(image.elements, baseline.elements).map { $1 + alpha * ($0 - $1) }
                network.setImage(place, from: point)
            }
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
                for pixel in 0..<size { mean[pixel] += Double(pixels[place * size + pixel]) / Double(steps) }
            }
        }
        let parts = (0..<size).map { mean[$0] * Double(image.elements[$0] - baseline.elements[$0]) }
        let scores = try [image, baseline].map { image throws(LearningError) in
            score.value(try logits(of: image).elements.map { Double($0) }, index)
        }
        return IntegratedGradients(
            attribution: Tensor(shape: image.shape, elements: parts.map { Float($0) }), score: scores[0],
            baselineScore: scores[1], residual: parts.reduce(0, +) - (scores[0] - scores[1]))
    }
}
