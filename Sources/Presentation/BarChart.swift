/// Horizontal bars with their values written beside them: probabilities, rates, scores.
public struct BarChart: Figure {
    public struct Bar: Hashable, Sendable {
        public var name: String
        public var value: Double
        /// An interval drawn as a whisker: a standard error or a credible range.
        public var low: Double?
        public var high: Double?
        /// Written at the end of the bar; the number itself by default.
        public var text: String?
        /// `ok` in full colour, `neutral` paler, `warn` and `bad` in their own.
        public var tone: Tone

        public init(
            _ name: String, _ value: Double, low: Double? = nil, high: Double? = nil, text: String? = nil,
            tone: Tone = .neutral
        ) {
            (self.name, self.value, self.low, self.high) = (name, value, low, high)
            (self.text, self.tone) = (text, tone)
        }
    }

    public var bars: [Bar]
    public var axis: Axis
    public var width: Double
    public var alternativeText: String

    public init(_ bars: [Bar], axis: Axis, width: Double = 640, alternativeText: String) {
        (self.bars, self.axis, self.width, self.alternativeText) = (bars, axis, width, alternativeText)
    }

    /// Probabilities on a fixed axis from 0 to 1; the likeliest in colour.
    public static func probabilities(_ bars: [Bar], title: String = "probability", alternativeText: String) -> BarChart
    {
        var bars = bars
        let best = bars.map(\.value).filter(\.isFinite).max()
        for index in bars.indices {
            if bars[index].value == best, bars[index].tone == .neutral { bars[index].tone = .ok }
            if bars[index].text == nil { bars[index].text = Wording.percent(bars[index].value) }
        }
        return BarChart(bars, axis: Axis(title, range: 0...1), alternativeText: alternativeText)
    }

    public func svg(id: String) -> String {
        let names = bars.map { Table.shortened($0.name, to: 34) }
        let scale = AxisScale(
            axis, data: bars.flatMap { [$0.value, $0.low ?? $0.value, $0.high ?? $0.value] }, tickCount: 6,
            includesZero: true)
        let texts = bars.map { $0.text ?? Wording.number($0.value) }
        let left = 14 + (names.map { SVGDrawing.textWidth($0, size: 13) }.max() ?? 0)
        let right = 14 + (texts.map { SVGDrawing.textWidth($0, size: 13) }.max() ?? 0)
        let pitch = 34.0
        let plot = PlotArea(
            left: left, top: 6, width: max(80, width - left - right), height: pitch * Double(bars.count), x: scale,
            y: scale)
        var drawing = SVGDrawing(width: left + plot.width + right, height: plot.top + plot.height + 46)
        for tick in scale.ticks {
            guard let position = scale.position(tick.value) else { continue }
            let px = left + position * plot.width
            drawing.line(px, plot.top, px, plot.top + plot.height, "class=\"grid\"")
            drawing.text(tick.label, px, plot.top + plot.height + 16, anchor: .middle, class: "tick")
        }
        drawing.text(axis.label, left + plot.width / 2, plot.top + plot.height + 36, anchor: .middle)
        func place(_ value: Double) -> Double { left + min(1, max(0, scale.position(value) ?? 0)) * plot.width }
        let zero = place(scale.isLogarithmic ? scale.lower : 0)
        for (index, bar) in bars.enumerated() {
            let y = plot.top + pitch * Double(index)
            drawing.text(names[index], left - 8, y + pitch / 2 + 4.5, anchor: .end, class: "name")
            if bar.value.isFinite {
                let end = place(bar.value)
                let isJudged = bar.tone == .warn || bar.tone == .bad
                let fill = isJudged ? bar.tone.variable : SeriesColour.variable(0)
                let opacity = bar.tone == .neutral ? 0.45 : 1
                drawing.box(
                    min(zero, end), y + 7, abs(end - zero), pitch - 14,
                    "rx=\"2\" style=\"fill:\(fill);fill-opacity:\(opacity)\"", title: "\(bar.name): \(texts[index])")
            }
            if let low = bar.low, let high = bar.high, low.isFinite, high.isFinite {
                let (a, b, middle) = (place(low), place(high), y + pitch / 2)
                drawing.line(a, middle, b, middle, "class=\"whisker\"")
                drawing.line(a, middle - 4, a, middle + 4, "class=\"whisker\"")
                drawing.line(b, middle - 4, b, middle + 4, "class=\"whisker\"")
            }
            drawing.text(texts[index], left + plot.width + 8, y + pitch / 2 + 4.5, class: "name")
        }
        drawing.line(zero, plot.top, zero, plot.top + plot.height, "class=\"axis\"")
        return drawing.element(title: alternativeText)
    }
}
