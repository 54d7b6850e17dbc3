import Artifacts
import Compute
import Dataflow
import Instruments
import Learning
import Tensors
import Testing

@testable import Stages

/// What stages make of layers that end in centroids, beside training them.
@Suite("centroids in stages")
struct CentroidLayerTests {
    private static func layer(_ form: String, _ value: Value) -> Value {
        .record(["form": .string(form), "value": value])
    }

    private static func parameters(penalty: Double, precision: String) -> Value {
        .record([
            "precision": .string(precision),
            "layers": .list([
                layer("flatten", .record([:])),
                layer(
                    "centroids",
                    .record([
                        "classes": .int(2), "width": .int(4), "length-scale": .double(1), "momentum": .double(0.9),
                        "gradient-penalty": .double(penalty),
                    ])),
            ]),
        ])
    }

    @Test("a posterior has no classes to be distant from")
    func posterior() {
        let problems = TrainPosterior.problems(in: Self.parameters(penalty: 0, precision: "f32"))
        #expect(problems.map(\.path) == [["layers", "1"]])
    }

    @Test("bf16 is for networks without a penalty")
    func precision() {
        #expect(TrainNetwork.problems(in: Self.parameters(penalty: 0, precision: "bf16")).isEmpty)
        #expect(
            TrainNetwork.problems(in: Self.parameters(penalty: 0.1, precision: "bf16")).map(\.path) == [["precision"]])
    }

    @Test("an ensemble is certain where all its members have centroids")
    func mixed() throws {
        func network(_ last: LayerSpec) throws -> TrainedNetwork {
            let spec = try NetworkSpec(inputShape: [1, 1, 2], layers: [last], classes: 2)
            return TrainedNetwork(
                classifier: try Classifier(spec, Weights(initialising: spec, random: .init(seed: 1))),
                layers: .list([]),
                classes: ["a", "b"], temperature: 1, history: [], bestEpoch: 1, keptEpoch: 1,
                domain: TrainingDomain(
                    features: [[0, 0, 0, 0, 0, 0]], geometry: try ImageGeometry(TrainNetworkTests.geometry.value)),
                geometry: .none)
        }
        let certain = try network(.centroids(Centroids(classes: 2, width: 2)))
        let plain = try network(.dense(units: 2))
        let logits: [ArraySlice<Float>] = [[-1, -2], [-3, 0]]
        #expect(TrainedNetwork.certainty([certain, plain], logits: logits) == nil)
        #expect(TrainedNetwork.certainty([], logits: []) == nil)
        let found = try #require(TrainedNetwork.certainty([certain, certain], logits: logits))
        #expect(found.distance == 0.5)
    }
}
