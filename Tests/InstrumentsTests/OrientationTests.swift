import Foundation
import Testing

@testable import Instruments

@Suite("Orientation of a crystal")
struct OrientationTests {
    private static let triclinic = CrystalAlignment(
        angles: [82, 101, 113], u: [1, 1, 0], v: [0, 1, 1], dpsi: 1.5, gl: -2, gs: 3, omega: 20)

    private func frame(
        _ motion: ImageVolume.Motion, alignment: CrystalAlignment = triclinic, lattice: [Double] = [4.2, 5.1, 6.3],
        w: [Double] = [0, 0, 1]
    ) throws -> VolumeFrame {
        var geometry = try SmallCases.geometry()
        geometry.lattice = lattice
        geometry.volume = ImageVolume(alignment: alignment, motion: motion, w: w)
        try geometry.validate()
        return VolumeFrame(geometry)
    }

    private func turning(_ psi: ClosedRange<Double> = -180...180) -> ImageVolume.Motion {
        .turning(.init(psi: psi, step: 0, w: -1...1))
    }

    /// The numbers are NumPy's, from equation 3 of Busing and Levy (1967) and the triple of u and v, in x ∥ a*: another
    /// Cartesian frame than ours. Printed to 1e-12.
    @Test("Q of a triclinic crystal on a tilted goniometer is that of Busing and Levy")
    func busingLevy() throws {
        let q = try frame(.atRest(psi: 37)).laboratory * SIMD3(1.3, -0.7, 2.1)
        let expected = SIMD3(0.622642493445, 1.134249904979, 2.915713138079)
        #expect((q - expected).norm < 3e-12, "\(q)")
        #expect(abs(q.norm - 3.189920002939) < 1e-12)
    }

    /// Roots of |ki − R(psi) Q| = kf by bisection in NumPy, to 1e-12.
    @Test("an inelastic place is shown at the angles that a root search finds")
    func sightings() throws {
        let frame = try frame(turning())
        let found = try #require(frame.sightings(of: SIMD3(0.6, 0.4, -0.3), incidentEnergy: 60, energy: 12))
        let expected = [69.65850978245604, -45.515001809950654]
        #expect(found.count == 2)
        for (one, psi) in zip(found, expected) {
            #expect(abs(one.psi - psi) < 1e-9, "\(one.psi)")
            #expect(
                (one.final - SIMD3(4.68646054, -one.final.y.magnitude * (psi > 0 ? 1 : -1), 0.06980869)).norm < 1e-7)
            let angle = acos(one.final.x / one.final.norm) * 180 / .pi
            #expect(abs(angle - 13.164567322753456) < 1e-9)
            // The same crystal at rest at that angle.
            let still = try self.frame(.atRest(psi: one.psi))
            let q = still.laboratory * SIMD3(0.6, 0.4, -0.3)
            let kf = SIMD3(Neutron.wavevector(energy: 60), 0, 0) - q
            #expect(abs(dot(kf, kf) - 48 / Neutron.energyPerWavevectorSquared) < 1e-9)
        }
    }

    /// Bragg's law: Q = 2 k sin θ; with u along Q the crystal stands at ±(90° − θ), and the beam is scattered to the side away from Q.
    @Test("a Bragg peak appears at the psi of Bragg's law", arguments: [[1.0, 0, 0], [2, 0, 0], [0, 3, 0]])
    func bragg(peak: [Double]) throws {
        let lattice = [4.2, 5.1, 6.3]
        let frame = try frame(
            turning(), alignment: CrystalAlignment(u: peak, v: peak[0] > 0 ? [0, 1, 0] : [-1, 0, 0]), lattice: lattice)
        let k = Neutron.wavevector(energy: 60)
        let q = 2 * Double.pi * zip(peak, lattice).reduce(0) { $0 + $1.0 / $1.1 }
        let theta = asin(q / (2 * k)) * 180 / .pi
        let found = try #require(
            frame.sightings(of: SIMD3(peak[0], peak[1], peak[2]), incidentEnergy: 60, energy: 0))
        for (one, psi) in zip(found, [90 - theta, theta - 90]) {
            // acos near its ends costs digits.
            #expect(abs(one.psi - psi) < 1e-10, "\(one.psi) \(psi)")
            #expect(abs(acos(one.final.x / k) * 180 / .pi - 2 * theta) < 1e-9)
            #expect(one.final.y * psi < 0 && abs(one.final.norm - k) < 1e-12)
        }
    }

    @Test("places are shown where ki, kf and Q close a triangle, and nowhere else")
    func kinematicLimit() throws {
        let frame = try frame(turning(), alignment: CrystalAlignment(u: [1, 0, 0], v: [0, 1, 0]), lattice: [5, 5, 5])
        for energy in [-30.0, 0, 20, 55] {
            let (ki, kf) = (Neutron.wavevector(energy: 60), Neutron.wavevector(energy: 60 - energy))
            for step in 0..<200 {
                let h = 0.05 * Double(step) + 0.013
                let q = 2 * Double.pi * h / 5
                let isSeen = frame.sightings(of: SIMD3(h, 0, 0), incidentEnergy: 60, energy: energy) != nil
                #expect(isSeen == (q > abs(ki - kf) && q < ki + kf), "h = \(h), E = \(energy)")
            }
        }
        #expect(frame.sightings(of: SIMD3(0.1, 0, 0), incidentEnergy: 60, energy: 60) == nil)
    }

    @Test("at rest, what is seen conserves energy, lies on its side, and has the w that the frame gives back")
    func atRest() throws {
        for (psi, w) in [(20.0, [0.0, 0, 1]), (200, [1, 0, 0]), (75, [1, -1, 0.5])] {
            let frame = try frame(.atRest(psi: psi), w: w == [1, 0, 0] ? [1, 0.2, 0.1] : w)
            for (x, y, energy) in [(0.1, 0.2, 5.0), (-0.3, 0.1, 20), (0.2, -0.2, 40)] {
                guard let seen = frame.seen(x: x, y: y, incidentEnergy: 60, energy: energy) else { continue }
                let q = frame.laboratory * SIMD3(x, y, seen.w)
                let final = SIMD3(Neutron.wavevector(energy: 60), 0, 0) - q
                #expect((final - seen.final).norm < 1e-12 && frame.isSeenSide(final))
                #expect(abs(dot(final, final) - (60 - energy) / Neutron.energyPerWavevectorSquared) < 1e-11)
                #expect((frame.inverse * q - SIMD3(x, y, seen.w)).norm < 1e-12)
            }
        }
    }

    @Test("runs cover half a step to either side, whole turns apart")
    func covers() {
        let turn = ImageVolume.Turn(psi: -30...50, step: 2, w: 0...1)
        for (angle, isCovered) in [
            (0.0, true), (-31, true), (-31.1, false), (51, true), (51.1, false), (409, true), (-360, true),
        ] {
            #expect(turn.covers(angle) == isCovered, "\(angle)")
        }
    }

    @Test("what makes no crystal, no plane and no volume is refused")
    func refusals() throws {
        func refuse(_ alignment: CrystalAlignment, w: [Double] = [0, 0, 1]) {
            #expect(throws: InstrumentError.self) {
                _ = try frame(turning(), alignment: alignment, w: w)
            }
        }
        refuse(CrystalAlignment(u: [1, 0, 0], v: [2, 0, 0]))
        refuse(CrystalAlignment(u: [1, 0], v: [2, 0, 0]))
        refuse(CrystalAlignment(angles: [30, 40, 110], u: [1, 0, 0], v: [0, 1, 0]))
        refuse(CrystalAlignment(u: [1, 0, 0], v: [0, 1, 0]), w: [1, 1, 0])
        #expect(throws: InstrumentError.self) {
            _ = try frame(.turning(.init(psi: 0...1, step: 0, w: 0...0)))
        }
        var geometry = try SmallCases.geometry()
        geometry.scan = .rotation(l: 0...1, layers: 1)
        geometry.volume = geometry.equivalentVolume
        #expect(throws: InstrumentError.self) { try geometry.validate() }
    }
}
