import Artifacts
import Dataflow
import Foundation
import Interchange
import Synchronization

/// `--events FILE`: what happens, one JSON object a line, for programs that follow a run.
///
/// Each line is written at once and whole. A reader that goes away, or a disk that is full, ends the stream with a remark
/// and never the run.
final class EventStream: Sendable {
    private struct State {
        /// nil when nobody reads any more.
        var file: FileHandle?
        /// The node and the time of the last `progress` line: thousands of quick steps are not thousands of lines.
        var node = ""
        var reported = -Double.infinity
    }

    /// Seconds between two `progress` lines of a node.
    static let interval = 0.1

    let isStandardOutput: Bool
    private let path: String
    private let clock: @Sendable () -> Double
    private let state: Mutex<State>

    /// - Parameter path: a file, which is emptied, a named pipe, or `-` for standard output.
    /// - Parameter clock: seconds since 1970.
    init(path: String, clock: @escaping @Sendable () -> Double) throws {
        self.path = path
        self.clock = clock
        isStandardOutput = path == "-"
        // A closed pipe is an error to be worded, not a signal to die of.
        signal(SIGPIPE, SIG_IGN)
        if isStandardOutput {
            state = Mutex(State(file: .standardOutput))
            return
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw RunError(
                node: nil, sample: nil,
                message: "cannot write events to \(path): \(String(cString: strerror(errno)))",
                hint: "--events takes a file, a named pipe, or - for standard output")
        }
        state = Mutex(State(file: FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)))
    }

    func started(_ run: Run, jobs: Int) {
        write([
            "event": .string("run-started"), "run": .string(run.id), "graph": .string(run.graph.name),
            "file": .string(run.graph.file), "program": .string(Spinweave.version), "jobs": .int(jobs),
            "nodes": .list(run.graph.nodes.map { .string($0.name) }), "process": .int(Int(getpid())),
        ])
    }

    func show(_ event: RunEvent) {
        let now = clock()
        state.withLock { state in
            if case .progress(let node, let done, _, let missing, _, _) = event {
                let isLast = done == missing
                // The clock may be set back meanwhile.
                let elapsed = abs(now - state.reported)
                guard node != state.node || elapsed >= Self.interval || isLast else { return }
                (state.node, state.reported) = (node, now)
            }
            write(event.document(at: now), &state)
        }
    }

    func finished(_ report: Report) {
        write(["event": .string("run-finished"), "run": .string(report.run), "report": report.document])
    }

    /// The run ended without a report.
    func failed(_ run: Run, _ error: any Error) {
        write(["event": .string("run-failed"), "run": .string(run.id), "message": .string(String(describing: error))])
    }

    private func write(_ fields: [String: Value]) {
        let always: [String: Value] = ["version": .int(RunEvent.version), "time": .double(clock())]
        state.withLock { write(.record(fields.merging(always) { $1 }), &$0) }
    }

    private func write(_ document: Value, _ state: inout State) {
        guard let file = state.file else { return }
        do {
            try file.write(contentsOf: Data((ValueJSON.encode(document, pretty: false) + "\n").utf8))
        } catch {
            state.file = nil
            Output.standardError("warning: no more events to \(path): nobody reads them, or the disk is full")
        }
    }
}
