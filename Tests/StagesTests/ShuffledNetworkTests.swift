import Artifacts
import Compute
import Dataflow
import Learning
import Tensors
import Testing

@testable import Stages

/// `labels: shuffled` of `train-network`, and who takes such networks.
@Suite("networks trained on shuffled labels")
struct ShuffledNetworkTests {
    /// Enough weights and epochs to learn 48 simulations by heart.
    private static func parameters(_ labels: String?, validation: Double = 0.25) -> Value {
        func layer(_ form: String, _ value: Value = .record([:])) -> Value {
            .record(["form": .string(form), "value": value])
        }
        let layers: Value = .list([
            layer("panels", .record(["rows": .int(2), "columns": .int(3)])), layer("log1p"),
            layer(
                "conv",
                .record([
                    "channels": .int(8), "kernel": .list([.int(3), .int(3)]), "stride": .list([.int(1), .int(1)]),
                    "padding": .string("same"),
                ])), layer("batch-norm"), layer("relu"), layer("flatten"), layer("dense", .int(32)), layer("relu"),
            layer("dense", .int(2)),
        ])
        guard case .record(var fields) = TrainNetworkTests.parameters(validation: validation, layers: layers) else {
            return .none
        }
        fields["epochs"] = .int(200)
        fields["learning-rate"] = .double(0.003)
        fields["labels"] = labels.map { .string($0) }
        return .record(fields)
    }

    private func trained(
        _ labels: String?, validation: Double = 0.25, member: Int = 0, threads: Int = 1
    ) throws -> (network: TrainedNetwork, output: StepOutput) {
        let step = Step(
            node: "networks", sample: member, collections: ["images": TrainNetworkTests.members],
            random: RandomStream(seed: 1).substream("member", member), threads: threads)
        let output = try TrainNetwork(parameters: Self.parameters(labels, validation: validation)).run(step)
        return (try TrainedNetwork(output.value), output)
    }

    @Test("learns its labels by heart and says so; the same for any threads, another for another member")
    func learns() throws {
        let (network, output) = try trained("shuffled")
        let learnt = try #require(network.shuffledLabels)
        let plain = try trained("own")
        // The same images as without shuffling, two copies of each simulation.
        #expect(try output.summary["training-images"]?.asInt() == plain.output.summary["training-images"]?.asInt())
        #expect(try output.summary["validation-images"]?.asInt() == 0)
        #expect(
            try learnt.images == output.summary["training-images"]?.asInt() && learnt.images == 2 * learnt.simulations)
        // Some 36 simulations of two classes: as many change from one to the other as back.
        #expect(learnt.relabelled > 0 && learnt.relabelled % 2 == 0)
        // All of them here: 76 images, and 16,000 weights.
        #expect(learnt.learntFraction > 0.95)
        #expect(try output.summary["labels-learnt"]?.asInt() == learnt.learnt)
        #expect(output.summary["shuffled-labels"] == .bool(true))
        // What it learnt is not what is there: right for the simulations that kept their class and wrong for the others.
        let images = try LabelledImages(TrainNetworkTests.members, isCancelled: { false })
        let split = Split(images.set, validationFraction: 0.25, salt: "validation")
        let logits = try network.classifier.logits(of: images.set, at: split.training)
        let report = try ClassificationReport(
            probabilities: softmax(logits), labels: split.training.map { images.set.labels[$0] })
        let kept = 1 - Double(learnt.relabelled) / Double(learnt.simulations)
        // Each image that is not learnt by heart may be right or wrong.
        #expect(abs(report.accuracy - kept) <= 1 - learnt.learntFraction + 1e-12)
        // Nothing watched: the temperature is 1, and no epoch has a validation loss.
        #expect(network.temperature == 1 && network.history.allSatisfy { $0.validationLoss == nil })
        #expect(try trained("shuffled", threads: 2).network.value == network.value)
        #expect(try trained("shuffled", member: 1).network.shuffledLabels != nil)
    }

    @Test("networks of before and of 'own' are the same artifact, without a word about labels")
    func own() throws {
        let (plain, own) = (try trained(nil), try trained("own"))
        #expect(plain.output.value == own.output.value && plain.network.shuffledLabels == nil)
        #expect(plain.output.value["shuffled-labels"] == nil && plain.output.summary["shuffled-labels"] == nil)
    }

    @Test("members get other permutations")
    func members() throws {
        let images = try LabelledImages(TrainNetworkTests.members, isCancelled: { false })
        let all = Array(0..<images.set.count)
        let labels = (0..<5).map { member in
            images.set.shufflingLabels(
                of: all, random: RandomStream(seed: 1).substream("member", member).substream("labels")
            ).labels
        }
        #expect(Set(labels).count == 5)
    }

    @Test("initial weights, which may know the labels, are refused beside them")
    func initialWeights() {
        guard case .record(var fields) = Self.parameters("shuffled") else { return }
        fields["initial-weights"] = .record(["path": .string("a"), "content": .digest(Digest(of: [1]))])
        #expect(
            TrainNetwork.problems(in: .record(fields)) == [
                ParameterProblem(
                    ["initial-weights"],
                    "weights from elsewhere may know the labels that 'labels: shuffled' takes away",
                    hint: "leave them out, so that all that the network knows are the shuffled labels")
            ])
        fields["labels"] = nil
        #expect(TrainNetwork.problems(in: .record(fields)).isEmpty)
    }

    @Test("judge, evaluate, evaluate-verdict and attribute's ensemble refuse them, alone or among others")
    func refusals() throws {
        let shuffled = PlantedDifference.member(try trained("shuffled").output.value)
        let own = PlantedDifference.member(try trained("own").output.value)
        let criteria: Value = .record([
            "certainty": .double(0.9), "coverage": .double(0.9), "domain-level": .double(0.01), "faults": .list([]),
            "stability": VerdictPriorsTests.usual,
        ])
        let geometry = TrainNetworkTests.geometry
        let measurement = Measurement(
            image: Tensor(shape: geometry.shape, repeating: 1), missing: Tensor(shape: geometry.shape, repeating: 0),
            geometry: geometry.value, isSimulated: true, zeroPixels: 0, negativePixels: 0
        ).value
        for networks in [[shuffled], [own, shuffled]] {
            let step = Step(
                node: "verdict", inputs: ["measurement": measurement, "test": .record([:])],
                collections: ["network": networks, "images": TrainNetworkTests.members], random: RandomStream(seed: 1))
            for stage in [
                try Judge(parameters: criteria), try EvaluateVerdict(parameters: criteria),
                try Evaluate(parameters: .record(["conformal-score": .string("threshold")])),
                try Attribute(parameters: attributionParameters()),
            ] as [any Stage] {
                let failure = #expect(throws: StepFailure.self) { _ = try stage.run(step) }
                #expect(
                    failure?.message
                        == "a network of the ensemble was trained on shuffled labels: what it says means nothing")
                #expect(
                    failure?.hint
                        == "connect networks without 'labels: shuffled'; those with it belong to the port 'shuffled' of "
                        + "'attribute'")
            }
        }
    }

    @Test("the port 'shuffled' takes no others, and none that differ in more than their labels")
    func twins() throws {
        let own = try trained("own").network
        let shuffled = try trained("shuffled").network
        func failure(_ network: TrainedNetwork) -> StepFailure? {
            #expect(throws: StepFailure.self) { try own.shuffledTwins([PlantedDifference.member(network.value)]) }
        }
        #expect(
            failure(own)?.message == "a network at the port 'shuffled' was trained on the labels of its simulations")
        #expect(failure(own)?.hint == "give its node 'labels: shuffled'")
        var other = shuffled
        other.classes.reverse()
        let misfit = "a network at the port 'shuffled' has other layers, classes or geometry than the ensemble"
        #expect(failure(other)?.message == misfit)
        other = shuffled
        other.geometry = RegionTableTests.geometry.value
        #expect(failure(other)?.message == misfit)
        other = shuffled
        let wide: Value = .list([.record(["form": .string("dense"), "value": .int(2)])])
        other.layers = wide
        other.classifier = try Classifier(
            NetworkSpec(
                inputShape: own.classifier.spec.inputShape, layers: LayerParameters.layers(wide), classes: 2),
            Weights(
                initialising: NetworkSpec(
                    inputShape: own.classifier.spec.inputShape, layers: LayerParameters.layers(wide), classes: 2),
                random: RandomStream(seed: 1)))
        #expect(failure(other)?.message == misfit)
        #expect(try own.shuffledTwins([PlantedDifference.member(shuffled.value)]).count == 1)
        #expect(try own.shuffledTwins([]).isEmpty)
    }

    @Test("rates of dropout, which trained networks do not have, may differ")
    func dropout() throws {
        func network(rate: Double, isShuffled: Bool) throws -> TrainedNetwork {
            var network = try trained("own").network
            network.layers = .list([
                .record(["form": .string("dropout"), "value": .double(rate)]),
                .record(["form": .string("dense"), "value": .int(2)]),
            ])
            let spec = try NetworkSpec(
                inputShape: network.classifier.spec.inputShape, layers: LayerParameters.layers(network.layers),
                classes: 2)
            network.classifier = try Classifier(spec, Weights(initialising: spec, random: RandomStream(seed: 1)))
            if isShuffled {
                network.shuffledLabels = try ShuffledLabels(
                    .record(["images": .int(4), "learnt": .int(4), "simulations": .int(2), "relabelled": .int(2)]))
            }
            return network
        }
        let twin = try network(rate: 0, isShuffled: true)
        #expect(
            try network(rate: 0.3, isShuffled: false).shuffledTwins([PlantedDifference.member(twin.value)]).count == 1)
    }
}
