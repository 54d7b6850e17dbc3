import Foundation
import Testing

/// The tutorial's graph with a node that tries its verdict.
@Suite("verdicts tried")
struct VerdictTrialTests {
    private static let graph = "graphs/trial.yaml"
    private static let options = [
        "--store", "store", "--set", "parameters.count=20", "--set", "test-parameters.count=10", "--set",
        "network.epochs=2", "--set", "network.members=1",
    ]

    @Test("a graph says what its verdict is worth: after the run, in JSON and in the report")
    func trial() throws {
        let workplace = try Workplace()
        // By way of an inclusion; the nodes' own names address their random numbers.
        let text = """
            graph: trial
            seed: 7
            include: [square-afm.yaml]
            nodes:
              fresh-parameters: {stage: sample-parameters, for: each class, model: $model, priors: $priors, count: 4, stability-grid: 24}
              fresh-spectra: {stage: spin-waves, for: each class, model: $model, parameters: fresh-parameters, grid: 24}
              fresh-images: {stage: convolve-resolution, for: each class, spectrum: fresh-spectra, resolution: resolution}
              fresh-noise: {stage: add-noise, for: each class, image: fresh-images, mask: mask, exposure: 4}
              trial: {stage: evaluate-verdict, network: network, test: test, images: fresh-noise, faults: [dead-half, noise, shuffled-settings]}

            """
        let whole = try workplace.text(of: "graphs/square-afm.yaml")
        let seed = try #require(whole.split(separator: "\n").first { $0.hasPrefix("seed:") })
        try Data(text.replacing("seed: 7", with: seed).utf8).write(to: workplace.path(Self.graph))

        let run = try workplace.spinweave(["run", Self.graph, "--quiet"] + Self.options)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("trial: of 8 simulated measurements "), "\(run.output)")
        #expect(run.output.contains("; with faults "))
        let again = try workplace.document(RunDocument.self, ["run", Self.graph, "--quiet"] + Self.options)
        #expect(again.nodes.allSatisfy { $0.computed == 0 })

        let export = try workplace.spinweave(["export", Self.graph, "trial", "-o", "trial.json"] + Self.options)
        #expect(export.status == 0, "\(export.errors)")
        let document = try JSONDecoder().decode(
            Document.self, from: Data(contentsOf: workplace.path("trial.json")))
        // One incident energy has no other order: nothing to judge.
        #expect(document.rows.map(\.fault) == [nil, "dead-half", "noise", "shuffled-settings"])
        #expect(document.rows.map(\.count) == [8, 8, 8, 0])
        for row in document.rows.dropLast() {
            #expect(row.decisions.keys.sorted() == ["nearest", "second"])
            #expect(row.decisions.values.allSatisfy { $0.values.reduce(0, +) == 4 })
        }

        let report = try workplace.spinweave(["report", Self.graph, "-o", "page.html"] + Self.options)
        #expect(report.status == 0, "\(report.errors)")
        let page = try workplace.text(of: "page.html")
        #expect(page.contains("Verdicts on simulated measurements") && page.contains("half of the detectors dead"))
        #expect(page.contains("Conformal sets, calibrated on 20 other simulations"))
        #expect(!page.contains("incident energies in another order"))
    }

    private struct Document: Decodable {
        struct Row: Decodable {
            var fault: String?
            var count: Int
            var decisions: [String: [String: Int]]
        }
        var rows: [Row]
    }
}
