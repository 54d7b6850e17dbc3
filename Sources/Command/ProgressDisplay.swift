import Dataflow
import Foundation
import Presentation
import Synchronization

/// Shows a run on standard error: on a terminal one line a node, redrawn; elsewhere a line at start, end and every 30 s.
final class ProgressDisplay: Sendable {
    private struct State {
        var node = ""
        var reused = 0
        var total = 0
        var began = Date()
        var drawn = Date.distantPast
        var isOpen = false
        /// Fraction and note from inside the long step of the current node.
        var fraction = 0.0
        var note = ""
    }

    private let quiet: Bool
    private let isTerminal = isatty(FileHandle.standardError.fileDescriptor) == 1
    private let state = Mutex(State())

    init(quiet: Bool) { self.quiet = quiet }

    func show(_ event: RunEvent) {
        if quiet { return }
        state.withLock { state in
            switch event {
            case .nodeStarted(let name, _, let steps, let reused):
                state = State()
                state.node = name
                state.total = steps
                state.reused = reused
                if steps > reused { draw(&state, done: 0, failed: 0, force: true) }
            case .progress(_, let done, let failed, _, let fraction, let note):
                if !note.isEmpty {
                    state.fraction = fraction
                    state.note = note
                }
                // A step that finished takes its inner progress with it.
                if note.isEmpty { state.fraction = 0 }
                draw(&state, done: done, failed: failed, force: false)
            case .nodeFinished(let report):
                finishLine(&state, report)
            case .waiting(let name, let steps):
                state.note = "waiting for another program to compute \(steps) steps of \(name)"
            case .stopping:
                closeLine(&state)
                write("stopping: steps in flight finish and are kept; press Ctrl-C again to stop at once\n")
            }
        }
    }

    /// Leaves the terminal on a fresh line.
    func finish() {
        state.withLock { closeLine(&$0) }
    }

    private func draw(_ state: inout State, done: Int, failed: Int, force: Bool) {
        let now = Date()
        guard force || now.timeIntervalSince(state.drawn) >= (isTerminal ? 0.1 : 30) else { return }
        state.drawn = now
        let missing = Double(state.total - state.reused)
        let finished = Double(done) + state.fraction
        let elapsed = now.timeIntervalSince(state.began)
        let line = ProgressLine(
            node: state.node, done: done + state.reused, total: state.total, reused: state.reused, failed: failed,
            rate: done > 0 && elapsed > 1 ? Double(done) / elapsed : nil,
            secondsLeft: finished > 0 && elapsed > 1 ? elapsed * (missing - finished) / finished : nil,
            note: state.note.isEmpty ? nil : state.note)
        if isTerminal {
            write("\r\u{1B}[K" + line.text(width: terminalWidth() - 1))
            state.isOpen = true
        } else {
            write(line.plainText + "\n")
        }
    }

    private func finishLine(_ state: inout State, _ report: Report.NodeReport) {
        closeLine(&state)
        var parts: [String] = []
        if report.computed > 0 { parts.append("\(Wording.count(report.computed)) computed") }
        if report.reused > 0 { parts.append("\(Wording.count(report.reused)) reused") }
        if report.failed > 0 { parts.append("\(Wording.count(report.failed)) failed") }
        if report.pending > 0 { parts.append("\(Wording.count(report.pending)) not done") }
        let time = report.computed > 0 ? " in \(Wording.duration(report.seconds))" : ""
        write("\(report.name): \(parts.joined(separator: ", "))\(time)\n")
    }

    private func closeLine(_ state: inout State) {
        if state.isOpen { write("\r\u{1B}[K") }
        state.isOpen = false
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    private func terminalWidth() -> Int {
        var size = winsize()
        guard ioctl(FileHandle.standardError.fileDescriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else {
            return 80
        }
        return Int(size.ws_col)
    }
}
