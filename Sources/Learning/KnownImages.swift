import Compute

/// What known images explain of another one, block by block: the goodness of their fit.
///
/// The blocks of an image are fitted by the known images' mean and the directions along which these vary most. What is
/// left over in a block is compared with what is left of known images, whose variance there is taken as
///
///     a + b σ²,   a, b ≥ 0 of each block by least squares, σ² the image's own `noise` of that row of panels
///
/// so that neither a noisy measurement of the right kind is strange, nor a quiet one of a wrong kind usual.
public struct KnownImages: Hashable, Sendable {
    public let layout: PixelBlocks.Layout
    /// Of each block.
    public let mean: [Float]
    /// Each block is multiplied by this before the fit; 0 leaves a block out, which fewer than half of the known images have.
    public let weights: [Float]
    /// Orthonormal, of the weighted blocks: [directions, blocks].
    public let directions: [Float]
    /// a and b of each block.
    public let constant: [Float]
    public let slope: [Float]

    /// More directions explain more of any image. Of 60, 150, 300 and 600 the fewest told another antiferromagnet best from
    /// the simulations of graphs/pcsmo-quick.yaml; fewer follow its panels' backgrounds less well.
    public static let directions = 100

    public init(
        layout: PixelBlocks.Layout, mean: [Float], weights: [Float], directions: [Float], constant: [Float],
        slope: [Float]
    ) {
        self.layout = layout
        self.mean = mean
        self.weights = weights
        self.directions = directions
        self.constant = constant
        self.slope = slope
    }

    /// - Parameter images: known ones, two or more, of this layout. A quarter as many directions are used at most.
    public init(_ images: [PixelBlocks], layout: PixelBlocks.Layout, directions limit: Int = Self.directions) {
        precondition(images.count > 1, "a spread takes two images")
        let (n, blocks) = (images.count, layout.blocks)
        let (mean, weights) = Self.scale(images, blocks)
        var rows = [Float](repeating: 0, count: n * blocks)
        for (image, known) in images.enumerated() {
            for block in 0..<blocks {
                let value = (known.values[block] - mean[block]) * weights[block]
                rows[image * blocks + block] = value.isNaN ? 0 : value
            }
        }
        let found = PrincipalDirections(
            rows: rows, columns: blocks, limit: min(limit, n / 4),
            random: RandomStream(seed: 0).substream("principal directions"))
        if found.count > 0 {
            let parts = LinearAlgebra.product(
                rows, found.elements, rows: n, inner: blocks, columns: found.count, transposed: true)
            let fitted = LinearAlgebra.product(parts, found.elements, rows: n, inner: found.count, columns: blocks)
            for place in rows.indices { rows[place] -= fitted[place] }
        }
        self.layout = layout
        self.mean = mean
        self.weights = weights
        directions = found.elements
        // The directions were fitted to these very images: of n degrees of freedom n − directions are left.
        (constant, slope) = Self.variances(
            rows, images, layout, factor: Double(n) / Double(n - found.count))
    }

    private static func scale(_ images: [PixelBlocks], _ blocks: Int) -> (mean: [Float], weights: [Float]) {
        var sums = [Double](repeating: 0, count: blocks)
        var squares = sums
        var counts = sums
        for image in images {
            for block in 0..<blocks where !image.values[block].isNaN {
                let value = Double(image.values[block])
                sums[block] += value
                squares[block] += value * value
                counts[block] += 1
            }
        }
        let used = (0..<blocks).filter { 2 * counts[$0] >= Double(images.count) }
        var variances = sums
        for block in 0..<blocks where counts[block] > 0 {
            let average = sums[block] / counts[block]
            variances[block] = max(0, squares[block] / counts[block] - average * average)
        }
        let total: Double = used.reduce(0) { $0 + variances[$1] }
        let typical = (total / Double(max(1, used.count))).squareRoot()
        var mean = [Float](repeating: 0, count: blocks)
        var weights = mean
        for block in used {
            mean[block] = Float(sums[block] / counts[block])
            weights[block] = typical > 0 ? Float(1 / max(variances[block].squareRoot(), 0.05 * typical)) : 1
        }
        return (mean, weights)
    }

    /// a and b of each block, from what the fit left of each image.
    private static func variances(
        _ rows: [Float], _ images: [PixelBlocks], _ layout: PixelBlocks.Layout, factor: Double
    ) -> (constant: [Float], slope: [Float]) {
        let (n, blocks, line) = (Double(images.count), layout.blocks, layout.blocks / layout.rows)
        var constant = [Float](repeating: 1, count: blocks)
        var slope = [Float](repeating: 0, count: blocks)
        for block in 0..<blocks {
            var (x, y, xx, xy) = (0.0, 0.0, 0.0, 0.0)
            for image in images.indices {
                let noise = Double(images[image].noise[block / line])
                let left = Double(rows[image * blocks + block])
                x += noise
                y += factor * left * left
                xx += noise * noise
                xy += factor * noise * left * left
            }
            (x, y, xx, xy) = (x / n, y / n, xx / n, xy / n)
            let spread = xx - x * x
            var b = spread > 1e-12 * xx ? (xy - x * y) / spread : 0
            // Neither part is negative, and images without noise are not all alike.
            b = x > 0 ? min(max(b, 0), 0.98 * y / x) : 0
            constant[block] = Float(max(y - b * x, 1e-9))
            slope[block] = Float(b)
        }
        return (constant, slope)
    }

    /// What is left over of an image.
    public func residual(of image: PixelBlocks) -> ImageResidual {
        let blocks = layout.blocks
        var left = [Float](repeating: 0, count: blocks)
        for block in 0..<blocks where !image.values[block].isNaN {
            left[block] = (image.values[block] - mean[block]) * weights[block]
        }
        let whole = left
        for start in stride(from: 0, to: directions.count, by: blocks) {
            var part = 0.0
            for block in 0..<blocks { part += Double(directions[start + block]) * Double(whole[block]) }
            for block in 0..<blocks { left[block] -= Float(part) * directions[start + block] }
        }
        let line = blocks / layout.rows
        for block in 0..<blocks {
            let isSeen = weights[block] > 0 && !image.values[block].isNaN
            let variance = constant[block] + slope[block] * image.noise[block / line]
            left[block] = isSeen ? left[block] * left[block] / variance : .nan
        }
        return ImageResidual(squares: left, layout: layout)
    }
}

/// What known images leave over of an image: squares in units of what they leave of each other, about 1 on average for an
/// image of their kind.
public struct ImageResidual: Hashable, Sendable {
    /// [rows, columns, down, across]; NaN where nothing is seen.
    public let squares: [Float]
    public let layout: PixelBlocks.Layout

    /// Mean over the whole image; 0 where nothing is seen.
    public var mean: Double { Self.mean(squares) ?? 0 }

    /// The panel with the largest mean, and the largest block within; nil where nothing is seen.
    public var strangest: (row: Int, column: Int, mean: Double, block: (down: Int, across: Int))? {
        let size = layout.down * layout.across
        var best: (panel: Int, mean: Double)?
        for panel in 0..<layout.rows * layout.columns {
            let part = squares[panel * size..<(panel + 1) * size]
            // A panel that is hardly seen is left out.
            guard part.count(where: { !$0.isNaN }) * 10 >= size, let mean = Self.mean(part) else { continue }
            if mean > best?.mean ?? -1 { best = (panel, mean) }
        }
        guard let best else { return nil }
        let part = (0..<size).map { squares[best.panel * size + $0] }
        let block = part.indices.reduce(0) { part[$1] > (part[$0].isNaN ? -1 : part[$0]) ? $1 : $0 }
        return (
            best.panel / layout.columns, best.panel % layout.columns, best.mean,
            (block / layout.across, block % layout.across)
        )
    }

    private static func mean(_ squares: some Sequence<Float>) -> Double? {
        var (sum, count) = (0.0, 0.0)
        for square in squares where !square.isNaN {
            sum += Double(square)
            count += 1
        }
        return count > 0 ? sum / count : nil
    }
}
