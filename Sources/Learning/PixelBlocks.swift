/// An image from afar: means over small blocks of each panel's pixels, and how much pixels scatter about their neighbours.
///
/// A block holds √(1 + I/m), I the mean of its pixels that hold intensity and m the mean of all pixels of its row of
/// panels, so that the scale of a row does not matter and counting scatters blocks nearly alike.
public struct PixelBlocks: Hashable, Sendable {
    /// How an image is cut.
    public struct Layout: Hashable, Sendable {
        /// Panels: `rows` from the top, `columns` from the left.
        public let rows: Int
        public let columns: Int
        /// Pixels of a panel.
        public let height: Int
        public let width: Int
        /// Blocks of a panel: ten each way, or one a pixel where it has fewer.
        public let down: Int
        public let across: Int

        public init(rows: Int, columns: Int, height: Int, width: Int) {
            self.rows = rows
            self.columns = columns
            self.height = height
            self.width = width
            down = min(10, height)
            across = min(10, width)
        }

        public var blocks: Int { rows * columns * down * across }
        public var pixels: Int { rows * height * columns * width }
    }

    /// [rows, columns, down, across]; NaN where no pixel of a block holds intensity (masked, dead or clipped).
    public let values: [Float]
    /// Variance of single pixels about the line through their neighbours along a row of pixels, in units of m², of each
    /// row of panels.
    public let noise: [Float]

    /// - Parameter image: `layout.pixels` numbers, row-major.
    public init(_ image: ArraySlice<Float>, layout: Layout) {
        precondition(image.count == layout.pixels, "the image has another layout")
        let image = Array(image)
        let size = layout.columns * layout.down * layout.across
        var values: [Float] = []
        values.reserveCapacity(layout.blocks)
        var noise: [Float] = []
        for row in 0..<layout.rows {
            let part = Self.row(image, row, layout)
            for block in 0..<size {
                values.append(
                    part.counts[block] > 0
                        ? Float((1 + part.sums[block] / (part.counts[block] * part.mean)).squareRoot()) : .nan)
            }
            noise.append(Float(part.scatter / (part.mean * part.mean)))
        }
        self.values = values
        self.noise = noise
    }

    private static func row(
        _ image: [Float], _ row: Int, _ layout: Layout
    ) -> (sums: [Double], counts: [Double], mean: Double, scatter: Double) {
        let line = layout.columns * layout.width
        var sums = [Double](repeating: 0, count: layout.columns * layout.down * layout.across)
        var counts = sums
        var (squares, triples) = (0.0, 0.0)
        for y in 0..<layout.height {
            let start = (row * layout.height + y) * line
            for column in 0..<layout.columns {
                let first = (column * layout.down + y * layout.down / layout.height) * layout.across
                for x in 0..<layout.width {
                    let pixel = start + column * layout.width + x
                    let value = Double(image[pixel])
                    guard value > 0 else { continue }
                    let block = first + x * layout.across / layout.width
                    sums[block] += value
                    counts[block] += 1
                    guard x > 0, x + 1 < layout.width, image[pixel - 1] > 0, image[pixel + 1] > 0 else { continue }
                    let off = value - 0.5 * (Double(image[pixel - 1]) + Double(image[pixel + 1]))
                    squares += off * off
                    triples += 1
                }
            }
        }
        // A mean of two neighbours adds half the variance.
        let mean = sums.reduce(0, +) / Double(layout.height * line)
        return (sums, counts, max(mean, 1e-6), triples > 0 ? squares / triples / 1.5 : 0)
    }
}
