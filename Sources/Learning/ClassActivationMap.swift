import Tensors

/// Where in an image a layer found its reasons for a class.
public struct ClassActivationMap: Hashable, Sendable {
    /// At the layer's own resolution, [height, width]; 0 or more.
    public var map: Tensor<Float>
    /// On the pixels of the image, [height, width].
    public var onImage: Tensor<Float>
    /// After `panels`: how much each panel counts, [rows, columns], the largest 1. Nil elsewhere.
    public var panelShares: Tensor<Float>?
    public var score: Double
}

/// How much each channel of a layer counts in a class activation map.
public enum ChannelWeighting: String, Hashable, Sendable, CaseIterable {
    /// Grad-CAM: a_k is the mean of the gradient g over the map.
    case mean
    /// Grad-CAM++ (A. Chattopadhyay et al., arXiv:1710.11063), with exp F as the class score:
    ///
    ///     a_k = Σ_ij α_ij max(0, g_ij),   α_ij = g_ij² / (2 g_ij² + g_ij³ Σ A_k)
    ///
    /// so that several small patches of one channel count as much as one large one. A_k < 0, which the paper does not have,
    /// counts as 0 in the sum.
    case plusPlus

    func weight(_ values: ArraySlice<Float>, _ gradients: ArraySlice<Float>) -> Double {
        switch self {
        case .mean: return gradients.reduce(0) { $0 + Double($1) } / Double(gradients.count)
        case .plusPlus:
            let sum = values.reduce(0) { $0 + max(0, Double($1)) }
            // For g > 0 one g cancels in α g: α = 1 / (2 + g Σ A).
            return gradients.reduce(0) { total, g in g > 0 ? total + Double(g) / (2 + Double(g) * sum) : total }
        }
    }
}

extension Classifier {
    /// The last convolution, or the ReLU directly behind it: where class activation maps are usually taken. Nil for a
    /// network without convolutions.
    public var lastConvolution: Int? {
        let isConvolution = { (layer: LayerSpec) in if case .convolution = layer { true } else { false } }
        guard let index = spec.layers.lastIndex(where: isConvolution) else { return nil }
        return index + 1 < spec.layers.count && spec.layers[index + 1] == .relu ? index + 2 : index + 1
    }

    /// Gradient-weighted class activation map (Selvaraju et al., arXiv:1610.02391):
    ///
    ///     L = max(0, Σ_k a_k A_k),   a_k = mean over the map of ∂F/∂A_k
    ///
    /// with A_k the channels of a layer and F the score of a class; or with the a_k of another `weighting`.
    ///
    /// Behind `panels` all panels share one map. It is laid over every panel, times that panel's share of the evidence:
    /// the sum of the positive part of gradient × value of its pixels at the `panels` layer. For `panels` itself each
    /// panel has its own channels, and its own map. Where maps were folded, the map is laid over all four quadrants.
    ///
    /// - Parameter layer: number of a layer, from 1, that gives an image; nil: `lastConvolution`.
    public func classActivationMap(
        of image: Tensor<Float>, class index: Int, layer: Int? = nil, score: ClassScore = .logit,
        weighting: ChannelWeighting = .mean, interpolation: Interpolation = .bilinear
    ) throws(LearningError) -> ClassActivationMap {
        try check(image, "the image")
        try check(classIndex: index)
        guard let layer = layer ?? lastConvolution else {
            throw .network(
                problem: "without a convolution there is no class activation map", hint: "name a layer, or add a conv")
        }
        if layer < 1 || layer > spec.layers.count {
            throw .network(
                problem: "there is no layer \(layer) for a class activation map",
                hint: "layers count from 1 to \(spec.layers.count)")
        }
        if spec.shapes[layer].count != 3 {
            throw .layer(
                number: layer, problem: "a vector has no class activation map",
                hint: "name a layer before the first dense, flatten or global-average-pool")
        }
        let network = try Network(spec, batch: 1, mode: .attribution)
        try network.load(weights)
        network.setImage(0, from: image.elements)
        let logits = try network.forward().map { Double($0) }
        try network.backward(score.gradient(logits, index).map { Float($0) })
        let values = try network.activation(layer)
        let gradients = try network.activationGradient(layer)
        let (height, width) = (spec.inputShape[1], spec.inputShape[2])
        let number = score.value(logits, index)

        guard let panels = spec.panels(upTo: layer) else {
            let map = weightedSum(values, gradients, weighting, shape: spec.shapes[layer])
            let onImage = unfolded(map, times: spec.folds(in: 0..<layer), height, width, interpolation)
            return ClassActivationMap(map: map, onImage: onImage, panelShares: nil, score: number)
        }
        let (rows, columns) = (panels.rows, panels.columns)
        let foldsBefore = spec.folds(in: 0..<panels.layer)
        if panels.layer == layer {
            let tiles = (0..<rows * columns).map { panel in
                weightedSum(values, gradients, weighting, shape: spec.shapes[layer]) { $0 % (rows * columns) == panel }
            }
            let map = tile(tiles, rows: rows, columns: columns)
            let onImage = unfolded(map, times: foldsBefore, height, width, interpolation)
            return ClassActivationMap(map: map, onImage: onImage, panelShares: nil, score: number)
        }
        let map = weightedSum(values, gradients, weighting, shape: spec.shapes[layer])
        let shares = evidence(
            try network.activation(panels.layer), try network.activationGradient(panels.layer),
            shape: spec.shapes[panels.layer], panels: rows * columns)
        let onPanel = unfolded(
            map, times: spec.folds(in: panels.layer..<layer), (height >> foldsBefore) / rows,
            (width >> foldsBefore) / columns, interpolation)
        let tiles = shares.map { share in Tensor(shape: onPanel.shape, elements: onPanel.elements.map { share * $0 }) }
        let tiled = tile(tiles, rows: rows, columns: columns)
        return ClassActivationMap(
            map: map, onImage: unfolded(tiled, times: foldsBefore, height, width, interpolation),
            panelShares: Tensor(shape: [rows, columns], elements: shares), score: number)
    }

    /// max(0, Σ_k a_k A_k) over the channels that `includes` names.
    private func weightedSum(
        _ values: [Float], _ gradients: [Float], _ weighting: ChannelWeighting, shape: [Int],
        includes: (Int) -> Bool = { _ in true }
    ) -> Tensor<Float> {
        let size = shape[1] * shape[2]
        var sum = [Double](repeating: 0, count: size)
        for channel in 0..<shape[0] where includes(channel) {
            let start = channel * size
            let weight = weighting.weight(values[start..<start + size], gradients[start..<start + size])
            for pixel in 0..<size { sum[pixel] += weight * Double(values[start + pixel]) }
        }
        return Tensor(shape: [shape[1], shape[2]], elements: sum.map { Float(max(0, $0)) })
    }

    /// For each panel the sum of the positive part of gradient × value, the largest being 1 (all 0 without any).
    private func evidence(_ values: [Float], _ gradients: [Float], shape: [Int], panels: Int) -> [Float] {
        let size = shape[1] * shape[2]
        var sums = [Double](repeating: 0, count: panels)
        for index in values.indices {
            sums[(index / size) % panels] += max(0, Double(values[index]) * Double(gradients[index]))
        }
        let largest = sums.max() ?? 0
        return sums.map { largest > 0 ? Float($0 / largest) : 0 }
    }

    private func tile(_ tiles: [Tensor<Float>], rows: Int, columns: Int) -> Tensor<Float> {
        let (height, width) = (tiles[0].shape[0], tiles[0].shape[1])
        var result = Tensor<Float>(shape: [rows * height, columns * width], repeating: 0)
        for (index, tile) in tiles.enumerated() {
            let (row, column) = (index / columns, index % columns)
            for y in 0..<height {
                for x in 0..<width { result[row * height + y, column * width + x] = tile[y, x] }
            }
        }
        return result
    }
}

extension NetworkSpec {
    /// The last `panels` layer among the first `number` layers.
    fileprivate func panels(upTo number: Int) -> (layer: Int, rows: Int, columns: Int)? {
        for index in (0..<number).reversed() {
            if case .panels(let rows, let columns) = layers[index] { return (index + 1, rows, columns) }
        }
        return nil
    }

    /// How many layers of these positions fold.
    fileprivate func folds(in range: Range<Int>) -> Int { layers[range].count { $0 == .fold } }
}
