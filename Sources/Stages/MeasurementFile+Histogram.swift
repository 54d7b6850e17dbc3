import Dataflow
import Instruments
import Interchange

// HDF5: histograms of Mantid's SaveMD, one for each incident energy, in the bins of the image; or runs.
extension MeasurementFile {
    mutating func place(_ file: HDF5File, file index: Int, of count: Int, _ geometry: ImageGeometry) throws {
        if NXSPE.isIn(file) {
            try place(try NXSPE(file), file.name, file: index, of: count, geometry)
            return
        }
        let histogram = try MDHistogram(file)
        guard count == geometry.settings.count else {
            throw StepFailure(
                "\(file.name): \(count) file\(count == 1 ? "" : "s") for the graph's \(geometry.settings.count) incident "
                    + "energies",
                hint: "give one histogram for each, from the first setting on: path: [FIRST.nxs, SECOND.nxs, …]")
        }
        let setting = geometry.settings[index]
        if let energy = histogram.incidentEnergy, abs(energy / setting.incidentEnergy - 1) > 0.02 {
            throw StepFailure(
                "\(file.name): measured with Ei = \(energy) meV where the graph has \(setting.incidentEnergy) meV",
                hint: "give the files in the order of the settings")
        }
        let places = try Self.places(of: histogram, file.name, geometry, setting: index)
        try fill(from: histogram, places, file.name, geometry, setting: index)
    }

    /// Where energy, k and h stand among the axes.
    private static func places(
        of histogram: MDHistogram, _ path: String, _ geometry: ImageGeometry, setting: Int
    ) throws -> [Int] {
        var places: [Int] = []
        let wanted = axes(of: geometry, setting: setting)
        for axis in wanted {
            let found = histogram.axes.firstIndex { candidate in
                guard names(axis).contains(plain(candidate.name)), candidate.count == axis.count else { return false }
                // A twentieth of a bin: what rounding of edges and of a fitted incident energy may do.
                let allowance = 0.05 * (axis.edges[1] - axis.edges[0])
                return zip(candidate.edges, axis.edges).allSatisfy { abs($0 - $1) <= allowance }
            }
            if let found { places.append(found) }
        }
        let others = histogram.axes.indices.filter { !places.contains($0) && histogram.axes[$0].count > 1 }
        guard places.count == wanted.count, others.isEmpty else {
            throw StepFailure(
                "\(path): the axes are not those of the graph's image: it has "
                    + histogram.axes.reversed().map(\.summary).joined(separator: "; "),
                hint: Self.wanted(geometry, setting: setting))
        }
        return places
    }

    private static func plain(_ name: String) -> String {
        String(name.uppercased().filter { !$0.isWhitespace })
    }

    private static func names(_ axis: MDHistogram.Axis) -> [String] {
        axis.frame == "HKL" ? [axis.name] : ["DELTAE", "E", "EN", "ENERGY"]
    }

    /// `the graph wants [H,0,0] (r.l.u.): 4 bins from −1.3 to 1.3; …`
    static func wanted(_ geometry: ImageGeometry, setting: Int) -> String {
        "the graph wants "
            + axes(of: geometry, setting: setting).reversed().map(\.summary).joined(separator: "; ")
    }

    private mutating func fill(
        from histogram: MDHistogram, _ places: [Int], _ path: String, _ geometry: ImageGeometry, setting: Int
    ) throws {
        // Steps in the flat array; axes of one bin add nothing.
        var strides = [Int](repeating: 1, count: histogram.axes.count)
        for axis in strides.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] * histogram.axes[axis + 1].count
        }
        let (energy, k, h) = (strides[places[0]], strides[places[1]], strides[places[2]])
        for bin in 0..<geometry.energyBins.count {
            for row in 0..<geometry.h.count {
                for column in 0..<geometry.k.count {
                    let index = bin * energy + column * k + row * h
                    let intensity = histogram.signal.elements[index]
                    if intensity.isNaN || histogram.mask.elements[index] != 0 { continue }
                    let variance = histogram.errorsSquared.elements[index]
                    guard variance >= 0, variance.isFinite else {
                        throw StepFailure(
                            "\(path): the squared error is \(variance) at h = \(geometry.h.centre(row)), "
                                + "k = \(geometry.k.centre(column)), energy bin \(bin)",
                            hint: "bins without data have NaN as signal, or are masked")
                    }
                    set(
                        row: setting * geometry.h.count + geometry.h.count - 1 - row,
                        column: bin * geometry.k.count + column, intensity: intensity, error: variance.squareRoot())
                }
            }
        }
    }
}
