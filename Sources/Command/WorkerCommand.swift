import ArgumentParser
import Artifacts
import CacheStore
import Dataflow
import Foundation
import Stages
import Synchronization

/// `spinweave worker`: computes steps for a run, in a process that can be ended without harm.
///
/// It takes requests on standard input, answers on standard output, reads the store and never writes it. It ends when its
/// run ends, however that ends: its standard input closes.
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Computes steps for a run (started by it, not by hand).", shouldDisplay: false)

    @OptionGroup var storage: StoreOptions

    func run() throws {
        // Ctrl-C is for the run to understand; a terminal sends it to everyone.
        for number in [SIGINT, SIGTERM, SIGPIPE] { signal(number, SIG_IGN) }
        // When memory runs out, the machine should end this process and not the run.
        try? "1000".write(toFile: "/proc/self/oom_score_adj", atomically: false, encoding: .utf8)
        // What a library prints must not stand between messages.
        let channel = FrameChannel(input: dup(STDIN_FILENO), output: dup(STDOUT_FILENO))
        dup2(STDERR_FILENO, STDOUT_FILENO)
        let worker = Worker(channel: channel)
        do {
            let store = try storage.open(.readOnly)
            try channel.send(WorkerMessage.ready.document)
            try worker.serve(store)
        } catch is FrameChannel.Closed {
            return
        } catch {
            try? channel.send(WorkerMessage.error(String(describing: error)).document)
        }
    }
}

/// Takes one request after the other.
private final class Worker: Sendable {
    private struct Requests {
        var waiting: [Value] = []
    }

    private let channel: FrameChannel
    private let requests = Mutex(Requests())
    private let arrived = DispatchSemaphore(value: 0)
    private let isCancelled = Atomic<Bool>(false)

    init(channel: FrameChannel) { self.channel = channel }

    func serve(_ store: Store) throws {
        let reader = Thread { [self] in listen() }
        reader.start()
        var known: (name: String, parameters: Value, stage: any Stage)?
        while true {
            arrived.wait()
            let request = try StepRequest(requests.withLock { $0.waiting.removeFirst() })
            isCancelled.store(false, ordering: .relaxed)
            let stage: any Stage
            if let known, known.name == request.stage, known.parameters == request.parameters {
                // Stages prepare things once for many samples.
                stage = known.stage
            } else {
                stage = try self.stage(request)
                known = (request.stage, request.parameters, stage)
            }
            try channel.send(answer(request, stage, store).document)
        }
    }

    private func stage(_ request: StepRequest) throws -> any Stage {
        guard let type = StageLibrary.spinweave.stage(named: request.stage),
            type.signature.version == request.stageVersion
        else {
            throw RunError(
                node: request.node, sample: request.sample,
                message: "the worker process has another version of stage '\(request.stage)'",
                hint: "the program was replaced during the run; run again")
        }
        return try type.init(parameters: request.parameters)
    }

    private func answer(_ request: StepRequest, _ stage: any Stage, _ store: Store) -> WorkerMessage {
        do {
            return .done(
                try request.perform(
                    stage, store: store,
                    progress: { [channel] fraction, note in
                        // A run that is gone is noticed by the listener.
                        try? channel.send(WorkerMessage.progress(fraction, note).document)
                    },
                    isCancelled: { [self] in isCancelled.load(ordering: .relaxed) }))
        } catch let failure as StepFailure {
            return .failed(failure)
        } catch is CancellationError {
            return .cancelled
        } catch StoreError.damaged(let artifact, _) {
            return .damaged(artifact)
        } catch {
            return .error(String(describing: error))
        }
    }

    /// Ends the process with the run, in the middle of a step if need be.
    private func listen() {
        while let message = try? channel.receive() {
            if case .string = message {
                isCancelled.store(true, ordering: .relaxed)
            } else {
                requests.withLock { $0.waiting.append(message) }
                arrived.signal()
            }
        }
        _exit(ExitStatus.interrupted.rawValue)
    }
}
