import Dataflow
import Instruments
import Interchange
import Tensors

// Runs of a direct-geometry spectrometer (.nxspe), one for each incident energy, binned into the image of a crystal at rest.
extension MeasurementFile {
    /// A pixel is the mean over the detector elements and energy bins of the run whose centres lie in it, its error √(Σ e²)/n:
    /// the centre point rebinning of Horace and of Mantid's ConvertToMD with BinMD. Pixels without a centre are missing.
    mutating func place(
        _ run: NXSPE, _ path: String, file index: Int, of count: Int, _ geometry: ImageGeometry
    ) throws {
        guard count == geometry.settings.count else {
            throw StepFailure(
                "\(path): \(count) file\(count == 1 ? "" : "s") for the graph's \(geometry.settings.count) incident "
                    + "energies",
                hint: "give one run for each, from the first setting on: path: [FIRST.nxspe, SECOND.nxspe, …]")
        }
        let wanted = geometry.settings[index].incidentEnergy
        // Written so that NaN, an energy that nobody wrote, is refused too.
        guard abs(run.incidentEnergy / wanted - 1) <= 0.01 else {
            throw StepFailure(
                "\(path): measured with Ei = \(run.incidentEnergy) meV where the graph has \(wanted) meV",
                hint: "give the files in the order of the settings, with Ei to within 1 %")
        }
        guard let places = DetectorPlaces(geometry) else {
            throw StepFailure(
                "\(path): one run, but the graph's crystal turns: its image takes the runs of all angles psi",
                hint: "bin the scan with Horace or Mantid's MDNorm and give the histogram (.nxs); "
                    + "or hold the crystal at rest (orientation with psi)")
        }
        if case .atRest(let psi) = geometry.volume?.motion, abs(turnsApart(run.psi, psi)) > 0.1 {
            throw StepFailure(
                "\(path): measured at psi = \(run.psi)° where the graph's orientation has \(psi)°",
                hint: "set psi of the orientation to the file's")
        }
        if let scaled = run.isScaledByKiOverKf, scalings.contains(!scaled) {
            throw StepFailure(
                "\(path): intensities \(scaled ? "" : "not ")multiplied by ki/kf, those of a run before it "
                    + "\(scaled ? "not" : "are")",
                hint: "reduce all runs alike")
        }
        try fill(from: run, places, path, geometry, setting: index)
        scalings.append(run.isScaledByKiOverKf)
    }

    /// Difference of two angles, from −180 to 180 degrees; 0 where the file does not say.
    private func turnsApart(_ file: Double, _ graph: Double) -> Double {
        file.isFinite ? (file - graph).remainder(dividingBy: 360) : 0
    }

    private mutating func fill(
        from run: NXSPE, _ places: DetectorPlaces, _ path: String, _ geometry: ImageGeometry, setting: Int
    ) throws {
        let energies = zip(run.energyEdges, run.energyEdges.dropFirst()).map { ($0 + $1) / 2 }
        let size = geometry.rows * geometry.columns
        var sums = [Double](repeating: 0, count: size)
        var variances = [Double](repeating: 0, count: size)
        var counts = [Int](repeating: 0, count: size)
        for (number, detector) in run.detectors.enumerated() {
            for (bin, energy) in energies.enumerated() {
                let element = number * energies.count + bin
                let intensity = run.intensity.elements[element]
                if intensity.isNaN { continue }
                let place = places.place(
                    polar: detector.polar, azimuthal: detector.azimuthal, incidentEnergy: run.incidentEnergy,
                    energy: energy)
                guard let place else { continue }
                let at = geometry.location(setting: setting, energy: energy, h: place.x, k: place.y)
                guard let at else { continue }
                let pixel = at.row * geometry.columns + at.column
                let sigma = run.error.elements[element]
                sums[pixel] += intensity
                variances[pixel] += sigma * sigma
                counts[pixel] += 1
            }
        }
        guard counts.contains(where: { $0 > 0 }) else {
            throw StepFailure(
                "\(path): none of \(run.detectors.count) detectors × \(energies.count) energy bins lies in the graph's "
                    + "image, or all that do are masked",
                hint: Self.wanted(geometry, setting: setting))
        }
        for pixel in counts.indices where counts[pixel] > 0 {
            let count = Double(counts[pixel])
            set(
                row: pixel / geometry.columns, column: pixel % geometry.columns, intensity: sums[pixel] / count,
                error: variances[pixel].squareRoot() / count)
        }
    }
}
