import Foundation
import SpinWaves
import Testing

@Suite("The library by itself")
struct LibraryExampleTests {
    private func example() throws -> (lines: ScatteringLines, map: [Double]) {
        let chain = try SpinModel(
            lattice: Lattice(a: 3, b: 8, c: 8),
            sites: [Site(label: "1", ion: "Cu2", position: .zero, spin: 0.5, direction: Vector3(0, 1, 0))],
            parameters: [.init("J", -1)],
            bonds: [Bond(from: 0, to: 0, offset: SIMD3(1, 0, 0), exchange: .isotropic("J"))])
        let path = try QPath([.zero, Vector3(1, 0, 0)], lattice: chain.lattice, count: 101)
        let magnons = try MagnonScattering(chain, parameters: ["J": -2.5], temperature: 10)
        let lines = try magnons.lines(at: path.points)
        let map = try magnons.map(at: path.points, bins: EnergyBins(from: 0, to: 6, count: 120), fwhm: 0.2)
        // example ends
        return (lines, map.elements)
    }

    @Test("the example of the tutorial runs and gives ω = 2|J|S(1 − cos 2πh)")
    func runs() throws {
        let (lines, map) = try example()
        for (k, q) in lines.points.enumerated() {
            #expect(abs(lines.energies.elements[k] - 2.5 * (1 - cos(2 * Double.pi * q.x))) < 1e-8)
        }
        // At h = 1/2 the Gaussian at 5 meV lies within the bins: all of the intensity, in bins of 0.05 meV.
        let sum = map[50 * 120..<51 * 120].reduce(0, +) * 0.05
        #expect(abs(sum - lines.intensities.elements[50]) < 1e-10)
    }

    @Test("the tutorial shows this very code")
    func shown() throws {
        let here = URL(fileURLWithPath: #filePath)
        let root = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/tutorial.md"), encoding: .utf8)
        let source = try String(contentsOf: here, encoding: .utf8).split(separator: "\n")
        let first = try #require(source.firstIndex { $0.contains("let chain = try SpinModel(") })
        let last = try #require(source.firstIndex { $0.hasSuffix("// example ends") })
        #expect(last - first == 9)
        let example = source[first..<last].map { $0.dropFirst(8) }.joined(separator: "\n")
        #expect(page.contains("import SpinWaves\n\n" + example + "\n```"))
    }
}
