import Interchange

/// A picture under construction: lines, boxes, text and images in a box of user units, y downwards.
struct SVGDrawing {
    enum Anchor: String { case start, middle, end }

    let width: Double
    let height: Double
    private(set) var body = ""

    init(width: Double, height: Double) { (self.width, self.height) = (width, height) }

    /// The `<svg>` element; it scales down with the page and says what it shows to those who cannot see it.
    func element(title: String) -> String {
        "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\""
            + " viewBox=\"0 0 \(n(width)) \(n(height))\" style=\"max-width:\(n(width))px\" role=\"img\""
            + " aria-label=\"\(Markup.escape(title))\"><title>\(Markup.escape(title))</title>\n\(body)</svg>\n"
    }

    mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
        body += "<line x1=\"\(n(x1))\" y1=\"\(n(y1))\" x2=\"\(n(x2))\" y2=\"\(n(y2))\" \(style)/>\n"
    }

    mutating func box(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ style: String, title: String? = nil
    ) {
        let start =
            "<rect x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(max(0, width)))\" height=\"\(n(max(0, height)))\" \(style)"
        body += title.map { "\(start)><title>\(Markup.escape($0))</title></rect>\n" } ?? start + "/>\n"
    }

    mutating func circle(_ x: Double, _ y: Double, radius: Double, _ style: String, title: String? = nil) {
        let start = "<circle cx=\"\(n(x))\" cy=\"\(n(y))\" r=\"\(n(radius))\" \(style)"
        body += title.map { "\(start)><title>\(Markup.escape($0))</title></circle>\n" } ?? start + "/>\n"
    }

    /// Straight lines through `points`; a nil breaks the line.
    mutating func path(_ points: [(x: Double, y: Double)?], closed: Bool = false, _ style: String) {
        var commands = ""
        var previous: (x: Double, y: Double)?
        for point in points {
            if let point { commands += "\(previous == nil ? "M" : "L")\(n(point.x)) \(n(point.y))" }
            previous = point
        }
        if commands.isEmpty { return }
        body += "<path d=\"\(commands)\(closed ? "Z" : "")\" \(style)/>\n"
    }

    mutating func text(
        _ text: String, _ x: Double, _ y: Double, anchor: Anchor = .start, rotated degrees: Double = 0,
        class name: String = "label"
    ) {
        let turn = degrees == 0 ? "" : " transform=\"rotate(\(n(degrees)) \(n(x)) \(n(y)))\""
        body +=
            "<text x=\"\(n(x))\" y=\"\(n(y))\" text-anchor=\"\(anchor.rawValue)\" class=\"\(name)\"\(turn)>"
            + "\(Markup.escape(text))</text>\n"
    }

    /// Pixels stretched over a box; `sharp` keeps their edges where they are shown enlarged.
    mutating func image(_ png: [UInt8], _ x: Double, _ y: Double, _ width: Double, _ height: Double, sharp: Bool) {
        let data = "data:image/png;base64,\(Base64.encode(png))"
        body +=
            "<image x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\""
            + " preserveAspectRatio=\"none\"\(sharp ? " style=\"image-rendering:pixelated\"" : "")"
            + " href=\"\(data)\"/>\n"
    }

    /// Raw elements, such as a gradient's definition.
    mutating func raw(_ element: String) { body += element + "\n" }

    /// Draws only inside a box, until `endClip`.
    mutating func beginClip(_ id: String, _ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        body +=
            "<clipPath id=\"\(id)\"><rect x=\"\(n(x))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\"/>"
            + "</clipPath><g clip-path=\"url(#\(id))\">\n"
    }

    mutating func endClip() { body += "</g>\n" }

    /// Coordinates to a hundredth of a unit.
    private func n(_ value: Double) -> String { SVGDrawing.coordinate(value) }

    static func coordinate(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e9 else { return "0" }
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() ? String(Int(rounded)) : "\(rounded)"
    }

    /// Room that `text` takes at `size` units, roughly: for legends and margins.
    static func textWidth(_ text: String, size: Double = 12) -> Double { Double(text.count) * size * 0.58 }
}
