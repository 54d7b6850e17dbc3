import Artifacts
import Compute
import Dataflow
import Foundation
import Instruments
import Learning
import Tensors
import Testing

@testable import Stages

/// Verdicts of networks whose answer is known: all kernels are 0, the biases are the logits.
@Suite("judge")
struct JudgeTests {
    private static let geometry = RegionTableTests.geometry
    private static let pixels = geometry.rows * geometry.columns

    private func member(
        logits: [Float], temperature: Double = 1, classes: [String] = ["a", "b"]
    ) throws -> Step.Member {
        let layers: Value = .list([
            .record(["form": .string("flatten"), "value": .record([:])]),
            .record(["form": .string("dense"), "value": .int(2)]),
        ])
        let shape = [1, Self.geometry.rows, Self.geometry.columns]
        let spec = try NetworkSpec(inputShape: shape, layers: LayerParameters.layers(layers), classes: 2)
        let weights = try Weights(
            spec,
            tensors: [
                "2.kernel": Tensor(shape: [2, Self.pixels], repeating: 0),
                "2.bias": Tensor(shape: [2], elements: logits),
            ])
        // Intensities between 1 and 3 in every panel are usual.
        let features = (0..<200).map { index in [Double](repeating: log1p(1 + 2 * Double(index) / 199), count: 6) }
        let network = TrainedNetwork(
            classifier: try Classifier(spec, weights), layers: layers, classes: classes, temperature: temperature,
            history: [], bestEpoch: 1, keptEpoch: 1,
            domain: TrainingDomain(features: features, geometry: Self.geometry), geometry: Self.geometry.value)
        let value = network.value
        return Step.Member(className: nil, sample: 0, digest: value.digest) { value }
    }

    private func measurement(
        intensity: Float = 2, zeroPixels: Int = 0, isSimulated: Bool = false
    ) -> Value {
        let shape = Self.geometry.shape
        return Measurement(
            image: Tensor(shape: shape, repeating: intensity), missing: Tensor(shape: shape, repeating: 0),
            geometry: Self.geometry.value, isSimulated: isSimulated, zeroPixels: zeroPixels, negativePixels: 0
        ).value
    }

    private func verdict(
        _ members: [Step.Member], _ measurement: Value, accuracy: Double? = nil, upper: Double = 1
    ) throws -> Value {
        var inputs = ["measurement": measurement]
        if let accuracy {
            inputs["test"] = .record([
                "accuracy": .double(accuracy), "accuracy-interval": .list([.double(accuracy), .double(upper)]),
            ])
        }
        let judge = try Judge(parameters: .record(["certainty": .double(0.9), "domain-level": .double(0.01)]))
        return try judge.run(
            Step(node: "verdict", inputs: inputs, collections: ["network": members], random: RandomStream(seed: 1))
        ).value
    }

    private func flags(_ verdict: Value) throws -> [String] { try verdict.list("flags").map { try $0.asString() } }

    @Test("a sure and united ensemble on a usual measurement: a decision without warnings")
    func decided() throws {
        // exp(4) / (1 + exp(4)) = 0.982
        let verdict = try verdict([member(logits: [0, 4]), member(logits: [1, 5])], measurement(), accuracy: 0.95)
        #expect(try flags(verdict) == [])
        #expect(try verdict.string("decision") == "b")
        let p = try verdict.field("probabilities")
        // Logits are single precision.
        #expect(abs(try p.double("b") - 1 / (1 + exp(-4.0))) < 1e-6)
        #expect(abs(try p.double("a") + p.double("b") - 1) < 1e-15)
        #expect(try verdict.field("deviation").double("b") < 1e-6)
        #expect(try verdict.double("test-accuracy") == 0.95)
    }

    @Test("a measurement of another geometry gets no verdict, whatever its shape")
    func otherGeometry() throws {
        var geometry = Self.geometry
        geometry.h.maximum += 0.5
        let shape = geometry.shape
        let other = Measurement(
            image: Tensor(shape: shape, repeating: 2), missing: Tensor(shape: shape, repeating: 0),
            geometry: geometry.value, isSimulated: false, zeroPixels: 0, negativePixels: 0)
        #expect(throws: StepFailure.self) { try verdict([member(logits: [0, 4])], other.value) }
    }

    @Test("a certainty that the test set cannot show is remarked upon")
    func surerThanShown() throws {
        // 0.982 against an interval that ends at 0.97.
        let verdict = try verdict([member(logits: [0, 4])], measurement(), accuracy: 0.95, upper: 0.97)
        #expect(
            try flags(verdict) == ["surer than shown: the held-out test can show a certainty of 97.0 % at most"])
    }

    @Test("networks that count their classes in another order are not averaged")
    func otherOrder() throws {
        let members = [try member(logits: [0, 4]), try member(logits: [0, 4], classes: ["b", "a"])]
        #expect(throws: StepFailure.self) { try verdict(members, measurement()) }
    }

    @Test("the temperature divides the logits")
    func temperature() throws {
        let verdict = try verdict([member(logits: [0, 4], temperature: 2)], measurement())
        #expect(abs(try verdict.field("probabilities").double("b") - 1 / (1 + exp(-2.0))) < 1e-6)
    }

    @Test("a divided ensemble is uncertain and says so")
    func divided() throws {
        let verdict = try verdict([member(logits: [0, 4]), member(logits: [4, 0])], measurement())
        #expect(try verdict.string("decision") == "undecided")
        #expect(
            try flags(verdict) == [
                "uncertain: the mean probability is 50.0 %, below 90.0 %",
                "divided: members of the ensemble name different classes",
            ])
        #expect(try verdict.double("mutual-information") > 0.5)
    }

    @Test("a measurement unlike all training images is out of domain, however sure the networks are")
    func outOfDomain() throws {
        let verdict = try verdict([member(logits: [0, 9])], measurement(intensity: 60))
        #expect(try verdict.double("domain-p-value") == 0)
        #expect(try verdict.string("decision") == "undecided")
        #expect(try verdict.string("most-likely") == "b")
        #expect(
            try flags(verdict) == ["out of domain: at most 0.0 % of the training images lie as far from their mean"])
    }

    @Test("zeros, a weak network and a missing file are remarked on")
    func remarks() throws {
        let verdict = try verdict(
            [member(logits: [0, 9])], measurement(zeroPixels: Self.pixels * 3 / 4, isSimulated: true), accuracy: 0.71)
        #expect(
            try flags(verdict) == [
                "simulated: no measurement file was given",
                "many zeros: 75.0 % of the unmasked pixels are exactly 0",
                "weak network: right on 71.0 % of held-out simulations",
            ])
        #expect(try verdict.string("decision") == "b")
    }
}
