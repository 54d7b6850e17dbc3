import Compute
import Foundation
import Testing

@testable import SpinWaves

/// Claims that hold for any magnet, tried on one without symmetry (`KnownMagnets.triclinic`) and on PCSMO.
@Suite("Spin-wave algebra")
struct SpinWaveAlgebraTests {
    static let wavevectors = [Vector3(0.13, 0.37, -0.21), Vector3(-0.4, 0.05, 0.33), Vector3(0.5, 0.5, 0)]

    static func model(_ name: String) throws -> SpinModel {
        name == "triclinic" ? try KnownMagnets.triclinic() : try ReferenceData.pcsmo("dimer")
    }

    /// S⊥ of degenerate groups.
    private func intensities(_ model: SpinModel, _ q: Vector3) throws -> [(energy: Double, sum: Double)] {
        let modes = try model.hamiltonian().modes(at: q)
        return groupSums(modes.energies, StructureFactor(model).perpendicular(modes, at: q))
    }

    private func expectSame(_ a: [(energy: Double, sum: Double)], _ b: [(energy: Double, sum: Double)]) {
        #expect(a.count == b.count)
        for (x, y) in zip(a, b) {
            #expect(abs(x.energy - y.energy) < 1e-9)
            #expect(abs(x.sum - y.sum) < 1e-9)
        }
    }

    /// [a_i, a_i†] = 1: Σ_n |V_in(q)|² − |V_{N+i,n}(−q)|² = 1 for every site.
    @Test("the modes keep the commutators", arguments: ["triclinic", "dimer"])
    func commutators(name: String) throws {
        let model = try Self.model(name)
        let hamiltonian = try model.hamiltonian()
        for q in Self.wavevectors {
            let (here, there) = (try hamiltonian.modes(at: q), try hamiltonian.modes(at: -q))
            let n = model.sites.count
            for i in 0..<n {
                var sum = 0.0
                for mode in 0..<n {
                    let k = 2 * (mode * n + i)
                    let particle = here.amplitudes[k] + Complex.i * here.amplitudes[k + 1]
                    let hole = there.amplitudes[k] - Complex.i * there.amplitudes[k + 1]
                    sum += (particle.squaredMagnitude - hole.squaredMagnitude) / (2 * model.sites[i].spin)
                }
                #expect(abs(sum - 1) < 1e-10)
            }
        }
    }

    @Test("a wavevector that is not finite is refused")
    func notFinite() throws {
        let hamiltonian = try KnownMagnets.triclinic().hamiltonian()
        #expect(throws: SpinWaveError.self) { try hamiltonian.modes(at: Vector3(.nan, 0, 0)) }
        #expect(throws: SpinWaveError.self) { try hamiltonian.modes(at: Vector3(0, .infinity, 0)) }
    }

    @Test("positive energies and those at −q are the eigenvalues of gH", arguments: ["triclinic", "dimer"])
    func pairs(name: String) throws {
        let hamiltonian = try Self.model(name).hamiltonian()
        for q in Self.wavevectors {
            let general = try hamiltonian.generalEnergies(at: q).map(\.re)
            let mine = (try hamiltonian.modes(at: q).energies + hamiltonian.modes(at: -q).energies.map { -$0 }).sorted()
            for (a, b) in zip(mine, general) { #expect(abs(a - b) < 1e-8) }
        }
    }

    @Test("moving an atom to another cell, with its bonds, changes nothing", arguments: ["triclinic", "dimer"])
    func gauge(name: String) throws {
        let model = try Self.model(name)
        let cells = model.sites.indices.map { SIMD3($0 % 3 - 1, ($0 * 7) % 5 - 2, $0 % 2) }
        let moved = try SpinModel(
            lattice: model.lattice,
            sites: zip(model.sites, cells).map { site, cell in
                var site = site
                site.position += Vector3(Double(cell.x), Double(cell.y), Double(cell.z))
                return site
            }, parameters: model.parameters,
            bonds: model.bonds.map { bond in
                var bond = bond
                bond.offset = bond.offset &+ cells[bond.from] &- cells[bond.to]
                return bond
            }, anisotropies: model.anisotropies, field: model.field)
        for q in Self.wavevectors { expectSame(try intensities(model, q), try intensities(moved, q)) }
    }

    @Test("moving the origin changes nothing", arguments: ["triclinic", "dimer"])
    func origin(name: String) throws {
        let model = try Self.model(name)
        let moved = try SpinModel(
            lattice: model.lattice,
            sites: model.sites.map { site in
                var site = site
                site.position += Vector3(0.123, -0.456, 0.789)
                return site
            }, parameters: model.parameters, bonds: model.bonds, anisotropies: model.anisotropies, field: model.field)
        for q in Self.wavevectors { expectSame(try intensities(model, q), try intensities(moved, q)) }
    }

    @Test("reversing a bond (and transposing its matrix) changes nothing")
    func reversedBonds() throws {
        let model = try KnownMagnets.triclinic()
        let reversed = try SpinModel(
            lattice: model.lattice, sites: model.sites, parameters: model.parameters,
            bonds: model.bonds.map { bond in
                Bond(
                    from: bond.to, to: bond.from, offset: .zero &- bond.offset,
                    exchange: ParametricMatrix(
                        bond.exchange.terms.map { .init($0.parameter, $0.matrix.transposed) }))
            }, anisotropies: model.anisotropies, field: model.field)
        for q in Self.wavevectors { expectSame(try intensities(model, q), try intensities(reversed, q)) }
    }

    /// Turning spins, tensors and field together with the crystal is only a change of axes: energies stay and the trace
    /// of S stays.
    @Test("turning all spins and tensors together changes no energy and no trace")
    func spinRotation() throws {
        let model = try KnownMagnets.triclinic()
        let (c, s) = (0.6, 0.8)
        let r =
            Matrix3(rows: Vector3(c, -s, 0), Vector3(s, c, 0), Vector3(0, 0, 1))
            * Matrix3(rows: Vector3(1, 0, 0), Vector3(0, c, -s), Vector3(0, s, c))
        func turned(_ m: ParametricMatrix) -> ParametricMatrix {
            ParametricMatrix(m.terms.map { .init($0.parameter, r * $0.matrix * r.transposed) })
        }
        let rotated = try SpinModel(
            lattice: model.lattice,
            sites: model.sites.map { site in
                var site = site
                site.direction = r * site.direction
                return site
            }, parameters: model.parameters,
            bonds: model.bonds.map { Bond(from: $0.from, to: $0.to, offset: $0.offset, exchange: turned($0.exchange)) },
            anisotropies: model.anisotropies.map { Anisotropy(site: $0.site, tensor: turned($0.tensor)) },
            field: r * model.field)
        func traces(_ model: SpinModel, _ q: Vector3) throws -> [(Double, Double)] {
            let modes = try model.hamiltonian().modes(at: q)
            let factor = StructureFactor(model)
            return modes.energies.indices.map { n in
                let s = factor.tensor(modes, mode: n, at: q)
                return (modes.energies[n], s[0][0].re + s[1][1].re + s[2][2].re)
            }
        }
        for q in Self.wavevectors {
            for (a, b) in zip(try traces(model, q), try traces(rotated, q)) {
                #expect(abs(a.0 - b.0) < 1e-9 && abs(a.1 - b.1) < 1e-9)
            }
        }
    }

    @Test("energies repeat with the reciprocal lattice, and along flat axes are the same to the bit")
    func periodicity() throws {
        for name in ["triclinic", "dimer"] {
            let hamiltonian = try Self.model(name).hamiltonian()
            for q in Self.wavevectors {
                let here = try hamiltonian.modes(at: q).energies
                for (a, b) in zip(here, try hamiltonian.modes(at: q + Vector3(2, -1, 3)).energies) {
                    #expect(abs(a - b) < 1e-10)
                }
            }
        }
        let dimer = try ReferenceData.pcsmo("dimer")
        #expect(dimer.unwrapping.isNonDispersive == [false, false, true])
        #expect(dimer.unwrapping.windings.allSatisfy { $0.z == 0 })
        let hamiltonian = try dimer.hamiltonian()
        #expect(
            try hamiltonian.modes(at: Vector3(0.2, 0.3, 0)).energies
                == hamiltonian.modes(at: Vector3(0.2, 0.3, 0.77)).energies)
    }

    @Test("velocities are the slopes of the energies", arguments: ["triclinic", "dimer"])
    func velocities(name: String) throws {
        let hamiltonian = try Self.model(name).hamiltonian()
        let step = 1e-5
        for q in Self.wavevectors.prefix(2) {
            let modes = try hamiltonian.modes(at: q)
            for axis in 0..<3 {
                var shift = Vector3.zero
                shift[axis] = step
                let above = try hamiltonian.modes(at: q + shift).energies
                let below = try hamiltonian.modes(at: q - shift).energies
                for group in degenerateGroups(modes.energies, tolerance: 1e-2) {
                    let slope = group.reduce(0) { $0 + (above[$1] - below[$1]) / (2 * step) }
                    let sum = group.reduce(0) { $0 + modes.velocities[$1][axis] }
                    // Third derivatives of a band of 100 meV: (2π)³ · 100 · step² / 6 ≈ 4e-7; cancellation 1e-8.
                    #expect(abs(slope - sum) < 1e-5, "axis \(axis)")
                }
            }
        }
    }

    /// Turn the crystal by M and the wavevector with it: the twin must see there what the crystal sees at q.
    @Test("a twin turned by 40° sees at M Q what the crystal sees at Q")
    func turnedTwin() throws {
        let plain = try KnownMagnets.triclinic()
        let angle = 40 * Double.pi / 180
        let (c, s) = (cos(angle), sin(angle))
        let turn = Matrix3(rows: Vector3(c, -s, 0), Vector3(s, c, 0), Vector3(0, 0, 1))
        let model = try SpinModel(
            lattice: plain.lattice, sites: plain.sites, parameters: plain.parameters, bonds: plain.bonds,
            anisotropies: plain.anisotropies, field: plain.field, twins: [Twin(matrix: turn, fraction: 1)])
        for q in Self.wavevectors {
            let turned = model.lattice.hkl(cartesian: turn * model.lattice.cartesian(hkl: q))
            for (a, b) in zip(try modes(model, q: turned, twin: 1), try modes(plain, q: q)) {
                #expect(abs(a.energy - b.energy) < 1e-9 && abs(a.sperpFormFactor - b.sperpFormFactor) < 1e-9)
            }
        }
    }

    @Test("g = 2 weighting is four times the spins'")
    func weighting() throws {
        let model = try KnownMagnets.triclinic()
        let q = Self.wavevectors[0]
        let modes = try model.hamiltonian().modes(at: q)
        let spin = StructureFactor(model).perpendicular(modes, at: q)
        let moment = StructureFactor(model, weighting: .gTensor).perpendicular(modes, at: q)
        for (a, b) in zip(spin, moment) { #expect(abs(4 * a - b) < 1e-12 * max(1, b)) }
    }

    @Test("degenerate modes share their intensity equally")
    func sharing() throws {
        let model = try KnownMagnets.square(spin: 2.5, j1: 1, d: -0.05)
        let lines = try modes(model, q: KnownMagnets.squareCell(0.3, 0.1))
        #expect(lines.count == 2 && lines[0].sperp == lines[1].sperp && lines[0].sperp > 0)
        #expect(lines[0].sperpFormFactor < lines[0].sperp)
    }
}
