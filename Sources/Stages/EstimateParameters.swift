import Artifacts
import Dataflow
import Learning
import SpinWaves
import Tensors

/// Asks the ensemble which parameters of one model explain a measurement, and how far they are determined.
///
/// The answer is a parameter set, at the medians, with more fields: it may be given to whatever takes parameters.
struct EstimateParameters: Stage {
    static let signature = Signature(
        "estimate-parameters", version: 1,
        about:
            "The parameters of one model from a measurement: medians, 68 and 95 % intervals, correlations, draws from "
            + "the posterior.",
        inputs: [
            InputPort("posterior", "posterior", .all, about: "the trained ensemble, of one model"),
            InputPort("measurement", "measurement", about: "the image that the parameters are read from"),
            InputPort(
                "test", "posterior-test", optional: true,
                about: "the ensemble on held-out simulations, which calibrate the intervals; without it they are as "
                    + "the networks give them"),
        ],
        output: "parameters",
        parameters: [
            Parameter("model", .model, about: "the magnetic model whose parameters they are"),
            Parameter(
                "samples", .integer(100...1_000_000), default: .text("2000"), about: "draws from the posterior to keep"),
        ], isRandom: true)

    private let model: SpinModel
    private let samples: Int

    init(parameters: Value) throws {
        model = try SpinModel(value: parameters.field("model"))
        samples = try parameters.int("samples")
    }

    func run(_ step: Step) throws -> StepOutput {
        guard let input = step.inputs["measurement"] else { throw StepFailure("no measurement") }
        let measurement = try Measurement(input)
        let collection = step.collections["posterior"] ?? []
        let networks = try PosteriorNetwork.ensemble(collection)
        guard let first = networks.first else { throw StepFailure("no posterior network") }
        try first.requireGeometry(measurement.geometry, of: "the measurement")
        let test = step.inputs["test"]
        if let tested = try test?.list("posteriors").map({ try $0.asString() }),
            tested != collection.map(\.digest.hex)
        {
            throw StepFailure(
                "the test is of another ensemble than the one that estimates",
                hint: "give 'evaluate-posterior' and 'estimate-parameters' the same 'posterior'")
        }
        let names = Set(first.space.names + first.fixed.keys)
        guard names == Set(model.parameterNames) else {
            throw StepFailure(
                "the posterior is of \(names.sorted().joined(separator: ", ")), the model has "
                    + model.parameterNames.joined(separator: ", "),
                hint: "give the model that the training images were simulated with")
        }
        do {
            var image = try ImageSet(shape: [1] + measurement.image.shape)
            try image.append(measurement.image.elements, label: 0, origin: "the measurement")
            let found = try PosteriorNetwork.mixtures(networks, of: image)
            let estimate = try PosteriorEstimate(
                found.together[0], members: found.alone.map { $0[0] }, network: first, test: test)
            return try output(estimate, first, measurement, step)
        } catch let error as LearningError {
            // oneDNN out of memory is the machine's failure and is not remembered.
            if error.isOfTheMachine { throw error }
            throw StepFailure(error.message, hint: error.hint)
        }
    }

    private func output(
        _ estimate: PosteriorEstimate, _ network: PosteriorNetwork, _ measurement: Measurement, _ step: Step
    ) throws -> StepOutput {
        var medians = network.fixed
        for parameter in estimate.parameters { medians[parameter.name] = parameter.median }
        let values = try model.values(overriding: medians)
        let isStable: Bool
        if try model.disequilibrium(values: values) == nil {
            isStable = try model.stability(values: values).isStable
        } else {
            isStable = false
        }
        let draws = estimate.draws(samples, space: network.space, random: step.random)
        let domain = network.domain
        let pixels = measurement.image.shape
        let distance = domain.distance(
            TrainingDomain.features(
                measurement.image.elements[...], rows: domain.rows, columns: domain.columns,
                height: pixels[0] / domain.rows, width: pixels[1] / domain.columns))
        let flags = estimate.flags(
            isStable: isStable, isSimulated: measurement.isSimulated, domainPValue: domain.pValue(distance: distance))
        let short = estimate.value(className: network.className, flags: flags)
        var fields = short
        fields.merge(try ParameterSet(values: medians, isUnstable: !isStable).value.asRecord()) { $1 }
        fields["median"] = .record(medians.mapValues { .double($0) })
        fields["samples"] = .tensor(draws)
        fields["correlation"] = .tensor(PosteriorEstimate.correlation(draws))
        fields["domain-p-value"] = .double(domain.pValue(distance: distance))
        fields["simulated"] = .bool(measurement.isSimulated)
        return StepOutput(.record(fields), summary: ["estimate": .record(short), "unstable": .bool(!isStable)])
    }
}
