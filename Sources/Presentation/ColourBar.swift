import Interchange

/// The key of a heat map: colours from bottom to top with their values.
struct ColourBar {
    var title: String
    var colourMap: ColourMap
    var low: Double
    var high: Double
    var scale = HeatMap.Scale.linear

    /// Units that the bar takes to the right of `x`.
    static let width = 74.0

    func draw(in drawing: inout SVGDrawing, id: String, x: Double, top: Double, height: Double) {
        // Four steps between control points follow the map's straight pieces exactly.
        let steps = (colourMap.controlPoints.count - 1) * 4
        let stops = (0...steps).map { step in
            let t = Double(step) / Double(steps)
            return "<stop offset=\"\(SVGDrawing.coordinate(t * 100))%\""
                + " stop-color=\"\(colourMap.colour(at: t).hex)\"/>"
        }
        drawing.raw(
            "<linearGradient id=\"\(id)\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">\(stops.joined())</linearGradient>")
        drawing.box(x, top, 14, height, "fill=\"url(#\(id))\" class=\"frame\"")
        let axis = AxisScale(Axis("", range: low...high), data: [], tickCount: max(2, Int(height / 55)))
        for tick in axis.ticks {
            guard let position = axis.position(tick.value) else { continue }
            let y = top + (1 - scale.colourPosition(position)) * height
            drawing.line(x + 14, y, x + 18, y, "class=\"axis\"")
            drawing.text(tick.label, x + 21, y + 4, class: "tick")
        }
        let labels = axis.ticks.map { SVGDrawing.textWidth($0.label, size: 11.5) }.max() ?? 0
        drawing.text(title, min(x + Self.width - 4, x + 40 + labels), top + height / 2, anchor: .middle, rotated: -90)
    }
}
