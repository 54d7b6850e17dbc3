import Foundation
import Interchange
import Testing

/// A whole graph that reads exchange constants of the square-lattice antiferromagnet from a measurement.
@Suite("parameters from a measurement")
struct PosteriorTests {
    static let file = "graphs/square-parameters.yaml"

    /// Sixteen pixels of six energies: J1 sets the band's top, D the gap, which one bin hardly shows.
    static let text = """
        graph: square-parameters
        seed: 3
        classes:
          nearest: {model: square-afm-nn, priors: {J1: {uniform: [0.5 meV, 0.8 meV]}, D: {uniform: [-0.03 meV, -0.005 meV]}}}
          second: {model: square-afm-nnn, priors: {J1: {uniform: [0.5 meV, 0.8 meV]}, J2: {uniform: [0.04 meV, 0.18 meV]}, D: -0.01 meV}}
        nodes:
          resolution:
            stage: resolution
            instrument: maps
            settings: [{energy: 12 meV, frequency: 200 Hz}]
            energy-bins: {count: 6, from: 0.1, to: 0.7}
            h: {count: 8, from: -1, to: 1}
            k: {count: 8, from: -1, to: 1}
            lattice: [5.656854249492381 angstrom, 5.656854249492381 angstrom, 13 angstrom]
            magnetic-cell: [1, 1, 1]
          mask: {stage: detector-mask, resolution: resolution, coverage: open, scattering-angle: [3 deg, 60 deg]}
          parameters: {stage: sample-parameters, for: each class, model: $model, priors: $priors, count: 60, design: sobol, stability-grid: 8}
          spectra: {stage: spin-waves, for: each class, model: $model, parameters: parameters, grid: 8}
          images: {stage: convolve-resolution, for: each class, spectrum: spectra, resolution: resolution}
          noise: {stage: add-noise, for: each class, image: images, mask: mask, exposure: 4, copies: 2}
          posterior:
            stage: train-posterior
            for: each class
            images: noise
            parameters: parameters
            priors: $priors
            members: 2
            components: 2
            epochs: 60
            batch: 8
            learning-rate: 0.005
            clip-gradient: 10
            layers: [log1p, {panels: {rows: 1, columns: 6}}, {average-pool: [2, 2]}, {dense: 16}, relu]
          test-parameters: {stage: sample-parameters, for: each class, model: $model, priors: $priors, count: 50, stability-grid: 8}
          test-spectra: {stage: spin-waves, for: each class, model: $model, parameters: test-parameters, grid: 8}
          test-images: {stage: convolve-resolution, for: each class, spectrum: test-spectra, resolution: resolution}
          test-noise: {stage: add-noise, for: each class, image: test-images, mask: mask, exposure: 4}
          test: {stage: evaluate-posterior, for: each class, posterior: posterior, images: test-noise, parameters: test-parameters}
          true-parameters: {stage: fix-parameters, model: square-afm-nn, values: {J1: 0.6 meV}}
          true-spectrum: {stage: spin-waves, model: square-afm-nn, parameters: true-parameters, grid: 8}
          true-image: {stage: convolve-resolution, spectrum: true-spectrum, resolution: resolution}
          stand-in: {stage: add-noise, image: true-image, mask: mask, exposure: 4}
          measurement: {stage: load-measurement, resolution: resolution, mask: mask, simulated: stand-in}
          estimate: {stage: estimate-parameters, for: each class, posterior: posterior, measurement: measurement, test: test, model: $model}
          found-spectrum: {stage: spin-waves, model: square-afm-nn, parameters: estimate@nearest, grid: 8}
          found-image: {stage: convolve-resolution, spectrum: found-spectrum, resolution: resolution}
          comparison: {stage: compare-images, measurement: measurement, image: found-image}

        """

    private struct Estimate: Decodable {
        struct Interval: Decodable {
            var narrow, wide: [Double]
            var source: String
            enum CodingKeys: String, CodingKey {
                case narrow = "68"
                case wide = "95"
                case source = "set-by"
            }
        }
        var median: [String: Double]
        var intervals: [String: Interval]
    }

    private struct RunDocument: Decodable {
        struct Node: Decodable {
            struct Facts: Decodable {
                var estimate: Estimate?
                var correlation: Double?
            }
            var name: String
            var computed: Int
            var facts: Facts?
        }
        var nodes: [Node]
    }

    @Test("from prior to interval, and on to a simulation at the estimate; told as text, JSON and a page")
    func graph() throws {
        let workplace = try Workplace()
        try workplace.write(Self.text, to: Self.file)
        let run = try workplace.document(RunDocument.self, ["run", Self.file, "--quiet", "--store", "store"])
        let estimate = try #require(run.nodes.first { $0.name == "estimate@nearest" }?.facts?.estimate)
        let interval = try #require(estimate.intervals["J1"])
        // The band's top moves by 60 % over the prior, two energy bins and more. Seen: 0.604 with 0.593 to 0.615, and the prior
        // left as it was for D.
        #expect(abs((estimate.median["J1"] ?? 0) - 0.6) < 0.03)
        #expect(interval.source == "data" && interval.wide[0] < 0.6 && 0.6 < interval.wide[1])
        #expect(interval.wide[0] >= 0.5 && interval.wide[1] <= 0.8)
        #expect(estimate.intervals["D"]?.source != "data")
        // J2's class has no D to find.
        let other = try #require(run.nodes.first { $0.name == "estimate@second" }?.facts?.estimate)
        #expect(Set(other.intervals.keys) == ["J1", "J2"])
        // At the estimate the simulation is like the measurement.
        let correlation = try #require(run.nodes.first { $0.name == "comparison" }?.facts?.correlation)
        #expect(correlation > 0.8)
        // Nothing is computed twice, and an edit of the training leaves the simulations alone.
        let again = try workplace.document(RunDocument.self, ["run", Self.file, "--quiet", "--store", "store"])
        #expect(again.nodes.allSatisfy { $0.computed == 0 })
        let edited = try workplace.document(
            RunDocument.self,
            ["run", Self.file, "--quiet", "--store", "store", "--set", "posterior.epochs=61"])
        let computed = Set(edited.nodes.filter { $0.computed > 0 }.map { String($0.name.prefix { $0 != "@" }) })
        #expect(computed == ["posterior", "test", "estimate", "found-spectrum", "found-image", "comparison"])

        let text = try workplace.spinweave("run", Self.file, "--store", "store").output
        #expect(text.contains("estimate@nearest: parameters of nearest, calibrated by 30 held-out simulations"))
        #expect(text.contains("test@nearest: intervals of 68 and 95 % hold"))
        let page = try workplace.spinweave("report", Self.file, "-o", "page.html", "--store", "store")
        #expect(page.status == 0, "\(page.errors)")
        let html = try workplace.text(of: "page.html")
        for words in [
            "Parameters</h2>", "Posterior of the parameters of estimate@nearest", "rank of the true J1",
            "Correlation coefficients of the draws", "posteriors of 50 held-out simulations",
        ] {
            #expect(html.contains(words), "\(words)")
        }
        // The medians leave the program as any parameters do.
        let exported = try workplace.spinweave(
            "export", Self.file, "estimate@nearest", "-o", "median.npy", "--store", "store")
        #expect(exported.status == 0, "\(exported.errors)")
        let medians = try NPY.read(path: workplace.path("median.npy").path).asFloat64
        #expect(abs(medians.elements[1] - (estimate.median["J1"] ?? 0)) < 1e-12)
    }

    @Test("images of two models at once are refused, with what to write")
    func twoModels() throws {
        let workplace = try Workplace()
        let text = Self.text.replacing("    for: each class\n    images: noise", with: "    images: noise")
            .replacing(
                "    priors: $priors\n    members", with: "    priors: {J1: {uniform: [0.5 meV, 0.8 meV]}}\n    members"
            )
        try workplace.write(text, to: Self.file)
        let outcome = try workplace.spinweave("run", Self.file, "--store", "store")
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("images of nearest, second: one model at a time"), "\(outcome.output)")
    }
}
