import Diagnostics
import Testing

@Suite("Did you mean")
struct SpellingTests {
    @Test(
        "typos find their word",
        arguments: [("exposre", "exposure"), ("cuont", "count"), ("convolve-resolutoin", "convolve-resolution")])
    func typos(typed: String, meant: String) {
        #expect(Spelling.nearest(to: typed, among: ["count", "copies", "exposure", "convolve-resolution"]) == meant)
    }

    @Test("a strange word finds nothing")
    func strange() {
        #expect(Spelling.nearest(to: "zzz", among: ["count", "copies"]) == nil)
    }
}
