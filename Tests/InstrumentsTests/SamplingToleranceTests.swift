import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("The error of sampling the zone, where bands cross")
struct SamplingToleranceTests {
    /// The three bands of `SmallCases`, the third lowered so that it crosses the second, in the order of energy at each point.
    private static func sorted(_ n1: Int, _ n2: Int) throws -> ZoneModes {
        let apart = try SmallCases.modes(n1, n2, missing: false)
        // 16 + 5x and 22 − 6 + 2x meet at x = 0.
        let bands = apart.energies.elements.enumerated().map { $0.offset % 3 == 2 ? $0.element - 6 : $0.element }
        var (energies, velocities, amplitudes): ([Double], [Float], [Float]) = ([], [], [])
        var exchanged = 0
        for point in 0..<n1 * n2 {
            let order = (0..<3).sorted {
                bands[3 * point + $0] < bands[3 * point + $1]
            }
            if order != [0, 1, 2] { exchanged += 1 }
            for mode in order {
                let at = 3 * point + mode
                energies.append(bands[at])
                velocities += apart.velocities.elements[3 * at..<3 * at + 3]
                amplitudes += apart.amplitudes.elements[12 * at..<12 * at + 12]
            }
        }
        #expect(exchanged > 0 && exchanged < n1 * n2)
        return try ZoneModes(
            grid: apart.grid, energies: Tensor(shape: apart.energies.shape, elements: energies),
            velocities: Tensor(shape: apart.velocities.shape, elements: velocities),
            amplitudes: Tensor(shape: apart.amplitudes.shape, elements: amplitudes), sites: apart.sites,
            formFactors: apart.formFactors, lattice: apart.lattice)
    }

    private static func image(sigma: Double) throws -> DetectorImage {
        try DetectorImage(
            geometry: SmallCases.geometry(), resolution: SmallCases.resolution(sigma: sigma),
            twins: [.identity, Twin(inPlane: [0.6, -0.8, 0.8, 0.6])])
    }

    /// Against eight times as many points along each axis. 1.5 of the factor is the estimate's own margin; the rest is for what is
    /// of higher order.
    @Test("the estimate is above the true error and below four times it", arguments: [0.03, 0.06], [16, 24, 40])
    func estimate(sigma: Double, divisions: Int) throws {
        let image = try Self.image(sigma: sigma)
        let sampled = try image.sampledImage(of: Self.sorted(divisions, divisions * 2 / 3))
        let truth = try image.image(of: Self.sorted(divisions * 8, divisions * 16 / 3))
        let error = SmallCases.rms(sampled.image, truth)
        #expect(sampled.error > error, "\(sampled.error), truly \(error)")
        #expect(sampled.error < 4 * error, "\(sampled.error), truly \(error)")
    }

    @Test("parts keep the intensity, and a grid finer than the resolution has none")
    func parts() throws {
        let image = try Self.image(sigma: 0.06)
        let fine = try SmallCases.modes(64, 40)
        let whole = try image.image(of: fine)
        #expect(try image.image(of: fine, level: .best, cells: .init(variance: 1, finest: 2)) == whole)
        // One flat mode that the image holds wholly: parts change nothing but where within the cell it lies.
        let coarse = try SmallCases.modes(3, 2)
        let wide = try DetectorImage(
            geometry: ImageGeometry(
                settings: [.init(incidentEnergy: 60, chopperFrequency: 300)],
                energyBins: .init(count: 4, from: -0.9, to: 0.95), h: .init(count: 40, minimum: -5, maximum: 5),
                k: .init(count: 40, minimum: -6, maximum: 6), lattice: SmallCases.lattice, magneticScale: [2, 1, 1]),
            resolution: SmallCases.resolution())
        func total(_ cells: DetectorImage.Cells) throws -> Double {
            try wide.image(of: coarse, level: .best, cells: cells).elements.reduce(0) { $0 + Double($1) }
        }
        let (one, many) = (try total(.init()), try total(.init(variance: 1, finest: 0.5)))
        // The kernel's normal distribution is good to 1e-7 a deposit.
        #expect(abs(many / one - 1) < 1e-6, "\(many / one - 1)")
    }

    @Test("a coarse grid is refused with one that would do, and that one does")
    func refusal() throws {
        let image = try Self.image(sigma: 0.06)
        let tolerance = 0.01
        do {
            _ = try image.image(of: Self.sorted(12, 8), tolerance: tolerance)
            Issue.record("a coarse grid was taken")
        } catch InstrumentError.coarseGrid(let grid, let error, _, let sufficient) {
            #expect(grid == [12, 8, 1])
            #expect(error > tolerance)
            #expect(sufficient[2] == 1)
            let sampled = try image.image(of: Self.sorted(sufficient[0], sufficient[1]), tolerance: tolerance * 1.05)
            #expect(sampled.error > 0.2 * tolerance)
        }
        let wording = InstrumentError.coarseGrid([25, 25, 1], error: 0.0213, tolerance: 0.01, sufficient: [37, 37, 1])
        #expect(
            wording.description
                == "a zone grid of 25 × 25 points leaves an error of about 2.13 % of the image's rms, more than the tolerance of 1 %"
        )
        #expect(
            wording.hint == "37 × 37 points would do (grid: 37 of the spin waves); or allow a larger tolerance")
        #expect(throws: InstrumentError.invalid("the tolerance", problem: "must be above 0")) {
            try image.image(of: Self.sorted(12, 8), tolerance: 0)
        }
    }
}
