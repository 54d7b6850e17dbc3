import Artifacts
import Dataflow

/// What a worker process says to the run that started it.
enum WorkerMessage: Sendable {
    /// The store is open; steps may come.
    case ready
    case progress(Double, String)
    case done(StepOutput)
    /// The step gave no answer.
    case failed(StepFailure)
    /// Asked to stop, it stopped.
    case cancelled
    /// An input is damaged in the store.
    case damaged(Digest)
    /// The run cannot go on.
    case error(String)
}

extension WorkerMessage {
    var document: Value {
        switch self {
        case .ready: .list([.string("ready")])
        case .progress(let fraction, let note): .list([.string("progress"), .double(fraction), .string(note)])
        case .done(let output): .list([.string("done"), output.value, .record(output.summary)])
        case .failed(let failure):
            .list([
                .string("failed"), .string(failure.message), failure.hint.map { .string($0) } ?? .none,
                .record(failure.facts),
            ])
        case .cancelled: .list([.string("cancelled")])
        case .damaged(let digest): .list([.string("damaged"), .digest(digest)])
        case .error(let message): .list([.string("error"), .string(message)])
        }
    }

    /// - Returns: nil for what is no message of this version.
    init?(_ document: Value) throws {
        let parts = try document.asList()
        switch (try parts.first?.asString(), parts.count) {
        case ("ready", 1): self = .ready
        case ("progress", 3): self = .progress(try parts[1].asDouble(), try parts[2].asString())
        case ("done", 3): self = .done(StepOutput(parts[1], summary: try parts[2].asRecord()))
        case ("failed", 4):
            var failure = StepFailure(
                try parts[1].asString(), hint: parts[2].isNone ? nil : try parts[2].asString())
            failure.facts = try parts[3].asRecord()
            self = .failed(failure)
        case ("cancelled", 1): self = .cancelled
        case ("damaged", 2):
            guard case .digest(let digest) = parts[1] else { return nil }
            self = .damaged(digest)
        case ("error", 2): self = .error(try parts[1].asString())
        default: return nil
        }
    }
}
