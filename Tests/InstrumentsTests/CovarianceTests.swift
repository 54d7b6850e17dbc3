import Foundation
import Testing

@testable import Instruments

@Suite("The (Q, E) covariance")
struct CovarianceTests {
    static let maps: Instrument = {
        var maps = Instrument.maps
        maps.detector = .fixed(depth: 5.2557e-3, width: 6.25e-3, height: 25.4e-3 / 12.0.squareRoot())
        return maps
    }()

    /// By an independent program from Tobyfit's matrices: MAPS, sloppy package, 70 meV, 250 Hz, scattering angle in the
    /// horizontal plane. σ(Qx, Qy, Qz) in 1/Å, FWHM of E in meV, correlations (Qx,E), (Qy,E), (Qx,Qy).
    static let published: [[Double]] = [
        [0, 0, 0.05478, 0.02707, 0.02732, 3.1070, 1.0000, 0.0150, 0.0150],
        [0, 20, 0.05291, 0.03078, 0.02732, 3.1381, 0.9956, 0.4228, 0.3524],
        [0, 40, 0.04759, 0.03672, 0.02732, 3.1828, 0.9827, 0.6514, 0.5273],
        [20, 0, 0.04588, 0.02526, 0.02545, 2.4097, 0.9994, -0.0315, -0.0178],
        [20, 20, 0.04459, 0.02759, 0.02545, 2.4297, 0.9962, 0.2948, 0.2447],
        [20, 40, 0.04090, 0.03127, 0.02545, 2.4587, 0.9862, 0.5083, 0.3998],
        [40, 0, 0.03729, 0.02314, 0.02327, 1.8721, 0.9971, -0.1009, -0.0703],
        [40, 20, 0.03656, 0.02431, 0.02327, 1.8817, 0.9958, 0.1158, 0.1001],
        [40, 40, 0.03446, 0.02605, 0.02327, 1.8955, 0.9911, 0.2814, 0.2145],
    ]

    @Test("has the values of an independent program to their printed digits", arguments: 0..<9)
    func published(row: Int) throws {
        let values = Self.published[row]
        let angle = values[1] * Double.pi / 180
        let c = try Self.maps.covariance(
            incidentEnergy: 70, frequency: 250, energy: values[0], direction: SIMD3(cos(angle), sin(angle), 0))
        for axis in 0..<3 { #expect(abs(c[axis * 5].squareRoot() - values[2 + axis]) < 1.1e-5) }
        #expect(abs(c[15].squareRoot() * Neutron.fwhmPerSigma - values[5]) < 1.1e-4)
        #expect(abs(c[3] / (c[0] * c[15]).squareRoot() - values[6]) < 1.1e-4)
        #expect(abs(c[7] / (c[5] * c[15]).squareRoot() - values[7]) < 1.1e-4)
        #expect(abs(c[1] / (c[0] * c[5]).squareRoot() - values[8]) < 1.1e-4)
    }

    @Test("each contribution alone, elastic and forward")
    func contributions() throws {
        let expected: [(Instrument.Contribution, Double)] = [
            (.moderator, 1.3638), (.apertureAcross, 0.2516), (.chopper, 2.7547), (.sampleAcross, 0.2420),
            (.detectorDepth, 0.2888),
        ]
        for (contribution, width) in expected {
            let c = try Self.maps.covariance(
                incidentEnergy: 70, frequency: 250, energy: 0, direction: SIMD3(1, 0, 0), contributions: [contribution])
            #expect(abs(c[15].squareRoot() * Neutron.fwhmPerSigma - width) < 1.1e-4)
        }
    }

    @Test("turning the crystal by 90° exchanges h and k")
    func azimuth() throws {
        let geometry = try ImageGeometry(
            settings: [.init(incidentEnergy: 70, chopperFrequency: 250)],
            energyBins: .init(count: 2, from: 0.1, to: 0.7),
            h: .init(count: 3, minimum: -1, maximum: 1), k: .init(count: 3, minimum: -1, maximum: 1),
            lattice: [5, 5, 10], magneticScale: [1, 1, 1])
        let a = try Instrument.maps.covariance(
            geometry: geometry, incidentEnergy: 70, frequency: 250, energy: 20, h: 0.4, k: 0.2)
        let b = try Instrument.maps.covariance(
            geometry: geometry, incidentEnergy: 70, frequency: 250, energy: 20, h: 0.2, k: -0.4, azimuth: 90)
        #expect(abs(a.hh - b.kk) < 1e-12 && abs(a.kk - b.hh) < 1e-12 && abs(a.hE + b.kE) < 1e-9)
        #expect(abs(a.kE - b.hE) < 1e-9 && abs(a.EE - b.EE) < 1e-9)
        #expect(a.isPositiveDefinite)
    }

    @Test("the built-in table covers the image, positive definite everywhere")
    func builtIn() throws {
        let table = try ResolutionTable(instrument: .mapsBefore2017, geometry: .pcsmo)
        #expect(table.grids.map(\.incidentEnergy) == [25, 35, 50, 70, 100, 140])
        for grid in table.grids {
            #expect(grid.energy.origin <= 0.1 * grid.incidentEnergy)
            #expect(grid.energy.value(grid.energy.count - 1) >= 0.7 * grid.incidentEnergy)
            for l in 0..<grid.energy.count {
                for j in 0..<grid.k.count {
                    for i in 0..<grid.h.count {
                        let good = grid.node(h: i, k: j, energy: l).isPositiveDefinite
                        #expect(good)
                        if !good { return }
                    }
                }
            }
        }
        #expect(throws: InstrumentError.noResolution(incidentEnergy: 80, available: [25, 35, 50, 70, 100, 140])) {
            try table.grid(incidentEnergy: 80)
        }
    }

    /// The published tables count h and k along a = 3.84 Å and used 250 Hz at 100 meV.
    @Test(
        "MAPS before 2017 has the published resolution on the beam's axis",
        .enabled(if: SharedData.pcsmo != nil, "needs ../shared/data/pcsmo"))
    func publishedTables() throws {
        let settings = zip([25.0, 35, 50, 70, 100, 140], [300.0, 200, 200, 250, 250, 400]).map {
            ImageGeometry.Setting(incidentEnergy: $0, chopperFrequency: $1)
        }
        let geometry = try ImageGeometry(
            settings: settings, energyBins: .init(count: 10, from: 0.1, to: 0.7),
            h: .init(count: 40, minimum: -1, maximum: 1), k: .init(count: 40, minimum: -1, maximum: 1),
            lattice: [3.84, 3.84, 19.266], magneticScale: [1, 1, 1])
        let table = try ResolutionTable(
            directory: SharedData.resolution, incidentEnergies: settings.map(\.incidentEnergy))
        for (setting, grid) in zip(settings, table.grids) {
            for l in 0..<grid.energy.count {
                let energy = grid.energy.value(l)
                let published = grid.covariance(h: 0.0, k: 0.0, energy: energy)
                let ours = try Instrument.mapsBefore2017.covariance(
                    geometry: geometry, incidentEnergy: setting.incidentEnergy, frequency: setting.chopperFrequency,
                    energy: energy, h: 0, k: 0)
                let fwhm = (ours.EE / published.EE).squareRoot() - 1
                let inLoss = energy > 0.7 * setting.incidentEnergy
                #expect(abs(fwhm) < (inLoss ? 0.02 : 0.0155), "\(setting), \(energy) meV")
                // A constant transverse term that is not modelled grows in weight towards the full energy loss.
                let early = energy <= setting.incidentEnergy / 3
                for ratio in [ours.hh / published.hh, ours.kk / published.kk] {
                    let width = ratio.squareRoot() - 1
                    #expect(width < 0.02 && width > (early ? -0.045 : -0.17), "\(setting), \(energy) meV: \(width)")
                }
            }
        }
    }

    /// Off the axis, where the reference says nothing, the widths agree as well as on it. The correlations of position and
    /// energy have the other sign: at h > 0 a slower final neutron means a larger transfer and a smaller h, so that
    /// ours are negative, and the published ones are positive. They also lack symmetry about h = 0, by up to 0.09.
    @Test(
        "MAPS before 2017 has the published widths off the beam's axis, and correlations of the other sign",
        .enabled(if: SharedData.pcsmo != nil, "needs ../shared/data/pcsmo"))
    func publishedOffAxis() throws {
        let settings = zip([25.0, 35, 50, 70, 100, 140], [300.0, 200, 200, 250, 250, 400]).map {
            ImageGeometry.Setting(incidentEnergy: $0, chopperFrequency: $1)
        }
        let geometry = try ImageGeometry(
            settings: settings, energyBins: .init(count: 10, from: 0.1, to: 0.7),
            h: .init(count: 40, minimum: -1, maximum: 1), k: .init(count: 40, minimum: -1, maximum: 1),
            lattice: [3.84, 3.84, 19.266], magneticScale: [1, 1, 1])
        let table = try ResolutionTable(
            directory: SharedData.resolution, incidentEnergies: settings.map(\.incidentEnergy))
        for (setting, grid) in zip(settings, table.grids) {
            for fraction in [0.1, 0.3, 0.5] {
                for (h, k) in [(0.3, 0.0), (-0.3, 0), (0, 0.3), (0, -0.3), (0.4, 0.4)] {
                    let energy = fraction * setting.incidentEnergy
                    let published = grid.covariance(h: h, k: k, energy: energy)
                    let ours = try Instrument.mapsBefore2017.covariance(
                        geometry: geometry, incidentEnergy: setting.incidentEnergy, frequency: setting.chopperFrequency,
                        energy: energy, h: h, k: k)
                    let place = "\(setting.incidentEnergy) meV, \(energy) meV at (\(h), \(k))"
                    #expect(abs((ours.EE / published.EE).squareRoot() - 1) < 0.017, "\(place)")
                    for ratio in [ours.hh / published.hh, ours.kk / published.kk] {
                        // Too small by what is not modelled, more so at large losses.
                        #expect(ratio.squareRoot() < 1 && ratio.squareRoot() > 0.94, "\(place)")
                    }
                    func correlations(_ c: ResolutionCovariance) -> (h: Double, k: Double) {
                        (c.hE / (c.hh * c.EE).squareRoot(), c.kE / (c.kk * c.EE).squareRoot())
                    }
                    let (a, b) = (correlations(ours), correlations(published))
                    #expect(abs(a.k + b.k) < 0.07 && abs(a.h + b.h) < 0.11, "\(place): \(a), \(b)")
                }
            }
        }
    }
}
