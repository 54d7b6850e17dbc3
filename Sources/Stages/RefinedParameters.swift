import Artifacts
import Dataflow

/// The values of a refinement as a parameter set, for nodes that take one.
struct RefinedParameters: Stage {
    static let signature = Signature(
        "refined-parameters", version: 1, about: "The parameters that a refinement found, as input of spin-waves.",
        inputs: [InputPort("refinement", "refinement", about: "a refined model")], output: "parameters")

    init(parameters: Value) throws {}

    func run(_ step: Step) throws -> StepOutput {
        guard let refinement = step.inputs["refinement"] else { throw StepFailure("no refinement") }
        // A refinement ends where the structure is stable: elsewhere there is no image.
        let set = ParameterSet(
            values: try refinement.field("parameters").asRecord().mapValues { try $0.asDouble() }, isUnstable: false)
        return StepOutput(set.value, summary: ["unstable": .bool(false)])
    }
}
