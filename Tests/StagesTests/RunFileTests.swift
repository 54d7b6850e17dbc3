import Dataflow
import Foundation
import Instruments
import Interchange
import Tensors
import Testing

@testable import Stages

@Suite("Runs of direct-geometry spectrometers as measurements")
struct RunFileTests {
    /// Ei = 25 meV, bins around 5, 10 and 15 meV, 8 × 10 pixels of ±1 r.l.u., 5.408 × 5.4599 × 19.266 Å, c* along the beam.
    private static let geometry: ImageGeometry = {
        var geometry = RegionTableTests.geometry
        geometry.settings = [geometry.settings[0]]
        return geometry
    }()

    private func load(_ bytes: [UInt8], _ geometry: ImageGeometry) throws -> Stages.Measurement {
        try loadedMeasurement(bytes, as: "nxspe", geometry)
    }

    /// The message of a refused run, from behind the file's name on.
    private func refusal(_ bytes: [UInt8], _ geometry: ImageGeometry = Self.geometry) -> String {
        do {
            _ = try load(bytes, geometry)
            return "no error"
        } catch let failure as StepFailure {
            return String(failure.message.split(separator: ".nxspe: ", maxSplits: 1).last ?? "")
        } catch {
            return "another error: \(error)"
        }
    }

    private func detector(_ polar: Double, _ azimuthal: Double) -> NXSPE.Detector {
        NXSPE.Detector(polar: polar, azimuthal: azimuthal, polarWidth: 1, azimuthalWidth: 1, distance: 6)
    }

    /// One bin, from 9.5 to 10.5 meV; every detector has intensity 8, error 2.
    private func run(_ angles: [(Double, Double)], energy: Double = 25, psi: Double = .nan) -> NXSPE {
        let shape = [angles.count, 1]
        return NXSPE(
            incidentEnergy: energy, psi: psi, energyEdges: [9.5, 10.5], detectors: angles.map { detector($0.0, $0.1) },
            intensity: Tensor(shape: shape, repeating: 8), error: Tensor(shape: shape, repeating: 2))
    }

    /// A function of (h, k, E) whose mean over a pixel is known.
    private func scattering(_ h: Double, _ k: Double, _ energy: Double) -> Double { h * h + h * k + energy / 10 + 1 }

    @Test("a run whose intensity is a function of (Q, E) becomes the function's means over the pixels")
    func means() throws {
        let geometry = Self.geometry
        let parts = 4
        func middles(_ axis: ImageGeometry.PixelAxis) -> [Double] {
            (0..<axis.count * parts).map { axis.lowerEdge + (Double($0) + 0.5) / Double(parts) * axis.step }
        }
        var detectors: [NXSPE.Detector] = []
        var rows: [[Double]] = []
        for (bin, energy) in [5.0, 10, 15].enumerated() {
            let kf = ((25 - energy) / 2.0721416).squareRoot()
            for h in middles(geometry.h) {
                for k in middles(geometry.k) {
                    // kf = ki − Q: across the beam it is −Q, a* to the left and b* up.
                    let (left, up) = (-2 * Double.pi * h / 5.408, -2 * Double.pi * k / 5.4599)
                    let across = (left * left + up * up).squareRoot()
                    detectors.append(detector(asin(across / kf) * 180 / .pi, atan2(up, left) * 180 / .pi))
                    var row = [Double](repeating: .nan, count: 3)
                    // The corner of lowest h and k of the first bin is masked.
                    let isMasked =
                        bin == 0 && h < geometry.h.centre(0) + geometry.h.step / 2
                        && k < geometry.k.centre(0) + geometry.k.step / 2
                    if !isMasked { row[bin] = scattering(h, k, energy) }
                    rows.append(row)
                }
            }
        }
        let shape = [detectors.count, 3]
        let values = rows.flatMap { $0 }
        let run = NXSPE(
            incidentEnergy: 25, energyEdges: [2.5, 7.5, 12.5, 17.5], detectors: detectors,
            intensity: Tensor(shape: shape, elements: values),
            error: Tensor(shape: shape, elements: values.map { $0.isNaN ? 0 : 0.5 }))
        let loaded = try load(try run.encoded(), geometry)
        let errors = try #require(loaded.error)
        // The mean of h² over `parts` middles of a pixel: h_c² + step²/12 (1 − 1/parts²). That of h k is h_c k_c.
        let spread = geometry.h.step * geometry.h.step / 12 * (1 - 1 / Double(parts * parts))
        for row in 0..<geometry.rows {
            for column in 0..<geometry.columns {
                let index = row * geometry.columns + column
                let isMasked = row == geometry.rows - 1 && column == 0
                #expect((loaded.missing.elements[index] != 0) == isMasked, "row \(row), column \(column)")
                if isMasked { continue }
                let (h, k) = (-1 + 2 * Double(7 - row) / 7, -1 + 2 * Double(column % 10) / 9)
                let wanted = scattering(h, k, Double(5 * (column / 10 + 1))) + spread
                // Values below 5 in single precision: half a unit in the last place is 2.4e-7.
                #expect(abs(Double(loaded.image.elements[index]) - wanted) < 1e-6, "row \(row), column \(column)")
                // √(16 · 0.5²)/16
                #expect(abs(errors.elements[index] - 0.125) < 1e-7)
            }
        }
    }

    /// kf = √(15/2.0721416) = 2.69052 1/Å at E = 10 meV; at 2θ = 20° 0.92021 of it across the beam, 2.52826 along it.
    @Test("a bright detector lies in the pixel worked out by hand")
    func bright() throws {
        func seen(_ run: NXSPE, _ geometry: ImageGeometry) throws -> [[Int]] {
            let loaded = try load(try run.encoded(), geometry)
            return loaded.missing.elements.indices.filter { loaded.missing.elements[$0] == 0 }.map { index in
                #expect(loaded.image.elements[index] == 8)
                return [index / geometry.columns, index % geometry.columns]
            }
        }
        // φ = 10°, nearly to the left: h = −0.780, k = −0.139. φ = 100°, nearly up: h = 0.138, k = −0.788. E in the second bin.
        #expect(try seen(run([(20, 10)]), Self.geometry) == [[6, 14]])
        #expect(try seen(run([(20, 100)]), Self.geometry) == [[3, 11]])
        // The same holding of the crystal, said by an orientation.
        var held = Self.geometry
        held.volume = ImageVolume(alignment: CrystalAlignment(u: [0, 0, 1], v: [1, 0, 0]), motion: .atRest(psi: 0))
        #expect(try seen(run([(20, 100)]), held) == [[3, 11]])
        // a* along the beam at psi = 0, b* to the left, c* up; the image has b* and c* as axes. (0, k, l) is (−0.787, −0.490); at
        // psi = 10° a* has turned to the left, and k = −(0.94516 sin 10° + 0.90623 cos 10°) · 5.4599/2π = −0.918.
        func turned(_ psi: Double) -> ImageGeometry {
            var geometry = Self.geometry
            geometry.volume = ImageVolume(
                alignment: CrystalAlignment(u: [1, 0, 0], v: [0, 1, 0]), motion: .atRest(psi: psi), u: [0, 1, 0],
                v: [0, 0, 1], w: [1, 0, 0])
            return geometry
        }
        #expect(try seen(run([(20, 10)], psi: 0), turned(0)) == [[6, 12]])
        #expect(try seen(run([(20, 10)], psi: 370), turned(10)) == [[7, 12]])
        #expect(refusal(try run([(20, 10)], psi: 5).encoded(), turned(10)).hasPrefix("measured at psi = 5.0° where"))
    }

    @Test("runs that are not of the image are refused with the reason")
    func refusals() throws {
        #expect(
            refusal(try run([(20, 10)], energy: 25.3).encoded())
                == "measured with Ei = 25.3 meV where the graph has 25.0 meV")
        #expect(
            refusal(try run([(20, 10)], energy: .nan).encoded())
                == "measured with Ei = nan meV where the graph has 25.0 meV")
        // Within 1 %: it is read.
        #expect(refusal(try run([(20, 10)], energy: 25.2).encoded()) == "no error")
        // 60° lies beyond h = 2, 170° behind the sample.
        #expect(
            refusal(try run([(60, 10), (170, 10)]).encoded()).hasPrefix(
                "none of 2 detectors × 1 energy bins lies in the graph's image"))
        #expect(refusal(Array(try run([(20, 10)]).encoded().prefix(3000))).hasPrefix("the file is truncated"))
        #expect(
            refusal(try run([(20, 10)]).encoded(), RegionTableTests.geometry).hasPrefix(
                "1 file for the graph's 2 incident energies"))
        var turning = Self.geometry
        turning.scan = .rotation(l: -0.5...0.5, layers: 4)
        #expect(refusal(try run([(20, 10)]).encoded(), turning).hasPrefix("one run, but the graph's crystal turns"))
    }
}
