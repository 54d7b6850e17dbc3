/// Draws from a distribution of several quantities, each alone on the diagonal and each pair below it.
///
/// On the diagonal a histogram, a line at the median and shades over the intervals; below it the density of draws, the
/// darker the denser. Axes run over all that was possible beforehand, so that an empty panel edge is what was learnt.
public struct CornerFigure: Figure {
    public struct Quantity: Hashable, Sendable {
        public var name: String
        public var unit: String?
        /// One for each draw.
        public var draws: [Double]
        public var range: ClosedRange<Double>
        public var median: Double
        /// From the widest to the narrowest.
        public var intervals: [ClosedRange<Double>]

        public init(
            _ name: String, unit: String? = nil, draws: [Double], range: ClosedRange<Double>, median: Double,
            intervals: [ClosedRange<Double>]
        ) {
            (self.name, self.unit, self.draws, self.range) = (name, unit, draws, range)
            (self.median, self.intervals) = (median, intervals)
        }

        fileprivate var label: String { unit.map { "\(name) (\($0))" } ?? name }
    }

    public var quantities: [Quantity]
    public var width: Double
    public var alternativeText: String

    /// - Parameter width: nil for panels of a fifth of a page, smaller where there are many.
    public init(_ quantities: [Quantity], width: Double? = nil, alternativeText: String) {
        self.quantities = quantities
        self.width = width ?? min(760, 80 + 180 * Double(max(1, quantities.count)))
        self.alternativeText = alternativeText
    }

    private static let bins = 24
    private static let margin = (left: 66.0, bottom: 46.0, top: 6.0, gap: 8.0)

    public func svg(id: String) -> String {
        let count = max(1, quantities.count)
        let margin = Self.margin
        let side = (width - margin.left - 6) / Double(count) - margin.gap
        let pitch = side + margin.gap
        var drawing = SVGDrawing(width: width, height: margin.top + pitch * Double(count) + margin.bottom)
        for (row, y) in quantities.enumerated() {
            for (column, x) in quantities[...row].enumerated() {
                let plot = PlotArea(
                    left: margin.left + pitch * Double(column), top: margin.top + pitch * Double(row), width: side,
                    height: side, x: Self.scale(x), y: Self.scale(y))
                if row == column {
                    drawHistogram(x, plot, &drawing, colour: SeriesColour.variable(0))
                } else {
                    drawDensity(x, y, plot, &drawing)
                }
                drawing.box(plot.left, plot.top, side, side, "class=\"frame\" style=\"fill:none\"")
                if row == count - 1 { drawBottom(x, plot, &drawing) }
                if column == 0, row > 0 { drawLeft(y, plot, &drawing) }
            }
        }
        return drawing.element(title: alternativeText)
    }

    private static func scale(_ quantity: Quantity) -> AxisScale {
        AxisScale(Axis(quantity.name, range: quantity.range), data: [], tickCount: 3)
    }

    private static func bin(_ value: Double, _ range: ClosedRange<Double>) -> Int? {
        let place = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
        return place >= 0 && place <= 1 ? min(bins - 1, Int(place * Double(bins))) : nil
    }

    private func drawHistogram(
        _ quantity: Quantity, _ plot: PlotArea, _ drawing: inout SVGDrawing, colour: String
    ) {
        for interval in quantity.intervals {
            guard let low = plot.x.position(max(interval.lowerBound, quantity.range.lowerBound)),
                let high = plot.x.position(min(interval.upperBound, quantity.range.upperBound))
            else { continue }
            drawing.box(
                plot.left + low * plot.width, plot.top, (high - low) * plot.width, plot.height,
                "style=\"fill:\(colour);fill-opacity:0.12\"")
        }
        var counts = [Int](repeating: 0, count: Self.bins)
        for draw in quantity.draws {
            if let bin = Self.bin(draw, quantity.range) { counts[bin] += 1 }
        }
        let top = Double(max(1, counts.max() ?? 1)) * 1.08
        let step = plot.width / Double(Self.bins)
        var outline: [(x: Double, y: Double)?] = [(plot.left, plot.top + plot.height)]
        for (bin, count) in counts.enumerated() {
            let y = plot.top + plot.height * (1 - Double(count) / top)
            outline.append((plot.left + step * Double(bin), y))
            outline.append((plot.left + step * Double(bin + 1), y))
        }
        outline.append((plot.left + plot.width, plot.top + plot.height))
        drawing.path(outline, closed: true, "style=\"fill:\(colour);fill-opacity:0.35;stroke:\(colour)\"")
        if let median = plot.x.position(quantity.median), (0...1).contains(median) {
            let x = plot.left + median * plot.width
            drawing.line(x, plot.top, x, plot.top + plot.height, "class=\"whisker\"")
        }
    }

    private func drawDensity(_ x: Quantity, _ y: Quantity, _ plot: PlotArea, _ drawing: inout SVGDrawing) {
        var counts = [Int](repeating: 0, count: Self.bins * Self.bins)
        for (a, b) in zip(x.draws, y.draws) {
            if let column = Self.bin(a, x.range), let row = Self.bin(b, y.range) {
                counts[row * Self.bins + column] += 1
            }
        }
        let most = Double(max(1, counts.max() ?? 1))
        let step = plot.width / Double(Self.bins)
        let colour = SeriesColour.variable(0)
        for (cell, count) in counts.enumerated() where count > 0 {
            let (row, column) = (cell / Self.bins, cell % Self.bins)
            let opacity = SVGDrawing.coordinate(0.08 + 0.92 * (Double(count) / most).squareRoot())
            drawing.box(
                plot.left + step * Double(column), plot.top + plot.height - step * Double(row + 1), step, step,
                "style=\"fill:\(colour);fill-opacity:\(opacity)\"")
        }
    }

    private func drawBottom(_ quantity: Quantity, _ plot: PlotArea, _ drawing: inout SVGDrawing) {
        let bottom = plot.top + plot.height
        let needed = plot.x.ticks.reduce(0) { $0 + SVGDrawing.textWidth($1.label, size: 11.5) + 8 }
        for (place, tick) in plot.x.ticks.enumerated() {
            guard let position = plot.x.position(tick.value), (0.05...0.95).contains(position) else { continue }
            let x = plot.left + position * plot.width
            drawing.line(x, bottom, x, bottom + 4, "class=\"axis\"")
            // Where labels would touch, every second stands.
            if needed > plot.width, place % 2 == 1 { continue }
            drawing.text(tick.label, x, bottom + 17, anchor: .middle, class: "tick")
        }
        drawing.text(quantity.label, plot.left + plot.width / 2, bottom + 36, anchor: .middle)
    }

    private func drawLeft(_ quantity: Quantity, _ plot: PlotArea, _ drawing: inout SVGDrawing) {
        for tick in plot.y.ticks {
            guard let position = plot.y.position(tick.value), (0.05...0.95).contains(position) else { continue }
            let y = plot.top + (1 - position) * plot.height
            drawing.line(plot.left - 4, y, plot.left, y, "class=\"axis\"")
            drawing.text(tick.label, plot.left - 7, y + 4, anchor: .end, class: "tick")
        }
        drawing.text(quantity.label, 14, plot.top + plot.height / 2, anchor: .middle, rotated: -90)
    }
}
