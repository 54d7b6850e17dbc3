import Artifacts
import Foundation
import Interchange
import Tensors
import Testing

@Suite("fit-noise")
struct FitNoiseTests {
    private struct Document: Decodable {
        struct Estimate: Decodable {
            var value: Double
            var deviation: Double?
        }
        var gain, background: Estimate?
        var floor: Estimate
        var panelResidual: Estimate?
        var emptyPixels: Int

        enum CodingKeys: String, CodingKey {
            case gain, floor, background
            case panelResidual = "panel-residual"
            case emptyPixels = "empty-pixels"
        }
    }

    /// One simulated measurement of one model; `noise` are parameters of add-noise.
    private static func graph(_ noise: String) -> String {
        """
        graph: levels
        nodes:
          resolution:
            stage: resolution
            instrument: maps
            settings: [{energy: 50 meV, frequency: 200 Hz}, {energy: 100 meV, frequency: 300 Hz}, {energy: 140 meV, frequency: 400 Hz}]
            energy-bins: {count: 8, from: 0.1, to: 0.8}
            h: {count: 30, from: -1, to: 1}
            k: {count: 30, from: -1, to: 1}
          mask: {stage: detector-mask, resolution: resolution}
          parameters: {stage: fix-parameters, model: pcsmo-goodenough}
          spectrum: {stage: spin-waves, model: pcsmo-goodenough, parameters: parameters, grid: 12}
          image: {stage: convolve-resolution, spectrum: spectrum, resolution: resolution}
          counts:
            stage: add-noise
            image: image
            mask: mask
        \(noise.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
          measurement: {stage: load-measurement, resolution: resolution, mask: mask, simulated: counts, clip: [-100, 120]}
        """
    }

    private static let known = """
        counting: poisson
        noise-scale: [1, 1]
        gain: 0.15
        floor: 0.4
        background: [-0.2, -0.2]
        panel-residual: 0.3
        slope-residual: 0
        dead-pixels: 0
        dead-tubes: 0
        clip: [-100, 120]
        """

    @Test("the levels of a simulated measurement come back, and what is printed is a node's parameters")
    func levels() throws {
        let workplace = try Workplace()
        try workplace.write(Self.graph(Self.known), to: "graphs/levels.yaml")
        let early = try workplace.spinweave("fit-noise", "graphs/levels.yaml", "--store", "store")
        #expect(early.status != 0)
        let run = try workplace.spinweave("run", "graphs/levels.yaml", "--quiet", "--store", "store")
        #expect(run.status == 0, "\(run.errors)")
        let found = try workplace.document(Document.self, ["fit-noise", "graphs/levels.yaml", "--store", "store"])
        // Four deviations of each: one simulated measurement, fixed by its seed.
        func near(_ estimate: Document.Estimate?, _ truth: Double, _ name: Comment) throws {
            let estimate = try #require(estimate)
            let deviation = try #require(estimate.deviation)
            #expect(abs(estimate.value - truth) < 4 * deviation, name)
            #expect(deviation < 0.5 * max(abs(truth), 0.2), name)
        }
        try near(found.gain, 0.15, "gain")
        try near(found.floor, 0.4, "floor")
        try near(found.background, -0.2, "background")
        try near(found.panelResidual, 0.3, "panel residual")
        #expect(found.emptyPixels > 200)

        let text = try workplace.spinweave("fit-noise", "graphs/levels.yaml", "--store", "store", "--quiet")
        #expect(text.status == 0 && text.output.contains("\npanel-residual: ") && text.output.contains("  # ± "))
        try workplace.write(Self.graph(text.output), to: "graphs/pasted.yaml")
        let check = try workplace.spinweave("check", "graphs/pasted.yaml")
        #expect(check.status == 0, "\(check.errors)\n\(text.output)")

        // The same measurement from a file, with error bars that say otherwise.
        let export = try workplace.spinweave(
            "export", "graphs/levels.yaml", "measurement", "-o", "m.npy", "--store", "store")
        #expect(export.status == 0, "\(export.errors)")
        let image = try NPY.read(path: workplace.path("m.npy").path).asFloat64
        let errors = image.elements.map { (0.3 * $0 + 0.9).squareRoot() }
        try NPY.write(.float64(Tensor(shape: image.shape, elements: errors)), to: workplace.path("e.npy").path)
        for arguments in [
            ["fit-noise", "m.npy", "--errors", "e.npy"],
            [
                "fit-noise", "graphs/levels.yaml", "--measurement", "m.npy", "--errors", "e.npy", "--image", "image",
                "--store", "store",
            ],
        ] {
            let given = try workplace.document(Document.self, arguments)
            #expect(abs((given.gain?.value ?? 0) - 0.3) < 1e-5)
            #expect(abs(given.floor.value - 0.9) < 1e-5)
        }
    }

    @Test("what is missing is named, with what to do")
    func refusals() throws {
        let workplace = try Workplace()
        try workplace.write(Self.graph(Self.known), to: "graphs/levels.yaml")
        let run = try workplace.spinweave("run", "graphs/levels.yaml", "--quiet", "--store", "store")
        #expect(run.status == 0, "\(run.errors)")
        func refused(_ arguments: [String], _ text: String, location: SourceLocation = #_sourceLocation) throws {
            let outcome = try workplace.spinweave(["fit-noise"] + arguments)
            #expect(outcome.status != 0 && outcome.errors.contains(text), "\(outcome)", sourceLocation: location)
        }
        let graph = ["graphs/levels.yaml", "--store", "store"]
        try refused(graph + ["--image", "nothing"], "the graph has no node 'nothing'")
        try refused(graph + ["--image", "mask"], "name a convolve-resolution node")
        try refused(graph + ["--clip", "3 1"], "write two numbers, the smaller first")
        try refused(graph + ["--set", "image.temperature=4 K"], "run the graph first")
        try NPY.write(.float64(Tensor(shape: [2, 2], repeating: 1)), to: workplace.path("m.npy").path)
        try refused(graph + ["--measurement", "m.npy"], "the measurement has shape [2, 2]")
        try refused(["m.npy"], "needs --errors")
        try refused(["m.npy", "--errors", "m.npy"], "ten are needed")
        try refused(graph + ["--emptiness", "2"], "--emptiness must lie between 0 and 1")
    }

    private struct Run: Decodable {
        struct Node: Decodable {
            var name: String
            var artifact: String?
        }
        var nodes: [Node]
    }

    @Test("every ingredient at once: reproducible, and each moves the image")
    func ingredients() throws {
        let workplace = try Workplace()
        try workplace.write(Self.graph(Self.known), to: "graphs/levels.yaml")
        let ingredients = [
            "counting=gaussian", "counts-per-unit=[4, 9]", "environment=[1, 2]", "elastic-tail=[1, 2]",
            "phonons=[1, 2]", "incoherent=[0.5, 1]", "bragg-tails=6", "tube-efficiency=0.1", "helium=[15, 25]",
            "misorientation=1 deg", "tilt=0.5 deg", "lattice-jitter=0.01", "energy-offset=0.01", "energy-scale=0.01",
        ].map { ["--set", "counts.\($0)"] }
        func digest(_ edits: [String], store: String) throws -> String {
            let run = try workplace.document(
                Run.self, ["run", "graphs/levels.yaml", "--quiet", "--store", store] + edits)
            return try #require(run.nodes.first { $0.name == "counts" }?.artifact)
        }
        var digests = [try digest([], store: "store")]
        for ingredient in ingredients { digests.append(try digest(ingredient, store: "store")) }
        #expect(Set(digests).count == digests.count)
        let all =
            ingredients.flatMap { $0 } + [
                "--set", "counts.subtraction=[0.9, 1.1]", "--set", "counts.empty-exposure=0.5",
            ]
        #expect(try digest(all, store: "store") == digest(all, store: "other"))
        // What makes no sense is refused before anything is computed.
        for (edit, text) in [
            ("environment=[2, 1]", "the range's lower end is above its upper end"),
            ("phonon-energy=[20 meV, 10 meV]", "the range's lower end is above its upper end"),
            ("bragg-points=[[1, 2, 3]]", "bragg-points"), ("misorientation=1", "unit"),
            ("gain=0", "must be positive for Poisson counts"),
        ] {
            let check = try workplace.spinweave("check", "graphs/levels.yaml", "--set", "counts.\(edit)")
            #expect(check.status == 2 && check.errors.contains(text), "\(edit): \(check.errors)")
        }
    }
}
