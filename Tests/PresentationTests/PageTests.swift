import Foundation
import FoundationXML
import Interchange
import Tensors
import Testing

@testable import Presentation

/// Parses a document as XML; gives the element names in order, or the parser's complaint.
private final class ElementNames: NSObject, XMLParserDelegate {
    var names: [String] = []
    var texts = ""
    var ids: [String] = []
    var links: [String] = []

    init(of document: String) throws {
        super.init()
        let parser = XMLParser(data: Data(document.utf8))
        parser.delegate = self
        guard parser.parse() else {
            throw parser.parserError ?? CocoaError(.fileReadCorruptFile)
        }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        names.append(name)
        if let id = attributes["id"] { ids.append(id) }
        for key in ["href", "src", "xlink:href"] { if let link = attributes[key] { links.append(link) } }
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) { texts += string }
}

@Suite("Pages")
struct PageTests {
    /// To look at the page: SPINWEAVE_SAMPLE_PAGE=/some/file.html swift test.
    @Test("the sample page is well-formed XML, refers to nothing outside itself and names every part once")
    func sample() throws {
        let html = try SamplePage.make().html()
        if let path = ProcessInfo.processInfo.environment["SPINWEAVE_SAMPLE_PAGE"] {
            try html.write(toFile: path, atomically: true, encoding: .utf8)
        }
        let page = try ElementNames(of: html)
        #expect(Set(page.ids).count == page.ids.count)
        #expect(
            page.links.allSatisfy {
                $0.hasPrefix("data:image/png;base64,") || page.ids.contains(String($0.dropFirst()))
            })
        #expect(page.names.count { $0 == "figure" } == 10 && page.names.count { $0 == "svg" } == 10)
        #expect(page.names.count { $0 == "section" } == 6 && !page.names.contains("script"))
        #expect(!html.contains("@import") && !html.contains("url(http"))
        // Six labels of rows, ten of columns, sixty of panels.
        #expect(
            page.texts.contains("Eᵢ = 140 meV") && page.texts.contains("0.64–0.70") && page.texts.contains("89.6–98"))
        #expect(try SamplePage.make().html() == html, "the same page must give the same bytes")
    }

    @Test("names from outside cannot become markup, wherever they stand")
    func escaping() throws {
        let evil = "<script>alert('1')</script>&\"\u{0}"
        let axis = Axis(evil, unit: evil)
        let grid = HeatMapFigure.GridAxis(evil, first: 0, last: 1)
        let values = Tensor<Double>(shape: [2, 2], elements: [0, 1, 2, .nan])
        let figures: [any Figure] = [
            LineChart(
                [.init(evil, x: [0, 1], y: [1, 2])], x: axis, y: axis, markers: [.init(x: 0.5, label: evil)],
                alternativeText: evil),
            ScatterChart(
                [.init(evil, x: [1], y: [1]), .init(evil, x: [1], y: [2])], x: axis, y: axis, alternativeText: evil),
            BarChart([.init(evil, 1, text: evil)], axis: axis, alternativeText: evil),
            ReliabilityDiagram([], note: evil, alternativeText: evil),
            ROCChart(
                [.init(evil, falsePositiveRate: [0, 1], truePositiveRate: [0, 1], area: 0.5)], alternativeText: evil),
            TimeChart([.init(evil, [.init(start: 0, duration: 1)], note: evil)], alternativeText: evil),
            try HeatMapFigure(
                values, missing: Tensor(shape: [2, 2], elements: [0, 1, 0, 0]), barTitle: evil, x: grid, y: grid,
                panels: .init(rowLabels: [evil], columnLabels: [evil], columnTitle: evil, cellLabels: [[evil]]),
                overlay: .init(values, barTitle: evil), regions: [.init(rows: 0..<1, columns: 0..<1, label: evil)],
                missingTitle: evil, alternativeText: evil),
            try ImageRowFigure(
                [.init(evil, subtitle: evil, values: values)], barTitle: evil,
                panels: .init(rowLabels: [evil], columns: 1), alternativeText: evil),
        ]
        let table = Table(columns: [.init(evil, unit: evil)], rows: [[evil]])
        let page = HTMLPage(
            title: evil, subtitle: evil,
            sections: [
                .init(
                    evil,
                    [
                        .heading(evil), .paragraph(evil), .list([evil]), .code(evil),
                        .callout(.bad, title: evil, text: evil),
                        .tiles([.init(evil, evil, detail: evil)]), .table(table, caption: evil),
                        .details(summary: evil, [.paragraph(evil)]),
                        .figures(figures.map { HTMLPage.CaptionedFigure($0, caption: evil) }),
                    ])
            ], footer: evil, language: evil
        ).html()
        #expect(!page.contains("<script"))
        let parsed = try ElementNames(of: page)
        #expect(!parsed.names.contains("script") && parsed.texts.contains("<script>alert('1')</script>&\"\u{FFFD}"))
    }

    @Test("charts without data, with one point, with NaN and with absurd ranges are drawn all the same")
    func degenerate() throws {
        let series: [([Double], [Double])] = [
            ([], []), ([1], [2]), ([.nan, 1, .infinity], [1, .nan, 2]), ([1, 2, 3], [1, .nan, 3]), ([1, 1], [5, 5]),
            ([-1e300, 1e300], [0, 1e-300]), ([0, -1], [-5, 0]),
        ]
        for (x, y) in series {
            for scale in [Axis.Scale.linear, .logarithmic] {
                let axis = Axis("a", scale: scale)
                let figures: [any Figure] = [
                    LineChart(
                        [.init("s", x: x, y: y, band: .init(lower: y, upper: y))], x: axis, y: axis,
                        alternativeText: "a"),
                    ScatterChart(
                        [.init("s", x: x, y: y, error: y)], x: axis, y: axis, showsDiagonal: true, alternativeText: "a"),
                    BarChart(y.map { .init("b", $0, low: $0, high: $0) }, axis: axis, alternativeText: "a"),
                    TimeChart([.init("n", zip(x, y).map { .init(start: $0, duration: $1) })], alternativeText: "a"),
                ]
                for figure in figures {
                    let svg = figure.svg(id: "f")
                    _ = try ElementNames(of: svg)
                    #expect(!svg.contains("nan") && !svg.contains("inf"))
                }
            }
        }
    }

    @Test("shapes that do not fit are errors that name them")
    func shapes() {
        let axis = HeatMapFigure.GridAxis("k", first: 0, last: 1)
        func failure(_ body: () throws(InterchangeError) -> Void) -> String {
            do {
                try body()
                return "no error"
            } catch {
                return error.description
            }
        }
        let values = Tensor<Double>(shape: [4, 6], repeating: 0)
        #expect(
            failure { () throws(InterchangeError) in
                _ = try HeatMapFigure(
                    values, missing: Tensor(shape: [4, 4], repeating: 0), barTitle: "", x: axis, y: axis,
                    alternativeText: "")
            } == "the figure: a mask or overlay of shape [4, 4] does not fit values of shape [4, 6]")
        #expect(
            failure { () throws(InterchangeError) in
                _ = try HeatMapFigure(
                    values, barTitle: "", x: axis, y: axis,
                    panels: .init(rowLabels: ["a", "b", "c"], columnLabels: ["d"]), alternativeText: "")
            } == "the figure: 3 × 1 panels do not divide 4 × 6 pixels")
        #expect(
            failure { () throws(InterchangeError) in
                _ = try ImageRowFigure(
                    [.init("a", values: values), .init("b", values: Tensor(shape: [1, 1], repeating: 0))], barTitle: "",
                    alternativeText: "")
            } == "the figure: image 'b' has shape [1, 1] where [4, 6] is expected")
    }

    @Test("pixel centres carry the axis values: −1 and 1 lie half a pixel inside a panel of 40")
    func tickPositions() throws {
        let figure = try HeatMapFigure(
            Tensor(shape: [40, 40], repeating: 1), barTitle: "I", x: .init("k", first: -1, last: 1),
            y: .init("h", first: 1, last: -1), width: 400, alternativeText: "a")
        // The map begins at x = 62; a pixel is 10 wide, so k = −1 stands at 67 and k = 1 at 457.
        let svg = figure.svg(id: "f")
        #expect(svg.contains("<line x1=\"67\" y1=\"410\" x2=\"67\" y2=\"414\" class=\"axis\"/>"))
        #expect(svg.contains("<line x1=\"457\" y1=\"410\" x2=\"457\" y2=\"414\" class=\"axis\"/>"))
        // h falls downwards: h = 1 at the top, 5 below the upper edge at 10.
        #expect(svg.contains("<line x1=\"58\" y1=\"15\" x2=\"62\" y2=\"15\" class=\"axis\"/>"))
    }

    @Test("the titles of two colour bars beside a low map do not overlap, and the drawing holds them")
    func barsOfLowMap() throws {
        let (first, second) = ("integrated gradients, share of the score", "measured intensity, arbitrary units")
        let values = Tensor<Double>(shape: [4, 40], repeating: 1)
        let figure = try HeatMapFigure(
            values, barTitle: second, x: .init("k", first: -1, last: 1), y: .init("h", first: 1, last: -1),
            overlay: .init(values, barTitle: first), width: 400, alternativeText: "a")
        let svg = figure.svg(id: "f")
        // Along the bars, which run upwards, a title is centred at its y.
        func centre(_ title: String) throws -> Double {
            let end = try #require(svg.range(of: ">\(title)<")).lowerBound
            let start = try #require(svg[..<end].range(of: " y=\"", options: .backwards)).upperBound
            return try #require(Double(svg[start...].prefix { $0 != "\"" }))
        }
        let half = { SVGDrawing.textWidth($0) / 2 }
        #expect(try centre(second) - centre(first) >= half(first) + half(second))
        let height = try #require(svg.firstMatch(of: /viewBox="0 0 [0-9.]+ ([0-9.]+)"/))
        #expect(try centre(second) + half(second) <= #require(Double(height.1)))
        #expect(try centre(first) - half(first) >= 0)
    }

    @Test("a long table shows its first rows and folds the rest")
    func foldedTable() {
        let table = Table(columns: [.number("n")], rows: (0..<30).map { ["\($0)"] })
        func html(_ visible: Int?) -> String {
            HTMLPage(title: "t", sections: [.init("s", [.table(table, caption: nil, visibleRows: visible)])]).html()
        }
        #expect(html(20).contains("<summary>10 more rows</summary>"))
        #expect(!html(28).contains("<summary>") && !html(nil).contains("<summary>"))
        #expect(html(nil).contains("<td class=\"number\">29</td>"))
    }

    @Test("ticks are round numbers with the decimals they need")
    func ticks() {
        func labels(_ low: Double, _ high: Double, _ count: Int = 5) -> [String] {
            AxisScale.linearTicks(low, high, count: count).map(\.label)
        }
        #expect(labels(0, 1) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        #expect(labels(-1, 1, 2) == ["−1", "0", "1"])
        #expect(labels(0, 40000, 4) == ["0", "10,000", "20,000", "30,000", "40,000"])
        #expect(labels(0, 3e-7, 3) == ["0", "10⁻⁷", "2×10⁻⁷", "3×10⁻⁷"])
        #expect(AxisScale.logarithmicTicks(0.04, 0.6).map(\.label) == ["0.05", "0.1", "0.2", "0.5"])
        #expect(AxisScale.logarithmicTicks(1e-8, 1).map(\.label).first == "10⁻⁸")
    }
}
