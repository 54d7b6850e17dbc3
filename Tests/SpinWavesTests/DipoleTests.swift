import Compute
import Foundation
import Testing

@testable import SpinWaves

/// Dipole–dipole coupling: the sums against direct ones and known lattices, H(q) against magnetostatics.
@Suite("Dipole–dipole coupling")
struct DipoleTests {
    private static func triclinic(splitting: Double? = nil) throws -> DipoleSum {
        DipoleSum(
            lattice: try Lattice(a: 4, b: 5, c: 7, alpha: 80, beta: 95, gamma: 105),
            positions: [Vector3(0.1, 0.2, 0.3), Vector3(0.6, -0.45, 1.8), Vector3(0.35, 0.9, 0.1)], splitting: splitting
        )
    }

    @Test(
        "where the sum is split has no influence",
        arguments: [Vector3.zero, Vector3(0.3, -0.4, 0.11), Vector3(1.5, 0, 0)])
    func splitting(q: Vector3) throws {
        let usual = try Self.triclinic()
        let expected = usual.tensor(at: q)
        let largest = expected.map { $0.squaredMagnitude.squareRoot() }.max() ?? 0
        for factor in [0.7, 1.4] {
            let other = try Self.triclinic(splitting: factor * usual.splitting).tensor(at: q)
            for (a, b) in zip(expected, other) {
                #expect((a - b).squaredMagnitude.squareRoot() < 1e-12 * largest)
            }
        }
    }

    /// Terms weighted by exp(−r²/L²), which smooths T(q) over a width 1/L: errors of order 1/L² and 1/L⁴, gone after extrapolation
    /// from three L, which leaves 1/(KL)⁶, K = 0.5 1/Å being the distance to where T is singular.
    @Test("at a wavevector in no special place, the sum over 60,000 cells")
    func direct() throws {
        let sum = try Self.triclinic()
        let lattice = try Lattice(a: 4, b: 5, c: 7, alpha: 80, beta: 95, gamma: 105)
        let between = Vector3(0.6, -0.45, 1.8) - Vector3(0.1, 0.2, 0.3)
        let q = Vector3(0.37, -0.41, 0.29)
        func windowed(_ length: Double) -> [Complex] {
            var total = [Complex](repeating: .zero, count: 9)
            for x in -24...24 {
                for y in -20...20 {
                    for z in -17...14 {
                        let cell = Vector3(Double(x), Double(y), Double(z))
                        let r = lattice.cartesian(position: cell + between)
                        let d = r.length
                        let phase = (exp(-d * d / (length * length)) / (d * d * d)) * Complex(turns: dot(q, cell))
                        for a in 0..<3 {
                            for b in 0..<3 {
                                total[3 * a + b] += ((a == b ? 1 : 0) - 3 * r[a] * r[b] / (d * d)) * phase
                            }
                        }
                    }
                }
            }
            return total
        }
        let (short, middle, long) = (windowed(10), windowed(10 * 2.0.squareRoot()), windowed(20))
        let expected = sum.tensor(at: q)
        let largest = expected[9..<18].map { $0.squaredMagnitude.squareRoot() }.max() ?? 0
        for k in 0..<9 {
            let (near, far) = (2 * middle[k] - short[k], 2 * long[k] - middle[k])
            let direct = (1.0 / 3) * (4 * far - near)
            #expect((direct - expected[9 + k]).squaredMagnitude.squareRoot() < 2e-4 * largest)
        }
    }

    /// A uniformly magnetised needle: −(4π/3) M² a volume in all cubic lattices (Lorentz's sphere).
    @Test("Lorentz factor of cubic lattices", arguments: [1, 2, 4])
    func lorentz(count: Int) throws {
        let positions = [
            1: [Vector3.zero], 2: [.zero, Vector3(0.5, 0.5, 0.5)],
            4: [.zero, Vector3(0.5, 0.5, 0), Vector3(0.5, 0, 0.5), Vector3(0, 0.5, 0.5)],
        ]
        let sum = DipoleSum(lattice: try Lattice(a: 3, b: 3, c: 3), positions: try #require(positions[count]))
        let tensor = sum.tensor(at: .zero)
        for a in 0..<3 {
            for b in 0..<3 {
                let whole = (0..<count).reduce(0) { $0 + tensor[9 * $1 + 3 * a + b].re }
                #expect(abs(whole - (a == b ? -4 * Double.pi / 3 * Double(count) / 27 : 0)) < 1e-12)
            }
        }
    }

    /// Energies C N² μ² a volume of ordered arrays, N dipoles a volume: J. Sauer, Phys. Rev. 57 (1940) 142, and Luttinger and Tisza, with
    /// the digits that the program OpenMD gives (samples/Madelung/dipoles).
    @Test("Sauer's arrays to eleven digits")
    func arrays() throws {
        let cubic = try Lattice(a: 1, b: 1, c: 1)
        // Columns along z, neighbours antiparallel.
        let simple = DipoleSum(lattice: cubic, positions: [.zero]).tensor(at: Vector3(0.5, 0.5, 0))
        #expect(abs(0.5 * simple[8].re + 2.67678868438) < 1e-10)
        // The same on both lattices of the body-centred one, which do not feel each other.
        let body = DipoleSum(lattice: cubic, positions: [.zero, Vector3(0.5, 0.5, 0.5)]).tensor(
            at: Vector3(0.5, 0.5, 0))
        #expect(abs(0.5 * (body[8] + body[17]).re / 2 + 1.33839434219) < 1e-10)
        // Planes of the face-centred lattice alternating along x: dipoles across the planes, and in them.
        let sites = [Vector3.zero, Vector3(0.5, 0.5, 0), Vector3(0.5, 0, 0.5), Vector3(0, 0.5, 0.5)]
        let face = DipoleSum(lattice: cubic, positions: sites).tensor(at: .zero)
        func energy(_ axis: Int) -> Double {
            zip(0..<4, [1.0, -1, -1, 1]).reduce(0) { $0 + 0.5 * $1.1 * face[9 * $1.0 + 4 * axis].re } / 4
        }
        #expect(abs(energy(0) - 2.16693283503) < 1e-10)
        #expect(abs(energy(1) + 1.08346641751) < 1e-10 && abs(energy(2) + 1.08346641751) < 1e-10)
    }

    @Test("at small q along z: 8π/3 along, −4π/3 across")
    func demagnetisation() throws {
        let tensor = DipoleSum(lattice: try Lattice(a: 1, b: 1, c: 1), positions: [.zero]).tensor(
            at: Vector3(0, 0, 1e-5))
        // Corrections are of order (2πq)².
        #expect(abs(tensor[8].re - 8 * Double.pi / 3) < 1e-7 && abs(tensor[0].re + 4 * Double.pi / 3) < 1e-7)
    }

    /// One S = 5/2 a cell of 3 Å, with dipoles alone unless a field holds it along z.
    private func cubic(field: Double = 0, dipolar: Bool = true) throws -> SpinModel {
        try SpinModel(
            lattice: Lattice(a: 3, b: 3, c: 3),
            sites: [KnownMagnets.site("1", .zero, Vector3(0, 0, 1), spin: 2.5)], parameters: [], bonds: [],
            field: Vector3(0, 0, -field), isDipolar: dipolar)
    }

    /// J. M. Luttinger and L. Tisza, Phys. Rev. 70 (1946) 954: antiparallel columns, −2.676 μ²/a³ a dipole.
    @Test("simple cubic dipoles order in antiparallel columns at −2.676 μ²/a³")
    func columns() throws {
        let model = try cubic()
        let unit = dipoleConstant * 25 / 27
        let bound = try model.luttingerTisza(values: [])
        #expect(abs(bound.energy / unit + 2.676) < 1e-3)
        #expect([bound.k.x, bound.k.y, bound.k.z].sorted() == [0, 0.5, 0.5])
        let whole = try Supercell(
            cells: SIMD3(2, 2, 2), order: .spiral(SpinSpiral(k: .zero, normal: Vector3(0, 0, 1))),
            lattice: model.lattice, sites: model.sites, bonds: [], anisotropies: [])
        let eight = try SpinModel(
            lattice: whole.lattice, sites: whole.sites, parameters: [], bonds: [], isDipolar: true)
        let found = try eight.groundState(values: [], starts: 20)
        #expect(abs(found.energy - bound.energy) < 1e-10 * unit)
        // Columns along z are one of a continuum of such structures, which turn into each other.
        let declared = try eight.ordered(
            Supercell.origins(SIMD3(2, 2, 2)).map { Vector3(0, 0, ($0.x + $0.y) % 2 == 0 ? 1 : -1) })
        #expect(try declared.disequilibrium(values: []) == nil)
        let tilted = try eight.ordered(
            declared.sites.indices.map { $0 == 3 ? Vector3(1, 0, 2) : declared.sites[$0].direction })
        #expect(try tilted.disequilibrium(values: [])?.site == "1(0,1,1)")
        let classical = declared.classicalEnergy(values: [])
        #expect(abs(classical.energy(declared.frames.map(\.n)) / 8 - bound.energy) < 1e-10 * unit)
    }

    /// ω² = gμB B (gμB B + gμB μ0 M sin²θ) for q → 0 at the angle θ to the field, without demagnetising field; T. Holstein and
    /// H. Primakoff, Phys. Rev. 58 (1940) 1098.
    @Test("the dipolar ferromagnet's spin waves at small q")
    func holsteinPrimakoff() throws {
        let model = try cubic(field: 4)
        let zeeman = 2 * bohrMagneton * 4
        let magnetisation = 4 * Double.pi * dipoleConstant * 4 * 2.5 / 27
        for degrees in [0.0, 30, 65, 90] {
            let angle = degrees * Double.pi / 180
            let q = 1e-4 * Vector3(sin(angle) * 0.6, sin(angle) * 0.8, cos(angle))
            let expected = (zeeman * (zeeman + magnetisation * sin(angle) * sin(angle))).squareRoot()
            // The next order is (2πq)², 4e-7.
            #expect(abs(try model.hamiltonian().modes(at: q).energies[0] - expected) < 1e-5 * expected)
        }
    }

    @Test("a supercell has the energies of its cell, at its q")
    func folding() throws {
        let model = try cubic(field: 40)
        let whole = try Supercell(
            cells: SIMD3(2, 1, 1), order: .spiral(SpinSpiral(k: .zero, normal: Vector3(0, 0, 1))),
            lattice: model.lattice, sites: model.sites, bonds: [], anisotropies: [])
        let two = try SpinModel(
            lattice: whole.lattice, sites: whole.sites, parameters: [], bonds: [], field: model.field, isDipolar: true)
        let q = Vector3(0.2, 0.3, -0.1)
        let here =
            try model.hamiltonian().modes(at: q).energies
            + model.hamiltonian().modes(at: q + Vector3(0.5, 0, 0)).energies
        let there = try two.hamiltonian().modes(at: q * Vector3(2, 1, 1)).energies
        for (a, b) in zip(here.sorted(), there) { #expect(abs(a - b) < 1e-11) }
        // Whole zones are solved without the kernel, which knows of bonds alone.
        let spectrum = try ZoneSolver(two, grid: ZoneGrid([2, 3, 2])).spectrum()
        for point in 0..<12 {
            let modes = try two.hamiltonian().modes(at: spectrum.grid.q(point))
            for mode in 0..<2 { #expect(abs(spectrum.energies[point, mode] - modes.energies[mode]) < 1e-12) }
        }
    }

    @Test("velocities are the slopes of the energies")
    func velocities() throws {
        let model = try cubic(field: 40)
        let hamiltonian = try model.hamiltonian()
        let q = Vector3(0.2, 0.3, -0.1)
        let velocity = try hamiltonian.modes(at: q).velocities[0]
        for axis in 0..<3 {
            var shift = Vector3.zero
            shift[axis] = 1e-5
            let slope =
                (try hamiltonian.modes(at: q + shift).energies[0] - hamiltonian.modes(at: q - shift).energies[0]) / 2e-5
            // Differences over 1e-4 r.l.u.: (2π)³ 1e-8 of the dipolar band of 0.4 meV.
            #expect(abs(slope - velocity[axis]) < 1e-6)
            #expect(abs(velocity[axis]) > 1e-3)
        }
    }

    @Test("a spiral with dipoles is refused")
    func spiral() {
        #expect(throws: SpinWaveError.self) {
            try SpinModel(
                lattice: Lattice(a: 3, b: 3, c: 3),
                sites: [KnownMagnets.site("1", .zero, Vector3(0, 1, 0), spin: 1)], parameters: [], bonds: [],
                spiral: SpinSpiral(k: Vector3(0.2, 0, 0), normal: Vector3(0, 0, 1)), isDipolar: true)
        }
    }
}
