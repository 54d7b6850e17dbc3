import Artifacts
import Interchange
import Tensors

/// One array of a value as rows and columns: for its numbers, for a picture in the terminal, and for a PNG.
struct ArrayPreview {
    /// `images`, `grids.0.covariances`; empty where the value is the array itself.
    var path: String
    var elementType: String
    /// Of the whole array.
    var shape: [Int]
    /// Which of the leading dimensions' layers is shown, and of how many.
    var layer: Int
    var layers: Int
    var rows: Int
    var columns: Int
    /// Of the layer, row-major.
    var values: [Double]

    /// The array that says most: of those with rows and columns the one with the largest layer, else the largest of all.
    static func best(of value: Value) -> (path: String, tensor: AnyTensor)? {
        func order(_ tensor: AnyTensor) -> (Int, Int) {
            let (rows, columns) = (tensor.shape.dropLast().last ?? 1, tensor.shape.last ?? 1)
            return rows > 1 && columns > 1 ? (0, -rows * columns) : (1, -tensor.count)
        }
        // The first of equals: paths come sorted.
        return arrays(in: value).filter { $0.tensor.count > 1 }.min { order($0.tensor) < order($1.tensor) }
    }

    /// All arrays with their paths, in the order of paths.
    static func arrays(in value: Value, at path: String = "") -> [(path: String, tensor: AnyTensor)] {
        func joined(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
        switch value {
        case .tensor(let tensor): return [(path, tensor)]
        case .record(let fields):
            return fields.sorted { $0.key < $1.key }.flatMap { arrays(in: $0.value, at: joined($0.key)) }
        case .list(let values):
            return values.enumerated().flatMap { arrays(in: $0.element, at: joined("\($0.offset)")) }
        default: return []
        }
    }

    /// - Returns: nil for an empty array and for a layer that is not there.
    init?(path: String, tensor: AnyTensor, layer: Int = 0) {
        guard tensor.count > 0 else { return nil }
        let shape = tensor.shape
        columns = shape.last ?? 1
        rows = shape.count > 1 ? shape[shape.count - 2] : 1
        layers = shape.dropLast(2).reduce(1, *)
        guard (0..<layers).contains(layer) else { return nil }
        let size = rows * columns
        (self.path, self.layer, self.shape) = (path, layer, shape)
        elementType = tensor.elementType.rawValue
        values = Array(tensor.asFloat64.elements[layer * size..<(layer + 1) * size])
    }

    /// `images [3, 240, 400], layer 0 of 3`
    var title: String {
        let name = path.isEmpty ? "the array" : path
        return "\(name) [\(shape.map(String.init).joined(separator: ", "))]"
            + (layers > 1 ? ", layer \(layer) of \(layers)" : "")
    }

    private static let cornerRows = 6
    private static let cornerColumns = 6

    /// The first rows and columns as numbers.
    var corner: [[Double]] {
        (0..<min(rows, Self.cornerRows)).map { row in
            Array(values[row * columns..<row * columns + min(columns, Self.cornerColumns)])
        }
    }

    /// The corner as a table, with dots where more follows.
    var cornerLines: [String] {
        let cells = corner.map { row in row.map(Wording.significant) }
        let width = cells.joined().map(\.count).max() ?? 0
        var lines = cells.map { row in
            row.map { String(repeating: " ", count: width - $0.count) + $0 }.joined(separator: "  ")
                + (columns > row.count ? "  …" : "")
        }
        if rows > cells.count { lines.append(String(repeating: " ", count: max(0, width - 1)) + "…") }
        return lines
    }

    // MARK: Pictures

    /// Numbers of both signs get a diverging scale, others one that starts at the least and shows weak signals.
    private func render(_ values: [Double], rows: Int, columns: Int, scale: Int) -> RasterImage {
        let finite = self.values.filter(\.isFinite)
        let (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
        if low < 0, high > 0 {
            let limits = HeatMap.limits(.symmetric, of: self.values)
            return HeatMap.render(
                values, rows: rows, columns: columns, range: .explicit(limits.low, limits.high), colourMap: .blueRed,
                scale: scale)
        }
        let limits = HeatMap.limits(.automatic, of: self.values)
        return HeatMap.render(
            values, rows: rows, columns: columns, range: .explicit(limits.low, limits.high), colourScale: .squareRoot,
            scale: scale)
    }

    /// Every number a pixel, or a square of them where the array is small.
    func image() -> RasterImage {
        render(values, rows: rows, columns: columns, scale: max(1, 800 / max(rows, columns)))
    }

    /// At most `width` by `height` pixels, each the mean of the numbers that it stands for (of the finite ones).
    func thumbnail(width: Int, height: Int) -> RasterImage {
        // One factor for both sides keeps the proportions, except where it would leave nothing of the shorter side.
        let factor = max(1, Double(columns) / Double(max(1, width)), Double(rows) / Double(max(1, height)))
        let small = (
            rows: max(1, Int((Double(rows) / factor).rounded(.down))),
            columns: max(1, Int((Double(columns) / factor).rounded(.down)))
        )
        var means: [Double] = []
        means.reserveCapacity(small.rows * small.columns)
        for row in 0..<small.rows {
            let ofRows = row * rows / small.rows..<max(row * rows / small.rows + 1, (row + 1) * rows / small.rows)
            for column in 0..<small.columns {
                let start = column * columns / small.columns
                let ofColumns = start..<max(start + 1, (column + 1) * columns / small.columns)
                var (sum, count) = (0.0, 0)
                for r in ofRows {
                    for c in ofColumns where values[r * columns + c].isFinite {
                        sum += values[r * columns + c]
                        count += 1
                    }
                }
                means.append(count > 0 ? sum / Double(count) : .nan)
            }
        }
        let enlargement = max(1, min(4, min(width / small.columns, height / small.rows)))
        return render(means, rows: small.rows, columns: small.columns, scale: enlargement)
    }
}
