import Compute
import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("Ways to an image")
struct ImageMethodTests {
    /// χ² per pixel of the difference between images, given the variance of a mean over independent runs.
    @Test("Monte Carlo and the integrals agree within the Monte Carlo's error", arguments: [0.02, 0.06])
    func monteCarlo(sigma: Double) throws {
        let image = try DetectorImage(
            geometry: SmallCases.geometry(), resolution: SmallCases.resolution(sigma: sigma),
            twins: [.identity, Twin(inPlane: [0.6, -0.8, 0.8, 0.6])])
        let modes = try SmallCases.modes(24, 16)
        let exact = try image.image(of: modes)
        let runs = try (0..<12).map { run in
            try image.imageByMonteCarlo(
                of: modes, draws: 4, stream: RandomStream(seed: 3).substream("run", run))
        }
        var chiSquared = 0.0
        var count = 0.0
        var total = (exact: 0.0, drawn: 0.0)
        for pixel in exact.elements.indices {
            let values = runs.map { Double($0.elements[pixel]) }
            let mean = values.reduce(0, +) / 12
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 11 / 12
            total.exact += Double(exact.elements[pixel])
            total.drawn += mean
            // Pixels that are hardly ever hit have no normal error.
            guard mean > 0, variance < 0.01 * mean * mean else { continue }
            let difference = mean - Double(exact.elements[pixel])
            chiSquared += difference * difference / variance
            count += 1
        }
        #expect(count > 200)
        // Student's t with 11 degrees of freedom has the variance 11/9; its square spreads by about 2.4, so that the mean over
        // 200 to 600 pixels, neighbours not quite independent, lies within 0.5 of it.
        #expect(abs(chiSquared / count - 11.0 / 9) < 0.5, "\(chiSquared / count) over \(count) pixels")
        // Of some 1e5 throws that hit.
        #expect(abs(total.drawn / total.exact - 1) < 5e-3)
    }

    @Test("the same stream gives the same Monte Carlo image, another stream another")
    func addressed() throws {
        let image = try DetectorImage(geometry: SmallCases.geometry(), resolution: SmallCases.resolution())
        let modes = try SmallCases.modes(5, 4)
        let stream = RandomStream(seed: 1).substream("image")
        let one = try image.imageByMonteCarlo(of: modes, draws: 3, stream: stream)
        #expect(try image.imageByMonteCarlo(of: modes, draws: 3, stream: stream) == one)
        #expect(try image.imageByMonteCarlo(of: modes, draws: 3, stream: stream.substream("b")) != one)
        #expect(throws: InstrumentError.self) { try image.imageByMonteCarlo(of: modes, draws: 0, stream: stream) }
    }

    /// Point samples of a kernel much wider than pixels and bins sum to its integral, (2π)^½ √det Σ over a pixel's volume, so that
    /// a broader resolution counts more.
    @Test("the published kernel sums to the volume of the resolution")
    func asPublished() throws {
        let geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: 30, chopperFrequency: 200)],
            energyBins: .init(count: 60, from: 0.1, to: 0.7), h: .init(count: 49, minimum: -0.24, maximum: 0.24),
            k: .init(count: 49, minimum: -0.24, maximum: 0.24), lattice: SmallCases.lattice, magneticScale: [2, 1, 1])
        // One flat mode, one grid point: a single line in the middle of the image, the next at h = ±0.5.
        let plain = try SmallCases.modes(1, 1)
        let flat = try ZoneModes(
            grid: [1, 1, 1], energies: Tensor(shape: [1, 3], elements: [12, -1, -1]),
            velocities: Tensor(shape: [1, 3, 3], repeating: 0), amplitudes: plain.amplitudes, sites: plain.sites,
            formFactors: plain.formFactors, lattice: plain.lattice)
        let sums = try [0.03, 0.045].map { sigma in
            let axis = ResolutionTable.Axis(origin: -1, step: 1, count: 3)
            let c = [sigma * sigma, 0.3 * sigma * sigma, sigma * sigma, 0.2 * sigma, -0.1 * sigma, 1]
            let grid = try ResolutionTable.Grid(
                incidentEnergy: 30, h: axis, k: axis, energy: .init(origin: 0, step: 15, count: 3),
                covariances: Array(repeating: c, count: 27).flatMap { $0 })
            let image = try DetectorImage(
                geometry: geometry, resolution: ResolutionTable(grids: [grid]), options: .init(fluxRatio: false))
            return try image.imageAsPublished(of: flat).elements.reduce(0) { $0 + Double($1) }
        }
        // √det grows like σ² here; the image ends 5.3 σ from the line, which is 1e-6 of it.
        #expect(sums[0] > 0)
        #expect(abs(sums[1] / sums[0] - 2.25) < 1e-4, "\(sums)")
    }
}
