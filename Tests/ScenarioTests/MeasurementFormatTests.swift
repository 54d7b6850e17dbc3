import Foundation
import Interchange
import Tensors
import Testing

/// From one program to the other and back: what `export` writes, `load-measurement` takes.
@Suite("Measurements travel as .nxs and .dat")
struct MeasurementFormatTests {
    private let twoEnergies = (
        old: "settings: [{energy: 12 meV, frequency: 200 Hz}]",
        new: "settings: [{energy: 12 meV, frequency: 200 Hz}, {energy: 20 meV, frequency: 300 Hz}]"
    )

    private func export(_ workplace: Workplace, _ node: String, _ file: String) throws -> [String] {
        let outcome = try workplace.spinweave("export", Study.file, node, "-o", file)
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.output.split(separator: "\n").map(String.init)
    }

    @Test("one incident energy: the measurement that comes back is the same artifact")
    func single() throws {
        let workplace = try Study.workplace()
        let first = try workplace.document(RunDocument.self, ["run", Study.file, "--quiet"])
        let artifact = try #require(first.node("measurement")?.artifact)
        for name in ["m.nxs", "m.dat"] {
            #expect(try export(workplace, "measurement", name) == [name])
            let again = try workplace.document(
                RunDocument.self, ["run", Study.file, "--quiet", "--set", "measurement.path=\(name)"])
            #expect(again.node("measurement")?.computed == 1)
            // The intensities are whole numbers, exact in every format.
            #expect(again.node("measurement")?.artifact == artifact, "\(name)")
        }
        let histogram = try MDHistogram(HDF5File(path: workplace.path("m.nxs").path))
        #expect(histogram.axes.map(\.name) == ["DeltaE", "[0,K,0]", "[H,0,0]"])
        #expect(histogram.axes.map(\.count) == [2, 5, 4] && histogram.incidentEnergy == 12)
        // 0.1 and 0.7 of 12 meV.
        #expect(abs(histogram.axes[0].edges[0] - 1.2) < 1e-12 && abs(histogram.axes[0].edges[2] - 8.4) < 1e-12)
    }

    @Test("several incident energies: a file for each, and back as a list")
    func several() throws {
        let workplace = try Study.workplace(replacing: twoEnergies)
        let image = Tensor<Float>(shape: [8, 10], elements: (0..<80).map { Float($0) })
        try NPY.write(.float32(image), to: workplace.path("graphs/image.npy").path)
        let first = try workplace.document(RunDocument.self, ["run", Study.file, "--quiet"])
        let artifact = try #require(first.node("measurement")?.artifact)
        let files = try export(workplace, "measurement", "m.nxs")
        #expect(files == ["m-ei12.nxs", "m-ei20.nxs"])
        let again = try workplace.document(
            RunDocument.self,
            ["run", Study.file, "--quiet", "--set", "measurement.path=[\(files.joined(separator: ", "))]"])
        #expect(again.node("measurement")?.artifact == artifact)
        // The name and the folder of a file do not matter, its content does.
        try FileManager.default.moveItem(at: workplace.path("m-ei20.nxs"), to: workplace.path("other.h5"))
        let moved = try workplace.document(
            RunDocument.self, ["run", Study.file, "--quiet", "--set", "measurement.path=[m-ei12.nxs, other.h5]"])
        #expect(moved.computed == 0)
        #expect(try export(workplace, "measurement", "m.dat") == ["m.dat"])
        let cut = try workplace.document(
            RunDocument.self, ["run", Study.file, "--quiet", "--set", "measurement.path=m.dat"])
        #expect(cut.node("measurement")?.artifact == artifact)
        let json = try workplace.spinweave(
            "export", Study.file, "image", "-o", "image.nxs", "--format", "json")
        #expect(json.output.contains("image-ei12.nxs") && json.output.contains("image-ei20.nxs"))
    }

    @Test("a damaged file fails the step with one message, and the HDF5 library says nothing of its own")
    func damaged() throws {
        let workplace = try Study.workplace()
        try workplace.spinweave("run", Study.file, "--quiet")
        _ = try export(workplace, "measurement", "m.nxs")
        var bytes = try Data(contentsOf: workplace.path("m.nxs"))
        let size = bytes.count
        bytes.removeLast(100)
        try bytes.write(to: workplace.path("short.nxs"))
        let outcome = try workplace.spinweave("run", Study.file, "--quiet", "--set", "measurement.path=short.nxs")
        #expect(outcome.status == 1)
        #expect(outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(
            outcome.output.hasPrefix(
                """
                measurement: failed: short.nxs: the file is truncated: it says it has \(size) bytes but \(size - 100) are there
                """))
    }

    @Test("what is no image is not written as one")
    func refusals() throws {
        let workplace = try Study.workplace()
        try workplace.spinweave("run", Study.file, "--quiet")
        let outcome = try workplace.spinweave("export", Study.file, "parameters", "-o", "p.nxs")
        #expect(outcome.status == 2)
        #expect(
            outcome.errors == """
                error: this artifact (parameters) is no single detector image
                  hint: export an image, one noisy image or a measurement, or choose .npz or .json

                """)
        #expect(!FileManager.default.fileExists(atPath: workplace.path("p.nxs").path))
    }
}
