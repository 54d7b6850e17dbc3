import Diagnostics
import Testing

/// What the user sees of a diagnostic.
@Suite struct RenderingTests {
    func rendered(_ diagnostic: Diagnostic, lines: [String]?) -> String { render([diagnostic], source: { _ in lines }) }

    @Test("the place, the line, the underline and the hint")
    func wholeMessage() {
        let diagnostic = Diagnostic(
            "no stage is called 'convolve-resolutoin'",
            at: SourceRange(file: "graphs/dimer.yaml", line: 2, column: 12, length: 20),
            hint: "did you mean 'convolve-resolution'?")
        #expect(
            rendered(diagnostic, lines: ["  image:", "    stage: convolve-resolutoin"]) == """
                graphs/dimer.yaml:2:12: error: no stage is called 'convolve-resolutoin'
                    2 |     stage: convolve-resolutoin
                      |            ^~~~~~~~~~~~~~~~~~~
                  hint: did you mean 'convolve-resolution'?

                """)
    }

    @Test("without the file's lines the quotation is left out, without a place the name of the file too")
    func lessKnown() {
        let range = SourceRange(file: "a.yaml", line: 9, column: 3)
        #expect(rendered(Diagnostic("bad", at: range), lines: nil) == "a.yaml:9:3: error: bad\n")
        #expect(rendered(Diagnostic("bad", at: range), lines: ["one"]) == "a.yaml:9:3: error: bad\n")
        #expect(rendered(Diagnostic("odd", severity: .warning), lines: nil) == "warning: odd\n")
    }

    @Test("the caret stands under its character behind tabs and combining marks, and never beyond the line")
    func underline() {
        let line = "a:\tA\u{30A} 5 µeV"
        #expect(
            rendered(Diagnostic("m", at: SourceRange(file: "f", line: 1, column: 6, length: 99)), lines: [line])
                == "f:1:6: error: m\n    1 | \(line)\n      |   \t  ^~~~~\n")
        #expect(
            rendered(Diagnostic("m", at: SourceRange(file: "f", line: 1, column: 99)), lines: ["ab"])
                == "f:1:99: error: m\n    1 | ab\n      |   ^\n")
        #expect(
            rendered(Diagnostic("m", at: SourceRange(file: "f", line: 1, column: 1)), lines: ["ab\r"])
                == "f:1:1: error: m\n    1 | ab\n      | ^\n")
    }

    @Test("an option of the command line quotes itself")
    func option() {
        let range = SourceRange(file: "--set noise.exposure=3 K", line: 1, column: 22, length: 3)
        #expect(
            rendered(Diagnostic("bad", at: range), lines: nil)
                == "command line: error: bad\n      | --set noise.exposure=3 K\n      |                      ^~~\n")
    }

    @Test("one pass lists each problem once, in the order of the file, other places last")
    func order() {
        func at(_ file: String, _ line: Int, _ column: Int, _ message: String) -> Diagnostic {
            Diagnostic(message, at: SourceRange(file: file, line: line, column: column))
        }
        let found = [
            at("m", 1, 1, "model"), at("g", 3, 1, "third"), at("g", 1, 9, "second"), at("g", 1, 2, "first"),
            at("g", 3, 1, "third"), Diagnostic("nowhere"),
        ]
        let list = DiagnosticList(found, inOrderOf: "g")
        #expect(list.diagnostics.map(\.message) == ["first", "second", "third", "model", "nowhere"])
        #expect(list.hasErrors)
    }

    @Test("the nearest name is offered for a typo and nothing for another word")
    func spelling() {
        let names = ["spin-waves", "resolution", "add-noise"]
        #expect(Spelling.nearest(to: "spin-wvaes", among: names) == "spin-waves")
        #expect(Spelling.nearest(to: "Resolution", among: names) == "resolution")
        #expect(Spelling.nearest(to: "training", among: names) == nil)
    }
}
