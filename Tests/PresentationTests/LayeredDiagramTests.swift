import Foundation
import Testing

@testable import Presentation

@Suite("Boxes and arrows")
struct LayeredDiagramTests {
    /// Random acyclic graphs: arrows lead from lower to higher numbers.
    static func random(_ seed: UInt64) -> (sizes: [(width: Double, height: Double)], arrows: [(from: Int, to: Int)]) {
        var state = seed
        func next(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        let count = 2 + next(25)
        let sizes = (0..<count).map { _ in (width: 60 + Double(next(120)), height: 30 + Double(next(50))) }
        var arrows: [(from: Int, to: Int)] = []
        for to in 1..<count {
            for _ in 0..<next(3) {
                let from = next(to)
                if !arrows.contains(where: { $0.from == from && $0.to == to }) { arrows.append((from, to)) }
            }
        }
        return (sizes, arrows)
    }

    @Test("boxes keep apart, arrows lead down and pass no box", arguments: 1...40)
    func layout(seed: Int) {
        let (sizes, arrows) = Self.random(UInt64(seed))
        let layout = LayeredLayout(sizes: sizes, arrows: arrows)
        let places = layout.places
        #expect(places.count == sizes.count)
        for (index, a) in places.enumerated() {
            #expect(a.x - a.width / 2 > 0 && a.x + a.width / 2 < layout.width && a.y + a.height < layout.height)
            for b in places[..<index] where abs(a.y - b.y) < 1 {
                // Least squares end within rounding of the distance asked for.
                #expect(abs(a.x - b.x) >= (a.width + b.width) / 2 + 25.99)
            }
        }
        for (arrow, route) in zip(arrows, layout.routes) {
            #expect(places[arrow.from].y + places[arrow.from].height < places[arrow.to].y)
            for bend in route.dropFirst().dropLast() {
                for box in places where bend.y >= box.y && bend.y <= box.y + box.height {
                    #expect(abs(bend.x - box.x) > box.width / 2)
                }
            }
            #expect(zip(route, route.dropFirst()).allSatisfy { $0.y <= $1.y })
        }
    }

    @Test("a straight chain is drawn straight")
    func chain() {
        let layout = LayeredLayout(
            sizes: [(80, 30), (120, 40), (60, 30)], arrows: [(from: 0, to: 1), (from: 1, to: 2)])
        // A mean of one number, to rounding.
        for place in layout.places { #expect(abs(place.x - layout.places[0].x) < 1e-9) }
    }

    @Test("the picture is well-formed, whatever the names are")
    func picture() throws {
        let diagram = LayeredDiagram(
            title: "a < b & \"c\"",
            boxes: [
                .init(title: "x<y", lines: ["stage & co", "3 samples"], kind: "image", isPile: true),
                .init(title: "z", lines: [], kind: "verdict", isPile: false),
            ], arrows: [.init(from: 0, to: 1, title: "'in'")])
        let svg = diagram.svg
        #expect(svg.hasPrefix("<svg "))
        #expect(svg.contains("x&lt;y") && !svg.contains("x<y"))
        let opened = svg.matches(of: /<[a-zA-Z]/).count
        let closed = svg.matches(of: /<\/|\/>/).count
        #expect(opened == closed)
    }

    @Test("no boxes, no picture to speak of, and no crash")
    func empty() { #expect(LayeredDiagram(title: "", boxes: [], arrows: []).svg.hasPrefix("<svg")) }
}
