import Dataflow
import Instruments
import Interchange

// Cuts as text, with a row for each pixel of the image.
extension MeasurementFile {
    mutating func place(
        _ cut: CutTable, _ path: String, file index: Int, of count: Int, _ geometry: ImageGeometry
    ) throws {
        guard let energyAt = cut.place(of: .energy), let intensityAt = cut.place(of: .intensity),
            let hAt = cut.place(of: .h), let kAt = cut.place(of: .k)
        else {
            throw StepFailure(
                "\(path): no columns h and k", hint: "the image needs the columns h, k, E, intensity (error, Ei)")
        }
        let incidentAt = cut.place(of: .incidentEnergy)
        let errorAt = cut.place(of: .error)
        guard incidentAt != nil || count == geometry.settings.count else {
            throw StepFailure(
                "\(path): no column Ei, and \(count) file\(count == 1 ? "" : "s") for the graph's "
                    + "\(geometry.settings.count) incident energies",
                hint: "add a column Ei, or give one file for each incident energy")
        }
        var lineOfPixel: [Int: Int] = [:]
        for (row, line) in zip(cut.rows, cut.lines) {
            func fail(_ what: String, _ hint: String) -> StepFailure {
                StepFailure("\(path):\(line):1: \(what)", hint: hint)
            }
            var setting = index
            if let incidentAt {
                let energy = row[incidentAt]
                let found = geometry.settings.firstIndex { abs(energy / $0.incidentEnergy - 1) <= 0.02 }
                guard let found else {
                    let energies = geometry.settings.map { "\($0.incidentEnergy)" }.joined(separator: ", ")
                    throw fail("no setting of the graph has Ei = \(energy) meV", "the graph has \(energies) meV")
                }
                setting = found
            }
            let (h, k, energy) = (row[hAt], row[kAt], row[energyAt])
            guard let at = geometry.location(setting: setting, energy: energy, h: h, k: k),
                isCentre(geometry, at, energy: energy, h: h, k: k)
            else {
                throw fail(
                    "h = \(h), k = \(k), E = \(energy) meV is not the centre of a pixel of the graph's image",
                    Self.wanted(geometry, setting: setting))
            }
            let pixel = at.row * geometry.columns + at.column
            if let earlier = lineOfPixel[pixel] {
                throw fail("the pixel of line \(earlier) again", "give each pixel once")
            }
            lineOfPixel[pixel] = line
            let intensity = row[intensityAt]
            if intensity.isNaN { continue }
            let sigma = errorAt.map { row[$0] } ?? 0
            set(row: at.row, column: at.column, intensity: intensity, error: sigma)
        }
    }

    /// Within a tenth of the pixel's width and of its energy bin: centres that were written with few digits.
    private func isCentre(
        _ geometry: ImageGeometry, _ at: (row: Int, column: Int), energy: Double, h: Double, k: Double
    ) -> Bool {
        let pixel = geometry.pixel(row: at.row, column: at.column)
        return abs(pixel.h - h) <= 0.1 * geometry.h.step && abs(pixel.k - k) <= 0.1 * geometry.k.step
            && abs(pixel.energy - energy) <= 0.1 * geometry.binWidth(setting: pixel.setting)
    }
}
