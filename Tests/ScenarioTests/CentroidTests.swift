import Foundation
import Testing

/// The tutorial's graph with networks that end in centroids.
@Suite("networks with centroids in a graph")
struct CentroidTests {
    private static let graph = "graphs/certain.yaml"
    private static let options = [
        "--store", "store", "--set", "parameters.count=20", "--set", "test-parameters.count=20",
    ]

    private static let nodes = """
        include: [square-afm.yaml]
        nodes:
          certain:
            stage: train-network
            images: noise
            members: 2
            epochs: 3
            layers:
              - log1p
              - panels: {rows: 1, columns: 8}
              - conv: {channels: 16, kernel: [3, 3]}
              - relu
              - max-pool: [2, 2]
              - global-average-pool
              - centroids: {classes: 2, width: 8, gradient-penalty: 0.2}
          certain-test: {stage: evaluate, network: certain, images: test-noise, training: noise}
          certain-verdict: {stage: judge, network: certain, measurement: measurement, test: certain-test}
          certain-trial: {stage: evaluate-verdict, network: certain, test: certain-test, images: test-noise, faults: [noise]}
          certain-attribution: {stage: attribute, network: certain, measurement: measurement, methods: [integrated-gradients]}

        """

    private func workplace() throws -> Workplace {
        let workplace = try Workplace()
        let whole = try workplace.text(of: "graphs/square-afm.yaml")
        let seed = try #require(whole.split(separator: "\n").first { $0.hasPrefix("seed:") })
        try Data("graph: certain\n\(seed)\n\(Self.nodes)".utf8).write(to: workplace.path(Self.graph))
        return workplace
    }

    private struct Verdict: Decodable {
        var probabilities: [String: Double]
        var kernels: [String: Double]
        var certainty: Double
        var domain: [String: Double]
        enum CodingKeys: String, CodingKey {
            case probabilities, kernels
            case certainty = "kernel-certainty"
            case domain = "domain-p-values"
        }
    }

    private struct Test: Decodable {
        struct Point: Decodable { var kept, certainty, accuracy: Double }
        var accuracy: Double
        var rejection: [Point]
    }

    @Test("trains, is tested, judges with kernels and explains; the report shows them")
    func whole() throws {
        let workplace = try workplace()
        let run = try workplace.spinweave(["run", Self.graph, "--quiet"] + Self.options)
        #expect(run.status == 0, "\(run.errors)")
        func export<T: Decodable>(_ node: String, as type: T.Type) throws -> T {
            let outcome = try workplace.spinweave(["export", Self.graph, node, "-o", "\(node).json"] + Self.options)
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try JSONDecoder().decode(type, from: Data(contentsOf: workplace.path("\(node).json")))
        }
        let verdict = try export("certain-verdict", as: Verdict.self)
        #expect(verdict.kernels.keys.sorted() == ["nearest", "second"])
        #expect(verdict.kernels.values.allSatisfy { 0...1 ~= $0 } && verdict.certainty == verdict.kernels.values.max())
        #expect(abs(verdict.probabilities.values.reduce(0, +) - 1) < 1e-12)
        let p = try #require(verdict.domain["centroids"])
        #expect(0...1 ~= p)
        let test = try export("certain-test", as: Test.self)
        #expect(test.rejection.first?.kept == 1 && test.rejection.first?.accuracy == test.accuracy)
        for (all, fewer) in zip(test.rejection, test.rejection.dropFirst()) {
            #expect(all.kept > fewer.kept && all.certainty < fewer.certainty)
        }
        let report = try workplace.spinweave(["report", Self.graph, "-o", "page.html"] + Self.options)
        #expect(report.status == 0, "\(report.errors)")
        let page = try workplace.text(of: "page.html")
        #expect(page.contains("kernel K") && page.contains("largest kernel"))
        #expect(page.contains("has the penalty on gradients in it") && page.contains(">certain-test<"))
        #expect(page.contains("distance from what the networks learnt of each class"))
        let onnx = try workplace.spinweave(["export", Self.graph, "certain#0", "-o", "certain.onnx"] + Self.options)
        #expect(onnx.status == 0, "\(onnx.errors)")
        let model = try Data(contentsOf: workplace.path("certain.onnx"))
        #expect(model.range(of: Data("kernels".utf8)) != nil)
    }

    @Test(
        "bf16 with a gradient penalty, centroids in the middle and an embedding of no numbers are named with their places before anything runs"
    )
    func mistakes() throws {
        let workplace = try workplace()
        func refusal(_ old: String, _ new: String) throws -> String {
            try Data(
                workplace.text(of: Self.graph).replacing(old, with: new).utf8
            ).write(to: workplace.path("graphs/wrong.yaml"))
            let outcome = try workplace.spinweave(["check", "graphs/wrong.yaml"])
            #expect(outcome.status != 0)
            return outcome.errors + outcome.output
        }
        let coarse = try refusal("    epochs: 3\n", "    epochs: 3\n    precision: bf16\n")
        #expect(coarse.contains("wrong.yaml:10:16") && coarse.contains("bf16 does not show"), "\(coarse)")
        let early = try refusal("      - max-pool: [2, 2]\n", "      - centroids: {classes: 2}\n")
        #expect(early.contains("wrong.yaml:15:9") && early.contains("before the last layer"), "\(early)")
        let narrow = try refusal("width: 8", "width: 0")
        #expect(narrow.contains("wrong.yaml:17:40"), "\(narrow)")
    }
}
