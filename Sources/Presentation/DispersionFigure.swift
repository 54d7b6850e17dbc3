import Interchange
import Tensors

/// Energies against a path through reciprocal space or against |Q|: the intensity in colours, the modes as lines over it.
public struct DispersionFigure: Figure {
    /// A place on the horizontal axis with a name: a corner of the path.
    public struct Tick: Hashable, Sendable {
        public var position: Double
        public var label: String

        public init(_ position: Double, _ label: String) { (self.position, self.label) = (position, label) }
    }

    /// Intensity in energy bins at each position.
    public struct Map: Sendable {
        /// [positions, bins], lowest energy first.
        public var intensity: Tensor<Double>
        public var barTitle: String

        public init(_ intensity: Tensor<Double>, barTitle: String) {
            (self.intensity, self.barTitle) = (intensity, barTitle)
        }
    }

    public let alternativeText: String
    let title: String?
    /// Ascending.
    let positions: [Double]
    let ticks: [Tick]
    let xTitle: String
    let energies: ClosedRange<Double>
    let lines: [[Double]]
    let image: [UInt8]?
    let bar: ColourBar?
    let size: (width: Double, height: Double)

    /// - Parameter positions: of the points on the horizontal axis, ascending.
    /// - Parameter ticks: named places; empty for a numeric axis.
    /// - Parameter energies: what is shown, in meV.
    /// - Parameter lines: for each mode its energy at each position; NaN leaves a gap.
    /// - Parameter map: over the whole of `energies`, in equal bins.
    /// - Parameter colourPixels: columns of the map's image, evenly spaced along the axis.
    /// - Throws: `InterchangeError` when shapes disagree.
    public init(
        positions: [Double], ticks: [Tick], xTitle: String, energies: ClosedRange<Double>, lines: [[Double]], map: Map?,
        title: String? = nil, width: Double = 640, height: Double = 400, colourPixels: Int? = nil,
        alternativeText: String
    ) throws(InterchangeError) {
        guard positions.count >= 2, lines.allSatisfy({ $0.count == positions.count }),
            map?.intensity.shape.first ?? positions.count == positions.count, map?.intensity.shape.count ?? 2 == 2
        else {
            throw InterchangeError(
                "the map or a line of a dispersion has not one value for each of \(positions.count) positions",
                file: "the figure")
        }
        (self.positions, self.ticks, self.xTitle, self.energies) = (positions, ticks, xTitle, energies)
        (self.lines, self.title, self.alternativeText, size) = (lines, title, alternativeText, (width, height))
        guard let map else {
            (image, bar) = (nil, nil)
            return
        }
        let (pixels, high) = Self.raster(map.intensity, positions: positions, columns: colourPixels ?? positions.count)
        image = try PNG.encode(pixels)
        bar = ColourBar(title: map.barTitle, colourMap: .viridis, low: 0, high: high, scale: .squareRoot)
    }

    /// The map as pixels, highest energy on top, columns evenly spaced along the axis; and the value of the brightest colour,
    /// the 99th percentile, so that a Goldstone mode does not darken the rest.
    public static func raster(
        _ intensity: Tensor<Double>, positions: [Double], columns: Int
    ) -> (image: RasterImage, high: Double) {
        let rows = intensity.shape[1]
        let (first, last) = (positions[0], positions[positions.count - 1])
        var nearest: [Int] = []
        var k = 0
        for column in 0..<columns {
            let x = columns == 1 ? first : first + (last - first) * Double(column) / Double(columns - 1)
            while k + 1 < positions.count, abs(positions[k + 1] - x) <= abs(positions[k] - x) { k += 1 }
            nearest.append(k)
        }
        var values: [Double] = []
        values.reserveCapacity(rows * columns)
        for row in (0..<rows).reversed() {
            for point in nearest { values.append(intensity.elements[point * rows + row]) }
        }
        let high = HeatMap.limits(.automatic, of: values).high
        let image = HeatMap.render(
            values, rows: rows, columns: columns, range: .explicit(0, high), colourScale: .squareRoot)
        return (image, high)
    }
}
