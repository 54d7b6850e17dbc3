/// How often ranks fell into equal bins of 0…1, beside what chance alone would do.
public struct RankHistogramChart: Figure {
    public var counts: [Int]
    public var title: String
    public var width: Double
    public var height: Double
    public var alternativeText: String

    /// - Parameter counts: in bins from 0 to 1.
    public init(
        _ counts: [Int], title: String, width: Double = 380, height: Double = 220, alternativeText: String
    ) {
        (self.counts, self.title) = (counts, title)
        (self.width, self.height, self.alternativeText) = (width, height, alternativeText)
    }

    /// Mean of a bin, and two standard deviations of a binomial count of even ranks to both sides.
    var expected: (mean: Double, low: Double, high: Double) {
        let total = Double(counts.reduce(0, +))
        let share = 1 / Double(max(1, counts.count))
        let deviation = (total * share * (1 - share)).squareRoot()
        return (total * share, max(0, total * share - 2 * deviation), total * share + 2 * deviation)
    }

    public func svg(id: String) -> String {
        let (mean, low, high) = expected
        let xs = AxisScale(Axis(title, range: 0...1), data: [], tickCount: 5)
        let ys = AxisScale(
            Axis("simulations"), data: counts.map(Double.init) + [high], tickCount: 4, includesZero: true)
        let left = PlotArea.leftMargin(for: ys)
        let plot = PlotArea(
            left: left, top: 10, width: width - left - 16, height: max(80, height - 56), x: xs, y: ys)
        var drawing = SVGDrawing(width: width, height: plot.top + plot.height + 46)
        plot.drawAxes(in: &drawing, xTitle: title, yTitle: "simulations", verticalGrid: false)
        if let above = plot.point(0, high), let below = plot.point(1, low) {
            drawing.box(
                above.x, above.y, below.x - above.x, below.y - above.y,
                "style=\"fill:var(--muted);fill-opacity:0.18\"")
        }
        let colour = SeriesColour.variable(0)
        let step = 1 / Double(max(1, counts.count))
        for (bin, count) in counts.enumerated() {
            guard let top = plot.point(Double(bin) * step, Double(count)), let foot = plot.point(0, 0) else { continue }
            drawing.box(
                top.x + 1, top.y, step * plot.width - 2, foot.y - top.y,
                "style=\"fill:\(colour);fill-opacity:0.7\"", title: "\(count)")
        }
        if let start = plot.point(0, mean), let end = plot.point(1, mean) {
            drawing.path([start, end], "class=\"reference\"")
        }
        return drawing.element(title: alternativeText)
    }
}
