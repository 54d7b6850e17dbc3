import Testing

@testable import Instruments

@Suite("The image's geometry")
struct ImageGeometryTests {
    let geometry = ImageGeometry.pcsmo

    @Test("has the published layout")
    func layout() {
        #expect(geometry.shape == [240, 400])
        let corner = geometry.pixel(row: 0, column: 0)
        #expect(corner.incidentEnergy == 25 && corner.h == 1 && corner.k == -1)
        #expect(abs(corner.energies.lowerBound - 2.5) < 1e-12 && abs(corner.energies.upperBound - 4) < 1e-12)
        let last = geometry.pixel(row: 239, column: 399)
        #expect(last.incidentEnergy == 140 && abs(last.h + 1) < 1e-12 && abs(last.k - 1) < 1e-12)
        #expect(abs(last.energies.upperBound - 98) < 1e-9)
        // Pixel centres −1 + 2i/39.
        #expect(abs(geometry.pixel(row: 41, column: 41).h - (-1 + 2.0 * 38 / 39)) < 1e-12)
        #expect(abs(geometry.pixel(row: 41, column: 41).k - (-1 + 2.0 / 39)) < 1e-12)
    }

    @Test("finds each pixel again from its centre")
    func roundTrip() {
        for row in stride(from: 0, to: 240, by: 7) {
            for column in stride(from: 0, to: 400, by: 11) {
                let pixel = geometry.pixel(row: row, column: column)
                let found = geometry.location(setting: pixel.setting, energy: pixel.energy, h: pixel.h, k: pixel.k)
                #expect(found?.row == row && found?.column == column)
            }
        }
        #expect(geometry.location(setting: 0, energy: 1, h: 0, k: 0) == nil)
        #expect(geometry.location(setting: 0, energy: 5, h: 1.1, k: 0) == nil)
    }

    @Test("l closes the scattering triangle")
    func kinematics() throws {
        let l = try #require(geometry.l(incidentEnergy: 70, energy: 20, h: 0.3, k: -0.5))
        let along = l * 2 * Double.pi / 19.266
        let ki = Neutron.wavevector(energy: 70)
        let final = (ki - along) * (ki - along) + geometry.inPlaneSquared(h: 0.3, k: -0.5)
        #expect(abs(final * Neutron.energyPerWavevectorSquared - 50) < 1e-10)
        #expect(geometry.l(incidentEnergy: 25, energy: 0, h: 0, k: 0) == 0)
        #expect(geometry.l(incidentEnergy: 5, energy: 4.9, h: 1, k: 1) == nil)
    }

    @Test("nonsense is refused")
    func refusals() {
        #expect(throws: InstrumentError.self) {
            try ImageGeometry(
                settings: [], energyBins: geometry.energyBins, h: geometry.h, k: geometry.k, lattice: geometry.lattice,
                magneticScale: [1, 1, 1])
        }
        #expect(throws: InstrumentError.self) {
            try ImageGeometry(
                settings: geometry.settings, energyBins: .init(count: 3, from: 0.5, to: 1), h: geometry.h,
                k: geometry.k,
                lattice: geometry.lattice, magneticScale: [1, 1, 1])
        }
    }
}
