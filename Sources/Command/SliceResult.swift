import Artifacts
import Interchange
import Presentation
import SpinWaves
import Tensors

/// What `slice` found, ready to be printed, drawn or written.
struct SliceResult: ScatteringPicture {
    var model: String
    var plane: QPlane
    /// In units of the plane's axes, rising.
    var x, y: [Double]
    /// meV
    var energy, window, fwhm: Double
    /// [y, x] per meV, lowest y first.
    var intensity: Tensor<Double>
    /// Of intensities: spin² or μB².
    var unit: String

    private var range: String {
        "\(Wording.number(energy - window / 2))–\(Wording.number(energy + window / 2)) meV"
    }

    var text: String {
        var brightest = 0
        for k in intensity.elements.indices where intensity.elements[k] > intensity.elements[brightest] {
            brightest = k
        }
        let q = plane.point(x[brightest % x.count], y[brightest / x.count])
        return "\(x.count) × \(y.count) points at \(range); brightest at \(QPath.label(q)): "
            + "\(Wording.number(intensity.elements[brightest])) \(unit)/meV; write them with -o FILE.svg, .png, .csv or .npz"
    }

    var document: Value {
        func doubles(_ values: [Double]) -> Value { .list(values.map { .double($0) }) }
        func vector(_ v: Vector3) -> Value { doubles([v.x, v.y, v.z]) }
        let rows = y.indices.map { doubles(Array(intensity.elements[$0 * x.count..<($0 + 1) * x.count])) }
        return .record([
            "model": .string(model), "origin": vector(plane.origin), "x_axis": vector(plane.first),
            "y_axis": vector(plane.second), "x": doubles(x), "y": doubles(y), "energy": .double(energy),
            "window": .double(window), "fwhm": .double(fwhm), "unit": .string(unit), "intensity": .list(rows),
        ])
    }

    func write(as file: PictureFile, to path: String) throws {
        switch file {
        case .svg: try AtomicFile.write(Array(figure().document().utf8), to: path)
        case .png:
            let image = HeatMap.render(
                topDown.elements, rows: y.count, columns: x.count, range: .explicit(0, brightest),
                colourScale: .squareRoot)
            try PNG.write(image.enlarged(max(1, 800 / x.count)), to: path)
        case .csv:
            let points = plane.points(x: x, y: y)
            let columns: [CSV.Column] = [
                .init("h", points.map(\.x)), .init("k", points.map(\.y)), .init("l", points.map(\.z)),
                .init("S (\(unit)/meV)", intensity.elements),
            ]
            try AtomicFile.write(Array(CSV.encode(columns: columns, name: path).utf8), to: path)
        case .npz:
            func vector(_ values: [Double]) -> AnyTensor { .float64(Tensor(shape: [values.count], elements: values)) }
            func axis(_ v: Vector3) -> AnyTensor { vector([v.x, v.y, v.z]) }
            try NPZ.write(
                [
                    "origin": axis(plane.origin), "x_axis": axis(plane.first), "y_axis": axis(plane.second),
                    "x": vector(x),
                    "y": vector(y), "energy": vector([energy]), "window": vector([window]), "fwhm": vector([fwhm]),
                    "intensity": .float64(intensity),
                ], to: path)
        }
    }

    /// Rows from the top, as pictures have them.
    private var topDown: Tensor<Double> {
        let rows = y.indices.reversed().flatMap { intensity.elements[$0 * x.count..<($0 + 1) * x.count] }
        return Tensor(shape: intensity.shape, elements: Array(rows))
    }

    private var brightest: Double { HeatMap.limits(.automatic, of: intensity.elements).high }

    private func figure() throws(InterchangeError) -> HeatMapFigure {
        func title(_ name: String, _ axis: Vector3) -> String { "\(name) along \(QPath.label(axis)) (r.l.u.)" }
        return try HeatMapFigure(
            topDown, range: .explicit(0, brightest), scale: .squareRoot, barTitle: "S⊥ (\(unit)/meV)",
            x: .init(title("x", plane.first), first: x[0], last: x[x.count - 1]),
            y: .init(title("y", plane.second), first: y[y.count - 1], last: y[0]),
            width: min(560, 460 * Double(x.count) / Double(y.count)),
            alternativeText: "intensity of \(model) at \(range) over a plane of Q")
    }
}
