import Compute
import Testing

@testable import SpinWaves

/// Spirals in the frame that turns with them, against published numbers and against the same structures written out in
/// supercells.
@Suite("Spirals")
struct SpiralTests {
    private static let third = 1.0 / 3

    @Test("triangular antiferromagnet: SpinW's branches and intensities")
    func triangular() throws {
        let model = try KnownSpirals.triangular()
        // ω of the turning frame at (H, 0, 0); its zeros are Goldstone modes, √(2e-9) of the band of 13.5.
        for (h, expected) in [(0.0, 0.0), (0.25, 4.74342), (0.5, 3), (0.75, 4.74342), (1, 0)] {
            let modes = try model.hamiltonian().modes(at: Vector3(h, 0, 0))
            #expect(modes.energies.count == 3)
            let central = try #require(modes.harmonics.firstIndex(of: 0))
            #expect(abs(modes.energies[central] - expected) < (expected == 0 ? 2e-2 : 1e-5))
        }
        for (h, satellite) in [(0.25, 3.968627), (0.5, 4.743416)] {
            let modes = try model.hamiltonian().modes(at: Vector3(h, 0, 0))
            for mode in 0..<3 where modes.harmonics[mode] != 0 {
                #expect(abs(modes.energies[mode] - satellite) < 1e-6)
            }
        }
        // The frame's correlations (xx, yy, zz): seen through n nᵀ at Q itself, and a half of xx at Q + k, where the other
        // half belongs to −k.
        let bare = StructureFactor(model, formFactor: false)
        for (h, xx, zz) in [(0.25, 0.59293, 0.47434), (0.5, 0.1875, 1.5)] {
            let here = try model.hamiltonian().modes(at: Vector3(h, 0, 0))
            let central = try #require(here.harmonics.firstIndex(of: 0))
            let s = bare.tensor(here, mode: central, at: here.q)
            #expect(abs(s[2][2].re - zz) < 1e-5 && s[0][0].re < 1e-20)
            let there = try model.hamiltonian().modes(at: Vector3(h + Self.third, Self.third, 0))
            let satellite = try #require(there.harmonics.firstIndex(of: 1))
            let t = bare.tensor(there, mode: satellite, at: there.q)
            #expect(abs(t[0][0].re - xx / 2) < 1e-5 && abs(t[1][1].re - xx / 2) < 1e-5 && t[2][2].re < 1e-20)
        }
    }

    @Test("kagome √3 × √3: SpinW's energies, with their multiplicities")
    func kagome() throws {
        let model = try KnownSpirals.kagome()
        #expect(abs(model.classicalEnergy(values: [1]).energy(model.frames.map(\.n)) / 3 + 1) < 1e-12)
        #expect(try model.largestTorque(values: [1]).torque < 1e-12)
        for (h, k, expected) in [
            (-0.449495, 0.0, [1.59685, 1.59685, 1.59685, 1.59685, 1.97488, 1.97488]),
            (-Self.third, 0, [Double](repeating: 3.0.squareRoot(), count: 6)),
            (-0.5 * Self.third, 0, [1, 1, 2, 2, 2, 2]),
            (0.106061, 0.106061, [1.09185, 1.09185, 1.91699, 1.91699, 2.03298, 2.03298]),
            (0.257576, 0.257576, [0.80142, 0.80142, 2.02253, 2.02253, 2.06569, 2.06569]),
        ] {
            let energies = try model.hamiltonian().modes(at: Vector3(h, k, 0)).energies
            #expect(energies.count == 9)
            // A whole flat band of zero modes, each of which comes out at √(2e-9) of the band.
            for energy in energies[..<3] { #expect(energy < 1e-3) }
            // The wavevectors are given to six digits, where energies change by 1e-5.
            for (mine, value) in zip(energies[3...], expected) { #expect(abs(mine - value) < 2e-5, "(\(h), \(k))") }
        }
    }

    @Test("a chain turned against its exchange is unstable; second neighbours make it a spiral")
    func chain() throws {
        let ferromagnet = try KnownSpirals.chain(j1: -1, j2: 0, k: 0.25)
        #expect(throws: SpinWaveError.self) { try ferromagnet.hamiltonian().modes(at: Vector3(0.1, 0, 0)) }
        let model = try KnownSpirals.chain(j1: -1, j2: 2, k: 0.25)
        for h in [0.1, 0.4, 0.5] {
            #expect(try model.hamiltonian().modes(at: Vector3(h, 0, 0)).energies.count == 3)
        }
    }

    /// ω² = S² [J(q) − J(k)] [½(J(q + k) + J(q − k)) − J(k)] for a planar spiral of one site, J(q) = 2ΣJ cos 2πq·d; the helix of
    /// J. Jensen and A. R. Mackintosh, Rare Earth Magnetism (Oxford 1991), chapter 6.
    @Test("incommensurate chain: closed form of the spiral's spectrum")
    func closedForm() throws {
        // cos 2πk = −J1/4J2
        let k = 0.27
        let (j2, s) = (1.3, 1.0)
        let j1 = -4 * j2 * cosine(turns: k)
        let model = try KnownSpirals.chain(j1: j1, j2: j2, k: k)
        func j(_ q: Double) -> Double { 2 * j1 * cosine(turns: q) + 2 * j2 * cosine(turns: 2 * q) }
        func energy(_ q: Double) -> Double {
            s * ((j(q) - j(k)) * (0.5 * (j(q + k) + j(q - k)) - j(k))).squareRoot()
        }
        for h in [0.11, 0.37, -0.81, 1.45] {
            let expected = [energy(h), energy(h - k), energy(h + k)].sorted()
            for (mine, value) in zip(try model.hamiltonian().modes(at: Vector3(h, 0.3, 0)).energies, expected) {
                #expect(abs(mine - value) < 1e-9)
            }
        }
    }

    @Test("in a spiral g is averaged over the turns")
    func gTensor() throws {
        let model = try KnownSpirals.chain(j1: 1, j2: 0.5, k: 1.0 / 3, g: Matrix3(diagonal: Vector3(1, 2, 3)))
        let modes = try model.hamiltonian().modes(at: Vector3(0.21, 0, 0))
        let spin = StructureFactor(model, formFactor: false)
        let moment = StructureFactor(model, formFactor: false, weighting: .gTensor)
        let g = [1.5, 1.5, 3]
        for mode in 0..<3 {
            let (a, b) = (spin.tensor(modes, mode: mode, at: modes.q), moment.tensor(modes, mode: mode, at: modes.q))
            for x in 0..<3 {
                for y in 0..<3 {
                    #expect(abs(b[x][y].re - g[x] * g[y] * a[x][y].re) < 1e-12)
                    #expect(abs(b[x][y].im - g[x] * g[y] * a[x][y].im) < 1e-12)
                }
            }
        }
    }

    /// S⊥ summed over modes of equal energy, dark ones left out.
    private func seen(_ model: SpinModel, _ q: Vector3, times factor: Double) throws -> [(energy: Double, sum: Double)]
    {
        let modes = try model.hamiltonian().modes(at: q)
        return groupSums(modes.energies, StructureFactor(model).perpendicular(modes, at: q)).compactMap {
            $0.sum > 1e-9 ? ($0.energy, factor * $0.sum) : nil
        }
    }

    private func expectSame(_ spiral: SpinModel, _ whole: SpinModel, cells: SIMD3<Int>, at q: Vector3) throws {
        let scale = Vector3(Double(cells.x), Double(cells.y), Double(cells.z))
        let mine = try seen(spiral, q, times: scale.x * scale.y * scale.z)
        let theirs = try seen(whole, q * scale, times: 1)
        #expect(mine.count == theirs.count && !mine.isEmpty)
        // Bands of about 100 meV and intensities of about 10: 1e-9 is 1e-11 of the band.
        for (a, b) in zip(mine, theirs) { #expect(abs(a.energy - b.energy) < 1e-9 && abs(a.sum - b.sum) < 1e-8) }
        let values = spiral.parameterValues
        let cellEnergy = spiral.classicalEnergy(values: values).energy(spiral.frames.map(\.n))
        let wholeEnergy = whole.classicalEnergy(values: values).energy(whole.frames.map(\.n))
        #expect(abs(scale.x * scale.y * scale.z * cellEnergy - wholeEnergy) < 1e-9 * max(1, abs(wholeEnergy)))
        #expect(
            abs(try spiral.largestTorque(values: values).torque - whole.largestTorque(values: values).torque) < 1e-9)
    }

    @Test("triangular 120° order in its √3 × √3 cell has the same energies and intensities")
    func triangularSupercell() throws {
        let spiral = try KnownSpirals.triangular()
        let whole = try KnownMagnets.triangular()
        for (h, k) in [(0.13, 0.31), (0.5, 0.0), (-0.42, 0.77)] {
            let mine = try seen(spiral, Vector3(h, k, 0.2), times: 3)
            // (h, k) of the chemical cell: a' = −a + b … is chosen so that (h, 0) is (−h, 2h) of the √3 cell.
            let q = whole.lattice.hkl(cartesian: turned(spiral.lattice.cartesian(hkl: Vector3(h, k, 0.2))))
            let theirs = try seen(whole, q, times: 1)
            #expect(mine.count == theirs.count)
            for (a, b) in zip(mine, theirs) { #expect(abs(a.energy - b.energy) < 1e-9 && abs(a.sum - b.sum) < 1e-8) }
        }
    }

    /// The √3 cell's a axis is turned by 30° against the chemical one's.
    private func turned(_ v: Vector3) -> Vector3 {
        let s = 3.0.squareRoot() / 2
        return Vector3(s * v.x - 0.5 * v.y, 0.5 * v.x + s * v.y, v.z)
    }

    @Test("random cones agree with their supercells, energies and intensities", arguments: 0..<12)
    func randomCones(number: Int) throws {
        let cases: [(SIMD3<Int>, Vector3)] = [
            (SIMD3(3, 1, 1), Vector3(1.0 / 3, 0, 0)), (SIMD3(1, 4, 1), Vector3(0, -0.25, 0)),
            // Harmonics that meet: 2k, or k itself, is a reciprocal lattice vector.
            (SIMD3(2, 2, 1), Vector3(0.5, 0.5, 0)), (SIMD3(1, 1, 1), Vector3(1, 0, -2)),
            (SIMD3(5, 1, 1), Vector3(0.4, 1, 0)), (SIMD3(2, 1, 3), Vector3(0.5, 0, 2.0 / 3)),
        ]
        let (cells, k) = cases[number % cases.count]
        let draft = RandomCones(stream: RandomStream(seed: 5).substream("cone", number))
        let spiral = try draft.spiral(k: k)
        let whole = try draft.supercell(cells, k: k)
        for q in [Vector3(0.21, -0.34, 0.43), Vector3(1.7, 0.6, -0.15), Vector3(0.05, 2.2, 0.5)] {
            try expectSame(spiral, whole, cells: cells, at: q)
        }
    }

    @Test("the fast solver gives a spiral's modes, too")
    func fastSolver() throws {
        let model = try RandomCones(stream: RandomStream(seed: 5).substream("cone", 1)).spiral(k: Vector3(0.17, 0.3, 0))
        let q = [Vector3(0.21, -0.34, 0.43), Vector3(1.7, 0.6, -0.15)]
        let lines = try MagnonSolver(model).lines(at: q)
        let alone = try MagnonSolver(model).energies(at: q)
        for (point, q) in q.enumerated() {
            let modes = try model.hamiltonian().modes(at: q)
            let intensities = StructureFactor(model).perpendicular(modes, at: q)
            for mode in modes.energies.indices {
                let line = point * modes.energies.count + mode
                #expect(abs(lines.energies.elements[line] - modes.energies[mode]) < 1e-9)
                #expect(abs(alone[point, mode] - modes.energies[mode]) < 1e-9)
                #expect(abs(lines.intensities.elements[line] - intensities[mode]) < 1e-8)
            }
        }
    }

    @Test("what changes when the spins turn is refused, by name")
    func refusals() throws {
        func problems(_ body: () throws -> SpinModel) -> [String] {
            do { _ = try body() } catch SpinWaveError.model(let problems) { return problems.map(\.message) } catch {}
            return []
        }
        let skew = Matrix3(diagonal: Vector3(1, 1.1, 1))
        #expect(
            problems { try KnownSpirals.chain(j1: 1, j2: 1, k: 0.3, exchange: skew) } == [
                "the exchange of bond 2 (1 to 1) changes when the spins turn about (0 0 1)"
            ])
        #expect(
            problems { try KnownSpirals.chain(j1: 1, j2: 1, k: 0.3, anisotropy: Vector3(1, 0, 0)) } == [
                "anisotropy 1 changes when the spins turn about (0 0 1)"
            ])
        #expect(
            problems { try KnownSpirals.chain(j1: 1, j2: 1, k: 0.3, field: Vector3(1, 0, 1)) } == [
                "the field is not along the normal (0 0 1) of the spiral"
            ])
        #expect(
            problems { try KnownSpirals.chain(j1: 1, j2: 1, k: .nan) } == [
                "the spiral needs a finite k and a normal that is not zero"
            ])
        #expect(throws: SpinWaveError.self) {
            let model = try KnownSpirals.triangular()
            _ = try ZoneSolver(model, grid: ZoneGrid(model, divisions: 3)).spectrum()
        }
    }
}
