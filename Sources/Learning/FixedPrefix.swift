#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

// The leading layers of a network that training leaves as they are: what they make of an image never changes, so it is
// computed once, when the image is read, and often takes far less memory than the image.

extension NetworkSpec {
    /// How many leading layers hold no weights and no randomness and give an image. At least one layer remains; layers
    /// that give vectors remain too, as what a network reads is an image.
    public var fixedPrefix: Int {
        var count = 0
        while count < layers.count - 1, layers[count].isFixed, shapes[count + 1].count == 3 { count += 1 }
        return count
    }

    /// The network of the layers behind the first `count`. Its layers count from 1 again.
    ///
    /// - Precondition: `count` is at most `fixedPrefix`.
    public func suffix(after count: Int) throws(LearningError) -> NetworkSpec {
        precondition((0...fixedPrefix).contains(count), "layer \(count) is not in the fixed prefix")
        return try NetworkSpec(inputShape: shapes[count], layers: Array(layers[count...]), classes: classes)
    }

    /// What the first `count` layers make of an image: the input of `suffix(after: count)`, row-major.
    ///
    /// Written straight from the definitions of the layers; a network computes the same to single precision.
    ///
    /// - Parameter name: of the image, for messages.
    /// - Precondition: `count` is at most `fixedPrefix`.
    /// - Throws: `LearningError.images` for another size and for values that are not finite numbers.
    public func applyPrefix(
        _ count: Int, to image: [Float], name: String = "the image"
    ) throws(LearningError) -> [Float] {
        precondition((0...fixedPrefix).contains(count), "layer \(count) is not in the fixed prefix")
        if image.count != imageSize {
            throw .images(
                problem: "\(name) has \(image.count) values, shape \(inputShape) needs \(imageSize)",
                hint: "all images of a network have the same shape")
        }
        try requireFinite(image, shape: inputShape, name: name)
        return (0..<count).reduce(image) { layers[$1].fixedOutput($0, shape: shapes[$1], outputShape: shapes[$1 + 1]) }
    }
}

extension Weights {
    /// The weights of a whole network from those of its suffix, which are the same numbers: the layers before own none.
    ///
    /// - Throws: `LearningError.weights` when they are not of that suffix.
    public init(_ spec: NetworkSpec, ofSuffix weights: Weights, after count: Int) throws(LearningError) {
        try weights.check(fit: spec.suffix(after: count))
        parameters = spec.parameters
        values = weights.values
    }

    /// The weights of a network's suffix from those of the whole.
    ///
    /// - Throws: `LearningError.weights` when these belong to another network.
    public func suffix(of spec: NetworkSpec, after count: Int) throws(LearningError) -> Weights {
        try check(fit: spec)
        return Weights(parameters: try spec.suffix(after: count).parameters, values: values)
    }
}

extension LayerSpec {
    /// Whether the layer does the same to an image always: it holds no weights and no randomness.
    fileprivate var isFixed: Bool {
        switch self {
        case .relu, .gelu, .maxPool, .averagePool, .log1p, .panels, .fold, .unitMean, .flatten, .globalAveragePool: true
        // Marks belong to the layers that add them.
        case .convolution, .batchNorm, .groupNorm, .dense, .dropout, .mark, .add, .centroids: false
        }
    }

    /// The output of a fixed layer that gives an image.
    fileprivate func fixedOutput(_ image: [Float], shape: [Int], outputShape: [Int]) -> [Float] {
        switch self {
        case .relu: return image.map { max($0, 0) }
        case .gelu: return image.map { Float(0.5 * Double($0) * erfc(-Double($0) * 0.5.squareRoot())) }
        case .log1p: return image.map { logarithm(onePlus: max($0, 0)) }
        case .maxPool: return pooled(image, shape, outputShape) { $0.reduce(-.infinity) { max($0, $1) } }
        case .averagePool:
            return pooled(image, shape, outputShape) { Float($0.reduce(0) { $0 + Double($1) } / Double($0.count)) }
        case .panels(let rows, let columns):
            let (height, width) = (outputShape[1], outputShape[2])
            var result: [Float] = []
            result.reserveCapacity(image.count)
            for channel in 0..<shape[0] {
                for panel in 0..<rows * columns {
                    for y in 0..<height {
                        let line = (channel * rows + panel / columns) * height + y
                        let start = line * shape[2] + panel % columns * width
                        result += image[start..<start + width]
                    }
                }
            }
            return result
        case .fold:
            return transformed(image, count: outputShape.reduce(1, *)) {
                Fold(maps: shape[0], height: shape[1], width: shape[2]).forward($0, into: &$1)
            }
        case .unitMean(let groups, let mean):
            return transformed(image, count: image.count) {
                UnitMean(groups: groups, size: image.count / groups, mean: mean).forward($0, into: &$1)
            }
        case .convolution, .batchNorm, .groupNorm, .dense, .dropout, .flatten, .globalAveragePool, .mark, .add,
            .centroids:
            preconditionFailure("\(name) does not belong to a fixed prefix")
        }
    }

    /// One number from what each window holds of the map, row by row.
    private func pooled(
        _ image: [Float], _ shape: [Int], _ outputShape: [Int], _ combine: ([Float]) -> Float
    ) -> [Float] {
        guard let window = window(over: shape) else { preconditionFailure("\(name) has no window") }
        var held: [Float] = []
        var result: [Float] = []
        result.reserveCapacity(outputShape.reduce(1, *))
        for channel in 0..<shape[0] {
            for row in 0..<outputShape[1] {
                let top = row * window.stride[0] - window.before[0]
                for column in 0..<outputShape[2] {
                    let left = column * window.stride[1] - window.before[1]
                    held.removeAll(keepingCapacity: true)
                    for y in max(top, 0)..<min(top + window.kernel[0], shape[1]) {
                        for x in max(left, 0)..<min(left + window.kernel[1], shape[2]) {
                            held.append(image[(channel * shape[1] + y) * shape[2] + x])
                        }
                    }
                    result.append(combine(held))
                }
            }
        }
        return result
    }

    private func transformed(
        _ image: [Float], count: Int, _ body: (Span<Float>, inout MutableSpan<Float>) -> Void
    ) -> [Float] {
        var result = [Float](repeating: 0, count: count)
        var span = result.mutableSpan
        body(image.span, &span)
        return result
    }
}

/// The C function, which the case of the same name hides.
private func logarithm(onePlus x: Float) -> Float { log1p(x) }
