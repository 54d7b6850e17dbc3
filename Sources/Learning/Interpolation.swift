import Tensors

/// How a coarse map is laid on finer pixels.
public enum Interpolation: String, Hashable, Sendable, CaseIterable {
    case nearest
    /// Between the centres of the coarse pixels; constant beyond the outermost.
    case bilinear
}

/// A map [height, width] on another number of pixels over the same area.
func resize(_ map: Tensor<Float>, _ height: Int, _ width: Int, _ interpolation: Interpolation) -> Tensor<Float> {
    let rows = samples(from: map.shape[0], to: height, interpolation)
    let columns = samples(from: map.shape[1], to: width, interpolation)
    var elements: [Float] = []
    elements.reserveCapacity(height * width)
    for row in rows {
        for column in columns {
            let above = (1 - column.part) * map[row.low, column.low] + column.part * map[row.low, column.high]
            let below = (1 - column.part) * map[row.high, column.low] + column.part * map[row.high, column.high]
            elements.append((1 - row.part) * above + row.part * below)
        }
    }
    return Tensor(shape: [height, width], elements: elements)
}

/// A map of one quadrant, folded so many times, on height × width pixels: resized to the quadrant first, so that
/// nothing is mixed across the lines of reflection, then mirrored.
func unfolded(
    _ map: Tensor<Float>, times: Int, _ height: Int, _ width: Int, _ interpolation: Interpolation
) -> Tensor<Float> {
    if times == 0 { return resize(map, height, width, interpolation) }
    let quadrant = unfolded(map, times: times - 1, (height + 1) / 2, (width + 1) / 2, interpolation)
    var result = Tensor<Float>(shape: [height, width], repeating: 0)
    for y in 0..<height {
        let i = y < height / 2 ? height / 2 - 1 - y : y - height / 2
        for x in 0..<width {
            let j = x < width / 2 ? width / 2 - 1 - x : x - width / 2
            result[y, x] = quadrant[i, j]
        }
    }
    return result
}

/// For each new pixel the two old ones around its centre, and how far it is from the first to the second.
private func samples(
    from old: Int, to new: Int, _ interpolation: Interpolation
) -> [(low: Int, high: Int, part: Float)] {
    (0..<new).map { index in
        let centre = (Double(index) + 0.5) * Double(old) / Double(new)
        if interpolation == .nearest { return (min(old - 1, Int(centre)), min(old - 1, Int(centre)), 0) }
        let position = min(max(0, centre - 0.5), Double(old - 1))
        let low = Int(position)
        return (low, min(low + 1, old - 1), Float(position - Double(low)))
    }
}
