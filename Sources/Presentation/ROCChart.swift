/// Receiver operating characteristics: the true positive rate against the false positive rate.
public struct ROCChart: Figure {
    public struct Curve: Hashable, Sendable {
        public var name: String
        /// From 0 to 1, rising.
        public var falsePositiveRate: [Double]
        public var truePositiveRate: [Double]
        /// The area under the curve, as computed by the caller.
        public var area: Double

        public init(_ name: String, falsePositiveRate: [Double], truePositiveRate: [Double], area: Double) {
            (self.name, self.falsePositiveRate) = (name, falsePositiveRate)
            (self.truePositiveRate, self.area) = (truePositiveRate, area)
        }
    }

    public var curves: [Curve]
    public var alternativeText: String

    public init(_ curves: [Curve], alternativeText: String) {
        (self.curves, self.alternativeText) = (curves, alternativeText)
    }

    public func svg(id: String) -> String {
        let unit = AxisScale(Axis("", range: 0...1), data: [], tickCount: 5)
        let legend = Legend(
            entries: curves.enumerated().map {
                ("\($1.name), area \(Wording.fixed($1.area, decimals: 3))", SeriesColour.variable($0), .line)
            })
        let plot = PlotArea(left: 58, top: 14, width: 346, height: 346, x: unit, y: unit)
        var drawing = SVGDrawing(width: 420, height: 406)
        plot.drawAxes(in: &drawing, xTitle: "false positive rate", yTitle: "true positive rate")
        drawing.path([plot.point(0, 0), plot.point(1, 1)], "class=\"reference\"")
        for (index, curve) in curves.enumerated() {
            let points = zip(curve.falsePositiveRate, curve.truePositiveRate).map { plot.point($0, $1) }
            let colour = SeriesColour.variable(index)
            if let last = plot.point(1, 0), let first = plot.point(0, 0), curves.count == 1 {
                drawing.path(
                    [first] + points.filter { $0 != nil } + [last], closed: true,
                    "style=\"fill:\(colour);fill-opacity:0.12\"")
            }
            drawing.path(points, "class=\"curve\" style=\"stroke:\(colour)\"")
        }
        // Below the diagonal there is room: one line for each curve.
        for (index, entry) in legend.entries.enumerated() {
            Legend(entries: [entry]).draw(
                in: &drawing, left: plot.left + 120, top: plot.top + 316 - 20 * Double(curves.count - index - 1),
                width: 1000)
        }
        return drawing.element(title: alternativeText)
    }
}
