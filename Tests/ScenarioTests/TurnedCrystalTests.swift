import Foundation
import Interchange
import Tensors
import Testing

/// The scan on MERLIN with c horizontal, on 12 × 8 pixels: h from 2.2 down to −2.2 in steps of 0.4, six bins of 1.5 meV from
/// 1.5 meV on.
@Suite("A scan of a crystal that is held in any way, from graph to report")
struct TurnedCrystalTests {
    private static let (rows, bins, columns) = (12, 6, 8)

    @Test("the image shows the band of the closed form, the measurement its mask, and the report both")
    func scan() throws {
        let workplace = try Workplace()
        let graph = "graphs/square-afm-merlin.yaml"
        let options = [
            "--set", "resolution.h={count: 12, from: -2.2, to: 2.2}", "--set",
            "resolution.k={count: 8, from: -6, to: 6}", "--set", "spectrum.grid=16", "--store", "store",
        ]
        let run = try workplace.document(RunDocument.self, ["run", graph, "--quiet"] + options)
        #expect(run.outcome == "done")
        #expect(run.nodes.allSatisfy { $0.failed == 0 && $0.computed == 1 })

        func exported(_ node: String) throws -> [String: AnyTensor] {
            let file = "\(node).npz"
            let outcome = try workplace.spinweave(["export", graph, node, "-o", file] + options)
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try NPZ.read(path: workplace.path(file).path)
        }
        try expectBand(try #require(try exported("image")["domains"]))

        let measurement = try exported("measurement")
        let missing = try #require(measurement["missing"]).asFloat64
        #expect(missing.elements == (try #require(try exported("mask")["missing"])).asFloat64.elements)
        #expect(missing.elements.contains(0) && missing.elements.contains(1))
        let counts = try #require(measurement["image"]).asFloat64
        #expect(zip(counts.elements, missing.elements).allSatisfy { $1 == 0 || $0 == 0 })

        let report = try workplace.spinweave(["report", graph, "-o", "page.html"] + options)
        #expect(report.status == 0, "\(report.errors)")
        let page = try workplace.text(of: "page.html")
        let headings = page.matches(of: /<h2[^>]*>(.*?)<\/h2>/).map { String($0.output.1) }
        #expect(headings == ["Measurement and simulations", "What ran"])
        #expect(page.contains("data:image/png;base64,") && page.contains("load-measurement"))
    }

    @Test("the ways to an image know the orientation, but for the published one; a coarse grid is refused")
    func methods() throws {
        let workplace = try Workplace()
        let graph = "graphs/square-afm-merlin.yaml"
        func run(_ grid: Int, _ settings: [String]) throws -> Program.Outcome {
            try workplace.spinweave(
                [
                    "run", graph, "--set", "resolution.h={count: 12, from: -2.2, to: 2.2}", "--set",
                    "resolution.k={count: 8, from: -6, to: 6}", "--set", "spectrum.grid=\(grid)", "--store", "store",
                ] + settings.flatMap { ["--set", "image.\($0)"] })
        }
        let coarse = try run(8, ["tolerance=0.01"])
        #expect(coarse.status == 1)
        let said = coarse.output + coarse.errors
        #expect(said.contains("a zone grid of 8 × 8 points leaves an error of about "), "\(said)")
        let fine = try run(128, ["tolerance=0.03"])
        #expect(fine.status == 0, "\(fine.output)\(fine.errors)")
        #expect(fine.output.contains("image: sampling the zone leaves an error of 0."), "\(fine.output)")
        let drawn = try run(8, ["method=instrument-draws", "draws=20"])
        #expect(drawn.status == 0 && drawn.output.contains("image: drawn to "), "\(drawn.output)\(drawn.errors)")
        #expect(try run(8, ["method=monte-carlo"]).status == 0)
        let published = try run(8, ["method=as-published"])
        #expect(published.status == 1)
        #expect(
            (published.output + published.errors).contains(
                "the method as-published knows no orientation of the crystal"))
    }

    /// ω = S √((4 J1 + 2 |D|)² − (4 J1 cos πh cos πk)²), S = 5/2, J1 = 0.65 meV, D = −0.01 meV: 0.81 meV at h = 1, 6.55 meV at
    /// h = 1/2, and the same all along l.
    private func expectBand(_ domains: AnyTensor) throws {
        #expect(domains.shape == [1, Self.rows, Self.bins * Self.columns])
        let image = domains.asFloat64.elements
        /// Means along l, of a row and an energy bin.
        func mean(_ row: Int, _ bin: Int) -> Double {
            let start = (row * Self.bins + bin) * Self.columns
            return image[start..<start + Self.columns].reduce(0, +) / Double(Self.columns)
        }
        let centres = (0..<Self.rows).map { 2.2 - 0.4 * Double($0) }
        let zone = centres.indices.filter { abs(abs(centres[$0]) - 1) < 1e-9 }
        let edge = centres.indices.filter { [0.6, 1.4].contains((abs(centres[$0]) * 10).rounded() / 10) }
        #expect((zone.count, edge.count) == (2, 4))
        let largest = (0..<Self.rows).flatMap { row in (0..<Self.bins).map { mean(row, $0) } }.max() ?? 0
        #expect(largest > 0)
        for row in centres.indices {
            // From 7.5 meV on, 0.95 meV above the band, is nothing: more than three standard deviations of the resolution.
            #expect(mean(row, 4) < 2e-3 * largest && mean(row, 5) < 1e-6 * largest, "h = \(centres[row])")
        }
        for row in zone {
            // 0.8 … 1.2 in h is below 4.5 meV (3.9 at its ends), and what is seen first is the antiferromagnet's zone centre.
            #expect(mean(row, 0) > 0.5 * largest)
            #expect(mean(row, 2) < 0.03 * largest && mean(row, 3) < 1e-3 * largest)
        }
        for row in edge {
            // 0.4 … 0.8 in h is 3.9 meV and above.
            #expect(mean(row, 0) < 0.01 * largest)
            #expect(mean(row, 2) > 5 * mean(zone[0], 2))
        }
    }
}
