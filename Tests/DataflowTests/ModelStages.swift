import Artifacts
import Dataflow
import Foundation
import Synchronization

/// What the stages of the model-based test did, and when they are to die.
enum ModelLog {
    struct Killed: Error {}

    private struct State {
        var ran: [String] = []
        var budget = Int.max
    }

    private static let state = Mutex(State())

    /// Starts afresh; the step after `budget` others dies.
    static func reset(budget: Int) { state.withLock { $0 = State(budget: budget) } }

    static var ran: [String] { state.withLock { $0.ran } }

    static func run(_ meaning: String) throws {
        try state.withLock {
            if $0.ran.count == $0.budget { throw Killed() }
            $0.ran.append(meaning)
        }
    }
}

/// Integer arithmetic as a stage: it logs what its answer depends on, then answers.
protocol ModelStage: Stage {
    static var inputs: [InputPort] { get }
    var parameters: Value { get }
}

extension ModelStage {
    func parameter(_ name: String) -> Int { (try? parameters.int(name)) ?? 0 }

    static func declare(
        _ name: String, inputs: [InputPort] = [], samplesFrom: String? = nil, isRandom: Bool = false
    ) -> Signature {
        Signature(
            name, version: 1, about: "Model.", inputs: inputs, output: "number", samplesFrom: samplesFrom,
            isRandom: isRandom)
    }
}

/// Sample i of `count` is `base + i`.
struct ModelSource: ModelStage {
    static let inputs: [InputPort] = []
    static let signature = declare("source", samplesFrom: "count")
    let parameters: Value

    init(parameters: Value) { self.parameters = parameters }

    func run(_ step: Step) throws -> StepOutput {
        try ModelLog.run("source \(parameter("base")) #\(step.sample ?? -1)")
        return StepOutput(.int(parameter("base") + (step.sample ?? 0)))
    }
}

/// Sample i is `values[i]`.
struct ModelPoints: ModelStage {
    static let inputs: [InputPort] = []
    static let signature = declare("points", samplesFrom: "values")
    static let sampleParameterNames: Set<String> = ["values"]
    let parameters: Value

    init(parameters: Value) { self.parameters = parameters }

    static func sampleCount(_ parameters: Value) -> Int? { try? parameters.list("values").count }

    static func parameters(_ parameters: Value, ofSample sample: Int) -> Value? {
        (try? parameters.list("values")[sample]).map { .record(["value": $0]) }
    }

    func run(_ step: Step) throws -> StepOutput {
        let value = try parameters.list("values")[step.sample ?? 0].asInt()
        try ModelLog.run("point \(value)")
        return StepOutput(.int(value))
    }
}

/// `(x + y + add) mod modulus`; fails where that is `failing`.
struct ModelMap: ModelStage {
    static let inputs = [
        InputPort("x", "number", about: "First."), InputPort("y", "number", optional: true, about: "Second."),
    ]
    static let signature = declare("map", inputs: inputs)
    let parameters: Value

    init(parameters: Value) { self.parameters = parameters }

    func run(_ step: Step) throws -> StepOutput {
        let (x, y) = (try step.inputs["x"]?.asInt() ?? 0, try step.inputs["y"]?.asInt())
        let (add, modulus) = (parameter("add"), parameter("modulus"))
        try ModelLog.run("map \(add) \(modulus) \(parameter("failing")) \(x) \(y.map(String.init) ?? "-")")
        let answer = (x + (y ?? 0) + add) % modulus
        if answer == parameter("failing") { throw StepFailure("the answer is \(answer)") }
        return StepOutput(.int(answer), summary: ["sum": .int(answer)])
    }
}

/// `x + sample`, drawing from its own address.
struct ModelDraw: ModelStage {
    static let inputs = [InputPort("x", "number", about: "Input.")]
    static let signature = declare("draw", inputs: inputs, isRandom: true)
    let parameters: Value

    init(parameters: Value) { self.parameters = parameters }

    func run(_ step: Step) throws -> StepOutput {
        let x = try step.inputs["x"]?.asInt() ?? 0
        try ModelLog.run("draw \(step.node) \(x) #\(step.sample ?? -1)")
        return StepOutput(.int(x + (step.sample ?? 0)))
    }
}

/// The sum of everything, modulo.
struct ModelFold: ModelStage {
    static let inputs = [InputPort("all", "number", .all, about: "Everything.")]
    static let signature = declare("fold", inputs: inputs)
    let parameters: Value

    init(parameters: Value) { self.parameters = parameters }

    func run(_ step: Step) throws -> StepOutput {
        let members = try (step.collections["all"] ?? []).map { (sample: $0.sample, value: try $0.load().asInt()) }
        let text = members.map { "\($0.sample.map(String.init) ?? "-"):\($0.value)" }.joined(separator: ",")
        try ModelLog.run("fold \(parameter("modulus")) \(text)")
        return StepOutput(.int(members.reduce(0) { $0 + $1.value } % parameter("modulus")))
    }
}
