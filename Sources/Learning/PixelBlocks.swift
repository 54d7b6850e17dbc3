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
    /// Fraction of pixels of each block that are exactly 0 (masked, dead or clipped): [rows, columns, down, across].
    public let zeros: [Float]
    /// Fraction of panels in which a pixel is exactly 0, less the mean of that over the pixels around: [height, width]. Masks,
    /// dark places and bands reach over several pixels, a dead detector does not.
    public let holes: [Float]

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
        (zeros, holes) = Self.empty(image, layout)
    }

    private static func empty(_ image: [Float], _ layout: Layout) -> (zeros: [Float], holes: [Float]) {
        let (height, width) = (layout.height, layout.width)
        var counts = [Float](repeating: 0, count: layout.blocks)
        var sizes = counts
        var plane = [Float](repeating: 0, count: height * width)
        var pixel = 0
        for line in 0..<layout.rows * height {
            let (row, y) = (line / height, line % height)
            for column in 0..<layout.columns {
                let first = ((row * layout.columns + column) * layout.down + y * layout.down / height) * layout.across
                for x in 0..<width {
                    let block = first + x * layout.across / width
                    sizes[block] += 1
                    if image[pixel] == 0 {
                        counts[block] += 1
                        plane[y * width + x] += 1
                    }
                    pixel += 1
                }
            }
        }
        for block in counts.indices { counts[block] /= max(1, sizes[block]) }
        let panels = Float(layout.rows * layout.columns)
        return (counts, contrast(plane.map { $0 / panels }, height: height, width: width))
    }

    /// Each number less the mean over a square about it, cut off at the edges.
    private static func contrast(_ plane: [Float], height: Int, width: Int) -> [Float] {
        let reach = max(1, 3 * min(height, width) / 40)
        var result = plane
        for y in 0..<height {
            for x in 0..<width {
                let (ys, xs) = (
                    max(0, y - reach)...min(height - 1, y + reach), max(0, x - reach)...min(width - 1, x + reach)
                )
                var sum: Float = 0
                for v in ys { for u in xs { sum += plane[v * width + u] } }
                result[y * width + x] -= sum / Float(ys.count * xs.count)
            }
        }
        return result
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
