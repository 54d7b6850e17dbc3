import Interchange

/// A correlation matrix as coloured squares with their numbers.
public struct CorrelationFigure: Figure {
    public var names: [String]
    /// By rows, each −1…1, as many as names squared.
    public var values: [Double]
    public var alternativeText: String

    public init(_ names: [String], values: [Double], alternativeText: String) {
        precondition(values.count == names.count * names.count, "a correlation matrix is square")
        (self.names, self.values, self.alternativeText) = (names, values, alternativeText)
    }

    public func svg(id: String) -> String {
        let cell = 56.0
        let left = 14 + (names.map { SVGDrawing.textWidth($0, size: 12.5) }.max() ?? 0)
        let top = 26.0
        let side = cell * Double(names.count)
        var drawing = SVGDrawing(width: left + side + 8, height: top + side + 8)
        for (column, name) in names.enumerated() {
            drawing.text(name, left + (Double(column) + 0.5) * cell, top - 9, anchor: .middle)
        }
        for (row, name) in names.enumerated() {
            let y = top + Double(row) * cell
            drawing.text(name, left - 8, y + cell / 2 + 4, anchor: .end)
            for column in names.indices {
                let value = values[row * names.count + column]
                let colour = ColourMap.blueRed.colour(at: (value + 1) / 2)
                drawing.box(
                    left + Double(column) * cell, y, cell - 2, cell - 2, "style=\"fill:\(colour.hex)\"",
                    title: "\(name) and \(names[column])")
                // White on the ends of the map, black on its light middle, on light and dark pages alike.
                let ink = abs(value) > 0.7 ? "#ffffff" : "#1b1f24"
                let x = SVGDrawing.coordinate(left + (Double(column) + 0.5) * cell - 1)
                drawing.raw(
                    "<text x=\"\(x)\" y=\"\(SVGDrawing.coordinate(y + cell / 2 + 4))\" text-anchor=\"middle\""
                        + " style=\"fill:\(ink);font-size:12.5px\">\(Wording.fixed(value, decimals: 2))</text>")
            }
        }
        return drawing.element(title: alternativeText)
    }
}
