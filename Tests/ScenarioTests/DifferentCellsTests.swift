import Foundation
import Testing

/// Candidates whose magnetic cells differ, seen by the same pixels.
@Suite("models of different cells")
struct DifferentCellsTests {
    private static let graph = "graphs/cells.yaml"

    /// A square antiferromagnet and a chain, neither in units of the lattice whose r.l.u. the image counts.
    private static func text(reach: Double) -> String {
        """
        graph: cells
        seed: 3
        classes:
          square: {model: square-afm-nn, seen-by: square-resolution, priors: {J1: {uniform: [0.5 meV, 0.8 meV]}}}
          chain: {model: afm-chain, seen-by: chain-resolution, priors: {J: {uniform: [2 meV, 4 meV]}}}
        defaults:
          resolution:
            instrument: maps
            settings: [{energy: 12 meV, frequency: 200 Hz}]
            energy-bins: {count: 4, from: 0.1, to: 0.7}
            h: {count: 12, from: -1, to: 1}
            lattice: [5 angstrom, 5 angstrom, 10 angstrom]
        nodes:
          square-resolution: {stage: resolution, k: {count: 12, from: -1, to: 1}, magnetic-cell: [1.1313708498984762, 1.1313708498984762, 1.3]}
          chain-resolution: {stage: resolution, k: {count: 12, from: -1, to: \(reach)}, magnetic-cell: [1.2, 1.6, 0.8]}
          mask: {stage: detector-mask, resolution: square-resolution, coverage: open, scattering-angle: [3 deg, 60 deg]}
          parameters: {stage: sample-parameters, for: each class, model: $model, priors: $priors, count: 12, stability-grid: 12}
          spectra: {stage: spin-waves, for: each class, model: $model, parameters: parameters, grid: 12}
          images: {stage: convolve-resolution, for: each class, spectrum: spectra, resolution: $seen-by}
          noise: {stage: add-noise, for: each class, image: images, mask: mask, exposure: 4}
          network: {stage: train-network, images: noise, members: 1, epochs: 12, batch: 4, layers: [log1p, flatten, {dense: 2}]}
          test-parameters: {stage: sample-parameters, for: each class, model: $model, priors: $priors, count: 12, stability-grid: 12}
          test-spectra: {stage: spin-waves, for: each class, model: $model, parameters: test-parameters, grid: 12}
          test-images: {stage: convolve-resolution, for: each class, spectrum: test-spectra, resolution: $seen-by}
          test-noise: {stage: add-noise, for: each class, image: test-images, mask: mask, exposure: 4}
          test: {stage: evaluate, network: network, images: test-noise}

        """
    }

    @Test("one network tells a square from a chain, each in its own cell; nothing alike is to be told from that")
    func differentCells() throws {
        let workplace = try Workplace()
        try Data(Self.text(reach: 1).utf8).write(to: workplace.path(Self.graph))
        let run = try workplace.spinweave(["run", Self.graph, "--store", "store", "--quiet"])
        #expect(run.status == 0, "\(run.errors)")
        // Rings about points against walls of a chain, which even the pixels themselves tell apart.
        #expect(run.output.contains("test: right on 100.0 % of held-out simulations"), "\(run.output)")
    }

    @Test("images of other pixels are refused as before")
    func otherPixels() throws {
        let workplace = try Workplace()
        try Data(Self.text(reach: 1.2).utf8).write(to: workplace.path(Self.graph))
        let run = try workplace.spinweave(["run", Self.graph, "--store", "store", "--quiet"])
        #expect(run.status == 1)
        #expect(run.output.contains("has another geometry than the images before it"), "\(run.output)")
    }
}
