import Testing

@testable import Presentation

@Suite("Correlation figure")
struct CorrelationFigureTests {
    @Test("every number stands in its cell, the strong ones in white on the ends of the map, and names are escaped")
    func cells() {
        let figure = CorrelationFigure(
            ["J1", "J<2>"], values: [1, -0.914, -0.914, 1], alternativeText: "Correlations of two")
        let svg = figure.svg(id: "f")
        #expect(svg.matches(of: /<rect/).count == 4)
        #expect(svg.matches(of: />−0\.91<\/text>/).count == 2)
        #expect(svg.matches(of: />1\.00<\/text>/).count == 2)
        #expect(svg.matches(of: /fill:#ffffff/).count == 4)
        #expect(svg.contains("J&lt;2&gt;") && !svg.contains("J<2>"))
        // The map's ends and no middle: as blue as it gets is below zero.
        #expect(svg.contains("aria-label=\"Correlations of two\""))
    }
}
