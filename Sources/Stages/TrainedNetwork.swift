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

    init(
        classifier: Classifier, layers: Value, classes: [String], temperature: Double, history: [EpochReport],
        bestEpoch: Int, keptEpoch: Int, domain: TrainingDomain, geometry: Value
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
    }

    var value: Value {
        .record([
            "layers": layers, "classes": .list(classes.map { .string($0) }),
            "input-shape": .list(classifier.spec.inputShape.map { .int($0) }),
            "weights": .record(
                Dictionary(uniqueKeysWithValues: classifier.weights.tensors.map { ($0.name, .tensor($0.tensor)) })),
            "temperature": .double(temperature), "best-epoch": .int(bestEpoch),
            "kept-epoch": .int(keptEpoch), "domain": domain.value, "geometry": geometry,
            "history": .list(history.map(\.value)),
        ])
    }
}

extension TrainedNetwork {
    /// The ensemble of an `all` input.
    ///
    /// - Throws: `StepFailure` when there is none, or when members differ in classes, their order, or geometry.
    static func ensemble(_ members: [Step.Member]) throws -> [TrainedNetwork] {
        let networks = try members.map { try TrainedNetwork($0.load()) }
        guard let first = networks.first else { throw StepFailure("no network") }
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
