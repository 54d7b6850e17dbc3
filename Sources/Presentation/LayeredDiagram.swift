/// Boxes in rows and arrows that lead down, as one SVG picture.
public struct LayeredDiagram: Sendable {
    public struct Box: Sendable {
        public var title: String
        /// Lines below the title.
        public var lines: [String]
        /// Boxes of one kind have one colour.
        public var kind: String
        /// Drawn as a pile: the box stands for several things.
        public var isPile: Bool

        public init(title: String, lines: [String], kind: String, isPile: Bool) {
            self.title = title
            self.lines = lines
            self.kind = kind
            self.isPile = isPile
        }
    }

    public struct Arrow: Sendable, Hashable {
        /// Indices of boxes.
        public var from: Int
        public var to: Int
        /// Shown where the pointer rests.
        public var title: String

        public init(from: Int, to: Int, title: String) {
            self.from = from
            self.to = to
            self.title = title
        }
    }

    public var title: String
    public var boxes: [Box]
    public var arrows: [Arrow]

    /// - Parameter arrows: without circles.
    public init(title: String, boxes: [Box], arrows: [Arrow]) {
        self.title = title
        self.boxes = boxes
        self.arrows = arrows
    }

    private static let colours = [
        "#4878a8", "#c8783c", "#5a9a5a", "#b04a5a", "#8468b0", "#3c9a9a", "#a08830", "#787878", "#b05ca0", "#5f6caf",
        "#4c6a58", "#9a6a4a",
    ]

    private func size(of box: Box) -> (width: Double, height: Double) {
        let widths =
            [SVGDrawing.textWidth(box.title, size: 14)] + box.lines.map { SVGDrawing.textWidth($0, size: 11.5) }
        return (max(90, widths.reduce(0, max) + 30), 30 + 16 * Double(box.lines.count))
    }

    /// The picture as a file of its own.
    public var svg: String {
        let layout = LayeredLayout(sizes: boxes.map(size), arrows: arrows.map { ($0.from, $0.to) })
        var drawing = SVGDrawing(width: layout.width, height: layout.height)
        drawing.raw(
            "<style>text{font-family:'Helvetica Neue',Helvetica,Arial,sans-serif;fill:#222}"
                + ".title{font-size:14px;font-weight:600}.line{font-size:11.5px;fill:#666}</style>")
        drawing.box(0, 0, layout.width, layout.height, "fill=\"#fff\"")
        for (arrow, route) in zip(arrows, layout.routes) { draw(arrow, along: route, in: &drawing) }
        var colourOfKind: [String: String] = [:]
        for (box, place) in zip(boxes, layout.places) {
            let next = Self.colours[colourOfKind.count % Self.colours.count]
            let colour = colourOfKind[box.kind, default: next]
            colourOfKind[box.kind] = colour
            draw(box, at: place, colour: colour, in: &drawing)
        }
        return drawing.element(title: title)
    }

    private func draw(_ box: Box, at place: LayeredLayout.Place, colour: String, in drawing: inout SVGDrawing) {
        let (x, y) = (place.x - place.width / 2, place.y)
        let outline = "fill=\"#fff\" stroke=\"\(colour)\" stroke-width=\"1.3\" rx=\"5\""
        if box.isPile {
            for offset in [7.0, 3.5] { drawing.box(x + offset, y - offset, place.width, place.height, outline) }
        }
        drawing.box(x, y, place.width, place.height, outline)
        drawing.box(x, y, 6, place.height, "fill=\"\(colour)\" rx=\"3\"")
        drawing.text(box.title, place.x + 3, y + 20, anchor: .middle, class: "title")
        for (index, line) in box.lines.enumerated() {
            drawing.text(line, place.x + 3, y + 37 + 16 * Double(index), anchor: .middle, class: "line")
        }
    }

    /// Curves that leave and arrive vertically, and a head.
    private func draw(_ arrow: Arrow, along route: [LayeredLayout.Point], in drawing: inout SVGDrawing) {
        guard let first = route.first, var last = route.last else { return }
        // The arrow ends at the uppermost box of a pile.
        if boxes[arrow.to].isPile { last.y -= 7 }
        let n = SVGDrawing.coordinate
        // The head covers the last seven units.
        let end = LayeredLayout.Point(x: last.x, y: last.y - 7)
        var path = "M\(n(first.x)) \(n(first.y))"
        var previous = first
        for point in route.dropFirst().dropLast() + [end] {
            let middle = (previous.y + point.y) / 2
            path += "C\(n(previous.x)) \(n(middle)) \(n(point.x)) \(n(middle)) \(n(point.x)) \(n(point.y))"
            previous = point
        }
        drawing.raw(
            "<g><title>\(Markup.escape(arrow.title))</title><path d=\"\(path)\" fill=\"none\" stroke=\"#8a8a8a\" "
                + "stroke-width=\"1.3\"/><path d=\"M\(n(last.x)) \(n(last.y))l-4 -8h8Z\" fill=\"#8a8a8a\"/></g>")
    }
}
