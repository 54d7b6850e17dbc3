import Interchange
import Tensors

/// A measured or simulated map in colours, with axes, a colour bar and, for images made of panels, their labels.
public struct HeatMapFigure: Figure {
    /// An axis along which pixel centres are evenly spaced.
    public struct GridAxis: Hashable, Sendable {
        public var title: String
        /// At the centre of the first pixel (left or top) of each panel.
        public var first: Double
        /// At the centre of the last pixel of each panel.
        public var last: Double

        public init(_ title: String, first: Double, last: Double) {
            (self.title, self.first, self.last) = (title, first, last)
        }
    }

    /// An image made of equal blocks, each a map of its own with the same axes.
    public struct Panels: Hashable, Sendable {
        /// One for each row of panels, from the top: `Eᵢ = 25 meV`.
        public var rowLabels: [String]
        /// One for each column of panels.
        public var columnLabels: [String]
        /// Above the column labels: `energy transfer / Eᵢ`.
        public var columnTitle: String?
        /// In the corner of each panel, row by row; empty for none. Short: a tenth of the width has about 12 characters.
        public var cellLabels: [[String]]

        public init(
            rowLabels: [String], columnLabels: [String], columnTitle: String? = nil, cellLabels: [[String]] = []
        ) {
            (self.rowLabels, self.columnLabels) = (rowLabels, columnLabels)
            (self.columnTitle, self.cellLabels) = (columnTitle, cellLabels)
        }
    }

    /// A second map drawn over the first, the more opaque the further from the middle of its range.
    public struct Overlay: Sendable {
        public var values: Tensor<Double>
        public var range: HeatMap.Range
        public var colourMap: ColourMap
        public var barTitle: String

        public init(
            _ values: Tensor<Double>, range: HeatMap.Range = .symmetric, colourMap: ColourMap = .blueRed,
            barTitle: String
        ) {
            (self.values, self.range, self.colourMap, self.barTitle) = (values, range, colourMap, barTitle)
        }
    }

    /// Pixels to point at with a frame and a short label.
    public struct Region: Hashable, Sendable {
        public var rows: Range<Int>
        public var columns: Range<Int>
        public var label: String

        public init(rows: Range<Int>, columns: Range<Int>, label: String) {
            (self.rows, self.columns, self.label) = (rows, columns, label)
        }
    }

    public let alternativeText: String
    let rows: Int
    let columns: Int
    let x: GridAxis
    let y: GridAxis
    let panels: Panels?
    let regions: [Region]
    let base: [UInt8]
    let overlay: [UInt8]?
    let bars: [ColourBar]
    let missingTitle: String?
    let missingColour: ColourMap.Colour
    let width: Double

    /// - Parameter values: [rows, columns], first row on top.
    /// - Parameter missing: same shape; not zero where nothing was measured.
    /// - Parameter scale: how values run through the colours; an overlay is always linear.
    /// - Parameter colourMap: nil for viridis, or for a light grey map when there is an overlay.
    /// - Parameter width: of the map itself, in CSS pixels; the map's pixels are square.
    /// - Throws: `InterchangeError` when the shapes disagree or an image cannot be encoded.
    public init(
        _ values: Tensor<Double>, missing: Tensor<UInt8>? = nil, range: HeatMap.Range = .automatic,
        scale: HeatMap.Scale = .linear, colourMap: ColourMap? = nil, barTitle: String, x: GridAxis, y: GridAxis,
        panels: Panels? = nil,
        overlay: Overlay? = nil, regions: [Region] = [], missingTitle: String = "no detector", width: Double = 760,
        alternativeText: String
    ) throws(InterchangeError) {
        guard values.shape.count == 2, values.count > 0 else {
            throw InterchangeError("a heat map needs rows and columns, not shape \(values.shape)", file: "the figure")
        }
        for other in [missing?.shape, overlay?.values.shape].compactMap({ $0 }) where other != values.shape {
            throw InterchangeError(
                "a mask or overlay of shape \(other) does not fit values of shape \(values.shape)", file: "the figure")
        }
        if let panels {
            guard !panels.rowLabels.isEmpty, !panels.columnLabels.isEmpty,
                values.shape[0] % panels.rowLabels.count == 0, values.shape[1] % panels.columnLabels.count == 0
            else {
                throw InterchangeError(
                    "\(panels.rowLabels.count) × \(panels.columnLabels.count) panels do not divide"
                        + " \(values.shape[0]) × \(values.shape[1]) pixels", file: "the figure")
            }
        }
        (rows, columns) = (values.shape[0], values.shape[1])
        (self.x, self.y, self.panels, self.regions, self.width) = (x, y, panels, regions, width)
        self.alternativeText = alternativeText
        let mask = missing?.elements.map { $0 != 0 }
        let map = colourMap ?? (overlay == nil ? .viridis : .ink)
        // Grey would pass for data on a grey map.
        missingColour = overlay == nil ? HeatMap.missingColour : ColourMap.Colour(214, 204, 184)
        base = try PNG.encode(
            HeatMap.render(
                values.elements, rows: rows, columns: columns, range: range, colourMap: map, missing: mask,
                missingColour: missingColour, colourScale: scale))
        let limits = HeatMap.limits(range, of: values.elements, missing: mask)
        var bars = [ColourBar(title: barTitle, colourMap: map, low: limits.low, high: limits.high, scale: scale)]
        if let overlay {
            self.overlay = try PNG.encode(
                HeatMap.renderOverlay(
                    overlay.values.elements, rows: rows, columns: columns, range: overlay.range,
                    colourMap: overlay.colourMap, missing: mask))
            let limits = HeatMap.limits(overlay.range, of: overlay.values.elements, missing: mask)
            bars.insert(
                ColourBar(title: overlay.barTitle, colourMap: overlay.colourMap, low: limits.low, high: limits.high),
                at: 0)
        } else {
            self.overlay = nil
        }
        self.bars = bars
        self.missingTitle = mask?.contains(true) == true ? missingTitle : nil
    }
}
