import Artifacts
import Interchange
import Presentation
import SpinWaves
import Tensors

/// What `dispersion` found, ready to be printed, drawn or written.
struct DispersionResult: ScatteringPicture {
    var model: String
    /// Distance along the path, or |Q|, in 1/Å.
    var positions: [Double]
    /// r.l.u.; empty for a powder.
    var points: [Vector3]
    var ticks: [QPath.Tick]
    /// nil for a powder.
    var lines: ScatteringLines?
    /// The modes that a picture shows: of every twin, where all scatter.
    var drawn: [ScatteringLines] = []
    var bins: EnergyBins
    var fwhm: Double
    /// [positions, bins] per meV; nil when only lines were asked for.
    var map: Tensor<Double>?
    /// Of intensities: spin² or μB².
    var unit: String

    var isPowder: Bool { points.isEmpty }
    private var modes: Int { lines?.energies.shape[1] ?? 0 }

    /// The energies at the corners, degenerate ones together; for a powder what was computed.
    var text: String {
        guard let lines else {
            return "powder average at \(positions.count) |Q| from \(Wording.fixed(positions[0], decimals: 3)) to "
                + "\(Wording.fixed(positions[positions.count - 1], decimals: 3)) 1/Å; write it with -o FILE.svg, .png, .csv or .npz"
        }
        var blocks: [String] = []
        for tick in ticks {
            var table = Table(columns: [
                .number("energy", unit: "meV"), .number("modes"), .number("S⊥ f²", unit: unit),
            ])
            let row = tick.index * modes..<(tick.index + 1) * modes
            let energies = Array(lines.energies.elements[row])
            for group in degenerateGroups(energies) {
                let sum = group.reduce(0) { $0 + lines.intensities.elements[row.lowerBound + $1] }
                let diverges = group.contains { lines.diverges[row.lowerBound + $0] }
                table.rows.append([
                    Wording.fixed(energies[group.lowerBound], decimals: 6), "\(group.count)",
                    diverges ? "diverges" : Wording.fixed(sum, decimals: 6),
                ])
            }
            blocks.append("Q = \(tick.label), \(Wording.fixed(tick.distance, decimals: 4)) 1/Å\n" + table.text())
        }
        return blocks.joined(separator: "\n")
    }

    var document: Value {
        func doubles(_ values: some Sequence<Double>) -> Value { .list(values.map { .double($0) }) }
        func rows(_ tensor: Tensor<Double>, _ keep: (Int) -> Bool = { _ in true }) -> Value {
            let width = tensor.shape[1]
            return .list(
                (0..<tensor.shape[0]).map { row in
                    .list(
                        (row * width..<(row + 1) * width).map { keep($0) ? .double(tensor.elements[$0]) : .none })
                })
        }
        var fields: [String: Value] = [
            "model": .string(model), "positions": doubles(positions), "fwhm": .double(fwhm),
            "energy_edges": doubles(bins.edges), "unit": .string(unit),
        ]
        if let map { fields["map"] = rows(map) }
        guard let lines else { return .record(fields) }
        fields["q"] = .list(points.map { doubles([$0.x, $0.y, $0.z]) })
        fields["ticks"] = .list(
            ticks.map {
                .record(["index": .int($0.index), "position": .double($0.distance), "label": .string($0.label)])
            })
        fields["energies"] = rows(lines.energies)
        // JSON has no infinity; a divergent intensity is null rather than an arbitrary number.
        fields["intensities"] = rows(lines.intensities) { !lines.diverges[$0] }
        return .record(fields)
    }

    /// Arrays for `.npz`; a divergent intensity is NaN.
    var arrays: [String: AnyTensor] {
        func vector(_ values: [Double]) -> AnyTensor { .float64(Tensor(shape: [values.count], elements: values)) }
        var arrays: [String: AnyTensor] = [
            isPowder ? "q_length" : "distance": vector(positions), "energy_edges": vector(bins.edges),
            "fwhm": vector([fwhm]),
        ]
        if let map { arrays["map"] = .float64(map) }
        if let lines {
            arrays["q"] = .float64(Tensor(shape: [points.count, 3], elements: points.flatMap { [$0.x, $0.y, $0.z] }))
            arrays["energies"] = .float64(lines.energies)
            arrays["intensities"] = .float64(
                Tensor(
                    shape: lines.intensities.shape,
                    elements: zip(lines.intensities.elements, lines.diverges).map { $1 ? .nan : $0 }))
            arrays["ticks"] = .int64(Tensor(shape: [ticks.count], elements: ticks.map { Int64($0.index) }))
        }
        return arrays
    }

    /// One line a point and mode; for a powder one a |Q| and energy.
    var columns: [CSV.Column] {
        guard let lines else {
            let map = map?.elements ?? []
            return [
                .init("|Q| (1/A)", positions.flatMap { Array(repeating: $0, count: bins.count) }),
                .init("energy (meV)", positions.flatMap { _ in bins.centres }), .init("S (\(unit)/meV)", map),
            ]
        }
        func each(_ values: [Double]) -> [Double] { values.flatMap { Array(repeating: $0, count: modes) } }
        return [
            .init("distance (1/A)", each(positions)), .init("h", each(points.map(\.x))),
            .init("k", each(points.map(\.y))),
            .init("l", each(points.map(\.z))),
            .init("mode", points.flatMap { _ in Array(1...max(1, modes)) }),
            .init("energy (meV)", lines.energies.elements),
            .init("S (\(unit))", zip(lines.intensities.elements, lines.diverges).map { $1 ? .nan : $0 }),
        ]
    }

    func figure() throws(InterchangeError) -> DispersionFigure {
        let curves = drawn.flatMap { lines in
            (0..<modes).map { mode in positions.indices.map { lines.energies.elements[$0 * modes + mode] } }
        }
        let names = ticks.map { DispersionFigure.Tick($0.distance, $0.label) }
        return try DispersionFigure(
            positions: positions, ticks: names,
            xTitle: isPowder ? "|Q| (1/Å)" : "Q (r.l.u.)", energies: bins.edges[0]...bins.edges[bins.count],
            lines: curves, map: map.map { .init($0, barTitle: "S⊥ (\(unit)/meV)") }, title: model,
            alternativeText: isPowder
                ? "powder average of \(model): intensity against |Q| and energy"
                : "spin waves of \(model) along \(ticks.map(\.label).joined(separator: ", "))")
    }

    func write(as file: PictureFile, to path: String) throws {
        switch file {
        case .svg: try AtomicFile.write(Array(figure().document().utf8), to: path)
        case .csv: try AtomicFile.write(Array(CSV.encode(columns: columns, name: path).utf8), to: path)
        case .npz: try NPZ.write(arrays, to: path)
        case .png:
            guard let map else {
                throw InterchangeError(
                    "a .png holds the colour map, and --lines-only leaves it out", file: path,
                    hint: "write .svg, or leave out --lines-only")
            }
            let raster = DispersionFigure.raster(map, positions: positions, columns: positions.count)
            try PNG.write(raster.image.enlarged(max(1, 800 / raster.image.width)), to: path)
        }
    }
}
