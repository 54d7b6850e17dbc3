import Tensors

extension NetworkSpec {
    /// An image without evidence to compare `image` with: zeros, unless the network's fixed prefix has a `unit-mean`.
    ///
    /// A `unit-mean` sees no difference between an image and the same at a hundredth of its scale, and all of the
    /// difference between that and zero: a path of integration from zero would cross everything in its first step.
    /// There the baseline has the scale of the image and none of its structure: each pixel holds the mean of its group.
    /// Pixels that are exactly 0, as masked ones are, stay 0 and count in no mean.
    public func neutralBaseline(for image: Tensor<Float>) -> Tensor<Float> {
        var result = Tensor<Float>(shape: image.shape, repeating: 0)
        for index in 0..<fixedPrefix {
            guard case .unitMean(let groups, _) = layers[index] else { continue }
            let members = groupMembership(groups, before: index)
            var sums = [Double](repeating: 0, count: groups)
            var counts = sums
            for (pixel, value) in image.elements.enumerated() where value != 0 {
                sums[members[pixel]] += Double(value)
                counts[members[pixel]] += 1
            }
            for (pixel, value) in image.elements.enumerated() where value != 0 {
                result.elements[pixel] = Float(sums[members[pixel]] / counts[members[pixel]])
            }
            return result
        }
        return result
    }

    /// For each pixel of the image, in which of the groups of layer `index` (from 0, in the fixed prefix) it ends up.
    private func groupMembership(_ groups: Int, before index: Int) -> [Int] {
        (0..<imageSize).map { pixel in
            var channel = pixel / (inputShape[1] * inputShape[2])
            var (y, x) = (pixel / inputShape[2] % inputShape[1], pixel % inputShape[2])
            for (number, layer) in layers[..<index].enumerated() {
                let output = shapes[number + 1]
                switch layer {
                case .panels(let rows, let columns):
                    channel = (channel * rows + y / output[1]) * columns + x / output[2]
                    (y, x) = (y % output[1], x % output[2])
                case .maxPool(let size, let stride, _), .averagePool(let size, let stride, _):
                    // What fills no window is dropped and belongs anywhere; its neighbour's place will do.
                    let step = stride ?? size
                    (y, x) = (min(y / step[0], output[1] - 1), min(x / step[1], output[2] - 1))
                case .fold:
                    y = y < output[1] ? output[1] - 1 - y : y - output[1]
                    x = x < output[2] ? output[2] - 1 - x : x - output[2]
                default: break
                }
            }
            return channel / (shapes[index][0] / groups)
        }
    }
}
