import Artifacts
import Dataflow
import Devices
import Foundation
import Instruments
import Learning
import Tensors

/// Trains an ensemble of networks to tell the classes apart; each member is a sample of the node.
struct TrainNetwork: Stage {
    static let signature = Signature(
        "train-network", version: 1,
        about: "Trains an ensemble of convolutional networks to tell the classes of its images apart.",
        inputs: [InputPort("images", "counts", .all, about: "noisy images of all classes")],
        output: "network", samplesFrom: "members",
        parameters: [
            Parameter("layers", LayerParameters.type, about: "from the image [1, rows, columns] to one logit a class")
        ]
            + TrainingPlan.parameters(
                withoutValidation: "all are learnt from, and probabilities are not calibrated (temperature 1)",
                additional: [
                    Parameter(
                        "label-smoothing", .number(0...0.5), default: .text("0"),
                        about: "certainty withheld from labels"),
                    Parameter(
                        "initial-weights", .file, default: .optional,
                        about: "weights of these layers to begin with in place of random ones, as 'spinweave export' "
                            + "writes them (.safetensors); every member begins with them"),
                    Parameter(
                        "tf32", .boolean, default: .text("false"),
                        about:
                            "a CUDA device may take the factors of products with 10 bits of mantissa, for speed; the "
                            + "CPU does not use it"),
                    Parameter(
                        "labels", .choice(["own", "shuffled"]), default: .text("own"), isRecordedAtDefault: false,
                        about:
                            "shuffled: the simulations learnt from get each other's classes, and none are watched; such a "
                            + "network judges nothing, it tells 'attribute' which maps show the image only"),
                ]),
        isRandom: true, isThreaded: true)

    private let layers: Value
    private let plan: TrainingPlan
    /// A record of path and content; nil: random weights.
    private let initialWeights: Value?
    let usesTF32: Bool
    let hasCentroids: Bool
    /// Whether it computes in bf16.
    var isRounded: Bool { plan.settings.precision == .bf16 }
    private let shufflesLabels: Bool
    private let shared = ReadOnce<LabelledImages>()

    static func problems(in parameters: Value) -> [ParameterProblem] {
        var problems = TrainingPlan.problems(in: parameters)
        let layers = (try? LayerParameters.layers(parameters.field("layers"))) ?? []
        for (index, layer) in layers.enumerated() {
            guard case .centroids(let centroids) = layer else { continue }
            if index < layers.count - 1 {
                problems.append(
                    ParameterProblem(
                        ["layers", "\(index)"], "centroids before the last layer",
                        hint: "end the list of layers with them"))
            } else if centroids.gradientPenalty > 0, (try? parameters.string("precision")) == "bf16" {
                problems.append(
                    ParameterProblem(
                        ["precision"], "the gradient penalty of centroids takes differences that bf16 does not show",
                        hint: "use f32, or gradient-penalty: 0"))
            }
        }
        if shufflesLabels(parameters), parameters["initial-weights"]?.isNone == false {
            problems.append(
                ParameterProblem(
                    ["initial-weights"],
                    "weights from elsewhere may know the labels that 'labels: shuffled' takes away",
                    hint: "leave them out, so that all that the network knows are the shuffled labels"))
        }
        return problems
    }

    private static func shufflesLabels(_ parameters: Value) -> Bool {
        (try? parameters["labels"]?.asString()) == "shuffled"
    }

    static func hasCentroids(_ parameters: Value) -> Bool {
        let layers = (try? LayerParameters.layers(parameters.field("layers"))) ?? []
        if case .centroids? = layers.last { return true }
        return false
    }

    static func checkpointParameters(_ parameters: Value) -> Value? { TrainingPlan.checkpointParameters(parameters) }

    init(parameters: Value) throws {
        layers = try parameters.field("layers")
        plan = try TrainingPlan(parameters)
        initialWeights = parameters["initial-weights"].flatMap { $0.isNone ? nil : $0 }
        usesTF32 = try parameters["tf32"]?.asBool() ?? false
        hasCentroids = Self.hasCentroids(parameters)
        shufflesLabels = Self.shufflesLabels(parameters)
    }

    func run(_ step: Step) throws -> StepOutput { try run(step, on: nil) }

    /// - Parameter device: trains in place of the CPU.
    func run(_ step: Step, on device: NetworkDevice?) throws -> StepOutput {
        step.progress(0, "reading images")
        do {
            let images = try shared.value {
                try LabelledImages(
                    step.collections["images"] ?? [], layers: LayerParameters.layers(layers), threads: step.threads,
                    isCancelled: step.isCancelled)
            }
            guard let spec = images.network else { throw StepFailure("the images were read for no network") }
            // The images have been through the fixed layers already: the others are what there is to train.
            let trained = try spec.suffix(after: images.prefix)
            var split = Split(images.set, validationFraction: plan.validation, salt: "validation")
            var set = images.set
            if shufflesLabels {
                // The images are those that a network of the same plan learns from. The others, whose labels nothing predicts
                // any more, would only end the training before the labels are known by heart.
                split.validation = []
                set = set.shufflingLabels(of: split.training, random: step.random.substream("labels"))
            }
            var initial: Weights?
            if let initialWeights {
                let whole = try Weights(spec, file: initialWeights.string("path"))
                initial = try whole.suffix(of: spec, after: images.prefix)
            }
            let (result, training) = try plan.run(
                step, trained, on: set, split: split, initial: initial, device: device)
            func logits(_ members: [Int]) throws -> Tensor<Float> {
                let classifier = try Classifier(trained, result.weights)
                if let device { return try classifier.logits(of: set, at: members, on: device) }
                return try classifier.logits(of: set, at: members, threads: step.threads)
            }
            var temperature = 1.0
            if !split.validation.isEmpty {
                temperature = try Learning.temperature(
                    fitting: logits(split.validation), labels: split.validation.map { set.labels[$0] })
            }
            var shuffled: ShuffledLabels?
            if shufflesLabels {
                shuffled = ShuffledLabels(
                    of: images.set, as: set, members: split.training, logits: try logits(split.training))
            }
            let network = TrainedNetwork(
                classifier: try Classifier(spec, Weights(spec, ofSuffix: result.weights, after: images.prefix)),
                layers: layers, classes: images.classes, temperature: temperature, history: result.history,
                bestEpoch: result.bestEpoch, keptEpoch: result.keptEpoch,
                domain: TrainingDomain(features: images.features, geometry: try ImageGeometry(images.geometry)),
                geometry: images.geometry, shuffledLabels: shuffled)
            var facts = training
            if let shuffled { facts.merge(shuffled.facts) { $1 } }
            facts["unstable-simulations"] = .int(images.unstable)
            return StepOutput(network.value, summary: facts)
        } catch let error as LearningError {
            // oneDNN out of memory is the machine's failure and is not remembered.
            if error.isOfTheMachine { throw error }
            throw StepFailure(error.message, hint: error.hint)
        }
    }
}
