import Dataflow
import Foundation
import Instruments
import Interchange
import Tensors
import Testing

@testable import Stages

@Suite("Cuts of crystals that are held in any way")
struct VolumeCutTests {
    /// Ei = 25 and 70 meV, 3 energy bins, 8 × 10 pixels of ±1 unit along u and v.
    private static func geometry(
        _ motion: ImageVolume.Motion, u: [Double], v: [Double], w: [Double], angles: [Double] = [90, 90, 90]
    ) -> ImageGeometry {
        var geometry = RegionTableTests.geometry
        geometry.volume = ImageVolume(
            alignment: CrystalAlignment(angles: angles, u: [1, 0, 0], v: [0, 1, 0]), motion: motion, u: u, v: v, w: w)
        return geometry
    }

    private static let turn = ImageVolume.Turn(psi: -60...60, step: 1, w: -0.1...0.3)

    /// At rest and turning; axes along the reciprocal lattice, and oblique ones in an oblique cell.
    private static let geometries = [
        geometry(.atRest(psi: 10), u: [0, 1, 0], v: [0, 0, 4], w: [1, 0, 0]),
        geometry(.atRest(psi: -35), u: [1, -1, 0], v: [0, 1, 3], w: [1, 1, 0], angles: [80, 95, 105]),
        geometry(.turning(turn), u: [1, 0, 0], v: [0, 0, 3], w: [0, 1, 0]),
        geometry(.turning(turn), u: [1, 1, 0], v: [1, -1, 2], w: [0, 0.5, 1], angles: [70, 90, 120]),
    ]

    private func measurement(_ geometry: ImageGeometry) -> Stages.Measurement {
        .tellingPlaces(geometry, missingOneIn: 5)
    }

    private func load(_ text: String, _ geometry: ImageGeometry) throws -> Stages.Measurement {
        try loadedMeasurement(Array(text.utf8), as: "dat", geometry)
    }

    /// Text with all digits, singles in their shortest form: nothing is rounded.
    @Test("a cut that is written is read back to the bit, in any order of its rows", arguments: geometries)
    func roundTrip(geometry: ImageGeometry) throws {
        let measurement = measurement(geometry)
        var cut = try #require(try ImageFiles(measurement.value, type: "measurement")).cut
        cut.rows.reverse()
        let loaded = try load(cut.encoded(), geometry)
        #expect(loaded.image == measurement.image)
        #expect(loaded.missing == measurement.missing)
        #expect(loaded.error == measurement.error)
    }

    /// x u + y v + w w, worked out for one row.
    @Test("h, k and l of a row are those of its place along the axes")
    func place() throws {
        let geometry = Self.geometries[2]
        let cut = try #require(try ImageFiles(measurement(geometry).value, type: "measurement")).cut
        let columns = try [CutTable.Column.h, .k, .l].map { try #require(cut.place(of: $0)) }
        // The first pixel has x = 1 and y = −1; the middle of w is 0.1: (1, 0, −3) + 0.1 (0, 1, 0).
        #expect(columns.map { (cut.rows[0][$0] * 1e12).rounded() / 1e12 } == [1, 0.1, -3])
    }

    @Test("what is no centre, outside the range of w, or without l is refused with its line")
    func refusals() throws {
        func refusal(_ rows: String, _ columns: String = "Ei h k l E intensity", geometry index: Int = 2) -> String {
            do {
                _ = try load("# a comment\n\(columns)\n\(rows)", Self.geometries[index])
                return "no error"
            } catch let failure as StepFailure {
                return String(failure.message.split(separator: ".dat:", maxSplits: 1).last ?? "")
            } catch { return "another error: \(error)" }
        }
        #expect(refusal("25 1 0.1 -3 5 7\n") == "no error")
        // Anywhere in the range of w, and at rest whatever w follows.
        #expect(refusal("25 1 0.3 -3 5 7\n") == "no error")
        #expect(refusal("25 0.5 -1 -4 5 7\n", geometry: 0) == "no error")
        #expect(
            refusal("25 1 0.1 -3 5 7\n25 1 0.5 3 5 7\n")
                == "4:1: h = 1.0, k = 0.5, l = 3.0, E = 5.0 meV lies at w = 0.5, outside the range that the image averages"
        )
        #expect(
            refusal("25 1 0.1 -2.8 5 7\n")
                == "3:1: h = 1.0, k = 0.1, l = -2.8, E = 5.0 meV is not the centre of a pixel of the graph's image")
        #expect(refusal("25 1 0.1 -3 5 7\n25 1 0.2 -3 5 8\n") == "4:1: the pixel of line 3 again")
        #expect(
            refusal("25 1 0.1 5 7\n", "Ei h k E intensity").hasPrefix(" no column l, without which nothing is known"))
        #expect(refusal("25 1 0.1 -3 5 many\n") == "3:15: 'many' is not a number")
    }

    /// Without an orientation too: (h, k) are along a* and b*, whatever the image's axes are.
    @Test("a cut of an image along other axes of the plane is read back to the bit")
    func projection() throws {
        var geometry = RegionTableTests.geometry
        geometry.projection = [1, -1, 1, 1]
        let measurement = measurement(geometry)
        let cut = try #require(try ImageFiles(measurement.value, type: "measurement")).cut
        let loaded = try load(cut.encoded(), geometry)
        #expect(loaded.image == measurement.image && loaded.missing == measurement.missing)
    }
}
