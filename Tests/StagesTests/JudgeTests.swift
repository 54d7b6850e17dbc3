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
        _ members: [Step.Member], _ measurement: Value, accuracy: Double? = nil, upper: Double = 1,
        calibration: HeldOutCalibration? = nil, tested: [Step.Member]? = nil
    ) throws -> Value {
        var inputs = ["measurement": measurement]
        if let accuracy {
            var test: [String: Value] = [
                "accuracy": .double(accuracy), "accuracy-interval": .list([.double(accuracy), .double(upper)]),
                "networks": .list((tested ?? members).map { .string($0.digest.hex) }),
            ]
            if let calibration { test["calibration"] = calibration.value }
            inputs["test"] = .record(test)
        }
        let judge = try Judge(
            parameters: .record([
                "certainty": .double(0.9), "coverage": .double(0.9), "domain-level": .double(0.01),
                "stability": VerdictPriorsTests.usual,
            ]))
        return try judge.run(
            Step(node: "verdict", inputs: inputs, collections: ["network": members], random: RandomStream(seed: 1))
        ).value
    }

    private func flags(_ verdict: Value) throws -> [String] { try verdict.list("flags").map { try $0.asString() } }

    private static let uncalibrated = "uncalibrated: without a held-out test there are no conformal sets"

    /// Of images of even intensity 1 to 3, whose true class was given these probabilities in turn.
    private func calibration(_ members: [Step.Member], count: Int = 300, right: [Double]) throws -> HeldOutCalibration {
        let networks = try TrainedNetwork.ensemble(members)
        var set = try ImageSet(shape: [1, Self.geometry.rows, Self.geometry.columns])
        for number in 0..<count {
            let random = RandomStream(seed: 3).substream("image", number)
            let intensity = Float(1 + 2 * random.uniform(at: 0))
            let pixels = (0..<Self.pixels).map { intensity + Float(0.1 * random.uniform(at: $0 + 1)) }
            try set.append(pixels, label: number % 2, origin: "\(number)")
        }
        let rows = set.labels.indices.map { image in
            let p = right[image % right.count]
            return set.labels[image] == 0 ? [p, 1 - p] : [1 - p, p]
        }
        let features = try networks.map { try FeatureExtractor($0.classifier).features(of: set) }
        let images = set
        return try HeldOutCalibration(
            CalibrationSplit(origins: set.origins, labels: set.labels), labels: set.labels, rows: rows,
            origins: set.origins, score: .threshold
        ) { image in
            networks[0].domain.observation(
                of: images.values[image * images.imageSize..<(image + 1) * images.imageSize],
                imageRows: images.shape[1], imageColumns: images.shape[2], features: features.map { $0[image] })
        }
    }

    /// A measurement like the calibrating images.
    private func usual() -> Value {
        let random = RandomStream(seed: 4)
        let shape = Self.geometry.shape
        return Measurement(
            image: Tensor(
                shape: shape, elements: (0..<Self.pixels).map { 2 + Float(0.1 * random.uniform(at: $0)) }),
            missing: Tensor(shape: shape, repeating: 0), geometry: Self.geometry.value, isSimulated: false,
            zeroPixels: 0, negativePixels: 0
        ).value
    }

    @Test("calibrated on clear simulations: the class alone in both sets, its rival excluded")
    func calibrated() throws {
        let members = [try member(logits: [0, 4])]
        // 0.982 of the judged one lies among 0.97 to 0.99.
        let calibration = try calibration(members, right: [0.97, 0.98, 0.985, 0.99])
        let verdict = try verdict(members, usual(), accuracy: 0.95, calibration: calibration)
        #expect(try flags(verdict) == [])
        #expect(try verdict.string("decision") == "b")
        let sets = try verdict.field("conformal-sets")
        #expect(try sets.list("90") == [.string("b")] && sets.list("99") == [.string("b")])
        #expect(try verdict.int("calibration-images") == 180)
        // All calibrate the sets.
        #expect(try verdict.int("conformal-images") == 300)
        // Of 300 held-out images all calibrate the sets, 180 what is strange.
        #expect(try verdict.field("class-p-values").double("a") == 1.0 / 301)
        #expect(
            try verdict.double("domain-p-value") > 0.05 && verdict.field("domain-p-values").double("features") > 0.05)
    }

    @Test("a rival that held-out simulations do not exclude: undecided, however sure the network")
    func notExcluded() throws {
        let members = [try member(logits: [0, 4])]
        // A quarter of the true classes were given 1 %, less than the 1.8 % of the judged one's rival.
        let calibration = try calibration(members, right: [0.97, 0.01, 0.985, 0.99])
        let verdict = try verdict(members, usual(), accuracy: 0.75, calibration: calibration)
        #expect(try verdict.string("decision") == "undecided" && verdict.string("most-likely") == "b")
        #expect(
            try flags(verdict) == [
                "not excluded: 'a' too belongs to the set of 90.0 % coverage",
                "weak network: right on 75.0 % of held-out simulations",
            ])
    }

    @Test("too few held-out simulations leave no class out, and do not test the pattern")
    func fewSimulations() throws {
        let members = [try member(logits: [0, 4])]
        let calibration = try calibration(members, count: 8, right: [0.97, 0.98])
        let verdict = try verdict(members, usual(), accuracy: 0.95, calibration: calibration)
        #expect(try verdict.string("decision") == "undecided")
        #expect(
            try flags(verdict) == [
                "few held-out simulations: 8 calibrate, and sets of 90.0 % coverage leave no class out below 9",
                "pattern not tested: 4 held-out simulations cannot show a p-value below 1.0 %; only the panels' "
                    + "intensities are compared, with the training images",
            ])
        #expect(try verdict.string("domain-reference") == "training")
    }

    @Test("a strange pattern of usual panel means is out of domain")
    func strangePattern() throws {
        let members = [try member(logits: [0, 4])]
        let calibration = try calibration(members, right: [0.97, 0.98, 0.985, 0.99])
        let shape = Self.geometry.shape
        let checks = Tensor(
            shape: shape,
            elements: (0..<Self.pixels).map { Float(($0 / shape[1] + $0 % shape[1]) % 2 == 0 ? 0.5 : 4) })
        let strange = Measurement(
            image: checks, missing: Tensor(shape: shape, repeating: 0), geometry: Self.geometry.value,
            isSimulated: false, zeroPixels: 0, negativePixels: 0)
        let verdict = try verdict(members, strange.value, accuracy: 0.95, calibration: calibration)
        #expect(try verdict.string("decision") == "out of domain")
        let pValues = try verdict.field("domain-p-values")
        #expect(try pValues.double("panels") > 0.01 && pValues.double("zeros") == 1)
        #expect(try pValues.double("features") == 1.0 / 181 && pValues.double("texture") == 1.0 / 181)
        #expect(
            try flags(verdict) == [
                "out of domain: at most 0.6 % of held-out simulations are as strange (what the networks see; how "
                    + "alike neighbouring pixels are)"
            ])
    }

    @Test("a test of another ensemble is refused")
    func otherEnsemble() throws {
        let other = try member(logits: [0, 5])
        let failure = #expect(throws: StepFailure.self) {
            try verdict([member(logits: [0, 4])], measurement(), accuracy: 0.95, tested: [other])
        }
        #expect(failure?.message == "the test is of another ensemble than the one that judges")
    }

    @Test("a sure and united ensemble on a usual measurement: a decision without warnings")
    func decided() throws {
        // exp(4) / (1 + exp(4)) = 0.982
        let verdict = try verdict([member(logits: [0, 4]), member(logits: [1, 5])], measurement(), accuracy: 0.95)
        #expect(try flags(verdict) == [Self.uncalibrated])
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
            try flags(verdict) == [
                Self.uncalibrated, "surer than shown: the held-out test can show a certainty of 97.0 % at most",
            ])
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
                "divided: members of the ensemble name different classes", Self.uncalibrated,
            ])
        #expect(try verdict.double("mutual-information") > 0.5)
    }

    @Test("a measurement unlike all training images is out of domain, however sure the networks are")
    func outOfDomain() throws {
        let verdict = try verdict([member(logits: [0, 9])], measurement(intensity: 60))
        #expect(try verdict.double("domain-p-value") == 0)
        #expect(try verdict.string("decision") == "out of domain")
        #expect(try verdict.string("most-likely") == "b")
        #expect(
            try flags(verdict) == [
                Self.uncalibrated,
                "out of domain: at most 0.0 % of the training images lie as far from their mean",
            ])
    }

    @Test("zeros, a weak network and a missing file are remarked on")
    func remarks() throws {
        let verdict = try verdict(
            [member(logits: [0, 9])], measurement(zeroPixels: Self.pixels * 3 / 4, isSimulated: true), accuracy: 0.71)
        #expect(
            try flags(verdict) == [
                "simulated: no measurement file was given", Self.uncalibrated,
                "many zeros: 75.0 % of the unmasked pixels are exactly 0",
                "weak network: right on 71.0 % of held-out simulations",
            ])
        #expect(try verdict.string("decision") == "b")
    }
}
