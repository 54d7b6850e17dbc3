import CKernels
import Foundation
import Tensors
import Testing

@testable import Instruments

@Suite("The detector image")
struct DetectorImageTests {
    private func render(_ modes: ZoneModes, twins: [Twin] = [.identity], options: DetectorImage.Options = .init())
        throws -> Tensor<Float>
    {
        try DetectorImage(
            geometry: SmallCases.geometry(), resolution: SmallCases.resolution(), twins: twins, options: options
        ).image(of: modes)
    }

    @Test("the kernel's normal distribution is right to 1e-7 and ends at exactly 0 and 1")
    func normalDistribution() {
        for step in -800...800 {
            let x = Double(step) / 100
            #expect(abs(sw_normal_cdf(x) - erfc(-x / 2.0.squareRoot()) / 2) < 1e-7)
        }
        #expect(abs(sw_normal_cdf(-5.3)) < 1e-11)
        #expect(abs(sw_normal_cdf(5.3) - 1) < 1e-11)
    }

    /// Pixels about twice as wide as the resolution: that the kernel takes k, given an h pixel, for normal, and deposits
    /// near modes together, costs 1e-4 of the rms (8e-5 and 1.0e-4 seen).
    @Test("the kernel agrees with the reference", arguments: [0.0, 300.0])
    func agreesWithReference(temperature: Double) throws {
        let image = try DetectorImage(
            geometry: SmallCases.geometry(), resolution: SmallCases.resolution(),
            twins: [.identity, .exchanged, Twin(inPlane: [0.6, -0.8, 0.8, 0.6])],
            options: .init(fluxRatio: temperature > 0, temperature: temperature))
        let modes = try SmallCases.modes(6, 5)
        let difference = SmallCases.rms(try image.image(of: modes), try image.imageReference(of: modes))
        #expect(difference < 3e-4)
    }

    @Test("the kernel agrees with the reference where modes disperse along the beam")
    func agreesAlongL() throws {
        let image = try DetectorImage(
            geometry: SmallCases.geometry(), resolution: SmallCases.resolution(), options: .init())
        let modes = try SmallCases.modes(4, 4, 5, alongL: 1.5)
        #expect(SmallCases.rms(try image.image(of: modes), try image.imageReference(of: modes)) < 2e-3)
    }

    @Test("every instruction set gives the same image to rounding of the sum")
    func instructionSets() throws {
        let image = try DetectorImage(
            geometry: SmallCases.geometry(), resolution: SmallCases.resolution(), twins: [.identity, .exchanged])
        let modes = try SmallCases.modes(7, 6)
        let baseline = try image.image(of: modes, level: .baseline)
        let best = try image.image(of: modes)
        #expect(SmallCases.rms(best, baseline) < 1e-12)
        #expect(try image.image(of: modes) == best)
    }

    /// One flat mode inside all windows and the kernel of every point wholly on a wide image, seen from one zone only
    /// (a grid finer than the image is moved so that its points lie within): total = Σ S⊥ · cell area / pixel area.
    @Test("intensity is conserved to 1e-6", arguments: [0.01, 0.06, 0.2])
    func conserves(sigma: Double) throws {
        let geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: 30, chopperFrequency: 200)],
            energyBins: .init(count: 5, from: -0.5, to: 0.95), h: .init(count: 60, minimum: -3, maximum: 3),
            k: .init(count: 50, minimum: -3, maximum: 3), lattice: SmallCases.lattice, magneticScale: [1, 1, 1])
        let axis = ResolutionTable.Axis(origin: -5, step: 10, count: 2)
        let e = 1.0
        let covariance = [sigma * sigma, 0.5 * sigma * sigma, sigma * sigma, 0.6 * sigma * e, 0.2 * sigma * e, e * e]
        let table = ResolutionTable(grids: [
            try .init(
                incidentEnergy: 30, h: axis, k: axis, energy: .init(origin: -50, step: 100, count: 2),
                covariances: Array(repeating: covariance, count: 8).flatMap { $0 })
        ])
        // Amplitudes only at q = 0, so that Q = (h, k) are integers, of which the kinematics leave |h|, |k| ≤ 2: far
        // enough inside the image.
        let points = 4
        var amplitudes = [Float](repeating: 0, count: points * 4)
        amplitudes[0] = 1
        let modes = try ZoneModes(
            grid: [2, 2, 1], energies: Tensor(shape: [points, 1], repeating: 12),
            velocities: Tensor(shape: [points, 1, 3], repeating: 0.5),
            amplitudes: Tensor(shape: [points, 1, 1, 2, 2], elements: amplitudes),
            sites: [.init(position: .zero, frame: [SIMD3(0, 1, 0), SIMD3(1, 0, 0)], ion: 0)],
            formFactors: [.unity], lattice: SmallCases.lattice)
        let image = try DetectorImage(
            geometry: geometry, resolution: table, options: .init(fluxRatio: false, energyScale: .integrated)
        ).image(of: modes)
        let sum = image.elements.reduce(0.0) { $0 + Double($1) }
        var expected = 0.0
        for h in -4...4 {
            for k in -4...4 {
                guard let l = geometry.l(incidentEnergy: 30, energy: 12, h: Double(h), k: Double(k)) else { continue }
                #expect(max(abs(h), abs(k)) <= 2)
                let q = SIMD3(Double(h) / 5, Double(k) / 6, l / 12)
                expected += 1 - q.y * q.y / (q * q).sum()
            }
        }
        expected *= 0.25 / (geometry.h.step * geometry.k.step)
        #expect(expected > 1)
        // σ = 0.2 is cut at |h| = 2 by 1.05/√(0.04 + cell) ≈ 4.2 standard deviations at most.
        #expect(abs(sum / expected - 1) < (sigma < 0.1 ? 1e-6 : 2e-5))
    }

    @Test("the exchanged domain of a square lattice is the mirror image")
    func mirror() throws {
        let geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: 30, chopperFrequency: 200)],
            energyBins: .init(count: 2, from: 0.1, to: 0.7),
            h: .init(count: 8, minimum: -1, maximum: 1), k: .init(count: 8, minimum: -1, maximum: 1),
            lattice: [5, 5, 12], magneticScale: [2, 1.2, 1])
        let axis = ResolutionTable.Axis(origin: -2, step: 4, count: 2)
        let table = ResolutionTable(grids: [
            try .init(
                incidentEnergy: 30, h: axis, k: axis, energy: .init(origin: 0, step: 30, count: 2),
                covariances: Array(repeating: [0.003, 0.001, 0.003, 0.01, 0.01, 0.5], count: 8).flatMap { $0 })
        ])
        let image = try DetectorImage(geometry: geometry, resolution: table, twins: [.identity, .exchanged])
            .image(of: SmallCases.modes(9, 7))
        var difference = 0.0
        var size = 0.0
        for h in 0..<8 {
            for bin in 0..<2 {
                for k in 0..<8 {
                    let a = Double(image[0, 7 - h, bin * 8 + k])
                    let b = Double(image[1, 7 - k, bin * 8 + h])
                    difference += (a - b) * (a - b)
                    size += a * a
                }
            }
        }
        // Pixels factorise h first and k second, and the mirror the other way round.
        #expect((difference / size).squareRoot() < 5e-4)
        #expect(size > 0)
    }

    /// The extra variance step²/12 is the cell's own, so refining the grid changes second order only.
    @Test("halving the step of the zone grid changes the image by less than 1 %")
    func refinement() throws {
        let coarse = try render(SmallCases.modes(20, 10, missing: false))
        let fine = try render(SmallCases.modes(40, 20, missing: false))
        #expect(SmallCases.rms(coarse, fine) < 0.01)
        #expect(SmallCases.rms(try render(SmallCases.modes(80, 40, missing: false)), fine) < 0.005)
    }

    @Test("points along a flat direction change nothing")
    func flatAlongL() throws {
        let one = try render(SmallCases.modes(6, 5))
        #expect(SmallCases.rms(try render(SmallCases.modes(6, 5, 4)), one) < 1e-6)
    }

    @Test("refining along a dispersive l converges")
    func refinementAlongL() throws {
        let fine = try render(SmallCases.modes(12, 8, 96, alongL: 0.5, missing: false))
        #expect(SmallCases.rms(try render(SmallCases.modes(12, 8, 12, alongL: 0.5, missing: false)), fine) < 0.02)
        #expect(SmallCases.rms(try render(SmallCases.modes(12, 8, 24, alongL: 0.5, missing: false)), fine) < 0.01)
    }

    @Test("per meV is integrated over the width of the bin")
    func energyScale() throws {
        let modes = try SmallCases.modes(6, 5)
        let perEnergy = try render(modes)
        let integrated = try render(modes, options: .init(energyScale: .integrated))
        let geometry = try SmallCases.geometry()
        let row = geometry.h.count + 2
        #expect(abs(perEnergy[0, row, 9] * Float(geometry.binWidth(setting: 1)) / integrated[0, row, 9] - 1) < 1e-5)
    }

    @Test("velocities that are not finite are refused, in absent modes they do not matter")
    func notFinite() throws {
        let good = try SmallCases.modes(4, 4)
        var velocities = good.velocities
        func changed(_ point: Int, _ mode: Int) throws -> ZoneModes {
            velocities = good.velocities
            velocities.elements[(point * 3 + mode) * 3] = .nan
            return try ZoneModes(
                grid: good.grid, energies: good.energies, velocities: velocities, amplitudes: good.amplitudes,
                sites: good.sites, formFactors: good.formFactors, lattice: good.lattice)
        }
        #expect(try render(changed(5, 2)) == render(good))
        #expect(throws: InstrumentError.self) { try render(changed(3, 1)) }
    }

    @Test("a magnetic lattice that is not the image lattice times the scale is refused")
    func wrongLattice() throws {
        let geometry = try ImageGeometry(
            settings: SmallCases.geometry().settings, energyBins: .init(count: 3, from: 0.1, to: 0.7),
            h: .init(count: 4, minimum: -1, maximum: 1), k: .init(count: 4, minimum: -1, maximum: 1),
            lattice: [5.1, 6, 12], magneticScale: [2, 1, 1])
        let image = try DetectorImage(geometry: geometry, resolution: SmallCases.resolution())
        #expect(throws: InstrumentError.self) { try image.image(of: SmallCases.modes(4, 4)) }
    }
}
