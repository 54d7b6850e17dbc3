extension DispersionFigure {
    public func svg(id: String) -> String {
        let xs = AxisScale(
            Axis("", range: positions[0]...positions[positions.count - 1]), data: [], tickCount: 7)
        let ys = AxisScale(Axis("", range: energies), data: [], tickCount: 6)
        let left = PlotArea.leftMargin(for: ys), top = title == nil ? 12.0 : 32.0
        let stagger = staggered(xs, width: size.width)
        let bottom = 46 + (stagger.contains(true) ? 14.0 : 0)
        let right = bar == nil ? 24 : 16 + ColourBar.width
        var drawing = SVGDrawing(width: left + size.width + right, height: top + size.height + bottom)
        let plot = PlotArea(left: left, top: top, width: size.width, height: size.height, x: xs, y: ys)
        if let title { drawing.text(title, left, 20, class: "label strong") }
        if let image {
            drawing.image(image, left, top, size.width, size.height, sharp: false)
        }
        drawAxes(in: &drawing, plot: plot, stagger: stagger)
        drawing.beginClip("\(id)-clip", left, top, size.width, size.height)
        let style =
            image == nil
            ? "class=\"curve\" style=\"stroke:\(SeriesColour.variable(0));stroke-width:1.6\""
            : "fill=\"none\" stroke=\"#ffffff\" stroke-opacity=\"0.6\" stroke-width=\"0.8\""
        for line in lines { drawing.path(zip(positions, line).map { plot.point($0, $1) }, style) }
        drawing.endClip()
        drawing.box(left, top, size.width, size.height, "class=\"frame\" fill=\"none\"")
        bar?.draw(in: &drawing, id: "\(id)-bar", x: left + size.width + 16, top: top, height: size.height)
        return drawing.element(title: alternativeText)
    }

    /// True for the names of corners that would touch their neighbour on the left, and stand a line lower.
    private func staggered(_ scale: AxisScale, width: Double) -> [Bool] {
        var ends = [-Double.infinity, -Double.infinity]
        return ticks.map { tick in
            let centre = (scale.position(tick.position) ?? 0) * width
            let half = SVGDrawing.textWidth(tick.label, size: 11.5) / 2
            let row = centre - half < ends[0] + 6 ? 1 : 0
            ends[row] = centre + half
            return row == 1
        }
    }

    private func drawAxes(in drawing: inout SVGDrawing, plot: PlotArea, stagger: [Bool]) {
        let floor = plot.top + plot.height
        if ticks.isEmpty {
            for tick in plot.x.ticks {
                guard let position = plot.x.position(tick.value) else { continue }
                let px = plot.left + position * plot.width
                drawing.line(px, floor, px, floor + 4, "class=\"axis\"")
                drawing.text(tick.label, px, floor + 18, anchor: .middle, class: "tick")
            }
        }
        for (k, tick) in ticks.enumerated() {
            guard let position = plot.x.position(tick.position) else { continue }
            let px = plot.left + position * plot.width
            let inner = k > 0 && k + 1 < ticks.count
            if inner {
                drawing.line(
                    px, plot.top, px, floor,
                    image == nil ? "class=\"grid\"" : "stroke=\"#ffffff\" stroke-opacity=\"0.45\" stroke-width=\"0.8\"")
            }
            drawing.line(px, floor, px, floor + 4, "class=\"axis\"")
            drawing.text(tick.label, px, floor + (stagger[k] ? 32 : 18), anchor: .middle, class: "tick")
        }
        for tick in plot.y.ticks {
            guard let position = plot.y.position(tick.value) else { continue }
            let py = plot.top + (1 - position) * plot.height
            if image == nil { drawing.line(plot.left, py, plot.left + plot.width, py, "class=\"grid\"") }
            drawing.line(plot.left - 4, py, plot.left, py, "class=\"axis\"")
            drawing.text(tick.label, plot.left - 8, py + 4, anchor: .end, class: "tick")
        }
        drawing.text(
            xTitle, plot.left + plot.width / 2, floor + 38 + (stagger.contains(true) ? 14 : 0), anchor: .middle)
        drawing.text("energy (meV)", 14, plot.top + plot.height / 2, anchor: .middle, rotated: -90)
    }
}
