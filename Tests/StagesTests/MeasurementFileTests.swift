import Artifacts
import Dataflow
import Foundation
import Instruments
import Interchange
import Tensors
import Testing

@testable import Stages

/// Two incident energies (25 and 70 meV), 3 energy bins, 8 × 10 pixels.
private let geometry = RegionTableTests.geometry

@Suite("Measurements from the files of other programs")
struct MeasurementFileTests {
    /// Every pixel tells its place; some have no data.
    private static let measurement: Stages.Measurement = {
        let count = geometry.rows * geometry.columns
        let missing = (0..<count).map { UInt8($0 % 11 == 3 ? 1 : 0) }
        let image = (0..<count).map { missing[$0] == 1 ? Float(0) : Float($0) / 8 }
        let error = (0..<count).map { missing[$0] == 1 ? Float(0) : 0.5 + Float($0 % 7) / 4 }
        return Stages.Measurement(
            image: Tensor(shape: geometry.shape, elements: image),
            missing: Tensor(shape: geometry.shape, elements: missing),
            error: Tensor(shape: geometry.shape, elements: error), geometry: geometry.value, isSimulated: false,
            zeroPixels: 0, negativePixels: 0)
    }()

    private final class Folder {
        let url = FileManager.default.temporaryDirectory.appending(path: "spinweave-\(UUID().uuidString)")
        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(at: url) }

        /// The file as a bound parameter.
        func file(_ name: String, _ bytes: [UInt8]) throws -> Value {
            let path = url.appending(path: name).path
            try AtomicFile.write(bytes, to: path)
            return .record(["path": .string(path), "content": .digest(Digest(of: bytes))])
        }
    }

    private func load(_ files: [Value], mean: Double? = nil) throws -> Stages.Measurement {
        try loadedMeasurement(files, geometry, mean: mean)
    }

    /// The message of a refused file, without the folder's name.
    private func refusal(_ files: [Value], _ folder: Folder) -> String {
        do {
            _ = try load(files)
            return "no error"
        } catch let failure as StepFailure {
            let text = failure.message + (failure.hint.map { "\n  hint: \($0)" } ?? "")
            return text.replacing(folder.url.path + "/", with: "")
        } catch {
            return "another error: \(error)"
        }
    }

    private func histograms() throws -> [MDHistogram] {
        try #require(try ImageFiles(Self.measurement.value, type: "measurement")).histograms
    }

    /// Single precision keeps the images exactly; σ² and its root are one rounding each of double precision.
    private func expectSame(_ loaded: Stages.Measurement) throws {
        #expect(loaded.image == Self.measurement.image)
        #expect(loaded.missing == Self.measurement.missing)
        let errors = try #require(loaded.error)
        #expect(errors == Self.measurement.error)
    }

    @Test("a measurement that is written as histograms, one for each incident energy, is loaded as it was")
    func histogramsRoundTrip() throws {
        let folder = try Folder()
        let files = try histograms().enumerated().map { try folder.file("\($0).nxs", try $1.encoded()) }
        #expect(files.count == 2)
        try expectSame(try load(files))
    }

    @Test("a pixel's place in a histogram is that of its h, k and energy")
    func places() throws {
        for (setting, histogram) in try histograms().enumerated() {
            #expect(histogram.incidentEnergy == geometry.settings[setting].incidentEnergy)
            for row in 0..<geometry.rows where row / geometry.h.count == setting {
                for column in 0..<geometry.columns {
                    let pixel = geometry.pixel(row: row, column: column)
                    let indices = zip(histogram.axes, [pixel.energy, pixel.k, pixel.h]).map { axis, value in
                        axis.edges.lastIndex { $0 <= value } ?? -1
                    }
                    let at = histogram.signal.offset(indices)
                    let index = row * geometry.columns + column
                    let isMissing = Self.measurement.missing.elements[index] == 1
                    #expect(histogram.signal.elements[at].isNaN == isMissing)
                    if !isMissing {
                        #expect(histogram.signal.elements[at] == Double(Self.measurement.image.elements[index]))
                    }
                }
            }
        }
    }

    @Test("simulated and noisy images and attributions are written, several copies at once are not")
    func otherArtifacts() throws {
        let count = geometry.rows * geometry.columns
        let (low, high) = ((0..<count).map { Float($0) }, (0..<count).map { Float($0 + 2) })
        let simulated = SimulatedImage(
            domains: Tensor(shape: [2] + geometry.shape, elements: low + high), fractions: [0.5, 0.5],
            geometry: geometry.value, isUnstable: false)
        let image = try #require(try ImageFiles(simulated.value, type: "image"))
        // h falls from the top of a block: its lowest row comes last, and first in the histogram.
        let lowest = Double((geometry.h.count - 1) * geometry.columns)
        #expect(image.histograms[0].signal.elements[0] == lowest + 1)
        // No errors are known of a simulation: no column, and 0 where the format demands a number.
        #expect(image.cut.place(of: .error) == nil && image.cut.place(of: .incidentEnergy) == 0)
        #expect(image.histograms[0].errorsSquared.elements.allSatisfy { $0 == 0 })
        func noisy(_ copies: Int) -> Value {
            NoisyImages(
                images: Tensor(
                    shape: [copies] + geometry.shape, elements: Array(repeating: low, count: copies).flatMap(\.self)),
                mask: Tensor(shape: geometry.shape, elements: (0..<count).map { $0 == 1 ? 1 : 0 }),
                geometry: geometry.value, isUnstable: false
            ).value
        }
        let single = try #require(try ImageFiles(noisy(1), type: "counts"))
        #expect(single.histograms[0].signal.elements[0] == lowest)
        #expect(single.histograms.map { $0.signal.elements.count(where: \.isNaN) } == [1, 0])
        #expect(try ImageFiles(noisy(2), type: "counts") == nil)
        let gradients = Value.record([
            "geometry": geometry.value, "best": .string("occlusion"),
            "maps": .record(["occlusion": .tensor(Tensor(shape: geometry.shape, elements: low))]),
        ])
        let attribution = try #require(try ImageFiles(gradients, type: "attribution"))
        #expect(attribution.histograms[0].signal.elements[0] == lowest)
        #expect(try ImageFiles(gradients, type: "verdict") == nil)
    }

    @Test("axes in another order, and integrated ones, as Mantid's MDNorm gives them")
    func otherOrder() throws {
        let folder = try Folder()
        let files = try histograms().enumerated().map { index, histogram in
            // (energy, k, h) becomes (l, h, energy, k) with one bin of l.
            let order = [2, 0, 1]
            let axes = order.map { histogram.axes[$0] }
            let shape = axes.map(\.count)
            func turned<E>(_ tensor: Tensor<E>) -> Tensor<E> {
                var elements: [E] = []
                for h in 0..<shape[0] {
                    for e in 0..<shape[1] {
                        for k in 0..<shape[2] { elements.append(tensor.elements[tensor.offset([e, k, h])]) }
                    }
                }
                return Tensor(shape: [1] + shape, elements: elements)
            }
            let l = MDHistogram.Axis(name: "[0,0,L]", units: "r.l.u.", frame: "HKL", edges: [-10, 10])
            let other = MDHistogram(
                axes: [l] + axes, signal: turned(histogram.signal), errorsSquared: turned(histogram.errorsSquared),
                eventCounts: turned(histogram.eventCounts), mask: turned(histogram.mask))
            return try folder.file("\(index).nxs", try other.encoded())
        }
        try expectSame(try load(files))
    }

    @Test("a cut that is written is loaded as it was, in any order of its rows")
    func cuts() throws {
        let folder = try Folder()
        var cut = try #require(try ImageFiles(Self.measurement.value, type: "measurement")).cut
        let seen = Self.measurement.missing.elements.count { $0 == 0 }
        // Pixels without data have no row; some of the rest are out of the detectors' reach, and had none to begin with.
        #expect(cut.rows.count == seen)
        try expectSame(try load([try folder.file("cut.dat", Array(cut.encoded().utf8))]))
        // A comment in Latin-1.
        let latin = Array("# 1/\u{41}".utf8) + [0xC5, 0x0A] + Array(cut.encoded().utf8)
        try expectSame(try load([try folder.file("latin.asc", latin)]))
        cut.rows.reverse()
        try expectSame(try load([try folder.file("cut.txt", Array(cut.encoded(comments: ["turned"]).utf8))]))
    }

    @Test("the l of a cut is that of the kinematics")
    func cutsMomentum() throws {
        let cut = try #require(try ImageFiles(Self.measurement.value, type: "measurement")).cut
        let columns = try [CutTable.Column.incidentEnergy, .h, .k, .l, .energy].map { try #require(cut.place(of: $0)) }
        let lattice = geometry.lattice
        for row in cut.rows {
            let (incident, h, k, l) = (row[columns[0]], row[columns[1]], row[columns[2]], row[columns[3]])
            let energy = row[columns[4]] / 2.0721416
            // |kf|² = |ki − Q|² with the beam along c*: E is ki² − kf², in units of 2.0721416 meV Å².
            let ki = (incident / 2.0721416).squareRoot()
            let across: Double = pow(2 * Double.pi * h / lattice[0], 2) + pow(2 * Double.pi * k / lattice[1], 2)
            let along: Double = ki - 2 * Double.pi * l / lattice[2]
            guard across < ki * ki - energy else { continue }
            let final: Double = across + along * along
            // A few roundings of numbers of the size of ki².
            #expect(abs(ki * ki - final - energy) < 1e-12 * ki * ki)
        }
    }

    @Test("an archive of NumPy with image, error and mask")
    func archive() throws {
        let folder = try Folder()
        let error = try #require(Self.measurement.error)
        let bytes = try NPZ.encode([
            "image": .float32(Self.measurement.image), "error": .float32(error),
            "mask": .uint8(Self.measurement.missing),
        ])
        try expectSame(try load([try folder.file("m.npz", bytes)]))
        let alone = try NPZ.encode(["arr_0": .float32(Self.measurement.image)])
        let loaded = try load([try folder.file("alone.npz", alone)])
        #expect(loaded.image == Self.measurement.image && loaded.error == nil)
        let two = try NPZ.encode(["a": .float32(Self.measurement.image), "b": .float32(Self.measurement.image)])
        #expect(
            refusal([try folder.file("two.npz", two)], folder) == """
                two.npz: no array is called 'image'
                  hint: the arrays are a, b; numpy.savez(FILE, image=…, error=…, mask=…)
                """)
    }

    @Test("errors are scaled with the image")
    func scaled() throws {
        let folder = try Folder()
        let files = try histograms().enumerated().map { try folder.file("\($0).nxs", try $1.encoded()) }
        let loaded = try load(files, mean: 2.5)
        let error = try #require(loaded.error), original = try #require(Self.measurement.error)
        let at = try #require(loaded.missing.elements.lastIndex(of: 0))
        let factor = loaded.image.elements[at] / Self.measurement.image.elements[at]
        #expect(factor < 1)
        // Two roundings of single precision.
        #expect(abs(error.elements[at] - factor * original.elements[at]) <= 2 * error.elements[at].ulp)
    }

    @Test("a file without errors has none; NaN, infinity and masked bins are missing")
    func withoutErrors() throws {
        let folder = try Folder()
        let files = try histograms().enumerated().map { index, histogram in
            var plain = histogram
            plain.errorsSquared = Tensor(shape: plain.signal.shape, repeating: 0)
            if index == 0 {
                // h, k and the energy lowest: the last row of the first block, its first column.
                plain.signal.elements[0] = .infinity
                plain.signal.elements[1] = .nan
                plain.mask.elements[2] = 1
            }
            return try folder.file("\(index).nxs", try plain.encoded())
        }
        let loaded = try load(files)
        #expect(loaded.error == nil)
        for step in 0..<3 {
            let index = (geometry.h.count - 1 - step) * geometry.columns
            #expect(loaded.missing.elements[index] == 1 && loaded.image.elements[index] == 0)
        }
    }

    @Test("what does not fit the graph is refused with the file's axes and the graph's")
    func refusals() throws {
        let folder = try Folder()
        let histograms = try histograms()
        let files = try histograms.enumerated().map { try folder.file("\($0).nxs", try $1.encoded()) }
        #expect(
            refusal([files[0]], folder) == """
                0.nxs: 1 file for the graph's 2 incident energies
                  hint: give one histogram for each, from the first setting on: path: [FIRST.nxs, SECOND.nxs, …]
                """)
        #expect(
            refusal(files.reversed(), folder) == """
                1.nxs: measured with Ei = 70.0 meV where the graph has 25.0 meV
                  hint: give the files in the order of the settings
                """)
        var other = histograms[0]
        other.axes[2].name = "[H,H,0]"
        let turned = refusal([try folder.file("hh.nxs", try other.encoded()), files[1]], folder)
        #expect(
            turned.hasPrefix(
                "hh.nxs: the axes are not those of the graph's image: it has [H,H,0] (r.l.u.): 8 bins from -1.14"))
        #expect(turned.contains("\n  hint: the graph wants [H,0,0] (r.l.u.): 8 bins from -1.14"))
        #expect(turned.hasSuffix("DeltaE (meV): 3 bins from 2.5 to 17.5"))
        // A twentieth of a bin is allowed, a tenth is not.
        for (shift, isRefused) in [(0.04, false), (0.1, true)] {
            var shifted = histograms[0]
            shifted.axes[0].edges = shifted.axes[0].edges.map { $0 + shift * 5 }
            let text = refusal([try folder.file("s.nxs", try shifted.encoded()), files[1]], folder)
            #expect(text.hasPrefix("s.nxs: the axes are not those") == isRefused, "\(text)")
        }
        var negative = histograms[0]
        negative.errorsSquared.elements[0] = -1
        #expect(
            refusal([try folder.file("n.nxs", try negative.encoded()), files[1]], folder)
                .hasPrefix("n.nxs: the squared error is -1.0 at h = -1.0, k = -1.0, energy bin 0"))
        let run = NXSPE(
            incidentEnergy: 25, energyEdges: [0, 1], detectors: [],
            intensity: Tensor(shape: [0, 1], elements: []), error: Tensor(shape: [0, 1], elements: []))
        #expect(
            refusal([try folder.file("r.nxspe", try run.encoded()), files[1]], folder).hasPrefix(
                """
                r.nxspe: none of 0 detectors × 1 energy bins lies in the graph's image, or all that do are masked
                  hint: the graph wants [H,0,0]
                """))
        #expect(
            refusal([try folder.file("short.nxs", Array(try histograms[0].encoded().prefix(3000))), files[1]], folder)
                .hasPrefix("short.nxs: the file is truncated: it says it has "))
        #expect(
            refusal([try folder.file("image.npy", NPY.encode(.float32(Self.measurement.image))), files[1]], folder)
                .hasPrefix("image.npy: one of 2 files, but an array file holds the whole image"))
    }

    @Test("a cut that does not fit is refused with its line")
    func cutRefusals() throws {
        let folder = try Folder()
        func text(_ rows: String) throws -> String {
            refusal([try folder.file("c.dat", Array("Ei h k E intensity\n\(rows)".utf8))], folder)
        }
        #expect(
            try text("25 -1 -1 5 1\n26 -1 -1 5 1\n") == """
                c.dat:3:1: no setting of the graph has Ei = 26.0 meV
                  hint: the graph has 25.0, 70.0 meV
                """)
        #expect(try text("25 -1 -1 5 1\n25 -1 -1 5 2\n").hasPrefix("c.dat:3:1: the pixel of line 2 again"))
        #expect(
            try text("25 -0.9 -1 5 1\n").hasPrefix(
                "c.dat:2:1: h = -0.9, k = -1.0, E = 5.0 meV is not the centre of a pixel of the graph's image"))
        #expect(try text("25 -3 -1 5 1\n").hasPrefix("c.dat:2:1: h = -3.0"))
        #expect(
            try text("25 -1 -1 5 one\n") == """
                c.dat:2:12: 'one' is not a number
                  hint: one row a line, decimal point '.', '#' for comments
                """)
        let single = try folder.file("s.dat", Array("h k E intensity\n-1 -1 5 1\n".utf8))
        #expect(
            refusal([single], folder).hasPrefix("s.dat: no column Ei, and 1 file for the graph's 2 incident energies"))
        let bare = try folder.file("b.dat", Array("Ei E intensity\n25 5 1\n".utf8))
        #expect(refusal([bare], folder).hasPrefix("b.dat: no columns h and k"))
    }
}
