import Foundation
import Testing

@testable import Instruments

@Suite("Detector banks")
struct DetectorBankTests {
    @Test("a direction is seen by its angles, also by a bank that is turned about the beam")
    func directions() {
        let bank = DetectorBanks.Bank(horizontal: 5...60, elevation: -10...10)
        func see(_ x: Double, _ y: Double, _ z: Double, turned: Double = 0) -> Bool {
            var bank = bank
            bank.turned = turned
            return DetectorBanks(banks: [bank], gaps: [.init(horizontal: 30...31, elevation: -90...90)])
                .see(SIMD3(x, y, z) * 3)
        }
        #expect(see(1, 0.5, 0) && !see(1, -0.5, 0) && !see(1, 0.5, 0.3) && !see(1, 0.01, 0) && see(0.6, 1, 0.1))
        // 30.5° lies in the gap.
        #expect(!see(cos(0.5323), sin(0.5323), 0))
        #expect(see(1, 0, 0.5, turned: 90) && !see(1, 0, -0.5, turned: 90) && see(1, 0, -0.5, turned: -90))
        #expect(see(1, -0.5, 0, turned: 180))
    }

    /// The pixels' centres, looked at by the code for c* along the beam and by that for any orientation.
    @Test("the outline of MAPS gives the same mask in both codes")
    func maps() throws {
        let geometry = ImageGeometry.pcsmo
        let special = try CoverageMask(coverage: .maps, geometry: geometry)
        let general = try CoverageMask(banks: DetectorCoverage.maps.banks, geometry: geometry, samples: 1)
        let different = zip(special.masked.elements, general.masked.elements).filter { $0 != $1 }.count
        // A centre may lie on an edge within rounding.
        #expect(different <= 4, "\(different)")
    }

    /// Elastic scattering in the plane, detectors on the left from 0 to 90°, psi over a quarter turn: for each |Q| up to √2 k one
    /// quarter of a ring is reached, π (√2 k)²/4 in all. Pixels on the edge count by their centres: their length times a pixel,
    /// times the scatter of a count, is below 2 %.
    @Test("the area that a scan reaches is that of a quarter disk")
    func area() throws {
        let k = Neutron.wavevector(energy: 30)
        let count = 120
        let extent = 1.6 * k
        var geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: 30, chopperFrequency: 200)],
            energyBins: .init(count: 1, from: -1e-6, to: 1e-6),
            h: .init(count: count, minimum: -extent, maximum: extent),
            k: .init(count: count, minimum: -extent, maximum: extent),
            lattice: Array(repeating: 2 * Double.pi, count: 3), magneticScale: [1, 1, 1])
        geometry.volume = ImageVolume(
            alignment: CrystalAlignment(u: [1, 0, 0], v: [0, 1, 0]),
            motion: .turning(.init(psi: 0...90, step: 0, w: -1e-6...1e-6)))
        let banks = DetectorBanks(banks: [.init(horizontal: 0...90, elevation: -10...10)])
        for samples in [1, 2] {
            let reached = try CoverageMask.reached(by: banks, geometry: geometry, samples: samples)
            let pixel = geometry.h.step * geometry.k.step
            let area = reached.elements.reduce(0) { $0 + Double($1) } * pixel
            #expect(abs(area / (Double.pi * k * k / 2) - 1) < 0.02, "\(area / (Double.pi * k * k / 2))")
        }
    }

    /// 2θ from 10 to 40° of c* upright at one energy: a ring between two |Q| by the cosine rule, cut by a pixel at its middle.
    @Test("part of a pixel is reached, within the accuracy that is stated")
    func parts() throws {
        let (ei, energy) = (60.0, 20.0)
        let (ki, kf) = (Neutron.wavevector(energy: ei), Neutron.wavevector(energy: ei - energy))
        let edge = (ki * ki + kf * kf - 2 * ki * kf * cos(40 * Double.pi / 180)).squareRoot()
        for part in [0.1, 0.37, 0.5, 0.88] {
            // One pixel along x from edge − part · width.
            let width = 0.2
            var geometry = try ImageGeometry(
                settings: [.init(incidentEnergy: ei, chopperFrequency: 300)],
                energyBins: .init(count: 1, from: energy / ei - 1e-7, to: energy / ei + 1e-7),
                h: .init(count: 1, minimum: edge - part * width, maximum: edge + (1 - part) * width),
                k: .init(count: 1, minimum: -1e-6, maximum: 1e-6),
                lattice: Array(repeating: 2 * Double.pi, count: 3), magneticScale: [1, 1, 1])
            geometry.volume = ImageVolume(
                alignment: CrystalAlignment(u: [1, 0, 0], v: [0, 1, 0]),
                motion: .turning(.init(psi: -180...180, step: 0, w: -1e-6...1e-6)))
            var banks = DetectorBanks.everywhere
            banks.scatteringAngle = 10...40
            for samples in [2, 5, 8] {
                let reached = try CoverageMask.reached(by: banks, geometry: geometry, samples: samples)
                #expect(abs(Double(reached.elements[0]) - part) <= 0.5 / Double(samples) + 1e-6)
            }
            let mask = try CoverageMask(banks: banks, geometry: geometry, least: 0.45, samples: 8)
            #expect(mask.masked.elements[0] == (part < 0.45 ? 1 : 0))
        }
    }

    @Test("the covariance is that of c* along the beam, and of c* upright where left and right are alike")
    func covariance() throws {
        let fixed = try SmallCases.geometry()
        var turning = fixed
        turning.scan = .rotation(l: 0.2 - 1e-9...0.2 + 1e-9, layers: 1)
        for special in [fixed, turning] {
            var instrument = Instrument.maps
            // The Fermi chopper's sense of rotation tells left from right, through where neutrons cross the aperture.
            if special.scan != .fixed { instrument.without = [.aperture, .sample] }
            var general = special
            general.volume = special.equivalentVolume
            general.scan = .fixed
            for (h, k, energy) in [(0.3, 0.2, 15.0), (-0.8, 0.5, 30), (1.3, 0, 5), (0.05, -0.02, 40), (9, 0, 30)] {
                let both = try [special, general].map {
                    try instrument.covariance(
                        geometry: $0, incidentEnergy: 60, frequency: 300, energy: energy, h: h, k: k)
                }
                for (x, y) in zip(both[0].elements, both[1].elements) {
                    #expect(abs(x - y) < 1e-12 * max(1, abs(x)), "\(h) \(k)")
                }
            }
        }
    }

    /// Turned with the crystal and seen at one psi only, the covariance in the laboratory is the spectrometer's own.
    @Test("a scan over one angle has the covariance of that angle")
    func onePsi() throws {
        var geometry = try SmallCases.geometry()
        let alignment = CrystalAlignment(u: [1, 0, 0], v: [0, 1, 0])
        let place = SIMD3(0.9, 0.4, 0.3)
        geometry.volume = ImageVolume(
            alignment: alignment, motion: .turning(.init(psi: -180...180, step: 0, w: 0.3 - 1e-9...0.3 + 1e-9)))
        let sightings = try #require(
            VolumeFrame(geometry).sightings(of: place, incidentEnergy: 60, energy: 15))
        let instrument = Instrument.mapsBefore2017
        var mean = Array(repeating: 0.0, count: 6)
        for one in sightings {
            var still = geometry
            still.volume = ImageVolume(
                alignment: alignment,
                motion: .turning(.init(psi: one.psi - 0.1...one.psi + 0.1, step: 0, w: 0.3 - 1e-9...0.3 + 1e-9)))
            let c = try instrument.covariance(
                geometry: still, incidentEnergy: 60, frequency: 300, energy: 15, h: place.x, k: place.y)
            // From the 4×4 matrix in the laboratory, turned back by hand.
            let lab = try instrument.covariance(
                incidentEnergy: 60, frequency: 300, energy: 15, direction: one.final / one.final.norm)
            let psi = one.psi * Double.pi / 180
            let (perH, perK) = (2 * Double.pi / 5, 2 * Double.pi / 6)
            let rows = [
                [cos(psi) / perH, sin(psi) / perH, 0, 0], [-sin(psi) / perK, cos(psi) / perK, 0, 0], [0, 0, 0, 1],
            ]
            func form(_ a: Int, _ b: Int) -> Double {
                var sum = 0.0
                for i in 0..<4 { for j in 0..<4 { sum += rows[a][i] * lab[i * 4 + j] * rows[b][j] } }
                return sum
            }
            let expected = [form(0, 0), form(0, 1), form(1, 1), form(0, 2), form(1, 2), form(2, 2)]
            for (x, y) in zip(c.elements, expected) { #expect(abs(x - y) < 1e-9) }
            mean = zip(mean, c.elements).map { $0 + $1 / 2 }
        }
        let both = try instrument.covariance(
            geometry: geometry, incidentEnergy: 60, frequency: 300, energy: 15, h: place.x, k: place.y)
        for (x, y) in zip(both.elements, mean) { #expect(abs(x - y) < 1e-9) }
    }
}
