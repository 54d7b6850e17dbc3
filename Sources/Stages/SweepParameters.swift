import Artifacts
import Dataflow
import SpinWaves

/// Parameter sets at points that the graph gives: along lines, over grids, or one by one.
struct SweepParameters: Stage {
    static let signature = Signature(
        "sweep-parameters", version: 1,
        about: "Sets of exchange parameters at given points: every combination of the values, or one after the other.",
        output: "parameters", samplesFrom: "values",
        parameters: [
            Parameter("model", .model, about: "the magnetic model"),
            Parameter(
                "values", .mapping(SweepAxis.parameterType),
                about: "by parameter name: a list of values, or {from: a, to: b, count: n} with spacing: linear or "
                    + "logarithmic"),
            Parameter(
                "combine", .choice(["product", "zip"]), default: .text("product"),
                about: "every combination (the last name in alphabetical order runs fastest), or the first values of "
                    + "all, then the second ones"),
            Parameter(
                "fixed", .mapping(SweepAxis.energy), default: .text("{}"),
                about: "values that differ from the model's own at every point, by parameter name"),
            Parameter(
                "on-unstable", .choice(["keep-and-flag", "fail"]), default: .text("keep-and-flag"),
                about: "when the spin structure is not a minimum of the energy: keep the point with a flag, or fail "
                    + "it"),
            Parameter(
                "stability-grid", .integer(2...401), default: .text("25"),
                about: "wavevectors along each dispersive axis at which stability is tested; as many as spin-waves "
                    + "solves"),
        ])

    static let sampleParameterNames: Set<String> = ["values", "combine"]

    private let model: SpinModel
    private let points: SweepPoints
    private let fixed: [String: Double]
    private let keepsUnstable: Bool
    private let solver: ZoneSolver

    static func sampleCount(_ parameters: Value) -> Int? { SweepPoints(parameters)?.count }

    static func parameters(_ parameters: Value, ofSample sample: Int) -> Value? {
        guard let points = SweepPoints(parameters), let count = points.count, sample >= 0, sample < count else {
            return nil
        }
        return .record(points[sample].mapValues { .double($0) })
    }

    static func problems(in parameters: Value) -> [ParameterProblem] {
        guard let model = try? SpinModel(value: parameters.field("model")), let points = SweepPoints(parameters),
            case .record(let fixed)? = parameters["fixed"]
        else { return [] }
        let names = points.axes.map(\.name)
        var problems =
            unknownNames(names, of: model, under: "values")
            + unknownNames(fixed.keys.sorted(), of: model, under: "fixed")
        for name in names where fixed[name] != nil {
            problems.append(
                ParameterProblem(
                    ["fixed", name], "'\(name)' is fixed here and swept in 'values'", hint: "remove one of them"))
        }
        for axis in points.axes {
            guard let problem = axis.values.problem else { continue }
            problems.append(
                ParameterProblem(
                    ["values", axis.name], problem,
                    hint: "give two values of the same sign, write a list, or put one value into 'fixed'"))
        }
        guard let first = points.axes.first else {
            return problems + [
                ParameterProblem(
                    ["values"], "a sweep needs at least one parameter",
                    hint: "write 'NAME: {from: …, to: …, count: …}', or use the stage fix-parameters")
            ]
        }
        if !points.isProduct {
            for axis in points.axes where axis.values.count != first.values.count {
                problems.append(
                    ParameterProblem(
                        ["values", axis.name],
                        "'\(axis.name)' has \(axis.values.count) values, '\(first.name)' has \(first.values.count)",
                        hint: "combine: zip takes them one after the other and needs the same number; "
                            + "combine: product takes every combination"))
            }
        }
        if let count = points.count, count > SweepAxis.limit {
            let factors = points.axes.map { "\($0.values.count)" }.joined(separator: " × ")
            problems.append(
                ParameterProblem(
                    ["values"], "a sweep has at most \(SweepAxis.limit) points, this has \(factors)",
                    hint: "take fewer values, or sample-parameters, which draws among them"))
        }
        return problems
    }

    init(parameters: Value) throws {
        model = try SpinModel(value: parameters.field("model"))
        guard let points = SweepPoints(parameters) else {
            throw ValueError(expected: "the values of a sweep", field: "values", found: "others")
        }
        self.points = points
        fixed = try parameters.field("fixed").asRecord().mapValues { try $0.asDouble() }
        keepsUnstable = try parameters.string("on-unstable") == "keep-and-flag"
        solver = try ZoneSolver(model, grid: ZoneGrid(model, divisions: parameters.int("stability-grid")))
    }

    func run(_ step: Step) throws -> StepOutput {
        let given = fixed.merging(points[step.sample ?? 0]) { $1 }
        let values = try model.values(overriding: given)
        let stability = try solver.stability(of: model.hamiltonian(values: values), stopAtFirst: true)
        let set = ParameterSet(
            values: Dictionary(uniqueKeysWithValues: zip(model.parameterNames, values)),
            isUnstable: !stability.isStable)
        if set.isUnstable, !keepsUnstable {
            let q = stability.firstUnstable.map { "(\($0.x) \($0.y) \($0.z))" } ?? ""
            throw StepFailure(
                "unstable ground state at q = \(q) with \(set.description)",
                hint: "leave this point out, or keep it with on-unstable: keep-and-flag")
        }
        return StepOutput(set.value, summary: ["unstable": .bool(set.isUnstable)])
    }
}
