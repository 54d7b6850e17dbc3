import Artifacts
import Dataflow
import Foundation
import Instruments
import Learning

/// Trains an ensemble of networks to tell the classes apart; each member is a sample of the node.
struct TrainNetwork: Stage {
    static let signature = Signature(
        "train-network", version: 1,
        about: "Trains an ensemble of convolutional networks to tell the classes of its images apart.",
        inputs: [InputPort("images", "counts", .all, about: "noisy images of all classes")],
        output: "network", samplesFrom: "members",
        parameters: [
            Parameter("layers", LayerParameters.type, about: "from the image [1, rows, columns] to one logit a class"),
            Parameter(
                "members", .integer(1...100), default: .text("1"), about: "networks, each from other random weights"),
            Parameter("epochs", .integer(1...100_000), default: .text("30"), about: "passes over the training images"),
            Parameter("batch", .integer(1...4096), default: .text("32"), about: "images between two updates"),
            Parameter(
                "micro-batch", .integer(1...4096), default: .text("8"),
                about: "images that pass together; batch-norm takes its statistics from them"),
            Parameter(
                "learning-rate", .number(1e-9...10), default: .text("0.001"), about: "largest step of the weights"),
            Parameter(
                "optimiser",
                .variant([
                    .init("adam", .structure([]), about: "Adam (arXiv:1412.6980)"),
                    .init("sgd", .number(0...0.999), about: "gradient descent with this momentum"),
                ]), default: .text("adam"), about: "how gradients move the weights"),
            Parameter(
                "schedule",
                .variant([
                    .init("constant", .structure([]), about: "the learning rate stays"),
                    .init("cosine", .structure([]), about: "it falls to zero along half a cosine"),
                    .init(
                        "step",
                        .structure([
                            Parameter("every", .integer(1...100_000), about: "epochs between two steps"),
                            Parameter("factor", .number(1e-6...1), about: "what the rate is multiplied by"),
                        ]), about: "it falls in steps"),
                ]), default: .text("cosine"), about: "how the learning rate changes"),
            Parameter(
                "warm-up", .number(0...1000), default: .text("0"), about: "epochs over which the rate first rises"),
            Parameter("weight-decay", .number(0...10), default: .text("0"), about: "decoupled decay of the kernels"),
            Parameter(
                "label-smoothing", .number(0...0.5), default: .text("0"), about: "certainty withheld from labels"),
            Parameter("clip-gradient", .number(1e-9...1e9), default: .optional, about: "longest gradient allowed"),
            Parameter(
                "patience", .integer(1...100_000), default: .optional,
                about: "stop when the validation loss has not improved for so many epochs"),
            Parameter(
                "validation", .number(0...0.9), default: .text("0.15"),
                about: "fraction of simulations watched instead of learnt from, chosen by a hash of each; with 0 all "
                    + "are learnt from, and probabilities are not calibrated (temperature 1)"),
            Parameter(
                "keep", .choice(["best", "last"]), default: .text("best"),
                about: "the weights of the epoch with the lowest validation loss (training loss without validation), "
                    + "or of the last epoch, usually as good or better where validation images are few"),
            Parameter(
                "precision", .choice(["f32", "bf16"]), default: .text("f32"),
                about: "arithmetic of the layers with kernels while training; bf16 (with weights, sums and everything "
                    + "later in f32) takes about half the time where the processor has it"),
            Parameter(
                "initial-weights", .file, default: .optional,
                about: "weights of these layers to begin with in place of random ones, as 'spinweave export' writes "
                    + "them (.safetensors); every member begins with them"),
        ],
        isRandom: true, isThreaded: true)

    private let layers: Value
    private let settings: TrainingSettings
    private let validation: Double
    /// A record of path and content; nil: random weights.
    private let initialWeights: Value?
    private let canGrow: Bool
    private let shared = SharedImages()

    static func problems(in parameters: Value) -> [ParameterProblem] {
        guard let settings = try? settings(parameters) else { return [] }
        do {
            try settings.validate()
            return []
        } catch {
            return [ParameterProblem([], error.message, hint: error.hint)]
        }
    }

    /// A training that was interrupted goes on where it stopped. One that wants more epochs does too, unless its schedule
    /// depends on their number.
    static func checkpointParameters(_ parameters: Value) -> Value? {
        guard case .record(var fields) = parameters else { return nil }
        if canGrow(parameters) { fields["epochs"] = nil }
        return .record(fields)
    }

    private static func canGrow(_ parameters: Value) -> Bool {
        (try? parameters.field("schedule").string("form")) != "cosine"
    }

    init(parameters: Value) throws {
        layers = try parameters.field("layers")
        settings = try Self.settings(parameters)
        validation = try parameters.double("validation")
        canGrow = Self.canGrow(parameters)
        initialWeights = parameters["initial-weights"].flatMap { $0.isNone ? nil : $0 }
    }

    private static func settings(_ parameters: Value) throws -> TrainingSettings {
        func optional(_ name: String) -> Value? { parameters[name].flatMap { $0.isNone ? nil : $0 } }
        var settings = TrainingSettings()
        settings.epochs = try parameters.int("epochs")
        settings.batchSize = try parameters.int("batch")
        settings.microBatchSize = min(try parameters.int("micro-batch"), settings.batchSize)
        settings.learningRate = try parameters.double("learning-rate")
        let optimiser = try parameters.field("optimiser")
        settings.optimiser =
            try optimiser.string("form") == "adam" ? .adam() : .sgd(momentum: optimiser.double("value"))
        let schedule = try parameters.field("schedule")
        switch try schedule.string("form") {
        case "constant": settings.schedule = .constant
        case "cosine": settings.schedule = .cosine()
        default:
            let step = try schedule.field("value")
            settings.schedule = .step(every: try step.int("every"), factor: try step.double("factor"))
        }
        settings.warmUp = try parameters.double("warm-up")
        settings.weightDecay = try parameters.double("weight-decay")
        settings.labelSmoothing = try parameters.double("label-smoothing")
        settings.gradientClipping = try optional("clip-gradient")?.asDouble()
        settings.patience = try optional("patience")?.asInt()
        settings.keep = try parameters.string("keep") == "last" ? .last : .best
        settings.precision = try parameters.string("precision") == "bf16" ? .bf16 : .f32
        return settings
    }

    func run(_ step: Step) throws -> StepOutput {
        step.progress(0, "reading images")
        do {
            let images = try shared.images(
                step.collections["images"] ?? [], layers: LayerParameters.layers(layers), threads: step.threads,
                isCancelled: step.isCancelled)
            guard let spec = images.network else { throw StepFailure("the images were read for no network") }
            // The images have been through the fixed layers already: the others are what there is to train.
            let trained = try spec.suffix(after: images.prefix)
            let split = Split(images.set, validationFraction: validation, salt: "validation")
            let epochs = settings.epochs
            var initial: Weights?
            if let initialWeights {
                let whole = try Weights(spec, file: initialWeights.string("path"))
                initial = try whole.suffix(of: spec, after: images.prefix)
            }
            var state: TrainingState?
            if let checkpoint = step.checkpoint, let kept = try checkpoint.load() { state = try? TrainingState(kept) }
            let result = try train(
                trained, on: images.set, split: split, settings: settings, random: step.random, initial: initial,
                from: state, threads: step.threads,
                progress: { epoch in
                    var note = "epoch \(epoch.epoch) of \(epochs), loss \(Self.short(epoch.loss))"
                    if let loss = epoch.validationLoss, let accuracy = epoch.validationAccuracy {
                        note += ", validation loss \(Self.short(loss)), right \(Self.short(100 * accuracy)) %"
                    }
                    step.progress(Double(epoch.epoch) / Double(epochs), note)
                },
                afterEpoch: { isLast, state in
                    guard let checkpoint = step.checkpoint else { return }
                    // The last is kept for a training of more epochs.
                    if isLast ? canGrow : checkpoint.isDue() { try checkpoint.save(state().value) }
                }, isCancelled: step.isCancelled)
            var temperature = 1.0
            if !split.validation.isEmpty {
                let logits = try Classifier(trained, result.weights)
                    .logits(of: images.set, at: split.validation, threads: step.threads)
                temperature = try Learning.temperature(
                    fitting: logits, labels: split.validation.map { images.set.labels[$0] })
            }
            let network = TrainedNetwork(
                classifier: try Classifier(spec, Weights(spec, ofSuffix: result.weights, after: images.prefix)),
                layers: layers, classes: images.classes, temperature: temperature, history: result.history,
                bestEpoch: result.bestEpoch, keptEpoch: result.keptEpoch,
                domain: TrainingDomain(features: images.features, geometry: try ImageGeometry(images.geometry)),
                geometry: images.geometry)
            var facts: [String: Value] = [
                "training-images": .int(split.training.count), "validation-images": .int(split.validation.count),
                "unstable-simulations": .int(images.unstable),
            ]
            if let state, state.fits(trained, settings) { facts["continued-after-epoch"] = .int(state.epoch) }
            return StepOutput(network.value, summary: facts)
        } catch let error as LearningError {
            // oneDNN out of memory is the machine's failure and is not remembered.
            if error.isOfTheMachine { throw error }
            throw StepFailure(error.message, hint: error.hint)
        }
    }

    private static func short(_ x: Double) -> String {
        String((x * 1000).rounded() / 1000)
    }
}
