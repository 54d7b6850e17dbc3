import Artifacts
import Diagnostics
import GraphLanguage
import Testing

@testable import Dataflow
@testable import Stages

/// Keys that stores already hold: a stage that learns something new must still find what it computed before.
@Suite("keys of before")
struct UnchangedKeyTests {
    private static let graph = """
        graph: keys
        seed: 7
        classes:
          a: {model: pcsmo-goodenough, priors: {JA: {uniform: [0 meV, 3 meV]}}}
          b: {model: pcsmo-dimer, priors: {JA1: {uniform: [0 meV, 3 meV]}}}
        nodes:
          resolution: {stage: resolution, instrument: maps}
          mask: {stage: detector-mask, resolution: resolution}
          parameters: {stage: sample-parameters, for: each class, model: $model, priors: $priors, count: 3}
          spectra: {stage: spin-waves, for: each class, model: $model, parameters: parameters}
          images: {stage: convolve-resolution, for: each class, spectrum: spectra, resolution: resolution}
          noise: {stage: add-noise, for: each class, image: images, mask: mask}
          network: {stage: train-network, images: noise, layers: [flatten, {dense: 2}]}
          stand-in: {stage: add-noise, image: images@a, mask: mask}
          measurement: {stage: load-measurement, resolution: resolution, mask: mask, simulated: stand-in}
          attribution: {stage: attribute, network: network, measurement: measurement, images: images}
        """

    private func digest(_ name: String, set overrides: [String] = []) throws -> String {
        let graph = try Graph.bind(
            try GraphFile.parse(text: Self.graph, file: "keys.yaml", overrides: overrides), library: .spinweave,
            directory: graphsFolder)
        let node = try #require(graph.node(named: name))
        return NodeIdentity(node, seed: graph.seed, executor: nil).digest.hex
    }

    /// Found by the program before `train-network` could shuffle labels and `attribute` took networks trained on them. A bumped
    /// version moves them too, and rightly so.
    @Test("a node without the new parameter or input has the key of before")
    func pinned() throws {
        #expect(
            try digest("network") == "0c34a55dd5a21d33318982a5499e2b348181bd62429e69da3295037c40950db2")
        #expect(
            try digest("attribution") == "cd046f794a5b9e84905fbee47f7d0d9116e020e0f8f23f71531c57613bcd3bef")
    }

    @Test("a default that is not recorded has the same key written out, another value has another")
    func writtenOut() throws {
        let bare = try digest("network")
        #expect(try digest("network", set: ["network.labels=own"]) == bare)
        #expect(try digest("network", set: ["network.labels=shuffled"]) != bare)
        // As for any other parameter, a value that does not exist is a problem of the graph.
        #expect(throws: DiagnosticList.self) { try digest("network", set: ["network.labels=shufled"]) }
    }
}
