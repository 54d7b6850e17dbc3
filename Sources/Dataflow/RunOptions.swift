/// How a run should behave.
public struct RunOptions: Sendable {
    /// Threads that compute.
    public var jobs: Int
    /// Steps that failed before are tried again.
    public var retriesFailed: Bool
    /// The executor enters the keys, for those who want one record per device.
    public var strictNumerics: Bool
    /// A failed step ends only what depends on it; otherwise the run stops after its node.
    public var keepsGoing: Bool
    public var programVersion: String
    /// The class of machine, for the records: processor and what it can do.
    public var machine: String
    /// Computes a step of a node with limits in a process of its own; nil where there is none: limits are not kept then.
    public var isolated: (@Sendable (Graph.Node, Step) throws -> StepOutput)?
    /// Seconds of work that a killed run may lose of a step that keeps checkpoints.
    public var checkpointInterval = 10.0
    /// Devices beside the CPU, all of one executor; stages that cannot use them, and what fails on them, are the CPU's.
    public var accelerators: [any Accelerator] = []
    /// Wall clock in seconds since 1970.
    public var clock: @Sendable () -> Double

    public init(
        jobs: Int, retriesFailed: Bool = false, strictNumerics: Bool = false, keepsGoing: Bool = false,
        programVersion: String, machine: String = "",
        isolated: (@Sendable (Graph.Node, Step) throws -> StepOutput)? = nil,
        clock: @escaping @Sendable () -> Double
    ) {
        self.jobs = max(1, jobs)
        self.retriesFailed = retriesFailed
        self.strictNumerics = strictNumerics
        self.keepsGoing = keepsGoing
        self.programVersion = programVersion
        self.machine = machine
        self.isolated = isolated
        self.clock = clock
    }

    /// What `strictNumerics` puts in keys; nil without it.
    var executorInKey: String? { strictNumerics ? accelerators.first?.executor ?? Run.cpu : nil }
}
