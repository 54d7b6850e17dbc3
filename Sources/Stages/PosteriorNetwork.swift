import Artifacts
import Dataflow
import Learning
import Tensors

/// A trained member of an ensemble that answers with a density over parameters: what flows along `posterior` edges.
struct PosteriorNetwork: Sendable {
    var classifier: Classifier
    /// The layers as the graph declared them: without the last, which gives the density.
    var layers: Value
    var head: MixtureHead
    var space: ParameterSpace
    /// Parameters of the model that did not vary.
    var fixed: [String: Double]
    /// Of each parameter: quantiles of the training simulations at `PosteriorNetwork.priorLevels`. Where draws with an
    /// unstable ground state were rejected, that is narrower than the prior as written.
    var priorQuantiles: [[Double]]
    /// Class of the training images; empty outside every class.
    var className: String
    var history: [EpochReport]
    var bestEpoch: Int
    var keptEpoch: Int
    var domain: TrainingDomain
    /// Layout of the training images, as `ImageGeometry.value`.
    var geometry: Value

    /// The median between the ends of the intervals of 95 and 68 %.
    static let priorLevels = [0.025, 0.16, 0.5, 0.84, 0.975]

    /// Declared layers with the dense one behind them that gives the density.
    static func layers(_ declared: Value, head: MixtureHead) throws -> [LayerSpec] {
        try LayerParameters.layers(declared) + [.dense(units: head.outputs)]
    }

    /// Width of the 68 % interval of the training simulations.
    func priorWidth(_ index: Int) -> Double { priorQuantiles[index][3] - priorQuantiles[index][1] }

    var value: Value {
        .record([
            "layers": layers, "components": .int(head.components), "priors": space.value,
            "names": .list(space.names.map { .string($0) }), "unit": .string(ParameterSpace.unit),
            "fixed": .record(fixed.mapValues { .double($0) }),
            "prior-quantiles": .list(priorQuantiles.map { .list($0.map { .double($0) }) }),
            "class": .string(className), "input-shape": .list(classifier.spec.inputShape.map { .int($0) }),
            "weights": .record(
                Dictionary(uniqueKeysWithValues: classifier.weights.tensors.map { ($0.name, .tensor($0.tensor)) })),
            "best-epoch": .int(bestEpoch), "kept-epoch": .int(keptEpoch), "domain": domain.value,
            "geometry": geometry,
            "history": .list(
                history.map { epoch in
                    // There is no accuracy: a density names nothing.
                    .record([
                        "epoch": .int(epoch.epoch), "loss": .double(epoch.loss),
                        "validation-loss": epoch.validationLoss.map { .double($0) } ?? .none,
                        "learning-rate": .double(epoch.learningRate), "best": .bool(epoch.isBest),
                    ])
                }),
        ])
    }

    init(_ value: Value) throws {
        layers = try value.field("layers")
        space = try ParameterSpace(value.field("priors"))
        head = MixtureHead(dimensions: space.dimensions, components: try value.int("components"))
        fixed = try value.field("fixed").asRecord().mapValues { try $0.asDouble() }
        priorQuantiles = try value.list("prior-quantiles").map { try $0.asDoubles() }
        className = try value.string("class")
        let spec = try NetworkSpec(
            inputShape: value.list("input-shape").map { try $0.asInt() },
            layers: Self.layers(value.field("layers"), head: head), classes: head.outputs)
        let tensors = try value.field("weights").asRecord().mapValues { try $0.asTensor().asFloat32 }
        classifier = try Classifier(spec, Weights(spec, tensors: tensors))
        bestEpoch = try value.int("best-epoch")
        keptEpoch = try value.int("kept-epoch")
        domain = try TrainingDomain(value.field("domain"))
        geometry = try value.field("geometry")
        history = try value.list("history").map { epoch in
            let validation = try epoch.field("validation-loss")
            return EpochReport(
                epoch: try epoch.int("epoch"), loss: try epoch.double("loss"), accuracy: 0,
                validationLoss: validation.isNone ? nil : try validation.asDouble(), validationAccuracy: nil,
                learningRate: try epoch.double("learning-rate"), isBest: try epoch.bool("best"))
        }
    }

    init(
        classifier: Classifier, layers: Value, head: MixtureHead, images: ParameterImages, result: TrainingResult,
        domain: TrainingDomain
    ) {
        self.classifier = classifier
        self.layers = layers
        self.head = head
        space = images.space
        fixed = images.fixed
        priorQuantiles = images.space.names.indices.map { index in
            let rising = images.drawn.map { $0[index] }.sorted()
            return Self.priorLevels.map { Self.quantile($0, ofRising: rising) }
        }
        className = images.className
        history = result.history
        bestEpoch = result.bestEpoch
        keptEpoch = result.keptEpoch
        self.domain = domain
        geometry = images.images.geometry
    }

    /// By straight lines between the order statistics, the first at 0 and the last at 1.
    static func quantile(_ probability: Double, ofRising numbers: [Double]) -> Double {
        let place = probability * Double(numbers.count - 1)
        let below = min(numbers.count - 1, max(0, Int(place)))
        let above = min(numbers.count - 1, below + 1)
        return numbers[below] + (place - Double(below)) * (numbers[above] - numbers[below])
    }
}

extension PosteriorNetwork {
    /// The ensemble of an `all` input.
    ///
    /// - Throws: `StepFailure` when there is none, or when members differ in parameters, class or geometry.
    static func ensemble(_ members: [Step.Member]) throws -> [PosteriorNetwork] {
        let networks = try members.map { try PosteriorNetwork($0.load()) }
        guard let first = networks.first else { throw StepFailure("no posterior network") }
        for other in networks
        where other.space != first.space || other.geometry.pixels != first.geometry.pixels
            || other.className != first.className
        {
            throw StepFailure(
                "the posterior networks are of different models, priors or geometries",
                hint: "estimate the parameters of one model at a time: write 'for: each class', or POSTERIOR@CLASS")
        }
        return networks
    }

    /// - Throws: `StepFailure` when images have another layout than the training images.
    func requireGeometry(_ other: Value, of what: String) throws {
        guard other.pixels == geometry.pixels else {
            throw StepFailure(
                "\(what) has another geometry than the training images",
                hint:
                    "incident energies, energy bins, h, k and lattice must agree: use one resolution node for both, or "
                    + "nodes that differ in magnetic-cell alone")
        }
    }

    /// What the members say together of each image, and each alone.
    static func mixtures(
        _ networks: [PosteriorNetwork], of images: ImageSet, at members: [Int]? = nil, threads: Int = 1
    ) throws -> (together: [GaussianMixture], alone: [[GaussianMixture]]) {
        let alone = try networks.map { network in
            let outputs = try network.classifier.logits(of: images, at: members, threads: threads)
            let size = network.head.outputs
            return (0..<outputs.shape[0]).map { network.head.mixture(outputs.elements[$0 * size..<($0 + 1) * size]) }
        }
        let together = (alone.first ?? []).indices.map { image in
            GaussianMixture(mixing: alone.map { $0[image] })
        }
        return (together, alone)
    }
}
