import Foundation
import Testing

@testable import Presentation

@Suite("Text for people and programs")
struct TextTests {
    @Test(
        "durations",
        arguments: [
            (0, "0 s"), (0.0004, "0.4 ms"), (0.12, "120 ms"), (0.9999, "1.0 s"), (4.23, "4.2 s"), (9.97, "10 s"),
            (59.6, "1 min 0 s"),
            (192, "3 min 12 s"), (3599.7, "1 h 00 min"), (7500, "2 h 05 min"), (97_200, "1 d 3 h"), (.nan, "unknown"),
            (-3, "−3.0 s"), (.infinity, "unknown"),
        ] as [(Double, String)])
    func durations(seconds: Double, text: String) { #expect(Wording.duration(seconds) == text) }

    @Test(
        "sizes",
        arguments: [
            (0, "0 B"), (999, "999 B"), (1234, "1.2 kB"), (384_000, "384 kB"), (999_600, "1.0 MB"),
            (5_100_000_000, "5.1 GB"),
            (Int.max, "9.2 EB"),
        ])
    func sizes(count: Int, text: String) { #expect(Wording.bytes(count) == text) }

    @Test("counts, percentages and numbers")
    func numbers() {
        #expect(
            [0, 999, 1000, 1_234_567, -12_345].map { Wording.count($0) } == [
                "0", "999", "1,000", "1,234,567", "−12,345",
            ])
        #expect(Wording.count(1, "sample") == "1 sample" && Wording.count(2000, "sample") == "2,000 samples")
        #expect(Wording.percent(0.9736) == "97.4 %" && Wording.percent(-0.0001) == "0.0 %")
        #expect(
            [0.012_345, -11.39, 1.23e-5, 1e6, -0.0, .nan, -.infinity].map { Wording.number($0) }
                == ["0.01235", "−11.39", "1.23×10⁻⁵", "10⁶", "0", "NaN", "−∞"])
        #expect(Wording.secondsLeft(done: 0, total: 10, elapsed: 3) == nil)
        #expect(Wording.secondsLeft(done: 4, total: 10, elapsed: 2) == 3)
    }

    @Test("a table in the terminal: numbers to the right, text shortened to the width")
    func table() {
        let table = Table(
            columns: [.init("node"), .number("samples"), .number("time", unit: "s"), .init("why")],
            rows: [["spin-waves", "2,000", "160.2", "parameter 'JF1' was changed"], ["noise", "8", "0.1"]])
        #expect(
            table.text() == """
                node        samples  time (s)  why
                ──────────  ───────  ────────  ───────────────────────────
                spin-waves    2,000     160.2  parameter 'JF1' was changed
                noise             8       0.1

                """)
        #expect(
            table.text(width: 40) == """
                node        samples  time (s)  why
                ──────────  ───────  ────────  ─────────
                spin-waves    2,000     160.2  paramete…
                noise             8       0.1

                """)
    }

    @Test("a progress line never exceeds the terminal, and keeps what matters")
    func progress() {
        let line = ProgressLine(
            node: "spin-waves", done: 1234, total: 4000, reused: 1000, failed: 2, rate: 12.34, secondsLeft: 224,
            note: "epoch 12, loss 0.31")
        #expect(
            line.text(width: 140)
                == "spin-waves  ███████▍░░░░░░░░░░░░░░░░  1,234/4,000  30 %  2 failed  3 min 44 s left  1,000 reused  12.3/s"
                + "  epoch 12, loss 0.31")
        #expect(line.text(width: 60) == "spin-waves  1,234/4,000  30 %  2 failed  3 min 44 s left")
        for width in 0...160 { #expect(line.text(width: width).count <= width) }
        #expect(
            line.plainText
                == "spin-waves:  1,234/4,000  30 %  2 failed  1,000 reused  12.3/s  3 min 44 s left  epoch 12, loss 0.31"
        )
        #expect(ProgressLine(node: "load", done: 3, total: 0).text(width: 80) == "load  3")
        #expect(
            ProgressLine(node: "n", done: 9, total: 9).text(width: 80).contains("████████████████████████  9/9  100 %"))
    }

    @Test("a JSON document has sorted keys and no bare NaN")
    func json() throws {
        struct Report: Encodable {
            var seconds: Double
            var graph: String
            var loss: Double
        }
        #expect(
            try JSONDocument.text(Report(seconds: 0.1, graph: "graphs/a.yaml", loss: .nan)) == """
                {
                  "graph" : "graphs/a.yaml",
                  "loss" : "NaN",
                  "seconds" : 0.1
                }

                """)
    }
}
