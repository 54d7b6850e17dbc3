import Foundation
import Testing

/// The check of maps by networks trained on shuffled labels, added to a graph that was run before.
@Suite("shuffled labels in a graph")
struct ShuffledLabelTests {
    private static let graph = "graphs/square-afm.yaml"
    private static let options = [
        "--store", "store", "--set", "parameters.count=12", "--set", "test-parameters.count=4", "--set",
        "network.epochs=2", "--set", "attribution.methods=[integrated-gradients, occlusion]",
    ]
    private static let shuffled = """
          shuffled:
            stage: train-network
            images: noise
            labels: shuffled
            epochs: 2
            layers:
              - log1p
              - panels: {rows: 1, columns: 8}
              - conv: {channels: 16, kernel: [3, 3]}
              - relu
              - max-pool: [2, 2]
              - conv: {channels: 16, kernel: [3, 3]}
              - relu
              - global-average-pool
              - dense: 2

        """

    private struct Document: Decodable {
        struct Likeness: Decodable { var correlation, size: Double }
        struct Check: Decodable { var shuffled: Likeness? }
        struct Checks: Decodable {
            enum CodingKeys: String, CodingKey {
                case flags
                case methods = "by-method"
                case learnt = "shuffled-labels-learnt"
            }
            var methods: [String: Check]
            var flags: [String]
            var learnt: [Double]?
        }
        var checks: Checks
    }

    @Test("trains the new node only, tells what the maps share, and no verdict is made by it")
    func added() throws {
        let workplace = try Workplace()
        let before = try workplace.document(RunDocument.self, ["run", Self.graph, "--quiet"] + Self.options)
        #expect(before.outcome == "done")
        let text = try workplace.text(of: Self.graph)
        let added =
            text.replacingOccurrences(of: "  test-parameters: {", with: Self.shuffled + "  test-parameters: {")
            .replacingOccurrences(of: "images: images}\n", with: "images: images, shuffled: shuffled}\n")
        try workplace.write(added, to: Self.graph)
        let after = try workplace.document(RunDocument.self, ["run", Self.graph, "--quiet"] + Self.options)
        #expect(after.outcome == "done" && after.computedNodes == ["shuffled", "attribution"])

        let export = try workplace.spinweave(["export", Self.graph, "attribution", "-o", "why.json"] + Self.options)
        #expect(export.status == 0, "\(export.errors)")
        let checks = try JSONDecoder().decode(Document.self, from: Data(contentsOf: workplace.path("why.json"))).checks
        #expect(checks.methods.count == 2)
        for check in checks.methods.values { #expect(try abs(#require(check.shuffled).size) <= 1) }
        // Two epochs: it cannot know them by heart, and the flags say so.
        #expect(
            try #require(checks.learnt).count == 1 && checks.flags.contains { $0.contains("did not learn its labels") })
        let report = try workplace.spinweave(["report", Self.graph, "-o", "page.html"] + Self.options)
        #expect(report.status == 0, "\(report.errors)")
        let page = try workplace.text(of: "page.html")
        for words in ["left by shuffled labels", "1 network trained on shuffled labels", "shuffled on shuffled labels"]
        {
            #expect(page.contains(words), "\(words)")
        }

        try workplace.write(
            added + "  wrong: {stage: judge, network: shuffled, measurement: measurement}\n", to: Self.graph)
        let wrong = try workplace.spinweave(["run", Self.graph, "--quiet"] + Self.options)
        #expect(wrong.status == 1)
        #expect(
            (wrong.output + wrong.errors).contains(
                "a network of the ensemble was trained on shuffled labels: what it says means nothing"))
    }
}
