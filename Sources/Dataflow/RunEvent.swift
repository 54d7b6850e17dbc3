import Artifacts
import CacheStore

/// What happens during a run, for progress displays and other programs.
public enum RunEvent: Sendable {
    case nodeStarted(name: String, stage: String, steps: Int, reused: Int)
    /// `done` counts finished steps of this run; `fraction` (0…1) and `note` come from inside a long step.
    case progress(name: String, done: Int, failed: Int, missing: Int, fraction: Double, note: String)
    case nodeFinished(Report.NodeReport)
    /// Another program computes the last so many missing steps of this node now; their answers are waited for.
    case waiting(name: String, steps: Int)
    /// A device failed; the CPU, or other devices, go on in its place to the end of the run.
    case fallback(node: String, device: String, reason: String)
    /// The store was larger than its settings allow: what went to make it fit.
    case collected(GarbageCollection)
    /// The first Ctrl-C: steps in flight finish and are kept.
    case stopping
}

extension RunEvent {
    /// The format of `document`; it rises when a field changes its meaning or goes away, not when one is added.
    public static let version = 1

    /// The event as one value, for programs that follow a run.
    ///
    /// - Parameter time: seconds since 1970.
    public func document(at time: Double) -> Value {
        var fields: [String: Value] = ["version": .int(Self.version), "time": .double(time)]
        switch self {
        case .nodeStarted(let name, let stage, let steps, let reused):
            fields["event"] = .string("node-started")
            fields["node"] = .string(name)
            fields["stage"] = .string(stage)
            fields["steps"] = .int(steps)
            fields["reused"] = .int(reused)
        case .progress(let name, let done, let failed, let missing, let fraction, let note):
            fields["event"] = .string("progress")
            fields["node"] = .string(name)
            fields["done"] = .int(done)
            fields["failed"] = .int(failed)
            fields["missing"] = .int(missing)
            if !note.isEmpty {
                fields["fraction"] = .double(fraction)
                fields["note"] = .string(note)
            }
        case .nodeFinished(let report):
            fields["event"] = .string("node-finished")
            fields["node"] = .string(report.name)
            fields["report"] = report.document
        case .waiting(let name, let steps):
            fields["event"] = .string("waiting")
            fields["node"] = .string(name)
            fields["steps"] = .int(steps)
        case .fallback(let node, let device, let reason):
            fields["event"] = .string("fallback")
            fields["node"] = .string(node)
            fields["device"] = .string(device)
            fields["reason"] = .string(reason)
        case .collected(let collection):
            fields["event"] = .string("collected")
            fields["records"] = .int(collection.removedRecords)
            fields["bytes"] = .int(collection.removedBytes)
            fields["seconds"] = .double(collection.removedSeconds)
        case .stopping:
            fields["event"] = .string("stopping")
        }
        return .record(fields)
    }
}
