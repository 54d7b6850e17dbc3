extension HeatMapFigure {
    public func svg(id: String) -> String {
        let labels = panels?.rowLabels.map { SVGDrawing.textWidth($0) }.max() ?? 0
        let left = panels == nil ? 62.0 : 60 + labels, top = panels == nil ? 10.0 : panels?.columnTitle == nil ? 28 : 46
        let height = width * Double(rows) / Double(columns)
        let right = 16 + ColourBar.width
        let barsHeight = max(height, leastBarsHeight)
        var drawing = SVGDrawing(
            width: left + width + right, height: top + max(height + 48, barsHeight + 10))
        let sharp = width >= Double(columns) * 1.5
        drawing.image(base, left, top, width, height, sharp: sharp)
        if let overlay { drawing.image(overlay, left, top, width, height, sharp: sharp) }
        let (across, down) = (panels?.columnLabels.count ?? 1, panels?.rowLabels.count ?? 1)
        drawPanels(in: &drawing, left: left, top: top, height: height)
        for column in 0..<across {
            let panelWidth = width / Double(across)
            drawTicks(
                of: x, pixels: columns / across, length: panelWidth, isPanel: across > 1
            ) { position, label, anchor in
                let px = left + (Double(column) + position) * panelWidth
                drawing.line(px, top + height, px, top + height + 4, "class=\"axis\"")
                let shift = anchor == .start ? -1.0 : anchor == .end ? 1 : 0
                drawing.text(label, px - 3 * shift, top + height + 17, anchor: anchor, class: "tick")
            }
        }
        for row in 0..<down {
            let panelHeight = height / Double(down)
            drawTicks(of: y, pixels: rows / down, length: panelHeight, isPanel: down > 1) { position, label, anchor in
                let py = top + (Double(row) + position) * panelHeight
                drawing.line(left - 4, py, left, py, "class=\"axis\"")
                let shift = anchor == .start ? 10.0 : anchor == .end ? -2 : 4
                drawing.text(label, left - 7, py + shift, anchor: .end, class: "tick")
            }
        }
        drawing.box(left, top, width, height, "class=\"frame\" fill=\"none\"")
        drawing.text(x.title, left + width / 2, top + height + 38, anchor: .middle)
        drawing.text(y.title, panels == nil ? 16 : left - 38, top + height / 2, anchor: .middle, rotated: -90)
        drawRegions(in: &drawing, left: left, top: top, height: height)
        drawBars(in: &drawing, id: id, x: left + width + 16, top: top, height: barsHeight)
        return drawing.element(title: alternativeText)
    }

    /// Panel borders, the labels of rows at the left, of columns on top and of each panel in its corner.
    private func drawPanels(in drawing: inout SVGDrawing, left: Double, top: Double, height: Double) {
        guard let panels else { return }
        let panelWidth = width / Double(panels.columnLabels.count),
            panelHeight = height / Double(panels.rowLabels.count)
        for column in 1..<max(1, panels.columnLabels.count) {
            let px = left + Double(column) * panelWidth
            drawing.line(px, top, px, top + height, "class=\"gap\"")
        }
        for row in 1..<max(1, panels.rowLabels.count) {
            let py = top + Double(row) * panelHeight
            drawing.line(left, py, left + width, py, "class=\"gap\"")
        }
        for (row, label) in panels.rowLabels.enumerated() {
            drawing.text(
                label, left - 54, top + (Double(row) + 0.5) * panelHeight + 4, anchor: .end, class: "label strong")
        }
        for (column, label) in panels.columnLabels.enumerated() {
            drawing.text(label, left + (Double(column) + 0.5) * panelWidth, top - 8, anchor: .middle, class: "tick")
        }
        if let title = panels.columnTitle {
            drawing.text(title, left + width / 2, top - 28, anchor: .middle, class: "label strong")
        }
        for (row, labels) in panels.cellLabels.prefix(panels.rowLabels.count).enumerated() {
            for (column, label) in labels.prefix(panels.columnLabels.count).enumerated() {
                drawing.text(
                    label, left + Double(column) * panelWidth + 4, top + Double(row) * panelHeight + 12,
                    class: overlay == nil ? "onimage" : "onpaper")
            }
        }
    }

    /// Calls `draw` with the position along a panel (0…1) and the label of each tick. The outermost labels of
    /// neighbouring panels lean inwards so that they do not collide.
    private func drawTicks(
        of axis: GridAxis, pixels: Int, length: Double, isPanel: Bool,
        draw: (Double, String, SVGDrawing.Anchor) -> Void
    ) {
        let (low, high) = (min(axis.first, axis.last), max(axis.first, axis.last))
        guard low < high else { return }
        for tick in AxisScale.linearTicks(low, high, count: max(2, Int(length / (isPanel ? 45 : 80)))) {
            let centre = (tick.value - axis.first) / (axis.last - axis.first) * Double(pixels - 1) + 0.5
            let position = centre / Double(pixels)
            draw(position, tick.label, !isPanel ? .middle : position < 0.1 ? .start : position > 0.9 ? .end : .middle)
        }
    }

    private func drawRegions(in drawing: inout SVGDrawing, left: Double, top: Double, height: Double) {
        let (pixelWidth, pixelHeight) = (width / Double(columns), height / Double(rows))
        for region in regions {
            let px = left + Double(region.columns.lowerBound) * pixelWidth
            let py = top + Double(region.rows.lowerBound) * pixelHeight
            let (w, h) = (Double(region.columns.count) * pixelWidth, Double(region.rows.count) * pixelHeight)
            drawing.box(px, py, w, h, "class=\"region-halo\"")
            drawing.box(px, py, w, h, "class=\"region\"")
            // Beside the frame's upper corner, on the side where there is room.
            let badge = SVGDrawing.textWidth(region.label, size: 11) + 8
            let bx = px + w + badge + 2 > left + width ? px - badge - 2 : px + w + 2
            drawing.box(bx, py - 1, badge, 15, "rx=\"2\" class=\"badge-box\"")
            drawing.text(region.label, bx + badge / 2, py + 10.5, anchor: .middle, class: "badge")
        }
    }

    private static let barSpace = 28.0
    private var swatchHeight: Double { missingTitle == nil ? 0 : 38 }

    /// Below this the titles of the bars, which run along them, would overlap.
    private var leastBarsHeight: Double {
        let longest = bars.map { SVGDrawing.textWidth($0.title) }.max() ?? 0
        return (longest + Self.barSpace) * Double(bars.count) - Self.barSpace + swatchHeight
    }

    private func drawBars(in drawing: inout SVGDrawing, id: String, x: Double, top: Double, height: Double) {
        let space = Self.barSpace
        let each = (height - swatchHeight - space * Double(bars.count - 1)) / Double(bars.count)
        for (index, bar) in bars.enumerated() {
            bar.draw(
                in: &drawing, id: "\(id)-bar\(index)", x: x, top: top + Double(index) * (each + space), height: each)
        }
        if let missingTitle {
            drawing.box(x, top + height - 22, 14, 14, "fill=\"\(missingColour.hex)\" class=\"frame\"")
            let words = missingTitle.split(separator: " ", maxSplits: 1).map(String.init)
            for (line, word) in words.enumerated() {
                drawing.text(
                    word, x + 19, top + height - (words.count == 1 ? 11 : 17) + 12 * Double(line), class: "tick")
            }
        }
    }
}
