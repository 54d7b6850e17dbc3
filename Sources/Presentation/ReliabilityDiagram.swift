/// Whether stated probabilities come true: observed frequency against confidence, with the number of cases.
public struct ReliabilityDiagram: Figure {
    public struct Bin: Hashable, Sendable {
        /// Edges of the confidence bin.
        public var range: ClosedRange<Double>
        /// Mean confidence of the cases inside.
        public var confidence: Double
        /// Fraction of them that were right.
        public var accuracy: Double
        public var count: Int
        /// An interval for `accuracy`, drawn as a whisker.
        public var low: Double?
        public var high: Double?

        public init(
            range: ClosedRange<Double>, confidence: Double, accuracy: Double, count: Int, low: Double? = nil,
            high: Double? = nil
        ) {
            (self.range, self.confidence, self.accuracy, self.count) = (range, confidence, accuracy, count)
            (self.low, self.high) = (low, high)
        }
    }

    /// Empty bins (`count` 0) draw nothing.
    public var bins: [Bin]
    /// Written into the corner: `expected calibration error 0.021`.
    public var note: String?
    public var alternativeText: String

    public init(_ bins: [Bin], note: String? = nil, alternativeText: String) {
        (self.bins, self.note, self.alternativeText) = (bins, note, alternativeText)
    }

    public func svg(id: String) -> String {
        let lower = min(bins.map(\.range.lowerBound).min() ?? 0, 0.5)
        let unit = AxisScale(Axis("", range: 0...1), data: [], tickCount: 5)
        let xs = AxisScale(Axis("", range: max(0, lower)...1), data: [], tickCount: 5)
        let plot = PlotArea(left: 58, top: 10, width: 346, height: 300, x: xs, y: unit)
        var drawing = SVGDrawing(width: 420, height: 470)
        let counts = PlotArea(
            left: 58, top: 330, width: 346, height: 80, x: xs,
            y: AxisScale(Axis("", range: 0...Double(max(1, bins.map(\.count).max() ?? 1))), data: [], tickCount: 2))
        var upper = plot
        upper.x.ticks = xs.ticks.map { ($0.value, "") }
        upper.drawAxes(in: &drawing, xTitle: "", yTitle: "fraction right")
        counts.drawAxes(in: &drawing, xTitle: "stated confidence", yTitle: "cases")
        for bin in bins where bin.count > 0 {
            guard let a = plot.point(bin.range.lowerBound, bin.accuracy), let b = plot.point(bin.range.upperBound, 0),
                let c = counts.point(bin.range.lowerBound, Double(bin.count)),
                let d = counts.point(bin.range.upperBound, 0)
            else { continue }
            let title =
                "\(Wording.count(bin.count, "case")): confidence \(Wording.fixed(bin.confidence, decimals: 2)),"
                + " right \(Wording.fixed(bin.accuracy, decimals: 2))"
            drawing.box(
                a.x + 1, a.y, b.x - a.x - 2, b.y - a.y, "style=\"fill:var(--c0);fill-opacity:0.35\"", title: title)
            drawing.box(
                c.x + 1, c.y, d.x - c.x - 2, d.y - c.y, "style=\"fill:var(--muted);fill-opacity:0.5\"", title: title)
        }
        drawing.path([plot.point(max(0, lower), max(0, lower)), plot.point(1, 1)], "class=\"reference\"")
        for bin in bins where bin.count > 0 {
            if let low = bin.low, let high = bin.high, let a = plot.point(bin.confidence, low),
                let b = plot.point(bin.confidence, high)
            {
                drawing.line(a.x, a.y, b.x, b.y, "class=\"whisker\"")
                drawing.line(a.x - 4, a.y, a.x + 4, a.y, "class=\"whisker\"")
                drawing.line(b.x - 4, b.y, b.x + 4, b.y, "class=\"whisker\"")
            }
            if let point = plot.point(bin.confidence, bin.accuracy) {
                drawing.circle(point.x, point.y, radius: 4, "style=\"fill:var(--c0)\"")
            }
        }
        if let note { drawing.text(note, plot.left + 10, plot.top + 16, class: "label strong") }
        return drawing.element(title: alternativeText)
    }
}
