import Artifacts

/// A device that some stages use in place of the CPU.
///
/// The engine knows its names alone; a stage that uses it asks it for what it is.
public protocol Accelerator: Sendable {
    /// What records say of whoever computed them: `cuda`.
    var executor: String { get }
    /// Which device it is: `NVIDIA H100 PCIe (device 0)`.
    var name: String { get }
    /// What kind it is, without its place in this machine: `NVIDIA H100 PCIe, sm_90`.
    var kind: String { get }

    /// Keeps, as long as it has room, what a step left on the device of the answer of that digest.
    func keep(_ remnant: any Sendable, of digest: Digest)

    /// What the device still has of an artifact; nil for nothing.
    func remnant(of digest: Digest) -> (any Sendable)?
}

extension Accelerator {
    public func keep(_ remnant: any Sendable, of digest: Digest) {}
    public func remnant(of digest: Digest) -> (any Sendable)? { nil }
}

/// A stage that has an implementation for a device beside the one for the CPU, within the same tolerance of its reference.
///
/// The answer of a step is one record whoever computed it, unless keys name the executor (`--strict-numerics`).
public protocol AcceleratedStage: Stage {
    /// Why steps with these parameters are left to the CPU; nil where a device takes them.
    ///
    /// It depends on nothing but the parameters: under strict numerics the answer is in keys.
    static func obstacle(toAccelerating parameters: Value) -> String?

    /// Ports whose inputs need not be read from the store where the device still has them (`Step.remnants`).
    static var remnantPorts: Set<String> { get }

    /// How many steps a device takes at once, at least one. Two batches may be under way on it.
    func batchSize(on accelerator: any Accelerator) -> Int

    /// Does steps of one node on a device, together. May be called on several threads at once.
    ///
    /// - Returns: an answer, or why there is none, for each step in its order.
    /// - Throws: `AcceleratorFailure` when the device could not do it, whereupon others do.
    func run(_ steps: [Step], on accelerator: any Accelerator) throws -> [Result<StepOutput, StepFailure>]
}

extension AcceleratedStage {
    public static var remnantPorts: Set<String> { [] }
}

/// A device that could not do what it was given: not the fault of the steps.
public struct AcceleratorFailure: Error, Sendable, Hashable, CustomStringConvertible {
    public var reason: String
    /// There was no room for the batch; a smaller one may find room.
    public var isFull: Bool
    /// It is this node's work that the device cannot do; others it can.
    public var isUnfit: Bool

    public init(_ reason: String, isFull: Bool = false, isUnfit: Bool = false) {
        self.reason = reason
        self.isFull = isFull
        self.isUnfit = isUnfit
    }

    public var description: String { reason }
}

extension Graph.Node {
    /// Who computes this node when `preferred` is there: `cpu`, unless its stage has an implementation for the other and nothing
    /// in its parameters is in the way. Limits are kept by processes, which have no device.
    public func executor(preferring preferred: String) -> String {
        obstacle(to: preferred) == nil ? preferred : Run.cpu
    }

    /// Why the CPU computes this node even where `preferred` is there; nil where it does not.
    public func obstacle(to preferred: String) -> String? {
        if preferred == Run.cpu { return nil }
        guard let accelerated = stage as? any AcceleratedStage.Type else { return "the stage has no kernel for it" }
        if limits != nil { return "its steps have limits, which are kept on the CPU" }
        return accelerated.obstacle(toAccelerating: parameters)
    }
}
