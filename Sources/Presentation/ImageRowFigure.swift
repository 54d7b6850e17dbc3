import Interchange
import Tensors

/// Maps side by side on one colour scale: simulations beside the measurement.
public struct ImageRowFigure: Figure {
    public struct Image: Sendable {
        public var title: String
        /// A second line below the title: parameters, a probability.
        public var subtitle: String?
        /// [rows, columns], first row on top.
        public var values: Tensor<Double>
        /// Same shape; not zero where nothing was measured.
        public var missing: Tensor<UInt8>?

        public init(_ title: String, subtitle: String? = nil, values: Tensor<Double>, missing: Tensor<UInt8>? = nil) {
            (self.title, self.subtitle, self.values, self.missing) = (title, subtitle, values, missing)
        }
    }

    /// How an image is divided into panels: thin lines, labels at the left of the first image of a line.
    public struct Panels: Hashable, Sendable {
        public var rowLabels: [String]
        public var columns: Int

        public init(rowLabels: [String], columns: Int) { (self.rowLabels, self.columns) = (rowLabels, columns) }
    }

    public let alternativeText: String
    let titles: [(title: String, subtitle: String?)]
    let pngs: [[UInt8]]
    let aspect: Double
    let panels: Panels?
    let bar: ColourBar
    let perLine: Int
    let width: Double

    /// - Parameter images: at least one, all of one shape.
    /// - Parameter range: settled over all valid pixels of all images together.
    /// - Parameter perLine: images in a line; more wrap.
    /// - Throws: `InterchangeError` when shapes disagree or an image cannot be encoded.
    public init(
        _ images: [Image], range: HeatMap.Range = .automatic, scale: HeatMap.Scale = .linear,
        colourMap: ColourMap = .viridis, barTitle: String,
        panels: Panels? = nil, perLine: Int = 3, width: Double = 960, alternativeText: String
    ) throws(InterchangeError) {
        guard let shape = images.first?.values.shape, shape.count == 2, !shape.contains(0) else {
            throw InterchangeError("a row of images needs at least one, with rows and columns", file: "the figure")
        }
        var (all, missing): ([Double], [Bool]) = ([], [])
        for image in images {
            guard image.values.shape == shape, image.missing?.shape ?? shape == shape else {
                throw InterchangeError(
                    "image '\(image.title)' has shape \(image.values.shape) where \(shape) is expected",
                    file: "the figure")
            }
            all += image.values.elements
            missing += image.missing?.elements.map { $0 != 0 } ?? Array(repeating: false, count: image.values.count)
        }
        let limits = HeatMap.limits(range, of: all, missing: missing)
        var pngs: [[UInt8]] = []
        for image in images {
            pngs.append(
                try PNG.encode(
                    HeatMap.render(
                        image.values.elements, rows: shape[0], columns: shape[1],
                        range: .explicit(limits.low, limits.high),
                        colourMap: colourMap, missing: image.missing?.elements.map { $0 != 0 },
                        colourScale: scale)))
        }
        self.pngs = pngs
        titles = images.map { ($0.title, $0.subtitle) }
        aspect = Double(shape[0]) / Double(shape[1])
        bar = ColourBar(title: barTitle, colourMap: colourMap, low: limits.low, high: limits.high, scale: scale)
        (self.panels, self.perLine, self.width) = (panels, max(1, min(perLine, images.count)), width)
        self.alternativeText = alternativeText
    }

    public func svg(id: String) -> String {
        let left = panels == nil ? 4.0 : 58, gap = 16.0
        let imageWidth =
            (width - left - ColourBar.width - 12 - gap * Double(perLine - 1)) / Double(perLine)
        let imageHeight = imageWidth * aspect
        let heading = titles.contains { $0.subtitle != nil } ? 42.0 : 26
        let lines = (pngs.count + perLine - 1) / perLine
        let pitch = heading + imageHeight + 6
        var drawing = SVGDrawing(width: width, height: pitch * Double(lines) + 4)
        for (index, png) in pngs.enumerated() {
            let x = left + Double(index % perLine) * (imageWidth + gap), y = Double(index / perLine) * pitch + heading
            let room = Int(imageWidth / 7)
            drawing.text(Table.shortened(titles[index].title, to: room), x, y - heading + 17, class: "name strong")
            if let subtitle = titles[index].subtitle {
                drawing.text(Table.shortened(subtitle, to: Int(imageWidth / 6)), x, y - heading + 34, class: "tick")
            }
            drawing.image(png, x, y, imageWidth, imageHeight, sharp: false)
            if let panels {
                for column in 1..<max(1, panels.columns) {
                    let px = x + imageWidth * Double(column) / Double(panels.columns)
                    drawing.line(px, y, px, y + imageHeight, "class=\"gap thin\"")
                }
                for row in 1..<max(1, panels.rowLabels.count) {
                    let py = y + imageHeight * Double(row) / Double(panels.rowLabels.count)
                    drawing.line(x, py, x + imageWidth, py, "class=\"gap thin\"")
                }
                if index % perLine == 0 {
                    for (row, label) in panels.rowLabels.enumerated() {
                        let py = y + imageHeight * (Double(row) + 0.5) / Double(panels.rowLabels.count)
                        drawing.text(label, x - 6, py + 4, anchor: .end, class: "tick")
                    }
                }
            }
            drawing.box(x, y, imageWidth, imageHeight, "class=\"frame\" fill=\"none\"")
        }
        bar.draw(
            in: &drawing, id: "\(id)-bar", x: width - ColourBar.width, top: heading,
            height: pitch * Double(lines) - heading - 6)
        return drawing.element(title: alternativeText)
    }
}
