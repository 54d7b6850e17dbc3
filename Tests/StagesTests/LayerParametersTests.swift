import Artifacts
import Dataflow
import Diagnostics
import GraphLanguage
import Learning
import Testing

@testable import Stages

@Suite("layers in graph files")
struct LayerParametersTests {
    private func bind(_ layers: String) throws -> Graph {
        let text = """
            graph: g
            nodes:
              network: {stage: train-network, images: images, layers: \(layers)}
              resolution: {stage: resolution, instrument: maps}
              parameters: {stage: fix-parameters, model: pcsmo-goodenough}
              spectrum: {stage: spin-waves, model: pcsmo-goodenough, parameters: parameters}
              image: {stage: convolve-resolution, spectrum: spectrum, resolution: resolution}
              images: {stage: add-noise, image: image, mask: mask}
              mask: {stage: detector-mask, resolution: resolution}

            """
        return try Graph.bind(
            try GraphFile.parse(text: text, file: "g.yaml"), library: .spinweave, directory: graphsFolder)
    }

    @Test("of every form are read as they are meant")
    func forms() throws {
        let graph = try bind(
            """
            [{conv: {channels: 8, kernel: [3, 5], stride: [2, 1], padding: valid}}, gelu, {group-norm: 4}, \
            {max-pool: [2, 3]}, {average-pool: {window: [3, 3], stride: [2, 2], padding: same}}, \
            {max-pool: {window: [3, 2], stride: [1, 2]}}, {mark: stem}, relu, batch-norm, {add: stem}, \
            global-average-pool, {dropout: 0.25}, {dense: 2}]
            """)
        let node = try #require(graph.node(named: "network"))
        #expect(
            try LayerParameters.layers(node.parameters.field("layers")) == [
                .convolution(channels: 8, kernel: [3, 5], stride: [2, 1], padding: .valid), .gelu,
                .groupNorm(groups: 4),
                .maxPool([2, 3]), .averagePool([3, 3], stride: [2, 2], padding: .same),
                .maxPool([3, 2], stride: [1, 2], padding: .valid), .mark("stem"), .relu, .batchNorm, .add("stem"),
                .globalAveragePool, .dropout(rate: 0.25), .dense(units: 2),
            ])
    }

    @Test("that cannot be are refused where they stand", arguments: ["{max-pool: [2]}", "{add: }", "{group-norm: 0}"])
    func refusals(layer: String) throws {
        #expect(throws: DiagnosticList.self) { try bind("[\(layer), {dense: 2}]") }
        _ = try bind("[{dense: 2}]")
    }
}
