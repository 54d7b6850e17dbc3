import Artifacts
import CacheStore

/// Results that the program keeps in the store for itself, beside the steps of graphs: code that it compiled.
///
/// They are records like any other, and a garbage collection removes them like any that no run uses.
public struct ToolMemory: Sendable {
    private let store: Store
    private let programVersion: String
    private let machine: String
    private let clock: @Sendable () -> Double

    public init(_ store: Store, programVersion: String, machine: String, clock: @escaping @Sendable () -> Double) {
        self.store = store
        self.programVersion = programVersion
        self.machine = machine
        self.clock = clock
    }

    /// What was kept; nil where there is nothing, or nothing whole.
    ///
    /// - Parameter identity: a record with all that the result depends on.
    public func value(for identity: Value) throws -> Value? {
        guard let artifact = try store.answers(for: [Self.step(identity).key])[0]?.artifact else { return nil }
        do {
            return try NodeInputs.load(artifact, from: store)
        } catch is RunError {
            // Damaged and set aside, or gone: it is made anew.
            return nil
        }
    }

    /// Keeps `value`.
    ///
    /// - Parameter name: what it is called in listings: `axpy.cu sm_90`.
    /// - Parameter tool: what made it, in place of a stage: `compile-kernel`.
    /// - Parameter seconds: what making it took.
    public func keep(_ value: Value, for identity: Value, name: String, tool: String, seconds: Double) throws {
        guard store.access == .readWrite else { return }
        let encoded = value.encoded()
        let record = Record(
            identity: Self.step(identity), graph: "", node: name, stage: tool, stageVersion: 1, sample: nil,
            outcome: .done(artifact: Digest(of: encoded.bytes), bytes: encoded.bytes.count), seconds: seconds,
            executor: Run.cpu, machine: machine, programVersion: programVersion, run: "", created: clock(), summary: [])
        try store.put([NewRecord(record: record, template: identity.encoded().bytes, artifact: encoded)])
    }

    private static func step(_ identity: Value) -> StepIdentity { StepIdentity(template: identity.digest) }
}
