import Artifacts
import Dataflow
import Foundation
import GraphLanguage
import Learning
import Testing

@testable import Stages

/// The files of graphs/networks, included by a graph.
@Suite("the published networks")
struct PublishedNetworkTests {
    struct Example: Sendable, CustomTestStringConvertible {
        var file: String
        /// Shapes that enter the published layer list's flatten or pooling, and numbers of weights that training finds,
        /// counted by hand: kernels and biases, two numbers a channel of batch-norm.
        var map: [Int]
        var weights: Int
        var testDescription: String { file }
    }

    /// Convolutions without padding: 240 × 400 → 236 × 396 → 234 × 394 → 234 × 197 → 195 → 193 → 117 × 96 → 94 → 92.
    static let examples = [
        Example(
            file: "cnn-dense", map: [32, 117, 92],
            weights: (25 + 1) * 16 + (16 * 9 + 1) * 16 + 32 + (16 * 3 + 1) * 16 + (16 * 3 + 1) * 32 + 64
                + 2 * (32 * 3 + 1) * 32 + 64 + (32 * 117 * 92 + 1) * 64 + 65 * 2),
        Example(
            file: "cnn-global", map: [32, 117, 92],
            weights: (25 + 1) * 16 + (16 * 9 + 1) * 16 + 32 + (16 * 3 + 1) * 16 + (16 * 3 + 1) * 32 + 64
                + 2 * (32 * 3 + 1) * 32 + 64 + 33 * 64 + 65 * 2),
        Example(
            file: "cnn-discrim", map: [32, 117, 92],
            weights: (25 + 1) * 16 + (16 * 9 + 1) * 16 + (16 * 3 + 1) * 32 + 3 * (32 * 3 + 1) * 32
                + (32 * 117 * 92 + 1) * 32 + 33 * 2),
        // 1,445,184 numbers enter its dense layer, as the published program says; centroids have a matrix without biases.
        Example(
            file: "cnn-duq", map: [32, 234, 193],
            weights: (25 + 1) * 16 + (16 * 9 + 1) * 16 + (16 * 3 + 1) * 16 + (16 * 3 + 1) * 32
                + (1_445_184 + 1) * 64 + 2 * 64 * 64),
    ]

    @Test("are taken over by include and fit images of 240 × 400", arguments: examples)
    func fits(_ example: Example) throws {
        let graphs = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../graphs")
            .standardizedFileURL.path
        let folder = FileManager.default.temporaryDirectory.path + "/networks-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // The quick graph without its own layers.
        let quick = try String(contentsOfFile: graphs + "/pcsmo-quick.yaml", encoding: .utf8)
        var lines = quick.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = try #require(lines.firstIndex { $0.hasPrefix("    layers:") })
        let end = try #require(lines[(start + 1)...].firstIndex { !$0.hasPrefix("      ") })
        lines.removeSubrange(start..<end)
        let text = "include: [\(graphs)/networks/\(example.file).yaml]\n" + lines.joined(separator: "\n")
        try text.write(toFile: folder + "/graph.yaml", atomically: true, encoding: .utf8)
        let graph = try Graph.bind(
            try GraphFile.load(path: folder + "/graph.yaml"), library: .spinweave, directory: graphs)
        let node = try #require(graph.node(named: "network"))
        let layers = try LayerParameters.layers(node.parameters.field("layers"))
        let spec = try NetworkSpec(inputShape: [1, 240, 400], layers: layers, classes: 2)
        #expect(spec.shapes.last { $0.count == 3 } == example.map)
        let trained = spec.parameters.filter { $0.role.isTrained }
        #expect(trained.reduce(0) { $0 + $1.count } == example.weights)
    }
}
