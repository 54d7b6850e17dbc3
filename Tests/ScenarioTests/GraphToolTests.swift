import Foundation
import Testing

/// `spinweave schema`, `fmt` and `graph`, and graphs of several files, as a user runs them.
@Suite("Tools for graph files")
struct GraphToolTests {
    @Test("the schema is one JSON document")
    func schema() throws {
        let outcome = try Workplace().spinweave("schema")
        #expect(outcome.status == 0)
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
        #expect(document["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
    }

    @Test("fmt writes what would change, --check only says so, and a file that is no YAML stays")
    func format() throws {
        let workplace = try Workplace()
        let text = try workplace.text(of: "graphs/square-afm.yaml")
        try workplace.write(text.replacing("{", with: "{ "), to: "graphs/square-afm.yaml")
        try workplace.write("nodes: {a: 1\n", to: "graphs/broken.yaml")
        let check = try workplace.spinweave("fmt", "--check", "graphs/square-afm.yaml", "graphs/pcsmo.yaml")
        #expect(check.status == 1)
        #expect(check.output == "graphs/square-afm.yaml would change\n")
        #expect(try workplace.text(of: "graphs/square-afm.yaml") != text)
        let both = try workplace.spinweave("fmt", "graphs/broken.yaml", "graphs/square-afm.yaml")
        #expect(both.status == 2)
        #expect(both.output == "graphs/square-afm.yaml changed\n")
        #expect(both.errors.hasPrefix("graphs/broken.yaml:1:12: error: expected ',' or '}'"))
        #expect(try workplace.text(of: "graphs/square-afm.yaml") == text)
        #expect(try workplace.text(of: "graphs/broken.yaml") == "nodes: {a: 1\n")
        #expect(try workplace.spinweave("fmt", "--check", "graphs/square-afm.yaml").status == 0)
    }

    @Test("a graph is drawn with one box a declaration")
    func draw() throws {
        let workplace = try Workplace()
        let svg = try workplace.spinweave("graph", "graphs/square-afm.yaml", "--svg")
        #expect(svg.status == 0)
        #expect(svg.output.hasPrefix("<svg ") && svg.output.contains("200 samples each"))
        let dot = try workplace.spinweave("graph", "graphs/square-afm.yaml", "--dot", "-o", "graph.dot")
        #expect(dot.status == 0 && dot.output.isEmpty)
        let text = try workplace.text(of: "graph.dot")
        #expect(text.contains("\"images\" -> \"noise\" [label=\"image\"];"))
        #expect(!text.contains("@"))
        #expect(try workplace.spinweave("graph", "graphs/square-afm.yaml", "--dot", "--svg").status == 64)
    }

    @Test("a graph of two files with defaults and a matrix runs, and one more point computes that point alone")
    func matrix() throws {
        let workplace = try Workplace()
        try FileManager.default.createDirectory(
            at: workplace.path("graphs/parts"), withIntermediateDirectories: true)
        try workplace.write(
            """
            defaults: {spin-waves: {grid: 6}, add-noise: {gain: 0.5}}
            nodes:
              resolution:
                stage: resolution
                settings: [{energy: 12 meV, frequency: 200 Hz}]
                energy-bins: {count: 2, from: 0.1, to: 0.7}
                h: {count: 4, from: -1, to: 1}
                k: {count: 5, from: -1, to: 1}
                lattice: [5.656854249492381 angstrom, 5.656854249492381 angstrom, 13 angstrom]
                magnetic-cell: [1, 1, 1]
              mask: {stage: detector-mask, resolution: resolution, coverage: open}

            """, to: "graphs/parts/instrument.yaml")
        try workplace.write(
            """
            include: [parts/instrument.yaml]
            define: {exposures: [1, 4]}
            nodes:
              sweep: {stage: sweep-parameters, model: square-afm-nn, values: {J1: [0.5 meV, 0.7 meV, 0.5 meV]}}
              spectra: {stage: spin-waves, model: square-afm-nn, parameters: sweep}
              images: {stage: convolve-resolution, spectrum: spectra, resolution: resolution}
              noise: {stage: add-noise, for: {exposure: $exposures}, image: images, mask: mask, exposure: $exposure}

            """, to: "graphs/matrix.yaml")
        func run(_ settings: String...) throws -> RunDocument {
            let options = settings.flatMap { ["--set", $0] } + ["--store", "store", "--quiet"]
            return try workplace.document(RunDocument.self, ["run", "graphs/matrix.yaml"] + options)
        }
        let first = try run()
        #expect(first.outcome == "done")
        #expect(first.nodes.map(\.name).suffix(2) == ["noise@exposure=1", "noise@exposure=4"])
        let point = try run("sweep.values.J1.1=0.6 meV")
        // The other two points are equal, and were known.
        #expect(point.node("sweep")?.computed == 1)
        #expect(point.node("spectra")?.computed == 1)
        #expect(point.node("noise@exposure=4")?.computed == 1)
        let axis = try run("define.exposures=[1, 4, 8]")
        #expect(axis.computedNodes == ["noise"])
        #expect(axis.node("noise@exposure=8")?.computed == 3)
    }
}
