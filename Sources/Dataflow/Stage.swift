import Artifacts
import Compute

/// A kind of work. Stateless: all that a step depends on is in its parameters, inputs and random address.
public protocol Stage: Sendable {
    static var signature: Signature { get }

    /// Problems that only the stage can see (a prior for a parameter that the model lacks, layers that do not fit).
    /// Called at binding, with every parameter already of the right type.
    static func problems(in parameters: Value) -> [ParameterProblem]

    /// How many samples the stage makes of itself; nil for a stage that makes none. Only called for stages with
    /// `samplesFrom`.
    static func sampleCount(_ parameters: Value) -> Int?

    /// The part of `parameters` that one sample reads, for stages whose samples are given one by one (a sweep's points).
    ///
    /// Where it is not nil it stands in the sample's key in place of all parameters and of the sample's number: an edit of
    /// one point touches one sample, and two equal points are one step.
    static func parameters(_ parameters: Value, ofSample sample: Int) -> Value?

    /// The parameters that enter keys through `parameters(_:ofSample:)` alone.
    static var sampleParameterNames: Set<String> { get }

    /// The parameters that a checkpoint of a step depends on, for stages whose steps keep one (`Step.checkpoint`): all but
    /// those that only say how far to go. Nil for stages that keep none.
    static func checkpointParameters(_ parameters: Value) -> Value?

    /// - Parameter parameters: a record with every parameter of the signature, defaults filled in.
    init(parameters: Value) throws

    /// Does one step: one sample of a mapping or sample-making stage, or the whole node.
    ///
    /// May be called on several threads at once.
    func run(_ step: Step) throws -> StepOutput
}

extension Stage {
    public static func problems(in parameters: Value) -> [ParameterProblem] { [] }

    public static func sampleCount(_ parameters: Value) -> Int? {
        guard let name = signature.samplesFrom, case .int(let count)? = parameters[name] else { return nil }
        return count
    }

    public static func parameters(_ parameters: Value, ofSample sample: Int) -> Value? { nil }

    public static var sampleParameterNames: Set<String> { [] }

    public static func checkpointParameters(_ parameters: Value) -> Value? { nil }
}

/// A problem with one parameter that a stage found at binding.
public struct ParameterProblem: Sendable, Hashable {
    /// Names and indices from the parameter down to the place: `["priors", "JF9"]`, `["layers", "3"]`.
    public var path: [String]
    public var message: String
    public var hint: String?

    public init(_ path: [String], _ message: String, hint: String? = nil) {
        self.path = path
        self.message = message
        self.hint = hint
    }
}

/// What a step sees of the world.
public struct Step: Sendable {
    /// One member of an `all` input.
    public struct Member: Sendable {
        /// The class of the node it came from; nil outside `for: each class`.
        public var className: String?
        /// The sample's number; nil for a node without samples.
        public var sample: Int?
        public var digest: Digest
        /// Reads the value from the store.
        public var load: @Sendable () throws -> Value

        public init(
            className: String?, sample: Int?, digest: Digest, load: @escaping @Sendable () throws -> Value
        ) {
            self.className = className
            self.sample = sample
            self.digest = digest
            self.load = load
        }
    }

    /// The node's name, with its class: `spectra@dimer`.
    public var node: String
    public var className: String?
    /// The sample's number, or nil for a node without samples.
    public var sample: Int?
    /// `each` inputs by port; an optional input that is not connected is absent.
    public var inputs: [String: Value]
    /// Digests of `inputs`, for stages that prepare something once and use it for many samples.
    public var inputDigests: [String: Digest]
    /// By port, what the device that the step runs on still has of inputs: they are absent from `inputs` then, unless read by
    /// `withAllInputs`.
    public var remnants: [String: any Sendable] = [:]
    /// Reads an input of a port from the store.
    var load: @Sendable (_ port: String) throws -> Value? = { _ in nil }
    /// `all` inputs by port, in class order, then sample order.
    public var collections: [String: [Member]]
    /// Addressed by (seed, node, sample).
    public var random: RandomStream
    /// Addressed by (seed, node): the same for all samples, for what they must agree on (a validation split, the
    /// shift of a Sobol sequence).
    public var nodeRandom: RandomStream
    /// How many threads this step may use; 1 unless the signature says `isThreaded`.
    public var threads: Int
    /// Fraction done (0…1) and a short note such as `epoch 3 of 40, validation 91.2 %`.
    public var progress: @Sendable (Double, String) -> Void
    /// True when the user asked to stop at once; long steps look at it and throw `CancellationError`.
    public var isCancelled: @Sendable () -> Bool
    /// For stages with `checkpointParameters`; nil elsewhere, and in steps with limits, which are computed by a process
    /// that does not write to the store.
    public var checkpoint: Checkpoint?

    public init(
        node: String, className: String? = nil, sample: Int? = nil, inputs: [String: Value] = [:],
        inputDigests: [String: Digest] = [:], collections: [String: [Member]] = [:], random: RandomStream,
        nodeRandom: RandomStream? = nil, threads: Int = 1,
        progress: @escaping @Sendable (Double, String) -> Void = { _, _ in },
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        self.node = node
        self.className = className
        self.sample = sample
        self.inputs = inputs
        self.inputDigests = inputDigests
        self.collections = collections
        self.random = random
        self.nodeRandom = nodeRandom ?? random
        self.threads = threads
        self.progress = progress
        self.isCancelled = isCancelled
    }
}

extension Step {
    /// The same with inputs read that the device had.
    public func withAllInputs() throws -> Step {
        var step = self
        for port in remnants.keys { step.inputs[port] = try load(port) }
        step.remnants = [:]
        return step
    }
}

/// What a step gives back.
public struct StepOutput: Sendable {
    public var value: Value
    /// A few small facts for reports and listings ("rejected": 3, "unstable": true); kept in the record and not
    /// part of the artifact's digest.
    public var summary: [String: Value]
    /// What a device that computed it still has of `value`, for steps that come after on the same device.
    public var remnant: (any Sendable)?

    public init(_ value: Value, summary: [String: Value] = [:]) {
        self.value = value
        self.summary = summary
    }
}

/// A step that could not give an answer: a physics failure or unusable data, worded for the user.
public struct StepFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public var message: String
    public var hint: String?
    /// Small facts for the record of the failure, as in `StepOutput.summary`.
    public var facts: [String: Value] = [:]

    public init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }

    public var description: String { hint.map { "\(message)\n  hint: \($0)" } ?? message }
}
