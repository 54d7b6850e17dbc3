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
        let lAt = cut.place(of: .l)
        guard geometry.volume == nil || lAt != nil else {
            throw StepFailure(
                "\(path): no column l, without which nothing is known of a place along the orientation's axes",
                hint: "the image needs the columns h, k, l, E, intensity (error, Ei)")
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
            // Without an orientation l follows from the kinematics, and is not looked at.
            let l = geometry.volume == nil ? 0 : lAt.map { row[$0] } ?? 0
            let place = geometry.place(of: SIMD3(h, k, l))
            let named = "h = \(h), k = \(k), " + (geometry.volume == nil ? "" : "l = \(l), ") + "E = \(energy) meV"
            guard let at = geometry.location(setting: setting, energy: energy, h: place.x, k: place.y),
                isCentre(geometry, at, energy: energy, place)
            else {
                throw fail(
                    "\(named) is not the centre of a pixel of the graph's image",
                    Self.wanted(geometry, setting: setting)
                )
            }
            if case .turning(let turn) = geometry.volume?.motion, !isInRange(place.z, turn.w) {
                throw fail(
                    "\(named) lies at w = \(place.z), outside the range that the image averages",
                    "the graph's rotation has w from \(turn.w.lowerBound) to \(turn.w.upperBound)")
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
        _ geometry: ImageGeometry, _ at: (row: Int, column: Int), energy: Double, _ place: SIMD3<Double>
    ) -> Bool {
        let pixel = geometry.pixel(row: at.row, column: at.column)
        return abs(pixel.x - place.x) <= 0.1 * geometry.h.step && abs(pixel.y - place.y) <= 0.1 * geometry.k.step
            && abs(pixel.energy - energy) <= 0.1 * geometry.binWidth(setting: pixel.setting)
    }

    /// With room for rounding, and a tenth of the range for few digits.
    private func isInRange(_ w: Double, _ range: ClosedRange<Double>) -> Bool {
        let room = max(0.1 * (range.upperBound - range.lowerBound), 1e-6)
        return w >= range.lowerBound - room && w <= range.upperBound + room
    }
}
