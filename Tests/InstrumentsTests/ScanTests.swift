import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("Turning crystals and projections")
struct ScanTests {
    private func geometry(
        _ scan: ImageGeometry.Scan = .rotation(l: -0.3...0.5, layers: 5), projection: [Double] = [1, 0, 0, 1]
    ) throws -> ImageGeometry {
        var geometry = try SmallCases.geometry()
        geometry.scan = scan
        geometry.projection = projection
        try geometry.validate()
        return geometry
    }

    private func image(_ geometry: ImageGeometry, twins: [Twin] = [.identity]) throws -> DetectorImage {
        try DetectorImage(geometry: geometry, resolution: SmallCases.resolution(), twins: twins)
    }

    /// The tolerances are those of the image of a crystal at rest.
    @Test(
        "the kernel agrees with the reference, with and without dispersion along l",
        arguments: [[1.0, 0, 0, 1], [1, 1, -1, 1], [0.5, 0.2, 0, 1.5]])
    func agreesWithReference(projection: [Double]) throws {
        for (modes, scan) in try [
            (SmallCases.modes(6, 5), ImageGeometry.Scan.rotation(l: -0.3...0.5, layers: 5)),
            (SmallCases.modes(4, 4, 5, alongL: 1.5), .rotation(l: 0.1...0.9, layers: 1)),
            (SmallCases.modes(6, 5), .fixed),
        ] {
            let twins = try [Twin.identity, Twin(inPlane: [0.6, -0.8, 0.8, 0.6])]
            let image = try image(geometry(scan, projection: projection), twins: twins)
            let difference = SmallCases.rms(try image.image(of: modes), try image.imageReference(of: modes))
            #expect(difference < 2e-3, "\(scan)")
        }
    }

    @Test("Monte Carlo agrees in total where modes disperse along l")
    func monteCarlo() throws {
        let image = try image(geometry(.rotation(l: 0.1...0.9, layers: 1)))
        let modes = try SmallCases.modes(8, 8, 6, alongL: 1.5)
        let exact = try image.image(of: modes)
        let drawn = try image.imageByMonteCarlo(of: modes, draws: 20, stream: .init(seed: 5))
        let (a, b) = (exact.elements.reduce(0, +), drawn.elements.reduce(0, +))
        // Some 1e5 throws hit.
        #expect(abs(b / a - 1) < 0.01)
        #expect(SmallCases.rms(drawn, exact) < 0.1)
    }

    /// An image with pixels [x, y] and one whose axes are exchanged show the same, pixel by pixel.
    @Test("exchanged axes transpose each panel")
    func exchanged() throws {
        var straight = try geometry()
        straight.h = .init(count: 6, minimum: -0.4, maximum: 0.4)
        straight.k = .init(count: 6, minimum: -0.4, maximum: 0.4)
        var crossed = straight
        crossed.projection = [0, 1, 1, 0]
        let instrument = Instrument.mapsBefore2017
        let modes = try SmallCases.modes(9, 9)
        let images = try [straight, crossed].map { geometry in
            try DetectorImage(
                geometry: geometry, resolution: ResolutionTable(instrument: instrument, geometry: geometry)
            )
            .image(of: modes)
        }
        var (worst, largest): (Float, Float) = (0, 0)
        for setting in 0..<2 {
            for bin in 0..<3 {
                for i in 0..<6 {
                    for j in 0..<6 {
                        // Row i from the top is h index 5 − i.
                        let a = images[0][0, setting * 6 + 5 - i, bin * 6 + j]
                        let b = images[1][0, setting * 6 + 5 - j, bin * 6 + i]
                        worst = max(worst, abs(a - b))
                        largest = max(largest, abs(a))
                    }
                }
            }
        }
        // The kernel takes k, given the h pixel, for normal: exchanging their roles costs its 1e-4 of the largest.
        #expect(worst < 1e-3 * largest)
    }

    /// A flat mode far above the elastic line with a resolution narrower than bins, seen whole: the image's total is the mean over
    /// l of S⊥ kf/ki, whatever the projection.
    @Test("intensity does not depend on the projection")
    func projectionKeepsIntensity() throws {
        let modes = try SmallCases.modes(16, 12)
        func mean(_ projection: [Double], _ extent: Double, _ count: Int) throws -> Double {
            var geometry = try geometry(projection: projection)
            geometry.h = .init(count: count, minimum: -extent, maximum: extent)
            geometry.k = .init(count: count, minimum: -extent, maximum: extent)
            let image = try DetectorImage(geometry: geometry, resolution: SmallCases.resolution(sigma: 0.01))
            return try image.image(of: modes).elements.reduce(0) { $0 + Double($1) } / Double(count * count)
        }
        // The square |h|, |k| < 0.42 seen with axes of half and of full length.
        let (full, half) = (try mean([1, 0, 0, 1], 0.4, 21), try mean([0.5, 0, 0, 0.5], 0.8, 21))
        // Edges differ by half a pixel's worth of smearing: σ in units of the axes is the same, so half as wide in r.l.u.
        #expect(abs(full / half - 1) < 0.02, "\(full) \(half)")
    }

    @Test("the covariance turns with (h, k)")
    func covariance() throws {
        var geometry = try geometry(.rotation(l: -0.01...0.01, layers: 1))
        geometry.lattice = [5, 5, 12]
        func at(_ h: Double, _ k: Double) throws -> ResolutionCovariance {
            try Instrument.mapsBefore2017.covariance(
                geometry: geometry, incidentEnergy: 60, frequency: 300, energy: 15, h: h, k: k)
        }
        let (a, b, c) = (try at(1.2, 0), try at(0, 1.2), try at(1.2 * 0.6, 1.2 * 0.8))
        #expect(abs(a.hh - b.kk) < 1e-12 && abs(a.kk - b.hh) < 1e-12 && abs(a.hE - b.kE) < 1e-10 && a.EE == b.EE)
        #expect(abs(a.hk) < 1e-15 && abs(a.kE) < 1e-12)
        // Turned back by the angle of (0.6, 0.8) it is the same.
        let along = 0.36 * c.hh + 0.96 * c.hk + 0.64 * c.kk
        #expect(abs(along - a.hh) < 1e-12)
        #expect(a.isPositiveDefinite && c.isPositiveDefinite)
        // The same Q at rest, with the crystal's h along the beam's plane: its energy width knows nothing of the crystal.
        let rows = try Instrument.mapsBefore2017.covariance(
            incidentEnergy: 60, frequency: 300, energy: 15, direction: SIMD3(1, 0, 0))
        #expect(abs(a.EE / rows[15] - 1) < 0.1)
    }

    @Test("a mask of a turning crystal ends where no triangle closes, and at the detectors' angles")
    func coverage() throws {
        var geometry = try geometry(.rotation(l: -0.001...0.001, layers: 1))
        geometry.h = .init(count: 101, minimum: -6, maximum: 6)
        geometry.k = .init(count: 3, minimum: -0.1, maximum: 0.1)
        let mask = try CoverageMask(coverage: .open(scatteringAngle: 0...60), geometry: geometry)
        for row in 0..<geometry.rows {
            for bin in 0..<3 {
                let column = bin * 3 + 1
                let pixel = geometry.pixel(row: row, column: column)
                // |Q| of 2θ = 0 and of 60°
                let ki = Neutron.wavevector(energy: pixel.incidentEnergy)
                let kf = Neutron.wavevector(energy: pixel.incidentEnergy - pixel.energy)
                let far = (ki * ki + kf * kf - ki * kf).squareRoot()
                let q = 2 * Double.pi * abs(pixel.h) / geometry.lattice[0]
                if abs(q - far) < 1e-3 || abs(q - (ki - kf)) < 1e-3 { continue }
                let isSeen = mask.masked.elements[row * geometry.columns + column] == 0
                #expect(isSeen == (q > ki - kf && q < far), "h = \(pixel.h), E = \(pixel.energy)")
            }
        }
    }

    @Test("what makes no plane or no range is refused")
    func refusals() {
        #expect(throws: InstrumentError.self) { try geometry(projection: [1, 1, 2, 2]) }
        #expect(throws: InstrumentError.self) { try geometry(projection: [1, 1]) }
        #expect(throws: InstrumentError.self) { try geometry(.rotation(l: 0.1...0.1, layers: 2)) }
        #expect(throws: InstrumentError.self) { try geometry(.rotation(l: 0...1, layers: 0)) }
    }
}
