/// What can go wrong in building, training or asking a network: what, where, and what now.
public enum LearningError: Error, Hashable, Sendable {
    /// A layer cannot follow those before it. Layers are counted from 1.
    case layer(number: Int, problem: String, hint: String)
    /// The layers fit each other, but not the task.
    case network(problem: String, hint: String)
    /// A training setting outside its range.
    case setting(name: String, problem: String)
    /// Images or labels that cannot be learnt from or judged.
    case images(problem: String, hint: String)
    /// Weights of another network.
    case weights(problem: String)
    /// The loss or the weights stopped being finite numbers.
    case diverged(epoch: Int)
    /// Probabilities and labels that no report can be made of.
    case predictions(problem: String)
    /// This machine cannot do what was asked for, where another could.
    case machine(problem: String, hint: String)
    /// oneDNN refused a call.
    case library(call: String, status: String)
    /// A file that does not hold what it should, or cannot hold what it is to.
    case file(problem: String, hint: String)
}

extension LearningError {
    /// Whether another machine, or this one at another time, might not fail: such a failure says nothing of the task.
    public var isOfTheMachine: Bool {
        switch self {
        case .library, .machine: true
        default: false
        }
    }
}

extension LearningError: CustomStringConvertible {
    public var message: String {
        switch self {
        case .layer(let number, let problem, _): "layer \(number): \(problem)"
        case .network(let problem, _): "network: \(problem)"
        case .setting(let name, let problem): "training setting '\(name)': \(problem)"
        case .images(let problem, _): "images: \(problem)"
        case .weights(let problem): "weights: \(problem)"
        case .diverged(let epoch): "training diverged in epoch \(epoch): the loss is not a finite number"
        case .predictions(let problem): "predictions: \(problem)"
        case .machine(let problem, _), .file(let problem, _): problem
        case .library(let call, let status): "oneDNN: \(call) failed with status '\(status)'"
        }
    }

    public var hint: String? {
        switch self {
        case .layer(_, _, let hint), .network(_, let hint), .images(_, let hint), .machine(_, let hint),
            .file(_, let hint):
            hint
        case .setting, .predictions: nil
        case .weights: "weights belong to the layers they were trained with: train this network anew"
        case .diverged: "use a smaller learning rate, a warm-up or gradient clipping"
        case .library: "check the installed libdnnl (2.6 or later 2.x) and the free memory"
        }
    }

    public var description: String { hint.map { "\(message)\n  hint: \($0)" } ?? message }
}
