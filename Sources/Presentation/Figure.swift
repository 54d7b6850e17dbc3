/// A picture on a page, drawn as SVG without any outside resource.
public protocol Figure: Sendable {
    /// What the picture shows, for those who cannot see it.
    var alternativeText: String { get }

    /// One `<svg>` element, well-formed XML.
    ///
    /// - Parameter id: a prefix, unique on the page, for names inside the drawing.
    func svg(id: String) -> String
}

/// The colours of series in order: safe for the colour-blind, with their own values on dark pages.
///
/// M. Okabe, K. Ito, "Color universal design" (2008); dark shades lightened by us.
enum SeriesColour {
    static let count = 7

    /// A style's value: `var(--c0)`.
    static func variable(_ index: Int) -> String { "var(--c\(((index % count) + count) % count))" }

    static let light = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#555555"]
    static let dark = ["#56b4e9", "#ff9248", "#2fc79a", "#e79bc6", "#f0c24b", "#a9d8f5", "#b0b0b0"]
}

/// A judgement's colour: good, doubtful, bad or neither.
public enum Tone: String, Hashable, Sendable {
    case neutral, ok, warn, bad

    var variable: String {
        switch self {
        case .neutral: "var(--muted)"
        case .ok: "var(--ok)"
        case .warn: "var(--warn)"
        case .bad: "var(--bad)"
        }
    }
}

/// The rectangle that a chart's data fill, with its two axes.
struct PlotArea {
    var left: Double
    var top: Double
    var width: Double
    var height: Double
    var x: AxisScale
    var y: AxisScale

    func point(_ x: Double, _ y: Double) -> (x: Double, y: Double)? {
        guard let px = self.x.position(x), let py = self.y.position(y) else { return nil }
        return (left + px * width, top + (1 - py) * height)
    }

    /// Grid lines, ticks, tick labels and titles.
    func drawAxes(in drawing: inout SVGDrawing, xTitle: String, yTitle: String, verticalGrid: Bool = true) {
        for tick in x.ticks {
            guard let position = x.position(tick.value) else { continue }
            let px = left + position * width
            if verticalGrid { drawing.line(px, top, px, top + height, "class=\"grid\"") }
            drawing.line(px, top + height, px, top + height + 4, "class=\"axis\"")
            drawing.text(tick.label, px, top + height + 18, anchor: .middle, class: "tick")
        }
        for tick in y.ticks {
            guard let position = y.position(tick.value) else { continue }
            let py = top + (1 - position) * height
            drawing.line(left, py, left + width, py, "class=\"grid\"")
            drawing.line(left - 4, py, left, py, "class=\"axis\"")
            drawing.text(tick.label, left - 8, py + 4, anchor: .end, class: "tick")
        }
        drawing.line(left, top, left, top + height, "class=\"axis\"")
        drawing.line(left, top + height, left + width, top + height, "class=\"axis\"")
        drawing.text(xTitle, left + width / 2, top + height + 38, anchor: .middle)
        drawing.text(yTitle, 14, top + height / 2, anchor: .middle, rotated: -90)
    }

    /// Room left of the plot for the tick labels and the title.
    static func leftMargin(for scale: AxisScale) -> Double {
        34 + (scale.ticks.map { SVGDrawing.textWidth($0.label, size: 11.5) }.max() ?? 20)
    }
}

/// Names beside samples of their colours, in a line that wraps.
struct Legend {
    enum Mark { case line, dashed, dot, box }

    var entries: [(name: String, colour: String, mark: Mark)]

    /// - Returns: the height used.
    @discardableResult
    func draw(in drawing: inout SVGDrawing, left: Double, top: Double, width: Double) -> Double {
        var x = left, y = top + 12
        for entry in entries {
            let needed = 26 + SVGDrawing.textWidth(entry.name) + 16
            if x > left, x + needed > left + width { (x, y) = (left, y + 18) }
            switch entry.mark {
            case .line: drawing.line(x, y - 4, x + 20, y - 4, "style=\"stroke:\(entry.colour);stroke-width:2.5\"")
            case .dashed:
                drawing.line(
                    x, y - 4, x + 20, y - 4, "style=\"stroke:\(entry.colour);stroke-width:2.5;stroke-dasharray:5 3\"")
            case .dot: drawing.circle(x + 10, y - 4, radius: 4, "style=\"fill:\(entry.colour)\"")
            case .box: drawing.box(x + 4, y - 10, 12, 12, "rx=\"2\" style=\"fill:\(entry.colour)\"")
            }
            drawing.text(entry.name, x + 26, y)
            x += needed
        }
        return entries.isEmpty ? 0 : y + 8 - top
    }

    /// The height that `draw` will use.
    func height(width: Double) -> Double {
        var scratch = SVGDrawing(width: 1, height: 1)
        return draw(in: &scratch, left: 0, top: 0, width: width)
    }
}
