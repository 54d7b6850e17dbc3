/// The mean of a map's four mirrored quadrants: what a map holds in common with its mirror images about its centre.
///
///     y[i, j] = ¼ Σ x[H/2 + i or H/2 − 1 − i, W/2 + j or W/2 − 1 − j]
///
/// so that index 0 lies nearest the centre.
struct Fold {
    /// Maps one after the other: channels, or channels × images.
    var maps: Int
    /// Of a map before; both even.
    var height: Int
    var width: Int

    func forward(_ source: Span<Float>, into result: inout MutableSpan<Float>) {
        let (rows, columns) = (height / 2, width / 2)
        for map in 0..<maps {
            for i in 0..<rows {
                let below = (map * height + rows + i) * width
                let above = (map * height + rows - 1 - i) * width
                let line = (map * rows + i) * columns
                for j in 0..<columns {
                    let (right, left) = (columns + j, columns - 1 - j)
                    let sum =
                        (source[below + right] + source[below + left]) + (source[above + right] + source[above + left])
                    result[line + j] = 0.25 * sum
                }
            }
        }
    }

    /// From the gradient of the result to that of the source.
    func backward(_ gradient: Span<Float>, into result: inout MutableSpan<Float>) {
        let (rows, columns) = (height / 2, width / 2)
        for map in 0..<maps {
            for row in 0..<height {
                let i = row < rows ? rows - 1 - row : row - rows
                let (line, start) = ((map * rows + i) * columns, (map * height + row) * width)
                for j in 0..<columns {
                    let part = 0.25 * gradient[line + j]
                    result[start + columns + j] = part
                    result[start + columns - 1 - j] = part
                }
            }
        }
    }
}
