import Foundation
import Interchange
import Tensors
import Testing

/// The last node of the square antiferromagnet's graph, with few samples.
@Suite("attribution as a file")
struct AttributionTests {
    private static let graph = "graphs/square-afm.yaml"
    private static let options = [
        "--store", "store", "--set", "parameters.count=20", "--set", "test-parameters.count=5", "--set",
        "network.epochs=2", "--set", "attribution.baseline=rival", "--set", "attribution.divisions=4",
    ]

    private struct Document: Decodable {
        struct Region: Decodable {
            var energy, h, k: [Double]
            var share, weight, difference: Double
        }
        struct Fit: Decodable { var sample: Int }
        var best: String
        var regions: [Region]
        var fits: [String: Fit]
    }

    @Test("the ranges of the table, laid over the axes in the .npz, hold the share that the table says")
    func regions() throws {
        let workplace = try Workplace()
        let run = try workplace.spinweave(["run", Self.graph, "--quiet"] + Self.options)
        #expect(run.status == 0, "\(run.errors)")
        for suffix in ["npz", "json"] {
            let outcome = try workplace.spinweave(
                ["export", Self.graph, "attribution", "-o", "why.\(suffix)"] + Self.options)
            #expect(outcome.status == 0, "\(outcome.errors)")
        }
        let document = try JSONDecoder().decode(Document.self, from: Data(contentsOf: workplace.path("why.json")))
        #expect(document.fits.keys.sorted() == ["nearest", "second"])
        let arrays = try NPZ.read(path: workplace.path("why.npz").path)
        func numbers(_ name: String) throws -> [Double] { try #require(arrays[name]).asFloat64.elements }
        let edges = try numbers("axes.energy-edges")
        let (h, k) = (try numbers("axes.h"), try numbers("axes.k"))
        let map = try numbers("maps.\(document.best)")
        #expect(try numbers("axes.incident-energy") == [12])
        #expect(edges.count == 9 && h.count == 20 && k.count == 20 && map.count == 20 * 8 * 20)
        let total = map.reduce(0) { $0 + abs($1) }
        #expect(total > 0 && document.regions.count == 12)
        for region in document.regions {
            var (size, sum) = (0.0, 0.0)
            for (i, h) in h.enumerated() where region.h[0] < h && h < region.h[1] {
                for bin in 0..<8 where region.energy[0] < (edges[bin] + edges[bin + 1]) / 2 {
                    if region.energy[1] < (edges[bin] + edges[bin + 1]) / 2 { continue }
                    for (j, k) in k.enumerated() where region.k[0] < k && k < region.k[1] {
                        // One incident energy: [h, energy, k].
                        size += abs(map[(i * 8 + bin) * 20 + j])
                        sum += map[(i * 8 + bin) * 20 + j]
                    }
                }
            }
            // The map is single precision in both.
            #expect(abs(size / total - region.share) < 1e-6)
            #expect(abs(sum - region.weight) < 1e-6 * total)
        }
    }

    @Test("without simulations there is no rival to compare with, and the message says what to connect")
    func noImages() throws {
        let workplace = try Workplace()
        let text = try workplace.text(of: Self.graph)
        try workplace.write(
            text.replacingOccurrences(
                of: "measurement: measurement, images: images}", with: "measurement: measurement}"),
            to: Self.graph)
        let run = try workplace.spinweave(["run", Self.graph, "--quiet"] + Self.options)
        #expect(run.status == 1)
        #expect(
            (run.output + run.errors).contains("'baseline: rival' needs simulations of the classes"), "\(run.errors)")
        #expect((run.output + run.errors).contains("connect them to the port 'images'"), "\(run.errors)")
    }
}
