import Tensors

extension ZoneSpectrum {
    /// One of each pair q, −q of a grid, in ascending order: all that need be kept where H(−q) = H(q)*.
    public static func halfZone(of grid: ZoneGrid) -> [Int] {
        (0..<grid.count).filter { grid.opposite($0) >= $0 }
    }

    /// The rows of `full` (first dimension: grid points) at the points of the half zone.
    public static func halved<E>(_ full: Tensor<E>, of grid: ZoneGrid) -> Tensor<E> {
        let points = halfZone(of: grid)
        let width = full.count / grid.count
        var elements: [E] = []
        elements.reserveCapacity(points.count * width)
        for point in points { elements.append(contentsOf: full.elements[point * width..<(point + 1) * width]) }
        return Tensor(shape: [points.count] + full.shape.dropFirst(), elements: elements)
    }

    /// The inverse of `halved`: what −q has is what q has, times `signs` (repeated along a row).
    ///
    /// Signs: [1] for energies, [−1] for velocities, [1, −1, −1, 1] for amplitudes, since V(−q) = V(q)* takes W_1 to its
    /// conjugate and W_2 to minus its conjugate.
    public static func unfolded<E: BinaryFloatingPoint>(
        _ half: Tensor<E>, of grid: ZoneGrid, signs: [E]
    ) -> Tensor<E> {
        let points = halfZone(of: grid)
        let width = half.count / max(points.count, 1)
        var full = Tensor<E>(shape: [grid.count] + half.shape.dropFirst(), repeating: 0)
        half.elements.withUnsafeBufferPointer { source in
            full.elements.withUnsafeMutableBufferPointer { target in
                for (row, point) in points.enumerated() {
                    let opposite = grid.opposite(point)
                    for k in 0..<width {
                        let value = source[row * width + k]
                        target[opposite * width + k] = signs[k % signs.count] * value
                        target[point * width + k] = value
                    }
                }
            }
        }
        return full
    }
}
