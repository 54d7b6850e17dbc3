/// What known images explain of another one: of its intensities, of where it is empty, and of its detectors.
public struct KnownImages: Hashable, Sendable {
    public let layout: PixelBlocks.Layout
    /// Of `PixelBlocks.values`.
    public let intensities: KnownPattern
    /// Of `PixelBlocks.zeros`.
    public let zeros: KnownPattern
    /// Of `PixelBlocks.holes`: no direction of these varies, single detectors are dead here or there.
    public let holes: KnownPattern

    public init(layout: PixelBlocks.Layout, intensities: KnownPattern, zeros: KnownPattern, holes: KnownPattern) {
        self.layout = layout
        self.intensities = intensities
        self.zeros = zeros
        self.holes = holes
    }

    /// The numbers of directions and the shares were chosen on simulations of graphs/pcsmo.yaml (docs/decisions/0036): few
    /// directions leave much of unusual images of the known kind, many explain other materials as well.
    ///
    /// - Parameter images: known ones, two or more, of this layout.
    public init(_ images: [PixelBlocks], layout: PixelBlocks.Layout) {
        self.layout = layout
        intensities = KnownPattern(
            images.map(\.values), noise: images.map(\.noise), directions: min(400, max(images.count / 10, 8)),
            share: 0.02)
        zeros = KnownPattern(
            images.map(\.zeros), noise: [], directions: min(100, max(images.count / 40, 8)), share: 0.05,
            least: 0.1)
        holes = KnownPattern(images.map(\.holes), noise: [], directions: 0, share: 0, least: 0.1)
    }

    /// What is left over of an image's intensities.
    public func residual(of image: PixelBlocks) -> ImageResidual {
        ImageResidual(squares: intensities.squares(of: image.values, noise: image.noise), layout: layout)
    }

    /// What is left over of where an image is empty, in the mean: up to about 1 for one of the known kind.
    public func emptiness(of image: PixelBlocks) -> Double {
        meanOfSeen(zeros.squares(of: image.zeros, noise: [])) ?? 0
    }

    /// How far pixels that are empty in all panels are from where they usually are, in the mean; about 1 for an image of the
    /// known kind.
    public func deadness(of image: PixelBlocks) -> Double {
        meanOfSeen(holes.squares(of: image.holes, noise: [])) ?? 0
    }
}

/// What known images leave over of an image: squares in units of what they leave of each other, about 1 on average for an
/// image of their kind.
public struct ImageResidual: Hashable, Sendable {
    /// [rows, columns, down, across]; NaN where nothing is seen.
    public let squares: [Float]
    public let layout: PixelBlocks.Layout

    /// Mean over the whole image; 0 where nothing is seen.
    public var mean: Double { meanOfSeen(squares) ?? 0 }

    /// The panel with the largest mean, and the largest block within; nil where nothing is seen.
    public var strangest: (row: Int, column: Int, mean: Double, block: (down: Int, across: Int))? {
        let size = layout.down * layout.across
        var best: (panel: Int, mean: Double)?
        for panel in 0..<layout.rows * layout.columns {
            let part = squares[panel * size..<(panel + 1) * size]
            // A panel that is hardly seen is left out.
            guard part.count(where: { !$0.isNaN }) * 10 >= size, let mean = meanOfSeen(part) else { continue }
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
}
