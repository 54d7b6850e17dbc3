import Foundation

extension Figure {
    /// The figure as an SVG file of its own: with its size, its styles in light colours and a white ground, and no outside
    /// resource.
    public func document() -> String {
        var drawing = svg(id: "figure")
        // Drawing programs know no variables.
        for (k, colour) in SeriesColour.light.enumerated() { drawing = drawing.replacing("var(--c\(k))", with: colour) }
        for (name, colour) in Self.colours { drawing = drawing.replacing("var(--\(name))", with: colour) }
        // What `SVGDrawing.element` writes: <svg … viewBox="0 0 W H" …><title>…</title>.
        guard let box = drawing.firstRange(of: "viewBox=\"0 0 "),
            let end = drawing[box.upperBound...].firstIndex(of: "\""),
            let head = drawing.firstRange(of: "</title>\n")
        else { return drawing }
        let size = drawing[box.upperBound..<end].split(separator: " ")
        let extent = size.count == 2 ? " width=\"\(size[0])\" height=\"\(size[1])\"" : ""
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + drawing[..<drawing.index(after: end)] + extent
            + drawing[drawing.index(after: end)..<head.upperBound] + "<style>\n\(Self.styles)</style>\n"
            + "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n" + drawing[head.upperBound...]
    }

    private static var colours: [(String, String)] {
        [
            ("ink", "#1a1f26"), ("muted", "#5c6773"), ("rule", "#d8dee6"), ("paper", "#ffffff"), ("ok", "#00735a"),
            ("warn", "#a15c00"), ("bad", "#b3261e"),
        ]
    }

    private static var styles: String {
        """
        text { font-family: Helvetica, Arial, "Liberation Sans", "DejaVu Sans", sans-serif; fill: #1a1f26; font-size: 13px; }
        .label { font-size: 12.5px; } .strong { font-weight: 600; } .tick { font-size: 11.5px; fill: #5c6773; }
        .grid { stroke: #d8dee6; stroke-width: 1px; } .axis, .frame { stroke: #5c6773; stroke-width: 1px; }
        .curve { fill: none; stroke-width: 2.2px; stroke-linejoin: round; stroke-linecap: round; }
        .reference { fill: none; stroke: #5c6773; stroke-width: 1.3px; stroke-dasharray: 5 4; }
        .marker { stroke: #5c6773; stroke-width: 1px; stroke-dasharray: 2 3; }

        """
    }
}
