import Foundation
import Interchange
import Tensors
import Testing

/// Images leave the program as runs (.nxspe) and come back.
@Suite("Images travel as runs")
struct RunExportTests {
    /// The antiferromagnet of the scan, at rest on MERLIN with a along the beam; b and c are drawn.
    private static let graph = """
        graph: at-rest
        seed: 1
        nodes:
          resolution:
            stage: resolution
            instrument: merlin
            settings: [{energy: 15 meV, frequency: 150 Hz}, {energy: 30 meV, frequency: 200 Hz}]
            energy-bins: {count: 3, from: 0.1, to: 0.7}
            lattice: [5.656854249492381 angstrom, 5.656854249492381 angstrom, 13 angstrom]
            magnetic-cell: [1, 1, 1]
            orientation: {u: [1, 0, 0], v: [0, 1, 0], psi: 20 deg}
            projection: {u: [0, 1, 0], v: [0, 0, 1], w: [1, 0, 0]}
            h: {count: 12, from: -2.2, to: 0.1}
            k: {count: 8, from: -2, to: 2}
          mask: {stage: detector-mask, resolution: resolution, coverage: instrument, instrument: merlin}
          parameters: {stage: fix-parameters, model: square-afm-nn}
          spectrum: {stage: spin-waves, model: square-afm-nn, parameters: parameters, grid: 8}
          image: {stage: convolve-resolution, spectrum: spectrum, resolution: resolution, flux-ratio: false}
          counts: {stage: add-noise, image: image, mask: mask, exposure: 4}
          measurement: {stage: load-measurement, resolution: resolution, mask: mask, simulated: counts}

        """

    private struct Written: Decodable {
        var file: String
        var files: [String]?
        var detectors: Int
        var whole_detectors: [Int]
    }

    @Test("image, noisy image and measurement become a run for each incident energy, which gives the same pixels again")
    func travel() throws {
        let workplace = try Workplace()
        try workplace.write(Self.graph, to: "graphs/at-rest.yaml")
        let file = "graphs/at-rest.yaml"
        #expect(try workplace.spinweave("run", file, "--quiet").status == 0)
        let written = try workplace.document(Written.self, ["export", file, "image", "-o", "image.nxspe"])
        let names = ["image-ei15.nxspe", "image-ei30.nxspe"]
        #expect(written.files == names && written.file == names[0])
        #expect(written.detectors > 20_000 && written.whole_detectors.count == 2)
        for (index, (name, energy)) in zip(names, [15.0, 30]).enumerated() {
            let run = try NXSPE(HDF5File(path: workplace.path(name).path))
            #expect(run.incidentEnergy == energy && run.psi == 20 && run.instrument == "MERLIN")
            // Without kf/ki, as if ki/kf had been applied to what was measured.
            #expect(run.isScaledByKiOverKf == true)
            #expect(run.energyEdges.count == 4 && abs(run.energyEdges[3] - 0.7 * energy) < 1e-12)
            #expect(run.detectors.count == written.detectors)
            // Those that Horace keeps: some of them, since the image is a part of what the detectors see.
            let whole = run.detectors.indices.count { detector in
                run.intensity.elements[3 * detector..<3 * detector + 3].allSatisfy { !$0.isNaN }
            }
            #expect(written.whole_detectors[index] == whole && whole > 0 && whole < written.detectors)
        }
        func exported(_ node: String, _ name: String, _ options: [String] = []) throws -> [String: AnyTensor] {
            let outcome = try workplace.spinweave(["export", file, node, "-o", name] + options)
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try NPZ.read(path: workplace.path(name).path)
        }
        let image = try #require(try exported("image", "image.npz")["domains"]).asFloat64.elements
        let path = ["--set", "measurement.path=[\(names[0]), \(names[1])]"]
        #expect(try workplace.spinweave(["run", file, "--quiet"] + path).status == 0)
        let back = try exported("measurement", "back.npz", path)
        let (read, missing) = (try #require(back["image"]).asFloat64, try #require(back["missing"]).asFloat64)
        // One domain; load-measurement clips to 120, far above the image.
        #expect(read.elements.count == image.count && image.allSatisfy { $0 < 120 })
        let seen = read.elements.indices.filter { missing.elements[$0] == 0 }
        #expect(seen.count > image.count / 10)
        #expect(seen.allSatisfy { read.elements[$0] == image[$0] })
        // The others are those that the mask covers or no detector's centre falls into.
        let mask = try #require(try exported("mask", "mask.npz")["missing"]).asFloat64.elements
        #expect(seen.allSatisfy { mask[$0] == 0 })

        let noisy = try workplace.spinweave("export", file, "counts", "-o", "counts.nxspe")
        #expect(noisy.output == "counts-ei15.nxspe\ncounts-ei30.nxspe\n")
        #expect(noisy.errors.hasPrefix("note: of ") && noisy.errors.contains("Horace leaves the others out"))
        // A measurement that was simulated knows of kf/ki by its simulation, one from runs by their files.
        for options in [[], path] {
            let outcome = try workplace.spinweave(["export", file, "measurement", "-o", "m.nxspe"] + options)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let run = try NXSPE(HDF5File(path: workplace.path("m-ei30.nxspe").path))
            #expect(run.isScaledByKiOverKf == true)
        }
    }

    @Test("an image of PCSMO on MAPS becomes runs; what has none is refused with what to do")
    func refusals() throws {
        let workplace = try QuickGraph.workplace()
        let options = QuickGraph.options()
        let outcome = try workplace.spinweave(
            ["export", QuickGraph.file, "stand-in-image", "-o", "run.nxspe"] + options)
        #expect(outcome.output == "run-ei50.nxspe\nrun-ei100.nxspe\n", "\(outcome.errors)")
        let run = try NXSPE(HDF5File(path: workplace.path("run-ei50.nxspe").path))
        #expect(run.instrument == "MAPS" && run.isScaledByKiOverKf == false && run.psi == 0)
        #expect(run.intensity.elements.contains { $0 > 0 })
        let other = try workplace.spinweave(
            ["export", QuickGraph.file, "stand-in-image", "-o", "other.nxspe", "--instrument", "merlin"] + options)
        #expect(other.status == 0, "\(other.errors)")
        #expect(try NXSPE(HDF5File(path: workplace.path("other-ei50.nxspe").path)).instrument == "MERLIN")
        func refusal(_ node: String, _ file: String, _ more: [String] = []) throws -> (Int32, String) {
            let outcome = try workplace.spinweave(["export", QuickGraph.file, node, "-o", file] + more + options)
            #expect(!FileManager.default.fileExists(atPath: workplace.path(file).path))
            return (outcome.status, outcome.errors)
        }
        #expect(
            try refusal("stand-in-image", "a.nxspe", ["--instrument", "arcs"]) == (
                2,
                """
                error: the instrument ARCS has no detectors
                  hint: docs/instruments.md tells of the keys 'detectors' and 'detector'; or name another spectrometer: \
                --instrument NAME

                """
            ))
        #expect(
            try refusal("stand-in-image", "a.npy", ["--instrument", "maps"]) == (
                64, "error: --instrument goes with .nxspe files alone\n  hint: leave it out, or end 'a.npy' in .nxspe\n"
            ))
        #expect(
            try refusal("attribution", "a.nxspe") == (
                2,
                "error: this artifact (attribution) is no single detector image of neutrons\n  hint: export an image, one "
                    + "noisy image or a measurement\n"
            ))
        #expect(
            try refusal("noise@dimer", "a.nxspe").1.hasPrefix(
                "error: node 'noise@dimer' has 8 samples, and .nxspe holds one"))
    }
}
