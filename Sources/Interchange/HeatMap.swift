/// Numbers on a grid as colours.
public enum HeatMap {
    /// The values that the first and the last colour stand for.
    public enum Range: Hashable, Sendable {
        /// From the 1st to the 99th percentile of the finite values that are not missing: a few hot pixels do not
        /// darken the rest.
        case automatic
        /// From −m to m, m being the 99th percentile of the magnitudes: for diverging maps.
        case symmetric
        case explicit(Double, Double)
    }

    /// How a value's place in the range becomes a place in the colour map.
    public enum Scale: Hashable, Sendable {
        case linear
        /// The square root of the place: weak signals beside strong ones show. Counting noise has one width
        /// everywhere on it.
        case squareRoot

        /// Both 0…1.
        public func colourPosition(_ fraction: Double) -> Double {
            self == .linear ? fraction : fraction > 0 ? fraction.squareRoot() : 0
        }
    }

    /// Where the mask says so, and where a value is not finite.
    public static let missingColour = ColourMap.Colour(150, 150, 150)

    /// The lowest and the highest value of the colour scale; never equal, so that a constant image has a scale too.
    ///
    /// - Parameter missing: true where a value does not count; nil when all count.
    public static func limits(_ range: Range, of values: [Double], missing: [Bool]? = nil) -> (
        low: Double, high: Double
    ) {
        func valid() -> [Double] {
            values.indices.filter { values[$0].isFinite && !(missing?[$0] ?? false) }.map { values[$0] }
        }
        var (low, high): (Double, Double)
        switch range {
        case .automatic:
            let sorted = valid().sorted()
            (low, high) = (quantile(sorted, 0.01), quantile(sorted, 0.99))
            // An image that is mostly one value (zeros) has its signal beyond the 99th percentile.
            if low == high, let first = sorted.first, let last = sorted.last { (low, high) = (first, last) }
        case .symmetric:
            let sorted = valid().map(\.magnitude).sorted()
            let extent = quantile(sorted, 0.99)
            high = extent > 0 ? extent : sorted.last ?? 1
            low = -high
        case .explicit(let a, let b): (low, high) = (a, b)
        }
        guard low.isFinite, high.isFinite else { return (0, 1) }
        if low == high { return low == 0 ? (0, 1) : (low - low.magnitude / 2, high + high.magnitude / 2) }
        return (low, high)
    }

    /// Colours `values`, row by row from the top.
    ///
    /// - Parameter values: `rows · columns` numbers, row-major; those beyond the range take the end colours.
    /// - Parameter missing: true → `missingColour`, as are values that are not finite.
    /// - Parameter scale: every value becomes `scale` × `scale` pixels.
    public static func render(
        _ values: [Double], rows: Int, columns: Int, range: Range = .automatic, colourMap: ColourMap = .viridis,
        missing: [Bool]? = nil, missingColour: ColourMap.Colour = missingColour, colourScale: Scale = .linear,
        scale: Int = 1
    ) -> RasterImage {
        precondition(values.count == rows * columns, "\(values.count) values do not fill \(rows) × \(columns)")
        precondition(missing?.count ?? values.count == values.count, "the mask has another size than the values")
        let (low, high) = limits(range, of: values, missing: missing)
        let table = (0..<1024).map { colourMap.colour(at: Double($0) / 1023) }
        var pixels: [UInt8] = []
        pixels.reserveCapacity(values.count * 3)
        for index in values.indices {
            let value = values[index]
            var colour = missingColour
            if value.isFinite, !(missing?[index] ?? false) {
                colour =
                    table[
                        Int((colourScale.colourPosition(min(max((value - low) / (high - low), 0), 1)) * 1023).rounded())
                    ]
            }
            pixels.append(colour.red)
            pixels.append(colour.green)
            pixels.append(colour.blue)
        }
        return RasterImage(width: columns, height: rows, channels: .rgb, pixels: pixels).enlarged(scale)
    }

    /// Colours `values` with an opacity that grows with their magnitude: to lie over another image.
    ///
    /// The value at the middle of the range is clear, at both ends it is `opacity`; missing values are clear.
    public static func renderOverlay(
        _ values: [Double], rows: Int, columns: Int, range: Range = .symmetric, colourMap: ColourMap = .blueRed,
        missing: [Bool]? = nil, opacity: Double = 0.85, scale: Int = 1
    ) -> RasterImage {
        let base = render(values, rows: rows, columns: columns, range: range, colourMap: colourMap, missing: missing)
        let (low, high) = limits(range, of: values, missing: missing)
        var pixels: [UInt8] = []
        pixels.reserveCapacity(values.count * 4)
        for index in values.indices {
            var strength = 0.0
            if values[index].isFinite, !(missing?[index] ?? false) {
                strength = min(abs((values[index] - low) / (high - low) - 0.5) * 2, 1)
            }
            pixels += base.pixels[3 * index..<3 * index + 3]
            pixels.append(UInt8((strength * opacity * 255).rounded()))
        }
        return RasterImage(width: columns, height: rows, channels: .rgba, pixels: pixels).enlarged(scale)
    }

    /// The value below which a fraction `q` of `sorted` lies, linear between neighbours; NaN for no values.
    private static func quantile(_ sorted: [Double], _ q: Double) -> Double {
        guard let last = sorted.last else { return .nan }
        let position = q * Double(sorted.count - 1)
        let index = Int(position)
        guard index + 1 < sorted.count else { return last }
        return sorted[index] + (position - Double(index)) * (sorted[index + 1] - sorted[index])
    }
}

extension RasterImage {
    /// Every pixel `scale` times wider and higher.
    public func enlarged(_ scale: Int) -> RasterImage {
        precondition(scale >= 1, "an image is enlarged by a whole number")
        if scale == 1 { return self }
        let size = channels.rawValue
        var enlarged: [UInt8] = []
        enlarged.reserveCapacity(pixels.count * scale * scale)
        for row in 0..<height {
            var line: [UInt8] = []
            for column in 0..<width {
                let start = (row * width + column) * size
                for _ in 0..<scale { line += pixels[start..<start + size] }
            }
            for _ in 0..<scale { enlarged += line }
        }
        return RasterImage(width: width * scale, height: height * scale, channels: channels, pixels: enlarged)
    }
}
