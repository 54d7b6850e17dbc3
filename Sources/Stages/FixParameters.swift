import Artifacts
import Dataflow
import Diagnostics
import SpinWaves

/// One parameter set, given by hand: the model's own values unless told otherwise.
struct FixParameters: Stage {
    static let signature = Signature(
        "fix-parameters", version: 1, about: "One set of parameters: the model's own values, or those given.",
        output: "parameters",
        parameters: [
            Parameter("model", .model, about: "the magnetic model"),
            Parameter(
                "values", .mapping(.quantity(.energy, -1e6...1e6)), default: .text("{}"),
                about: "values that differ from the model's own, by parameter name"),
        ])

    private let model: SpinModel
    private let given: [String: Double]

    static func problems(in parameters: Value) -> [ParameterProblem] {
        guard let model = try? SpinModel(value: parameters.field("model")),
            case .record(let values)? = parameters["values"]
        else { return [] }
        return unknownNames(values.keys.sorted(), of: model, under: "values")
    }

    init(parameters: Value) throws {
        model = try SpinModel(value: parameters.field("model"))
        given = try parameters.field("values").asRecord().mapValues { try $0.asDouble() }
    }

    func run(_ step: Step) throws -> StepOutput {
        let values = try model.values(overriding: given)
        let stability = try model.stability(values: values)
        let set = ParameterSet(
            values: Dictionary(uniqueKeysWithValues: zip(model.parameterNames, values)),
            isUnstable: !stability.isStable)
        return StepOutput(set.value, summary: ["unstable": .bool(set.isUnstable)])
    }
}

/// Problems for names that the model does not know, with the nearest that it does.
func unknownNames(_ names: [String], of model: SpinModel, under parameter: String) -> [ParameterProblem] {
    names.filter { !model.parameterNames.contains($0) }.map { name in
        ParameterProblem(
            [parameter, name], "the model has no parameter '\(name)'",
            hint: Spelling.nearest(to: name, among: model.parameterNames).map { "did you mean '\($0)'?" }
                ?? "it has \(model.parameterNames.joined(separator: ", "))")
    }
}
