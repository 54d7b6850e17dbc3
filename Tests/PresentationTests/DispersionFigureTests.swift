import Foundation
import FoundationXML
import Interchange
import Tensors
import Testing

@testable import Presentation

@Suite("Dispersion figures")
struct DispersionFigureTests {
    private func figure(map: Bool, ticks: [DispersionFigure.Tick]) throws -> DispersionFigure {
        let intensity = Tensor<Double>(shape: [3, 2], elements: [0, 1, 2, 3, 4, 5])
        return try DispersionFigure(
            positions: [0, 1, 3], ticks: ticks, xTitle: "Q (r.l.u.)", energies: 0...10, lines: [[0, 5, .nan]],
            map: map ? .init(intensity, barTitle: "S⊥ <spin²/meV>") : nil, title: "a & b", alternativeText: "modes")
    }

    @Test(
        "a document is well-formed, names its axes and corners, and needs nothing from outside",
        arguments: [true, false])
    func document(map: Bool) throws {
        let text = try figure(map: map, ticks: [.init(0, "(0 0 0)"), .init(0.1, "(1/2 0 0)"), .init(3, "(1 1 0)")])
            .document()
        #expect(XMLParser(data: Data(text.utf8)).parse())
        for word in ["(0 0 0)", "(1/2 0 0)", "Q (r.l.u.)", "energy (meV)", "a &amp; b", "<style>", "height="] {
            #expect(text.contains(word), "\(word)")
        }
        #expect(!text.contains("var(--") && !text.contains("http://www.w3.org/1999/xhtml"))
        #expect(text.contains("data:image/png;base64,") == map && text.contains("S⊥ &lt;spin²/meV&gt;") == map)
        #expect(try figure(map: false, ticks: []).document().contains("2.5"))
    }

    @Test("the map stands with its highest energy on top, each column the nearest position's")
    func raster() throws {
        let intensity = Tensor<Double>(shape: [3, 2], elements: [0, 9, 0, 0, 9, 0])
        let (image, high) = DispersionFigure.raster(intensity, positions: [0, 1, 4], columns: 5)
        #expect(image.width == 5 && image.height == 2 && high > 8)
        // Columns at 0, 1, 2, 3, 4 belong to positions 0, 1, 1, 4, 4.
        func isBright(_ row: Int, _ column: Int) -> Bool { image.pixels[3 * (row * 5 + column)] > 200 }
        #expect((0..<5).map { isBright(0, $0) } == [true, false, false, false, false])
        #expect((0..<5).map { isBright(1, $0) } == [false, false, false, true, true])
    }

    @Test("shapes that disagree are refused")
    func refusals() {
        #expect(throws: InterchangeError.self) {
            try DispersionFigure(
                positions: [0, 1], ticks: [], xTitle: "", energies: 0...1, lines: [[1]], map: nil, alternativeText: "")
        }
        #expect(throws: InterchangeError.self) {
            try DispersionFigure(
                positions: [0, 1], ticks: [], xTitle: "", energies: 0...1, lines: [],
                map: .init(Tensor(shape: [3, 1], elements: [1, 2, 3]), barTitle: ""), alternativeText: "")
        }
    }
}
