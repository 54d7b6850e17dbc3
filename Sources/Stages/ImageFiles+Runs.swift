import Diagnostics
import Foundation
import Instruments
import Interchange
import Tensors

// An image as the runs of a spectrometer that would show it: the inverse of `load-measurement`'s centre point rebinning.
extension ImageFiles {
    /// A run for each incident energy: every detector in every energy bin of the image has the value of the pixel in which its centre
    /// lies, NaN where there is none or no data.
    ///
    /// A pixel's value stands for the mean over its n elements, and so each of these has √n times its error; where errors are not
    /// known they are 0. c\* along the beam is psi = 0 with u = c\*, v = a\*.
    ///
    /// - Throws: `Diagnostic` for a crystal that turns, for intensities that are not per meV, and where nothing is known of the instrument or its detectors.
    public func runs(_ provenance: ImageProvenance) throws -> [NXSPE] {
        guard let places = DetectorPlaces(geometry) else {
            throw Diagnostic(
                "the crystal of this image turns, and a .nxspe file holds one run at one angle psi",
                hint: "export .nxs (a histogram), or hold the crystal at rest (orientation with psi)")
        }
        if provenance.isIntegrated {
            throw Diagnostic(
                "the image's intensities are integrals over its energy bins, and those of a .nxspe file are per meV",
                hint: "make the image with intensity: per-meV")
        }
        guard let instrument = provenance.instrument else {
            throw Diagnostic(
                "the image's resolution is from table files, which know no detectors",
                hint: "name the spectrometer: --instrument NAME")
        }
        let detectors: [DetectorArray.Pixel]
        do {
            detectors = try DetectorArray(instrument).pixels
        } catch {
            throw Diagnostic(
                error.description,
                hint: "docs/instruments.md tells of the keys 'detectors' and 'detector'; or name another spectrometer: "
                    + "--instrument NAME")
        }
        var psi = 0.0
        if case .atRest(let angle) = geometry.volume?.motion { psi = angle }
        return geometry.settings.indices.map { setting in
            let energies = edges(setting)
            let (intensity, error) = values(setting, energies, detectors, places)
            return NXSPE(
                instrument: NXSPE.knownInstrument(instrument.instrument.name) ?? "",
                incidentEnergy: geometry.settings[setting].incidentEnergy, psi: psi,
                isScaledByKiOverKf: provenance.isScaledByKiOverKf, energyEdges: energies,
                detectors: detectors.map {
                    NXSPE.Detector(
                        polar: $0.polar, azimuthal: $0.azimuthal, polarWidth: $0.polarWidth,
                        azimuthalWidth: $0.azimuthalWidth, distance: $0.distance)
                }, intensity: intensity, error: error)
        }
    }

    private func edges(_ setting: Int) -> [Double] {
        let (first, width) = (geometry.firstBinEdge(setting: setting), geometry.binWidth(setting: setting))
        return (0...geometry.energyBins.count).map { first + Double($0) * width }
    }

    private func values(
        _ setting: Int, _ edges: [Double], _ detectors: [DetectorArray.Pixel], _ places: DetectorPlaces
    ) -> (intensity: Tensor<Double>, error: Tensor<Double>) {
        let energies = zip(edges, edges.dropFirst()).map { ($0 + $1) / 2 }
        let incident = geometry.settings[setting].incidentEnergy
        /// The pixel of each element, −1 where there is none.
        var pixels: [Int] = []
        pixels.reserveCapacity(detectors.count * energies.count)
        var counts = [Int](repeating: 0, count: image.count)
        for detector in detectors {
            for energy in energies {
                var pixel = -1
                let place = places.place(
                    polar: detector.polar, azimuthal: detector.azimuthal, incidentEnergy: incident, energy: energy)
                if let place,
                    let at = geometry.location(setting: setting, energy: energy, h: place.x, k: place.y)
                {
                    pixel = at.row * geometry.columns + at.column
                    if missing[pixel] != 0 { pixel = -1 }
                }
                if pixel >= 0 { counts[pixel] += 1 }
                pixels.append(pixel)
            }
        }
        let shape = [detectors.count, energies.count]
        let errors = pixels.map { pixel -> Double in
            guard pixel >= 0, let error else { return 0 }
            return Double(error[pixel]) * Double(counts[pixel]).squareRoot()
        }
        return (
            Tensor(shape: shape, elements: pixels.map { $0 < 0 ? .nan : Double(image[$0]) }),
            Tensor(shape: shape, elements: errors)
        )
    }
}
