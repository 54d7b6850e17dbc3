import Artifacts
import Compute
import Dataflow
import Foundation
import Instruments
import SpinWaves
import Tensors

/// Fits a model's parameters to a measurement: least squares of images, with errors and correlations.
struct Refine: Stage {
    static let signature = Signature(
        "refine", version: 1,
        about:
            "Exchange parameters from a measured image by least squares: values, errors, correlations, intervals, what is "
            + "not determined.",
        inputs: [
            InputPort("parameters", "parameters", about: "where to start"),
            InputPort("measurement", "measurement", about: "the measured image"),
            InputPort("resolution", "resolution", about: "geometry and covariances of the experiment"),
        ],
        output: "refinement",
        parameters: [
            Parameter("model", .model, about: "the magnetic model"),
            Parameter(
                "priors", .mapping(Prior.parameterType), default: .text("{}"),
                about:
                    "by parameter name: {uniform: [a, b]} and {log-uniform: [a, b]} are bounds, {normal: {mean: a, sigma: b}} "
                    + "counts as one more measurement, a value is held; others have no bounds"),
            Parameter(
                "hold", .list(.text, count: 0...100), default: .text("[]"),
                about: "names of parameters that keep the value they start with"),
            Parameter(
                "starts", .integer(1...1000), default: .text("1"),
                about: "beside the start given, others are drawn from the bounds; the best end is kept"),
            Parameter(
                "profiles", .list(.text, count: 0...100), default: .text("[]"),
                about: "names of parameters whose intervals come from the profile of the likelihood, too"),
            Parameter(
                "grid", .integer(2...400), default: .text("25"),
                about: "wavevectors along each axis of the magnetic reciprocal cell; axes without dispersion take one"),
        ] + likelihoodParameters + imageParameters + [
            Parameter(
                "iterations", .integer(1...1000), default: .text("50"), about: "steps at most, from each start"),
            Parameter(
                "tolerance", .number(1e-9...10), default: .text("0.001"),
                about: "done when a step would lower -2 ln L by less; 0.001 are 0.03 standard deviations"),
        ],
        isRandom: true, isThreaded: true)

    private static let likelihoodParameters = [
        Parameter(
            "scale", .choice(ImageComparison.Scale.allCases.map(\.rawValue)), default: .text("per-setting"),
            about: "one scale for all incident energies, or one each"),
        Parameter(
            "background", .choice(ImageLikelihood.Background.allCases.map(\.rawValue)), default: .text("sloped"),
            about:
                "none; for each incident energy a constant, or a constant and a slope along energy; or a constant for each "
                + "energy bin of each"),
        Parameter(
            "domains", .choice(["nominal", "fitted"]), default: .text("nominal"),
            about: "mix domains at the model's fractions, or fit each domain's share"),
        Parameter(
            "gain", .number(0...1e6), default: .text("0.15"),
            about:
                "variance per intensity, for a measurement without error bars; only its ratio to floor matters to the values"
        ),
        Parameter("floor", .number(0...1e6), default: .text("0.4"), about: "variance without intensity, likewise"),
        Parameter(
            "zeros", .choice(ImageLikelihood.Zeros.allCases.map(\.rawValue)), default: .text("clipped"),
            about: "what exact zeros mean: 0 or less, or a dead detector; or counted as 0"),
        Parameter(
            "dead", .number(0...0.5), default: .text("0.01"),
            about:
                "chance that a pixel is dead, of zeros: clipped; a first guess, but 0 stays 0"),
    ]

    private static let imageParameters = [
        Parameter(
            "flux-ratio", .boolean, default: .text("true"),
            about: "multiply by kf/ki, as a measured cross section contains it"),
        Parameter(
            "temperature", .quantity(.temperature, 0...2000), default: .text("0 K"),
            about: "sample temperature in the Bose factor n(E) + 1; 0 K leaves it out"),
    ]

    private let model: SpinModel
    private let parameters: [ImageRefinement.Parameter]
    /// By index; what `Prior` holds fixed.
    private let fixed: [Int: Double]
    private let priors: [Int: Prior]
    private let starts: Int
    private let profiles: [String]
    private let divisions: Int
    private let options: ImageLikelihood.Options
    private let imageOptions: DetectorImage.Options
    private let iterations: Int
    private let tolerance: Double

    static func problems(in parameters: Value) -> [ParameterProblem] {
        var problems = SolveSpinWaves.problems(in: parameters)
        guard let model = try? SpinModel(value: parameters.field("model")),
            case .record(let priors)? = parameters["priors"],
            let held = try? parameters.list("hold").map({ try $0.asString() }),
            let profiles = try? parameters.list("profiles").map({ try $0.asString() })
        else { return problems }
        problems += unknownNames(priors.keys.sorted(), of: model, under: "priors")
        problems += unknownNames(held, of: model, under: "hold")
        problems += unknownNames(profiles, of: model, under: "profiles")
        var free = Set(model.parameterNames).subtracting(held)
        var unbounded = free
        for (name, value) in priors.sorted(by: { $0.key < $1.key }) {
            guard let prior = (try? Prior(value)) ?? nil else {
                problems.append(
                    ParameterProblem(
                        ["priors", name], "the bounds of '\(name)' make no distribution",
                        hint: "write the lower bound first; for log-uniform both must have the same sign and not be 0"))
                continue
            }
            unbounded.remove(name)
            if case .fixed = prior { free.remove(name) }
        }
        if free.isEmpty {
            problems.append(
                ParameterProblem(["hold"], "nothing is left to refine", hint: "hold fewer of the model's parameters"))
        }
        if case .int(let starts)? = parameters["starts"], starts > 1, !unbounded.isEmpty {
            problems.append(
                ParameterProblem(
                    ["starts"],
                    "\(unbounded.sorted().joined(separator: ", ")) cannot be drawn: there are no bounds for it",
                    hint: "give priors to all parameters that are not held, or use starts: 1"))
        }
        if let gain = try? parameters.double("gain"), let floor = try? parameters.double("floor"), gain + floor <= 0 {
            problems.append(ParameterProblem(["gain"], "gain and floor are both 0, so that nothing scatters"))
        }
        return problems
    }

    init(parameters: Value) throws {
        model = try SpinModel(value: parameters.field("model"))
        let given = try parameters.field("priors").asRecord()
        let held = Set(try parameters.list("hold").map { try $0.asString() })
        var fixed: [Int: Double] = [:]
        var priors: [Int: Prior] = [:]
        var all: [ImageRefinement.Parameter] = []
        for (index, name) in model.parameterNames.enumerated() {
            var parameter = ImageRefinement.Parameter(name, isHeld: held.contains(name))
            if let value = given[name], let prior = try Prior(value) {
                priors[index] = prior
                switch prior {
                case .fixed(let value): (fixed[index], parameter.isHeld) = (value, true)
                case .uniform(let low, let high), .logUniform(let low, let high):
                    (parameter.lower, parameter.upper) = (low, high)
                case .normal(let mean, let sigma): parameter.prior = (mean, sigma)
                }
            }
            all.append(parameter)
        }
        (self.parameters, self.fixed, self.priors) = (all, fixed, priors)
        starts = try parameters.int("starts")
        profiles = try parameters.list("profiles").map { try $0.asString() }
        divisions = try parameters.int("grid")
        var options = ImageLikelihood.Options()
        options.scale = ImageComparison.Scale(rawValue: try parameters.string("scale")) ?? options.scale
        options.background =
            ImageLikelihood.Background(rawValue: try parameters.string("background")) ?? options.background
        options.fitsDomains = try parameters.string("domains") == "fitted"
        (options.gain, options.floor) = (try parameters.double("gain"), try parameters.double("floor"))
        options.zeros = ImageLikelihood.Zeros(rawValue: try parameters.string("zeros")) ?? options.zeros
        options.deadFraction = try parameters.double("dead")
        self.options = options
        imageOptions = DetectorImage.Options(
            fluxRatio: try parameters.bool("flux-ratio"), temperature: try parameters.double("temperature"))
        iterations = try parameters.int("iterations")
        tolerance = try parameters.double("tolerance")
    }

    func run(_ step: Step) throws -> StepOutput {
        guard let startValue = step.inputs["parameters"], let measurementValue = step.inputs["measurement"],
            let resolutionValue = step.inputs["resolution"]
        else { throw StepFailure("no parameters, no measurement or no resolution") }
        let start = try ParameterSet(startValue)
        guard Set(start.values.keys) == Set(model.parameterNames) else {
            throw StepFailure(
                "the parameters (\(start.values.keys.sorted().joined(separator: ", "))) are not this model's "
                    + "(\(model.parameterNames.joined(separator: ", ")))",
                hint: "give the same model to the node that makes the parameters")
        }
        let measurement = try Measurement(measurementValue)
        let resolution = try ExperimentResolution(resolutionValue)
        guard measurement.geometry.pixels == resolution.geometry.value.pixels else {
            throw StepFailure(
                "the measurement and the resolution have different layouts",
                hint: "give the measurement the same resolution node")
        }
        if let scaled = measurement.isScaledByKiOverKf, scaled == imageOptions.fluxRatio {
            throw StepFailure(
                "the measurement's runs are \(scaled ? "" : "not ")multiplied by ki/kf, and flux-ratio is \(scaled)",
                hint: "set flux-ratio: \(!scaled)")
        }
        do {
            let images = try ModelImages(
                model, divisions: divisions, resolution: resolution, options: imageOptions)
            let likelihood = try ImageLikelihood(
                measured: measurement.image, errors: measurement.error, missing: measurement.missing,
                geometry: resolution.geometry, fractions: images.fractions, options: options)
            var refinement = ImageRefinement(likelihood, parameters: parameters) { values, threads in
                if step.isCancelled() { throw CancellationError() }
                return try images.domains(values: values, threads: threads)
            }
            (refinement.iterations, refinement.tolerance) = (iterations, tolerance)
            refinement.threads = step.threads
            return try refine(refinement, from: start, images, step, measurement)
        } catch let error as InstrumentError {
            throw StepFailure(error.description, hint: error.hint)
        }
    }

    private func refine(
        _ refinement: ImageRefinement, from start: ParameterSet, _ images: ModelImages, _ step: Step,
        _ measurement: Measurement
    ) throws -> StepOutput {
        var refinement = refinement
        var best: (start: Int, result: ImageRefinementResult)?
        var ends: [Double?] = []
        var evaluations = 0
        let parts = Double(starts + profiles.count)
        for number in 0..<starts {
            guard let values = try startValues(number, start, images, step) else {
                ends.append(nil)
                continue
            }
            let label = starts > 1 ? "start \(number + 1) of \(starts), " : ""
            let likely = Double(2 * parameters.count { !$0.isHeld } + 1)
            refinement.progress = { images, iteration, dispersion in
                // Eight iterations are usual; beyond, what is left shrinks.
                let done = Double(images) / (Double(images) + likely * max(8 - Double(iteration), 1))
                step.progress(
                    (Double(number) + done) / parts,
                    "\(label)iteration \(iteration), reduced chi² \(Self.short(dispersion)), \(images) images")
            }
            guard let result = try refinement.refined(from: values) else {
                ends.append(nil)
                continue
            }
            evaluations += result.images
            ends.append(result.reducedChiSquared)
            if best.map({ result.reducedChiSquared < $0.result.reducedChiSquared }) ?? true {
                best = (number, result)
            }
        }
        guard let best else {
            throw StepFailure(
                "the structure is not stable at the start, with \(start.description)",
                hint:
                    "start from parameters at which it is: 'spinweave ground-state' finds what the exchange wants, and "
                    + "sample-parameters draws stable ones")
        }
        refinement.progress = { _, _, _ in }
        var found: [ImageRefinement.Profile] = []
        for (number, name) in profiles.enumerated() {
            step.progress((Double(starts + number)) / parts, "profile of \(name)")
            if let profile = try refinement.profile(of: name, around: best.result) { found.append(profile) }
        }
        let refined = Refinement(
            best.result, profiles: found, fractions: refinement.likelihood.fractions, measurement: measurement,
            bestStart: best.start, ends: ends, images: evaluations)
        return StepOutput(refined.value, summary: refined.facts)
    }

    /// The values of one start: those given, then draws from the bounds; nil where no draw is stable.
    private func startValues(
        _ number: Int, _ given: ParameterSet, _ images: ModelImages, _ step: Step
    ) throws -> [Double]? {
        var values = try model.values(overriding: given.values)
        for (index, value) in fixed { values[index] = value }
        if number == 0 { return values }
        for attempt in 0..<1000 {
            let stream = step.random.substream("start", number).substream("attempt", attempt)
            for index in values.indices where !parameters[index].isHeld {
                if let prior = priors[index] { values[index] = prior.quantile(stream.uniform(at: index)) }
            }
            if step.isCancelled() { throw CancellationError() }
            guard try model.disequilibrium(values: values) == nil else { continue }
            if try images.solver.stability(of: model.hamiltonian(values: values), stopAtFirst: true).isStable {
                return values
            }
        }
        return nil
    }

    private static func short(_ x: Double) -> String { String(format: "%.4g", x) }
}
