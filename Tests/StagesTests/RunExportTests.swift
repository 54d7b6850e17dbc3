import Artifacts
import Dataflow
import Diagnostics
import Foundation
import Instruments
import Interchange
import Tensors
import Testing

@testable import Stages

/// Two incident energies (25 and 70 meV), 3 energy bins, 8 × 10 pixels of ±1 r.l.u., 5.408 × 5.4599 × 19.266 Å, c* along the beam.
private let atRest = RegionTableTests.geometry

@Suite("Images as the runs of a spectrometer")
struct RunExportTests {
    /// A 60 × 40 degrees wide wall of 25 mm tubes 4 m away.
    private func instrument(_ name: String = "MAPS") throws -> InstrumentDescription {
        var description = try InstrumentDescription(
            value: loadInstrument(name: "maps", directory: graphsFolder))
        description.instrument.name = name
        description.instrument.sampleToDetector = 4
        description.detectors = DetectorBanks(
            banks: [.init(horizontal: -60...60, elevation: -40...40)],
            gaps: [.init(horizontal: 10...14, elevation: -90...90)], scatteringAngle: 3...180)
        return description
    }

    private func measurement(_ geometry: ImageGeometry) -> Stages.Measurement {
        .tellingPlaces(geometry, missingOneIn: 11)
    }

    private func runs(_ measurement: Stages.Measurement, _ provenance: ImageProvenance) throws -> [NXSPE] {
        try #require(try ImageFiles(measurement.value, type: "measurement")).runs(provenance)
    }

    private func load(_ runs: [NXSPE], _ geometry: ImageGeometry) throws -> Stages.Measurement {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spinweave-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = try runs.enumerated().map { index, run -> Value in
            let path = folder.appending(path: "\(index).nxspe").path
            let bytes = try run.encoded()
            try AtomicFile.write(bytes, to: path)
            return fileValue(path, bytes)
        }
        return try loadedMeasurement(files, geometry)
    }

    /// b* and c* drawn, a* along the beam, turned by 10°; and the same with axes across.
    private static let oriented: [ImageGeometry] = [([0, 1, 0], [0, 0, 4]), ([0, 1, 2], [0, 1, -2])].map { u, v in
        var geometry = atRest
        geometry.settings = [geometry.settings[0]]
        geometry.volume = ImageVolume(
            alignment: CrystalAlignment(u: [1, 0, 0], v: [0, 1, 0]), motion: .atRest(psi: 10), u: u, v: v, w: [1, 0, 0])
        return geometry
    }

    /// The mean of n equal singles is that single (sums of n ≤ 2²⁹ singles are exact in double precision). σ√n of each of n
    /// elements gives √(n σ² n)/n: five roundings of double precision, which may move the single's rounding by its last place.
    @Test("load-measurement gives the image back wherever a detector falls", arguments: [atRest] + oriented)
    func roundTrip(geometry: ImageGeometry) throws {
        let measurement = measurement(geometry)
        let instrument = try instrument()
        let runs = try runs(measurement, ImageProvenance(instrument: instrument, isScaledByKiOverKf: false))
        #expect(runs.map(\.incidentEnergy) == geometry.settings.map(\.incidentEnergy))
        let loaded = try load(runs, geometry)
        let (errors, wanted) = (try #require(loaded.error), try #require(measurement.error))
        // A pixel that detectors reach at 8³ places of its volume is much larger than a detector: some centre falls into it.
        let reached = try CoverageMask.reached(by: try #require(instrument.detectors), geometry: geometry, samples: 8)
        var (seen, whole) = (0, 0)
        for index in measurement.image.elements.indices {
            if reached.elements[index] == 1 { whole += 1 }
            if loaded.missing.elements[index] != 0 {
                #expect(measurement.missing.elements[index] != 0 || reached.elements[index] < 1, "pixel \(index)")
                continue
            }
            seen += 1
            #expect(measurement.missing.elements[index] == 0)
            #expect(loaded.image.elements[index] == measurement.image.elements[index])
            #expect(abs(errors.elements[index] - wanted.elements[index]) <= wanted.elements[index].ulp)
        }
        #expect(whole > geometry.rows * geometry.columns / 8 && seen > whole / 2, "\(whole) whole, \(seen) seen")
        #expect(loaded.isScaledByKiOverKf == false)
    }

    /// kf = 2.69052 1/Å at 25 − 10 meV, of which sin 20° goes across the beam: at 10° about the beam h = −0.780, k = −0.139, which
    /// is row 6 from the top (h = −5/7 ± 1/7) and column 4 of the second bin (k = −1/9 ± 1/9).
    @Test("a detector has the value of the pixel worked out by hand, its run the angles and the energies of the image")
    func byHand() throws {
        var description = try instrument("MAPS 2000–2017")
        // The direction (cos 20°, sin 20° cos 10°, sin 20° sin 10°) is 19.71975° to the left and 3.40487° up.
        let (left, up) = (19.719746, 3.404867)
        description.detectors = DetectorBanks(
            banks: [.init(horizontal: left - 0.01...left + 0.01, elevation: up - 0.01...up + 0.01)])
        let geometry = Self.single
        let measurement = measurement(geometry)
        let run = try runs(measurement, ImageProvenance(instrument: description))[0]
        #expect(run.detectors.count == 1)
        #expect(abs(run.detectors[0].polar - 20) < 1e-3 && abs(run.detectors[0].azimuthal - 10) < 1e-3)
        // 4 m from the vertical through the sample.
        #expect(abs(run.detectors[0].distance - 4 / cos(up * Double.pi / 180)) < 1e-4)
        #expect(run.energyEdges == [2.5, 7.5, 12.5, 17.5] && run.incidentEnergy == 25 && run.psi == 0)
        let pixel = 6 * geometry.columns + 14
        #expect(run.intensity.elements[1] == Double(measurement.image.elements[pixel]))
        #expect(run.error.elements[1] == Double(try #require(measurement.error).elements[pixel]))
        // Nothing is known of ki/kf, and the spectrometer has the name that Mantid knows.
        #expect(run.isScaledByKiOverKf == nil && run.instrument == "MAPS")
    }

    private static let single: ImageGeometry = {
        var geometry = atRest
        geometry.settings = [geometry.settings[0]]
        return geometry
    }()

    @Test("pixels without data are NaN with error 0, and so is what lies outside the image; unknown errors are 0")
    func missing() throws {
        var measurement = measurement(Self.single)
        measurement.missing = Tensor(
            shape: measurement.missing.shape, elements: measurement.missing.elements.map { _ in 1 })
        let pixel = 6 * Self.single.columns + 14
        measurement.missing.elements[pixel] = 0
        let provenance = ImageProvenance(instrument: try instrument(), isScaledByKiOverKf: true)
        let run = try runs(measurement, provenance)[0]
        let seen = run.intensity.elements.indices.filter { !run.intensity.elements[$0].isNaN }
        #expect(!seen.isEmpty && seen.allSatisfy { $0 % 3 == 1 })
        #expect(run.error.elements.indices.allSatisfy { seen.contains($0) || run.error.elements[$0] == 0 })
        let sigma = Double(try #require(measurement.error).elements[pixel])
        // √n of the pixel's error for each of its n elements.
        #expect(seen.allSatisfy { run.error.elements[$0] == sigma * Double(seen.count).squareRoot() })
        measurement.error = nil
        #expect(try runs(measurement, provenance)[0].error.elements.allSatisfy { $0 == 0 })
    }

    @Test("runs of which one is multiplied by ki/kf and one is not are refused; one that does not say is not known")
    func scalings() throws {
        let provenance = ImageProvenance(instrument: try instrument(), isScaledByKiOverKf: true)
        var runs = try runs(measurement(atRest), provenance)
        try #require(runs.count == 2)
        #expect(try load(runs, atRest).isScaledByKiOverKf == true)
        runs[1].isScaledByKiOverKf = nil
        #expect(try load(runs, atRest).isScaledByKiOverKf == nil)
        runs[1].isScaledByKiOverKf = false
        let failure = #expect(throws: StepFailure.self) { try load(runs, atRest) }
        #expect(
            failure?.message.hasSuffix("1.nxspe: intensities not multiplied by ki/kf, those of a run before it are")
                == true)
    }

    @Test("what has no runs is refused with what to do")
    func refusals() throws {
        func refusal(_ geometry: ImageGeometry, _ provenance: ImageProvenance) -> String {
            do {
                _ = try runs(measurement(geometry), provenance)
                return "no error"
            } catch let problem as Diagnostic {
                return "\(problem.message)\n  hint: \(problem.hint ?? "")"
            } catch { return "another error: \(error)" }
        }
        var turning = Self.single
        turning.scan = .rotation(l: -0.5...0.5, layers: 4)
        #expect(
            refusal(turning, ImageProvenance(instrument: try instrument())) == """
                the crystal of this image turns, and a .nxspe file holds one run at one angle psi
                  hint: export .nxs (a histogram), or hold the crystal at rest (orientation with psi)
                """)
        #expect(
            refusal(Self.single, ImageProvenance()) == """
                the image's resolution is from table files, which know no detectors
                  hint: name the spectrometer: --instrument NAME
                """)
        // Bins are fractions of Ei, so that integrals of one run and the next would not be of one scale.
        #expect(
            refusal(Self.single, ImageProvenance(instrument: try instrument(), isIntegrated: true)) == """
                the image's intensities are integrals over its energy bins, and those of a .nxspe file are per meV
                  hint: make the image with intensity: per-meV
                """)
        for (name, message) in [
            ("arcs", "the instrument ARCS has no detectors"), ("let", "the detector of LET has no size"),
        ] {
            let description = try InstrumentDescription(value: loadInstrument(name: name, directory: graphsFolder))
            #expect(refusal(Self.single, ImageProvenance(instrument: description)).hasPrefix(message))
        }
    }
}
