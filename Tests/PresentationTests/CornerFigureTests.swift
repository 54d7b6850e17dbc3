import Foundation
import Testing

@testable import Presentation

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("corner plots and rank histograms")
struct CornerFigureTests {
    private func quantity(_ name: String, _ draws: [Double]) -> CornerFigure.Quantity {
        .init(name, unit: "meV", draws: draws, range: 0...1, median: 0.5, intervals: [0.1...0.9, 0.3...0.7])
    }

    @Test("a panel for each quantity and each pair, well-formed; draws outside the range are left out")
    func corner() throws {
        let figure = CornerFigure(
            [quantity("a < b", [0, 0.5, 1, 7]), quantity("c", [0.2, 0.5, 0.8, 0.5]), quantity("d", [])],
            alternativeText: "three & more")
        let svg = figure.svg(id: "x")
        #expect(XMLParser(data: Data(svg.utf8)).parse())
        // Three on the diagonal and three below it.
        #expect(svg.matches(of: /class="frame"/).count == 6)
        // Three of four pairs lie inside; the third quantity has none.
        #expect(svg.matches(of: /fill-opacity:1"/).count == 3)
        #expect(svg.contains("a &lt; b (meV)") && svg.contains("three &amp; more"))
    }

    @Test("chance alone: mean and two binomial deviations of a bin")
    func ranks() throws {
        let chart = RankHistogramChart([30, 20, 25, 25], title: "rank", alternativeText: "ranks")
        // 100 ranks in four bins: 25 ± 2·√(100·¼·¾).
        #expect(chart.expected.mean == 25)
        #expect(abs(chart.expected.high - (25 + 2 * 18.75.squareRoot())) < 1e-12)
        #expect(abs(chart.expected.low - (25 - 2 * 18.75.squareRoot())) < 1e-12)
        let svg = chart.svg(id: "x")
        #expect(XMLParser(data: Data(svg.utf8)).parse())
        #expect(svg.contains("<title>30</title>"))
        #expect(XMLParser(data: Data(RankHistogramChart([], title: "", alternativeText: "").svg(id: "y").utf8)).parse())
    }
}
