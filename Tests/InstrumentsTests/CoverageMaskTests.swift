import Tensors
import Testing

@testable import Instruments

@Suite("The coverage mask")
struct CoverageMaskTests {
    @Test("an open bank sees what the kinematics allow")
    func open() throws {
        let geometry = ImageGeometry.pcsmo
        let mask = try CoverageMask(coverage: .open(scatteringAngle: 0...180), geometry: geometry)
        for row in stride(from: 0, to: 240, by: 3) {
            for column in stride(from: 0, to: 400, by: 3) {
                let pixel = geometry.pixel(row: row, column: column)
                let l = geometry.l(
                    incidentEnergy: pixel.incidentEnergy, energy: pixel.energy, h: pixel.h, k: pixel.k)
                #expect((mask.masked[row, column] == 0) == (l != nil))
            }
        }
    }

    @Test("a ring of scattering angles")
    func ring() throws {
        let geometry = ImageGeometry.pcsmo
        let mask = try CoverageMask(coverage: .open(scatteringAngle: 5...20), geometry: geometry)
        // Ei = 140, elastic-most bin, at the beam: within the hole.
        #expect(mask.masked[220, 20] == 1)
        // sin 2θ = Q∥/kf at (h, k) = (0.5, 0): Q∥ = 0.581, kf = 7.66 → 4.3° masked; (1, 0) → 8.7° seen.
        #expect(mask.masked[210, 20] == 1)
        #expect(mask.masked[200, 20] == 0)
    }

    @Test("masks an image, and refuses one of another shape")
    func applies() throws {
        let geometry = ImageGeometry.pcsmo
        let mask = try CoverageMask(coverage: .maps, geometry: geometry)
        let image = try mask.applied(to: Tensor(shape: [2, 240, 400], repeating: 1))
        let seen = image.elements.reduce(0, +) / Float(image.count)
        #expect(abs(Double(seen) - (1 - mask.maskedFraction)) < 1e-5)
        #expect(throws: InstrumentError.self) { try mask.applied(to: Tensor(shape: [240, 401], repeating: 1)) }
        #expect(throws: InstrumentError.self) {
            try CoverageMask(Tensor(shape: [3, 3], repeating: 0), geometry: geometry)
        }
    }

    @Test(
        "the built-in bank of MAPS agrees with the measurement's mask in 94 % of pixels",
        .enabled(if: SharedData.pcsmo != nil, "needs ../shared/data/pcsmo"))
    func maps() throws {
        let real = try SharedData.mask()
        let mask = try CoverageMask(coverage: .maps, geometry: .pcsmo)
        #expect(real.count == mask.masked.count)
        let equal = zip(real, mask.masked.elements).reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) }
        #expect(Double(equal) / Double(real.count) > 0.94, "\(Double(equal) / Double(real.count))")
    }
}
