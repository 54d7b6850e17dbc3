import Artifacts
import Dataflow
import Learning
import Tensors

/// A trained member of an ensemble: what flows along `network` edges.
struct TrainedNetwork: Sendable {
    var classifier: Classifier
    /// The layers as the graph declared them.
    var layers: Value
    var classes: [String]
    /// Softmax temperature fitted on the validation images; 1, which leaves probabilities as they are, without any.
    var temperature: Double
    var history: [EpochReport]
    /// The epoch of the lowest loss, and the one whose weights these are.
    var bestEpoch: Int
    var keptEpoch: Int
    var domain: TrainingDomain
    /// Layout of the training images, as `ImageGeometry.value`.
    var geometry: Value
    /// Of a network trained on shuffled labels, which judges nothing; nil for all others.
    var shuffledLabels: ShuffledLabels?

    init(
        classifier: Classifier, layers: Value, classes: [String], temperature: Double, history: [EpochReport],
        bestEpoch: Int, keptEpoch: Int, domain: TrainingDomain, geometry: Value, shuffledLabels: ShuffledLabels? = nil
    ) {
        self.classifier = classifier
        self.layers = layers
        self.classes = classes
        self.temperature = temperature
        self.history = history
        self.bestEpoch = bestEpoch
        self.keptEpoch = keptEpoch
        self.domain = domain
        self.geometry = geometry
        self.shuffledLabels = shuffledLabels
    }

    init(_ value: Value) throws {
        layers = try value.field("layers")
        classes = try value.list("classes").map { try $0.asString() }
        let spec = try NetworkSpec(
            inputShape: value.list("input-shape").map { try $0.asInt() }, layers: LayerParameters.layers(layers),
            classes: classes.count)
        let tensors = try value.field("weights").asRecord().mapValues { try $0.asTensor().asFloat32 }
        classifier = try Classifier(spec, Weights(spec, tensors: tensors))
        temperature = try value.double("temperature")
        bestEpoch = try value.int("best-epoch")
        keptEpoch = try value.int("kept-epoch")
        domain = try TrainingDomain(value.field("domain"))
        geometry = try value.field("geometry")
        history = try value.list("history").map(EpochReport.init)
        shuffledLabels = try value["shuffled-labels"].map(ShuffledLabels.init)
    }

    var value: Value {
        var fields: [String: Value] = [
            "layers": layers, "classes": .list(classes.map { .string($0) }),
            "input-shape": .list(classifier.spec.inputShape.map { .int($0) }),
            "weights": .record(
                Dictionary(uniqueKeysWithValues: classifier.weights.tensors.map { ($0.name, .tensor($0.tensor)) })),
            "temperature": .double(temperature), "best-epoch": .int(bestEpoch),
            "kept-epoch": .int(keptEpoch), "domain": domain.value, "geometry": geometry,
            "history": .list(history.map(\.value)),
        ]
        // Not there for other networks, so that they stay the artifacts that they were.
        if let shuffledLabels { fields["shuffled-labels"] = shuffledLabels.value }
        return .record(fields)
    }
}

extension TrainedNetwork {
    /// The ensemble of an `all` input.
    ///
    /// - Throws: `StepFailure` when there is none, when one was trained on shuffled labels, or when members differ in classes,
    ///   their order, or geometry.
    static func ensemble(_ members: [Step.Member]) throws -> [TrainedNetwork] {
        let networks = try members.map { try TrainedNetwork($0.load()) }
        guard let first = networks.first else { throw StepFailure("no network") }
        if networks.contains(where: { $0.shuffledLabels != nil }) {
            throw StepFailure(
                "a network of the ensemble was trained on shuffled labels: what it says means nothing",
                hint:
                    "connect networks without 'labels: shuffled'; those with it belong to the port 'shuffled' of 'attribute'"
            )
        }
        for other in networks where other.classes != first.classes || other.geometry.pixels != first.geometry.pixels {
            throw StepFailure(
                "the networks of the ensemble were trained on other classes or another geometry",
                hint: "give them images of the same classes, in the same order, and of one resolution node")
        }
        return networks
    }

    /// How certain an ensemble is of one image; nil unless all its members have centroids.
    ///
    /// - Parameter logits: of each member, for the classes.
    static func certainty(_ members: [TrainedNetwork], logits: [ArraySlice<Float>]) -> KernelCertainty? {
        guard !members.isEmpty, members.allSatisfy({ $0.classifier.spec.centroids != nil }) else { return nil }
        return KernelCertainty(logKernels: logits.map { $0.map { Double($0) } })
    }

    /// Networks like this one that were trained on shuffled labels, of an optional `all` input; none where nothing is connected.
    ///
    /// Rates of dropout, and what centroids are learnt with, may differ: a trained network has none of it, and labels are learnt by heart
    /// more easily without it.
    ///
    /// - Throws: `StepFailure` when one was trained on its own labels, or when one has other layers, classes or geometry than
    ///   this network: then their maps may differ for other reasons than what was learnt.
    func shuffledTwins(_ members: [Step.Member]) throws -> [TrainedNetwork] {
        let networks = try members.map { try TrainedNetwork($0.load()) }
        for other in networks {
            if other.shuffledLabels == nil {
                throw StepFailure(
                    "a network at the port 'shuffled' was trained on the labels of its simulations",
                    hint: "give its node 'labels: shuffled'")
            }
            guard other.layersAsAsked == layersAsAsked, other.classes == classes,
                other.geometry.pixels == geometry.pixels
            else {
                throw StepFailure(
                    "a network at the port 'shuffled' has other layers, classes or geometry than the ensemble",
                    hint:
                        "its node is the ensemble's but for 'labels: shuffled' and what it takes to learn them: more epochs, no dropout"
                )
            }
        }
        return networks
    }

    private var layersAsAsked: [LayerSpec] {
        classifier.spec.layers.map { layer in
            switch layer {
            case .dropout: .dropout(rate: 0)
            case .centroids(let centroids):
                .centroids(
                    Centroids(
                        classes: centroids.classes, width: centroids.width, lengthScale: centroids.lengthScale,
                        momentum: 0, gradientPenalty: 0))
            default: layer
            }
        }
    }

    /// - Throws: `StepFailure` when an image has another layout than the training images.
    func requireGeometry(_ other: Value, of what: String) throws {
        guard other.pixels == geometry.pixels else {
            throw StepFailure(
                "\(what) has another geometry than the training images",
                hint:
                    "incident energies, energy bins, h, k and lattice must agree: use one resolution node for both, or "
                    + "nodes that differ in magnetic-cell alone")
        }
    }
}
