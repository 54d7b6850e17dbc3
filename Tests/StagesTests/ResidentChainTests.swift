import Artifacts
import CacheStore
import Dataflow
import Devices
import Foundation
import GraphLanguage
import HostDevice
import Stages
import Testing

/// A whole graph on a device in software: what is asked of the device before the store is read.
@Suite("A chain stays on the device")
final class ResidentChainTests {
    private let path = FileManager.default.temporaryDirectory.path + "/spinweave-chain-\(UUID().uuidString)"

    deinit { try? FileManager.default.removeItem(atPath: path) }

    private static let text = """
        graph: chain
        seed: 1
        nodes:
          resolution:
            stage: resolution
            instrument: maps
            settings: [{energy: 12 meV, frequency: 200 Hz}]
            energy-bins: {count: 3, from: 0.1, to: 0.7}
            h: {count: 6, from: -1, to: 1}
            k: {count: 6, from: -1, to: 1}
            lattice: [5.656854249492381 angstrom, 5.656854249492381 angstrom, 13 angstrom]
            magnetic-cell: [1, 1, 1]
          mask: {stage: detector-mask, resolution: resolution, coverage: open, scattering-angle: [3 deg, 60 deg]}
          parameters:
            stage: sample-parameters
            model: square-afm-nn
            priors: {J1: {uniform: [0.5 meV, 0.8 meV]}, D: {uniform: [-0.03 meV, -0.005 meV]}}
            count: 5
            stability-grid: 6
          spectra: {stage: spin-waves, model: square-afm-nn, parameters: parameters, grid: 6}
          images: {stage: convolve-resolution, spectrum: spectra, resolution: resolution}
          noise:
            stage: add-noise
            image: images
            mask: mask
            copies: 2
            misorientation: 0.5 deg
            tilt: 0.5 deg
            energy-offset: 0.005

        """

    /// - Returns: the noise, and how often the device had what was asked of it, and had not.
    private func run(residentBytes: Int?, store name: String) throws -> (noise: [Value?], found: Int, missed: Int) {
        let software = try SoftwareCUDA()
        let graph = try Graph.bind(
            try GraphFile.parse(text: Self.text, file: "chain.yaml"), library: .spinweave, directory: graphsFolder)
        let store = try Store.open(at: path + "/" + name)
        var options = RunOptions(jobs: 2, programVersion: "test", clock: { Date().timeIntervalSince1970 })
        let accelerators = try CUDAAccelerator.all(
            DeviceInventory(LibrarySearch(preferred: software.directory)), memory: .none, residentBytes: residentBytes)
        options.accelerators = accelerators
        let report = try Run(graph, store: store, options: options).execute()
        #expect(report.outcome == .done)
        for node in ["spectra", "images", "noise"] {
            #expect(report.nodes.first { $0.name == node }?.executor == "cuda", "\(node)")
        }
        let known = try KnownArtifacts(graph, store: store, executorInKey: nil)
        let noise = try (0..<5).map { try known.value(of: "noise", sample: $0) }
        #expect(accelerators[0].residents.bytes <= accelerators[0].residents.bound)
        return (noise, accelerators[0].residents.found, accelerators[0].residents.missed)
    }

    @Test(
        "every spectrum and image is still there when it is wanted, some where there is less room, none where there is none"
    )
    func hits() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let all = try run(residentBytes: nil, store: "all")
        #expect(all.found == 10 && all.missed == 0)
        // A spectrum of 36 points and 2 modes: 36 · 2 · (8 + 12 + 32) bytes; two of them, and no image beside them.
        let some = try run(residentBytes: 2 * 3744 + 100, store: "some")
        #expect(some.found == 2 && some.missed == 8)
        let none = try run(residentBytes: 0, store: "none")
        #expect(none.found == 0 && none.missed == 10)
        #expect(all.noise == none.noise && some.noise == none.noise && all.noise.allSatisfy { $0 != nil })
    }
}
