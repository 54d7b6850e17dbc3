import Foundation
import Testing

/// A refinement as its user sees it.
@Suite("A refinement from the command line")
struct RefinementTests {
    private static let graph = """
        graph: refine
        nodes:
          resolution:
            stage: resolution
            instrument: maps
            settings: [{energy: 12 meV, frequency: 200 Hz}]
            energy-bins: {count: 8, from: 0.1, to: 0.7}
            h: {count: 20, from: -1, to: 1}
            k: {count: 20, from: -1, to: 1}
            lattice: [5.656854249492381 angstrom, 5.656854249492381 angstrom, 13 angstrom]
            magnetic-cell: [1, 1, 1]
          mask: {stage: detector-mask, resolution: resolution, coverage: open, scattering-angle: [3 deg, 60 deg]}
          truth: {stage: fix-parameters, model: square-afm-nnn}
          spectrum: {stage: spin-waves, model: square-afm-nnn, parameters: truth, grid: 12}
          image: {stage: convolve-resolution, spectrum: spectrum, resolution: resolution}
          stand-in: {stage: add-noise, image: image, mask: mask, exposure: 3}
          measurement: {stage: load-measurement, resolution: resolution, mask: mask, simulated: stand-in}
          start: {stage: fix-parameters, model: square-afm-nnn, values: {J1: 0.6 meV, J2: 0.07 meV}}
          refined: {stage: refine, model: square-afm-nnn, parameters: start, measurement: measurement, resolution: resolution, grid: 12, hold: [D], background: per-panel, profiles: [J2]}
          best: {stage: refined-parameters, refinement: refined}
          best-spectrum: {stage: spin-waves, model: square-afm-nnn, parameters: best, grid: 12}
          best-image: {stage: convolve-resolution, spectrum: best-spectrum, resolution: resolution}
          comparison: {stage: compare-images, measurement: measurement, image: best-image, scale: per-setting, background: sloped}

        """

    @Test("the terminal has a line a parameter, the page a section, and the best parameters go on to other nodes")
    func seen() throws {
        let workplace = try Workplace()
        try workplace.write(Self.graph, to: "graphs/refine.yaml")
        let options = ["--store", "store"]
        let run = try workplace.spinweave(["run", "graphs/refine.yaml", "--quiet"] + options)
        #expect(run.status == 0, "\(run.errors)")
        let lines = run.output.split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.hasPrefix("refined: converged, reduced chi²") }, "\(run.output)")
        #expect(lines.contains { $0.firstMatch(of: /^  J1 = 0\.6\d+ ± 0\.0\d+ meV$/) != nil }, "\(run.output)")
        #expect(lines.contains("  D  = −0.01 (held)"))

        let report = try workplace.spinweave(["report", "graphs/refine.yaml", "-o", "page.html"] + options)
        #expect(report.status == 0, "\(report.errors)")
        let page = try workplace.text(of: "page.html")
        for words in [
            "Refined parameters</h2>", "Correlations of the refined parameters", "Profile likelihood of J2",
            "Measurement and best fit at Ei = 12 meV", "Convergence of the refinement",
        ] {
            #expect(page.contains(words), "\(words)")
        }
        // What a refinement says of its image is what compare-images finds of it, but for backgrounds by panel there.
        let export = try workplace.spinweave(["export", "graphs/refine.yaml", "refined", "-o", "fit.npy"] + options)
        #expect(export.status == 0, "\(export.errors)")
    }
}
