/// Points in a plane: truth against estimate, one quantity against another.
public struct ScatterChart: Figure {
    public struct Series: Hashable, Sendable {
        public var name: String
        public var x: [Double]
        public var y: [Double]
        /// Half lengths of vertical error bars, as long as `y`.
        public var error: [Double]?

        public init(_ name: String, x: [Double], y: [Double], error: [Double]? = nil) {
            (self.name, self.x, self.y, self.error) = (name, x, y, error)
        }
    }

    public var series: [Series]
    public var x: Axis
    public var y: Axis
    /// A dashed line y = x.
    public var showsDiagonal: Bool
    public var width: Double
    public var height: Double
    public var alternativeText: String

    public init(
        _ series: [Series], x: Axis, y: Axis, showsDiagonal: Bool = false, width: Double = 460, height: Double = 400,
        alternativeText: String
    ) {
        (self.series, self.x, self.y, self.showsDiagonal) = (series, x, y, showsDiagonal)
        (self.width, self.height, self.alternativeText) = (width, height, alternativeText)
    }

    public func svg(id: String) -> String {
        let xs = AxisScale(x, data: series.flatMap(\.x), tickCount: 6)
        let ys = AxisScale(
            y,
            data: series.flatMap { curve in
                curve.y + (curve.error.map { error in zip(curve.y, error).flatMap { [$0 - $1, $0 + $1] } } ?? [])
            }, tickCount: 6)
        let legend = Legend(entries: series.enumerated().map { ($1.name, SeriesColour.variable($0), .dot) })
        let left = PlotArea.leftMargin(for: ys)
        let shown = series.count > 1
        let top = 10 + (shown ? legend.height(width: width - left - 16) : 0)
        let plot = PlotArea(
            left: left, top: top, width: width - left - 16, height: max(80, height - top - 46), x: xs, y: ys)
        var drawing = SVGDrawing(width: width, height: plot.top + plot.height + 46)
        if shown { legend.draw(in: &drawing, left: left, top: 4, width: plot.width) }
        plot.drawAxes(in: &drawing, xTitle: x.label, yTitle: y.label)
        drawing.beginClip("\(id)-clip", plot.left - 4, plot.top - 4, plot.width + 8, plot.height + 8)
        if showsDiagonal {
            let low = max(xs.lower, ys.lower), high = min(xs.upper, ys.upper)
            if low < high { drawing.path([plot.point(low, low), plot.point(high, high)], "class=\"reference\"") }
        }
        let many = series.reduce(0) { $0 + $1.x.count } > 300
        for (index, curve) in series.enumerated() {
            let colour = SeriesColour.variable(index)
            for (place, (px, py)) in zip(curve.x, curve.y).enumerated() {
                guard let point = plot.point(px, py) else { continue }
                if let error = curve.error, place < error.count, let low = plot.point(px, py - error[place]),
                    let high = plot.point(px, py + error[place])
                {
                    drawing.line(point.x, low.y, point.x, high.y, "style=\"stroke:\(colour);stroke-width:1.2\"")
                }
                drawing.circle(
                    point.x, point.y, radius: many ? 2 : 3.5,
                    "style=\"fill:\(colour);fill-opacity:\(many ? 0.45 : 0.75)\"")
            }
        }
        drawing.endClip()
        return drawing.element(title: alternativeText)
    }
}
