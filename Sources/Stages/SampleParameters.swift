import Artifacts
import Compute
import Dataflow
import Foundation
import SpinWaves

/// Draws parameter sets from priors.
///
/// Sample i is the same however many are asked for. Under `reject`, an unstable draw is drawn again from the sample's
/// own stream (random) or from the next independently shifted sequence at the same index (Sobol).
struct SampleParameters: Stage {
    static let signature = Signature(
        "sample-parameters", version: 1,
        about: "Draws sets of exchange parameters from priors; handles unstable ground states as told.",
        output: "parameters", samplesFrom: "count",
        parameters: [
            Parameter("model", .model, about: "the magnetic model"),
            Parameter(
                "priors", .mapping(Prior.parameterType),
                about: "by parameter name: a value, {uniform: [a, b]}, {normal: {mean: a, sigma: b}} or "
                    + "{log-uniform: [a, b]}; parameters without a prior keep the model's value"),
            Parameter("count", .integer(1...10_000_000), about: "number of samples; growing it keeps those before"),
            Parameter(
                "design", .choice(["random", "sobol", "grid"]), default: .text("random"),
                about: "independent draws, a low-discrepancy sequence (up to 21 priors), or the points of a grid"),
            Parameter(
                "levels", .integer(1...1_000_000), default: .text("5"),
                about: "points along each prior of a grid, at equal steps of probability"),
            Parameter(
                "on-unstable", .choice(["reject", "keep-and-flag", "fail"]), default: .text("reject"),
                about: "when the spin structure is not a minimum of the energy: draw again, keep it with a flag, "
                    + "or fail the sample"),
            Parameter(
                "stability-grid", .integer(2...401), default: .text("25"),
                about:
                    "wavevectors along each dispersive axis at which stability is tested; as many as spin-waves solves, so "
                    + "that a sample accepted here is not refused there"),
            Parameter(
                "attempts", .integer(1...1_000_000), default: .text("1000"),
                about: "draws before a rejecting sample gives up"),
        ],
        isRandom: true)

    private enum Policy: String { case reject, flag = "keep-and-flag", fail }

    private let model: SpinModel
    /// In the order of the model's parameters; fixed ones included.
    private let priors: [(name: String, prior: Prior)]
    private let design: String
    private let levels: Int
    private let policy: Policy
    private let attempts: Int
    private let solver: ZoneSolver

    static func problems(in parameters: Value) -> [ParameterProblem] {
        guard let model = try? SpinModel(value: parameters.field("model")),
            case .record(let priors)? = parameters["priors"], case .string(let design)? = parameters["design"],
            case .int(let levels)? = parameters["levels"], case .int(let count)? = parameters["count"],
            case .string(let policy)? = parameters["on-unstable"]
        else { return [] }
        var problems = unknownNames(priors.keys.sorted(), of: model, under: "priors")
        var varied = 0
        for (name, value) in priors.sorted(by: { $0.key < $1.key }) {
            guard let prior = (try? Prior(value)) ?? nil else {
                problems.append(
                    ParameterProblem(
                        ["priors", name], "the bounds of '\(name)' make no distribution",
                        hint: "write the lower bound first; for log-uniform both must have the same sign and not be 0"))
                continue
            }
            if case .fixed = prior { continue }
            varied += 1
        }
        if design == "sobol", varied > Sobol.maximumDimensions {
            problems.append(
                ParameterProblem(
                    ["design"], "a Sobol design has at most \(Sobol.maximumDimensions) priors, here are \(varied)",
                    hint: "use design: random"))
        }
        if design == "grid" {
            let points = pow(Double(levels), Double(varied))
            if Double(count) > points {
                problems.append(
                    ParameterProblem(
                        ["count"], "the grid has \(Int(points)) points (\(levels) levels, \(varied) priors)",
                        hint: "lower count or raise levels"))
            }
            if policy == Policy.reject.rawValue {
                problems.append(
                    ParameterProblem(
                        ["on-unstable"], "a grid has no other point to take for a rejected one",
                        hint: "use on-unstable: keep-and-flag or fail"))
            }
        }
        return problems
    }

    init(parameters: Value) throws {
        let model = try SpinModel(value: parameters.field("model"))
        let given = try parameters.field("priors").asRecord()
        self.model = model
        priors = try model.parameters.map { parameter in
            (parameter.name, try given[parameter.name].flatMap { try Prior($0) } ?? .fixed(parameter.value))
        }
        design = try parameters.string("design")
        levels = try parameters.int("levels")
        policy = Policy(rawValue: try parameters.string("on-unstable")) ?? .fail
        attempts = try parameters.int("attempts")
        solver = try ZoneSolver(model, grid: ZoneGrid(model, divisions: parameters.int("stability-grid")))
    }

    func run(_ step: Step) throws -> StepOutput {
        let sample = step.sample ?? 0
        for attempt in 0..<attempts {
            let values = draw(sample: sample, attempt: attempt, step)
            let stability = try solver.stability(
                of: try model.hamiltonian(values: values), stopAtFirst: policy != .flag)
            let set = ParameterSet(
                values: Dictionary(uniqueKeysWithValues: zip(model.parameterNames, values)),
                isUnstable: !stability.isStable)
            if stability.isStable || policy == .flag {
                return StepOutput(
                    set.value,
                    summary: [
                        "draws": .int(attempt + 1), "rejected": .int(attempt), "unstable": .bool(set.isUnstable),
                    ])
            }
            if policy == .fail {
                let q = stability.firstUnstable.map { "(\($0.x) \($0.y) \($0.z))" } ?? ""
                throw StepFailure(
                    "unstable ground state at q = \(q) with \(set.description)",
                    hint: "on-unstable: reject draws again, keep-and-flag keeps it with a flag")
            }
        }
        throw StepFailure(
            "none of \(attempts) draws has a stable ground state",
            hint: "the priors hardly overlap with the region where this structure is stable; change them, or raise "
                + "attempts")
    }

    private func draw(sample: Int, attempt: Int, _ step: Step) -> [Double] {
        let varied = priors.count {
            if case .fixed = $0.prior { return false }
            return true
        }
        let coordinates: [Double]
        switch design {
        case "sobol" where varied > 0:
            coordinates = Sobol(dimensions: varied, random: step.nodeRandom.substream("sobol", attempt)).point(sample)
        case "grid":
            var rest = sample
            coordinates = (0..<varied).map { _ in
                defer { rest /= levels }
                return (Double(rest % levels) + 0.5) / Double(levels)
            }
        default:
            let stream = step.random.substream("attempt", attempt)
            coordinates = (0..<varied).map { stream.uniform(at: $0) }
        }
        var next = coordinates.makeIterator()
        return priors.map { _, prior in
            if case .fixed(let value) = prior { return value }
            return prior.quantile(next.next() ?? 0.5)
        }
    }
}
