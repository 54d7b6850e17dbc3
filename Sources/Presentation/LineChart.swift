/// Curves against a common axis: training histories, cuts through data, scans.
public struct LineChart: Figure {
    public struct Series: Hashable, Sendable {
        public var name: String
        public var x: [Double]
        /// NaN leaves a gap.
        public var y: [Double]
        /// A shaded region around the curve: lower and upper edge, each as long as `x`.
        public var band: Band?
        public var isDashed: Bool
        /// Small circles at the points, on top of the line.
        public var showsPoints: Bool
        /// Index of the colour; nil for the place in the list. Give two curves of one member the same.
        public var colour: Int?

        public init(
            _ name: String, x: [Double], y: [Double], band: Band? = nil, isDashed: Bool = false,
            showsPoints: Bool = false, colour: Int? = nil
        ) {
            (self.name, self.x, self.y, self.band) = (name, x, y, band)
            (self.isDashed, self.showsPoints, self.colour) = (isDashed, showsPoints, colour)
        }
    }

    public struct Band: Hashable, Sendable {
        public var lower: [Double]
        public var upper: [Double]

        public init(lower: [Double], upper: [Double]) { (self.lower, self.upper) = (lower, upper) }
    }

    /// A value of x worth a thin line across the chart: the best epoch, the end of a schedule.
    public struct Marker: Hashable, Sendable {
        public var x: Double
        public var label: String

        public init(x: Double, label: String) { (self.x, self.label) = (x, label) }
    }

    public var series: [Series]
    public var x: Axis
    public var y: Axis
    public var markers: [Marker]
    public var width: Double
    public var height: Double
    public var alternativeText: String

    public init(
        _ series: [Series], x: Axis, y: Axis, markers: [Marker] = [], width: Double = 640, height: Double = 360,
        alternativeText: String
    ) {
        (self.series, self.x, self.y, self.markers) = (series, x, y, markers)
        (self.width, self.height, self.alternativeText) = (width, height, alternativeText)
    }

    public func svg(id: String) -> String {
        let xs = AxisScale(x, data: series.flatMap(\.x), tickCount: 7)
        let ys = AxisScale(
            y, data: series.flatMap { $0.y + ($0.band.map { $0.lower + $0.upper } ?? []) }, tickCount: 5)
        let legend = Legend(
            entries: series.enumerated().map {
                ($1.name, SeriesColour.variable($1.colour ?? $0), $1.isDashed ? .dashed : .line)
            })
        let left = PlotArea.leftMargin(for: ys)
        let shown = series.count > 1 || !(series.first?.name.isEmpty ?? true)
        let top = 10 + (shown ? legend.height(width: width - left - 16) : 0) + (markers.isEmpty ? 0 : 12)
        let plot = PlotArea(
            left: left, top: top, width: width - left - 16, height: max(80, height - top - 46), x: xs, y: ys)
        var drawing = SVGDrawing(width: width, height: plot.top + plot.height + 46)
        if shown { legend.draw(in: &drawing, left: left, top: 4, width: plot.width) }
        plot.drawAxes(in: &drawing, xTitle: x.label, yTitle: y.label)
        drawing.beginClip("\(id)-clip", plot.left, plot.top - 1, plot.width + 1, plot.height + 2)
        for (index, curve) in series.enumerated() { drawBand(curve, index, plot, &drawing) }
        for (index, curve) in series.enumerated() { drawCurve(curve, index, plot, &drawing) }
        drawing.endClip()
        for marker in markers {
            guard let position = xs.position(marker.x), (0...1).contains(position) else { continue }
            let px = plot.left + position * plot.width
            drawing.line(px, plot.top, px, plot.top + plot.height, "class=\"marker\"")
            drawing.text(
                marker.label, px, plot.top - 4, anchor: position > 0.85 ? .end : position < 0.15 ? .start : .middle,
                class: "tick")
        }
        return drawing.element(title: alternativeText)
    }

    private func drawBand(_ curve: Series, _ index: Int, _ plot: PlotArea, _ drawing: inout SVGDrawing) {
        guard let band = curve.band else { return }
        let there = zip(curve.x, band.upper).map { plot.point($0, $1) }
        let back = zip(curve.x, band.lower).map { plot.point($0, $1) }.reversed()
        let colour = SeriesColour.variable(curve.colour ?? index)
        drawing.path((there + back).filter { $0 != nil }, closed: true, "style=\"fill:\(colour);fill-opacity:0.18\"")
    }

    private func drawCurve(_ curve: Series, _ index: Int, _ plot: PlotArea, _ drawing: inout SVGDrawing) {
        let points = zip(curve.x, curve.y).map { plot.point($0, $1) }
        let colour = SeriesColour.variable(curve.colour ?? index)
        let dash = curve.isDashed ? ";stroke-dasharray:6 4" : ""
        drawing.path(points, "class=\"curve\" style=\"stroke:\(colour)\(dash)\"")
        for (place, point) in points.enumerated() {
            guard let point else { continue }
            // A point between two gaps would be no line at all.
            let before = place > 0 && points[place - 1] != nil,
                after = place + 1 < points.count && points[place + 1] != nil
            if curve.showsPoints || (!before && !after) {
                drawing.circle(point.x, point.y, radius: 3, "style=\"fill:\(colour)\"")
            }
        }
    }
}
