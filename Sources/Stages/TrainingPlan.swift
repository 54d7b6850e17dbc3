import Artifacts
import Dataflow
import Devices
import Foundation
import Learning

/// How a member of an ensemble is trained: what the stages that train have in common.
struct TrainingPlan: Sendable {
    var settings: TrainingSettings
    /// Fraction of simulations set aside.
    var validation: Double
    /// Whether a training of more epochs begins with those of this one.
    var canGrow: Bool

    /// The parameters of a stage that trains.
    ///
    /// - Parameters:
    ///   - withoutValidation: what happens when nothing is set aside, for the documentation.
    ///   - additional: parameters of one stage only.
    static func parameters(withoutValidation: String, additional: [Parameter] = []) -> [Parameter] {
        [
            Parameter(
                "members", .integer(1...100), default: .text("1"), about: "networks, each from other random weights"),
            Parameter(
                "epochs", .integer(1...100_000), default: .text("30"),
                about:
                    "passes over the training images; more of them go on from the last where the schedule is constant or step"
            ),
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
                    .init(
                        "cosine", .structure([]),
                        about: "it falls to zero along half a cosine, so that other epochs begin anew"),
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
            Parameter("clip-gradient", .number(1e-9...1e9), default: .optional, about: "longest gradient allowed"),
            Parameter(
                "patience", .integer(1...100_000), default: .optional,
                about: "stop when the validation loss has not improved for so many epochs"),
            Parameter(
                "validation", .number(0...0.9), default: .text("0.15"),
                about: "fraction of simulations watched instead of learnt from, chosen by a hash of each; with 0 "
                    + withoutValidation),
            Parameter(
                "keep", .choice(["best", "last"]), default: .text("best"),
                about: "the weights of the epoch with the lowest validation loss (training loss without validation), "
                    + "or of the last epoch, usually as good or better where validation images are few"),
            Parameter(
                "precision", .choice(["f32", "bf16"]), default: .text("f32"),
                about: "arithmetic of the layers with kernels while training; bf16 (with weights, sums and everything "
                    + "later in f32) takes about half the time where the processor has it; a CUDA device has it from "
                    + "compute capability 8.0 on"),
        ] + additional
    }

    /// - Parameter parameters: bound, with the fields of `parameters`; `label-smoothing` is 0 where there is none.
    init(_ parameters: Value) throws {
        func optional(_ name: String) -> Value? { parameters[name].flatMap { $0.isNone ? nil : $0 } }
        settings = TrainingSettings()
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
        settings.labelSmoothing = try optional("label-smoothing")?.asDouble() ?? 0
        settings.gradientClipping = try optional("clip-gradient")?.asDouble()
        settings.patience = try optional("patience")?.asInt()
        settings.keep = try parameters.string("keep") == "last" ? .last : .best
        settings.precision = try parameters.string("precision") == "bf16" ? .bf16 : .f32
        validation = try parameters.double("validation")
        canGrow = Self.canGrow(parameters)
    }

    static func problems(in parameters: Value) -> [ParameterProblem] {
        guard let plan = try? TrainingPlan(parameters) else { return [] }
        do {
            try plan.settings.validate()
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

    /// Trains one member, from its checkpoint on where there is one.
    ///
    /// - Returns: what came of it, and facts for the record.
    func run(
        _ step: Step, _ network: NetworkSpec, on images: ImageSet, split: Split,
        objective: TrainingObjective = .classes,
        initial: Weights? = nil, device: NetworkDevice? = nil
    ) throws -> (result: TrainingResult, facts: [String: Value]) {
        var state: TrainingState?
        if let checkpoint = step.checkpoint, let kept = try checkpoint.load() { state = try? TrainingState(kept) }
        let epochs = settings.epochs
        let result = try train(
            network, on: images, split: split, objective: objective, settings: settings, random: step.random,
            initial: initial, from: state, threads: step.threads, on: device,
            progress: { epoch in
                var note = "epoch \(epoch.epoch) of \(epochs), loss \(Self.short(epoch.loss))"
                if let loss = epoch.validationLoss, let accuracy = epoch.validationAccuracy {
                    note += ", validation loss \(Self.short(loss))"
                    if objective == .classes { note += ", right \(Self.short(100 * accuracy)) %" }
                }
                step.progress(Double(epoch.epoch) / Double(epochs), note)
            },
            afterEpoch: { isLast, state in
                guard let checkpoint = step.checkpoint else { return }
                // The last is kept for a training of more epochs.
                if isLast ? canGrow : checkpoint.isDue() { try checkpoint.save(try state().value) }
            }, isCancelled: step.isCancelled)
        var facts: [String: Value] = [
            "training-images": .int(split.training.count), "validation-images": .int(split.validation.count),
        ]
        if let state, state.fits(network, settings) { facts["continued-after-epoch"] = .int(state.epoch) }
        return (result, facts)
    }

    private static func short(_ x: Double) -> String {
        String((x * 1000).rounded() / 1000)
    }
}
