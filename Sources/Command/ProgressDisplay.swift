import Dataflow
import Foundation
import Presentation
import Synchronization

/// Shows a run on standard error: on a terminal one line a node, redrawn; elsewhere a line at start and end of a node and
/// at most every five seconds in between.
final class ProgressDisplay: Sendable {
    /// Where lines go and how they may look.
    struct Screen: Sendable {
        /// nil where lines cannot be redrawn: a file or a pipe. Else the number of columns, asked anew for each line.
        var width: (@Sendable () -> Int)?
        /// Seconds on any clock.
        var clock: @Sendable () -> Double
        var write: @Sendable (String) -> Void
    }

    private struct State {
        var node = ""
        var reused = 0
        var total = 0
        var done = 0
        var failed = 0
        var pace = Pace(pieces: 0, began: 0)
        var drawn = -Double.infinity
        var isOpen = false
        /// Fraction and note from inside the long step of the current node.
        var fraction = 0.0
        var note: String?
    }

    private let quiet: Bool
    private let screen: Screen
    private let expectedSeconds: @Sendable (String, Int) -> Double?
    private let state = Mutex(State())

    /// - Parameter expectedSeconds: what so many steps of a node took before; nil where nobody knows.
    init(
        quiet: Bool, screen: Screen = .standardError,
        expectedSeconds: @escaping @Sendable (_ node: String, _ steps: Int) -> Double? = { _, _ in nil }
    ) {
        self.quiet = quiet
        self.screen = screen
        self.expectedSeconds = expectedSeconds
    }

    func show(_ event: RunEvent) {
        if quiet { return }
        state.withLock { state in
            switch event {
            case .nodeStarted(let name, _, let steps, let reused):
                state = State()
                state.node = name
                state.total = steps
                state.reused = reused
                state.pace = Pace(pieces: steps - reused, began: screen.clock())
                if steps > reused {
                    state.pace.expectedSeconds = expectedSeconds(name, steps - reused)
                    draw(&state, force: true)
                }
            case .progress(_, let done, let failed, _, let fraction, let note):
                state.done = done
                state.failed = failed
                // A step that finished takes its inner progress with it.
                state.fraction = note.isEmpty ? 0 : fraction
                state.note = note.isEmpty ? nil : note
                draw(&state, force: false)
            case .waiting(_, let steps):
                state.note = "waiting for \(Wording.count(steps, "step")) that another program computes"
                state.fraction = 0
                draw(&state, force: false)
            case .nodeFinished(let report):
                finishLine(&state, report)
            case .fallback(_, let device, let reason):
                closeLine(&state)
                screen.write("\(device) failed: \(reason); what it had to do is computed elsewhere\n")
            case .collected(let collection):
                closeLine(&state)
                screen.write(
                    "the store was above its limit: \(Wording.bytes(collection.removedBytes)) went, which took "
                        + "\(Wording.duration(collection.removedSeconds)) to compute\n")
            case .stopping:
                closeLine(&state)
                screen.write("stopping: steps in flight finish and are kept; press Ctrl-C again to stop at once\n")
            }
        }
    }

    /// Leaves the terminal on a fresh line.
    func finish() {
        state.withLock { closeLine(&$0) }
    }

    private func draw(_ state: inout State, force: Bool) {
        let now = screen.clock()
        guard force || now - state.drawn >= (screen.width == nil ? 5 : 0.1) else { return }
        state.drawn = now
        let line = ProgressLine(
            node: state.node, done: state.done + state.reused, total: state.total, reused: state.reused,
            failed: state.failed, rate: state.pace.rate(done: state.done, at: now),
            secondsLeft: state.pace.secondsLeft(done: state.done, fraction: state.fraction, at: now), note: state.note)
        if let width = screen.width {
            screen.write("\r\u{1B}[K" + line.text(width: width() - 1))
            state.isOpen = true
        } else {
            screen.write(line.plainText + "\n")
        }
    }

    private func finishLine(_ state: inout State, _ report: Report.NodeReport) {
        closeLine(&state)
        var parts: [String] = []
        if report.computed > 0 { parts.append("\(Wording.count(report.computed)) computed") }
        if report.reused > 0 { parts.append("\(Wording.count(report.reused)) reused") }
        if report.failed > 0 { parts.append("\(Wording.count(report.failed)) failed") }
        if report.pending > 0 { parts.append("\(Wording.count(report.pending)) not done") }
        var text = "\(report.name): \(parts.joined(separator: ", "))"
        if report.computed > 0 {
            text += " in \(Wording.duration(report.seconds))"
            // One step has no rate, and none is worth a word within a second.
            if report.computed > 1, report.seconds >= 1 {
                text += " (\(Wording.number(Double(report.computed) / report.seconds, significant: 3))/s)"
            }
        }
        screen.write(text + "\n")
    }

    private func closeLine(_ state: inout State) {
        if state.isOpen { screen.write("\r\u{1B}[K") }
        state.isOpen = false
    }
}

extension ProgressDisplay.Screen {
    /// What the program was started on.
    static var standardError: Self {
        let descriptor = FileHandle.standardError.fileDescriptor
        // A terminal that cannot move its cursor (an editor's, a log viewer's) says so by its name.
        let isPlain = ProcessInfo.processInfo.environment["TERM"] == "dumb"
        var width: (@Sendable () -> Int)?
        if isatty(descriptor) == 1, !isPlain { width = { terminalWidth(descriptor) } }
        return Self(
            width: width,
            clock: { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 },
            write: { text in
                // A reader that went away must not end the run.
                try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
            })
    }

    private static func terminalWidth(_ descriptor: Int32) -> Int {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 80 }
        return Int(size.ws_col)
    }
}
