import Artifacts
import CacheStore
import Dataflow
import Foundation
import Synchronization

/// Computes the steps of nodes with limits in worker processes, and ends a worker whose step exceeds them.
///
/// A worker serves one step at a time and is kept for the next: as many as threads compute.
final class WorkerPool: Sendable {
    /// How often memory and time are looked at, in milliseconds.
    static let interval: Int32 = 50

    private let store: String
    private let seed: Int
    private let idle = Mutex<[WorkerProcess]>([])

    init(store: Store, seed: Int) {
        self.store = store.path
        self.seed = seed
        // A worker that died is an error to be worded, not a signal to die of.
        signal(SIGPIPE, SIG_IGN)
    }

    /// - Throws: `StepFailure` for a step that failed or exceeded a limit, `CancellationError`, and `RunError`.
    func compute(_ node: Graph.Node, _ step: Step) throws -> StepOutput {
        let worker = try idle.withLock { $0.popLast() } ?? started(for: node, step)
        do {
            let output = try Watch(worker: worker, node: node, step: step, seed: seed).answer()
            keep(worker, for: node)
            return output
        } catch let failure as StepFailure {
            keep(worker, for: node)
            throw failure
        }
    }

    private func keep(_ worker: WorkerProcess, for node: Graph.Node) {
        // Memory that a step left behind would count against the next.
        let isSlim = node.limits?.bytes.map { (worker.memory ?? .max) < $0 / 2 } ?? true
        if isSlim, !worker.hasEnded { idle.withLock { $0.append(worker) } }
    }

    private func started(for node: Graph.Node, _ step: Step) throws -> WorkerProcess {
        let worker = try WorkerProcess(store: store)
        // Opening the store is no part of the step.
        guard let message = try worker.channel.receive(), let message = try WorkerMessage(message) else {
            throw Watch.death(worker, node: node, step: step)
        }
        if case .error(let reason) = message { throw RunError(node: nil, sample: nil, message: reason) }
        return worker
    }
}

/// One step in one worker.
private struct Watch {
    let worker: WorkerProcess
    let node: Graph.Node
    let step: Step
    let seed: Int

    func answer() throws -> StepOutput {
        let began = DispatchTime.now().uptimeNanoseconds
        do {
            try worker.channel.send(StepRequest(step, of: node, seed: seed).document)
        } catch is FrameChannel.Closed {
            throw Self.death(worker, node: node, step: step)
        }
        var toldToStop = false
        var looked = began
        while true {
            if worker.channel.hasInput(within: WorkerPool.interval) {
                guard let document = try worker.channel.receive(), let message = try WorkerMessage(document) else {
                    throw Self.death(worker, node: node, step: step)
                }
                if let output = try take(message) { return output }
            }
            let now = DispatchTime.now().uptimeNanoseconds
            if let limit = node.limits?.seconds, Double(now - began) * 1e-9 > limit {
                worker.end()
                throw StepFailure.timeLimit(of: node)
            }
            // Steps that report their progress all the time must not be looked at all the time.
            if let limit = node.limits?.bytes, now - looked > UInt64(WorkerPool.interval) * 1_000_000 / 2 {
                looked = now
                if let memory = worker.memory, memory > limit {
                    worker.end()
                    throw StepFailure.memoryLimit(of: node)
                }
            }
            if !toldToStop, step.isCancelled() {
                toldToStop = true
                // One that is gone is noticed above.
                try? worker.channel.send(.string("stop"))
            }
        }
    }

    /// - Returns: nil for a message that is not the last.
    private func take(_ message: WorkerMessage) throws -> StepOutput? {
        switch message {
        case .ready: return nil
        case .progress(let fraction, let note):
            step.progress(fraction, note)
            return nil
        case .done(let output): return output
        case .failed(let failure): throw failure
        case .cancelled: throw CancellationError()
        case .damaged(let digest):
            // The run may write: its own way of loading sets the artifact aside and says so.
            for member in step.collections.values.joined() where member.digest == digest { _ = try member.load() }
            throw RunError(
                node: nil, sample: nil, message: "artifact \(digest.short) could not be read",
                hint: "run again: what is damaged is computed anew")
        case .error(let reason): throw RunError(node: nil, sample: nil, message: reason)
        }
    }

    /// What it means that a worker is gone: a step that crashes is a failed step; a process that someone killed is none.
    static func death(_ worker: WorkerProcess, node: Graph.Node, step: Step) -> any Error {
        let status = worker.status(within: 10)
        let signal = status & 0x7f
        if signal == 0 {
            return RunError(
                node: nil, sample: nil, message: "its worker process ended with status \((status >> 8) & 0xff)",
                hint: "run again; what is finished is kept")
        }
        if signal == SIGKILL || signal == SIGTERM || signal == SIGHUP {
            return RunError(
                node: nil, sample: nil, message: "its worker process was killed from outside (signal \(signal))",
                hint: "the machine may have run out of memory: use fewer --jobs or give the node a memory limit")
        }
        return StepFailure(
            "its worker process crashed (\(String(cString: strsignal(signal))))",
            hint: "this is a defect of the program or of a library; --retry-failed tries again")
    }
}
