import Artifacts
import Dataflow
import Devices
import Instruments
import Learning

/// Trains an ensemble of networks to answer an image of one model with a density over the model's parameters; each member
/// is a sample of the node.
struct TrainPosterior: Stage {
    static let signature = Signature(
        "train-posterior", version: 1,
        about: "Trains an ensemble of networks to answer an image of one model with a posterior of its parameters.",
        inputs: [
            InputPort("images", "counts", .all, about: "noisy images of one model"),
            InputPort("parameters", "parameters", .all, about: "the parameters that the images were simulated with"),
        ],
        output: "posterior", samplesFrom: "members",
        parameters: [
            Parameter(
                "priors", .mapping(Prior.parameterType),
                about: "those that the parameters were drawn from, as in sample-parameters"),
            Parameter(
                "layers", LayerParameters.type,
                about: "from the image [1, rows, columns] to a vector; the dense layer that makes a density of it is "
                    + "put behind them"),
            Parameter(
                "components", .integer(1...64), default: .text("4"),
                about: "Gaussians of a member's density, each with its own covariance"),
        ]
            + TrainingPlan.parameters(
                withoutValidation: "all are learnt from, and nothing tells when a density becomes too sure"),
        isRandom: true, isThreaded: true)

    private let layers: Value
    private let space: ParameterSpace
    private let head: MixtureHead
    private let plan: TrainingPlan
    private let shared = ReadOnce<ParameterImages>()

    static func problems(in parameters: Value) -> [ParameterProblem] {
        ParameterSpace.problems(in: parameters) + TrainingPlan.problems(in: parameters) + centroidProblems(parameters)
    }

    private static func centroidProblems(_ parameters: Value) -> [ParameterProblem] {
        guard let layers = try? LayerParameters.layers(parameters.field("layers")) else { return [] }
        return layers.indices.compactMap { index in
            guard case .centroids = layers[index] else { return nil }
            return ParameterProblem(
                ["layers", "\(index)"], "centroids measure the distance from classes, and a posterior has none",
                hint: "end with the vector that the density is to be made of")
        }
    }

    static func checkpointParameters(_ parameters: Value) -> Value? { TrainingPlan.checkpointParameters(parameters) }

    init(parameters: Value) throws {
        layers = try parameters.field("layers")
        space = try ParameterSpace(parameters.field("priors"))
        head = MixtureHead(dimensions: space.dimensions, components: try parameters.int("components"))
        plan = try TrainingPlan(parameters)
    }

    func run(_ step: Step) throws -> StepOutput { try run(step, on: nil) }

    /// - Parameter device: trains in place of the CPU.
    func run(_ step: Step, on device: NetworkDevice?) throws -> StepOutput {
        step.progress(0, "reading images")
        do {
            let read = try shared.value {
                try ParameterImages(
                    step.collections["images"] ?? [], parameters: step.collections["parameters"] ?? [], space: space,
                    layers: PosteriorNetwork.layers(layers, head: head), outputs: head.outputs, threads: step.threads,
                    isCancelled: step.isCancelled)
            }
            let images = read.images
            guard let spec = images.network else { throw StepFailure("the images were read for no network") }
            // The images have been through the fixed layers already: the others are what there is to train.
            let trained = try spec.suffix(after: images.prefix)
            let split = Split(images.set, validationFraction: plan.validation, salt: "validation")
            let (result, training) = try plan.run(
                step, trained, on: images.set, split: split, objective: .density(head, targets: read.targets),
                initial: head.initialWeights(trained, random: step.random.substream("weights")), device: device)
            let network = PosteriorNetwork(
                classifier: try Classifier(spec, Weights(spec, ofSuffix: result.weights, after: images.prefix)),
                layers: layers, head: head, images: read, result: result,
                domain: TrainingDomain(features: images.features, geometry: try ImageGeometry(images.geometry)))
            var facts = training
            facts["unstable-simulations"] = .int(images.unstable)
            return StepOutput(network.value, summary: facts)
        } catch let error as LearningError {
            // oneDNN out of memory is the machine's failure and is not remembered.
            if error.isOfTheMachine { throw error }
            throw StepFailure(error.message, hint: error.hint)
        }
    }
}
