import Foundation
import Synchronization
import Testing

@testable import Command
@testable import Dataflow

@Suite("Progress on a terminal and elsewhere")
struct ProgressDisplayTests {
    /// A screen whose clock the test turns.
    private final class Paper: Sendable {
        let state = Mutex((text: "", now: 0.0))

        var text: String { state.withLock { $0.text } }

        func screen(width: Int?) -> ProgressDisplay.Screen {
            var columns: (@Sendable () -> Int)?
            if let width { columns = { width } }
            return ProgressDisplay.Screen(
                width: columns, clock: { self.state.withLock { $0.now } },
                write: { text in self.state.withLock { $0.text += text } })
        }

        func wait(_ seconds: Double) { state.withLock { $0.now += seconds } }
    }

    private func report(computed: Int, reused: Int, failed: Int, seconds: Double) -> Report.NodeReport {
        Report.NodeReport(
            name: "images", stage: "s", samples: computed + reused + failed, computed: computed, reused: reused,
            failed: failed, pending: 0, seconds: seconds, executor: "cpu", failures: [], artifact: nil, facts: [:])
    }

    @Test("elsewhere: a line at the start with the recorded cost, then at most one in five seconds, then the outcome")
    func plain() {
        let paper = Paper()
        let display = ProgressDisplay(quiet: false, screen: paper.screen(width: nil)) { node, steps in
            node == "images" && steps == 100 ? 50 : nil
        }
        display.show(.nodeStarted(name: "images", stage: "s", steps: 120, reused: 20))
        for done in 1...99 {
            // A power of two, so that sums are exact.
            paper.wait(0.125)
            display.show(
                .progress(name: "images", done: done, failed: done / 50, missing: 100, fraction: 0, note: ""))
        }
        display.show(.nodeFinished(report(computed: 99, reused: 20, failed: 1, seconds: 10)))
        #expect(
            paper.text == """
                images:  20/120  16 %  20 reused  50 s left
                images:  60/120  50 %  20 reused  8/s  7.5 s left
                images:  100/120  83 %  1 failed  20 reused  8/s  2.5 s left
                images: 99 computed, 20 reused, 1 failed in 10 s (9.9/s)

                """)
    }

    @Test("on a terminal: one line, drawn over, and none left behind")
    func terminal() {
        let paper = Paper()
        let display = ProgressDisplay(quiet: false, screen: paper.screen(width: 80))
        display.show(.nodeStarted(name: "images", stage: "s", steps: 10, reused: 0))
        paper.wait(2)
        display.show(.progress(name: "images", done: 4, failed: 0, missing: 10, fraction: 0, note: ""))
        display.show(.waiting(name: "images", steps: 6))
        paper.wait(2)
        display.show(.waiting(name: "images", steps: 6))
        display.show(.stopping)
        display.finish()
        let drawn = paper.text.components(separatedBy: "\r\u{1B}[K")
        #expect(drawn.allSatisfy { $0.count < 80 || $0.hasSuffix("\n") })
        #expect(drawn[1] == "images  ░░░░░░░░░░░░░░░░░░░░░░░░  0/10  0 %")
        #expect(drawn[2].contains("4/10  40 %  3.0 s left"))
        #expect(drawn[3].hasSuffix("  waiting for 6 s…"))
        #expect(
            drawn[4] == "stopping: steps in flight finish and are kept; press Ctrl-C again to stop at once\n")
        #expect(paper.text.hasSuffix("\n"))
    }

    @Test("--quiet writes nothing")
    func quiet() {
        let paper = Paper()
        let display = ProgressDisplay(quiet: true, screen: paper.screen(width: 60))
        display.show(.nodeStarted(name: "images", stage: "s", steps: 10, reused: 0))
        display.show(.stopping)
        display.finish()
        #expect(paper.text.isEmpty)
    }
}
