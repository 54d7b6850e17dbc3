import Compute
import Foundation
import Testing

@testable import SpinWaves

/// Searches for the lowest structure, and what they say of a declared one.
@Suite("Ground states")
struct GroundStateTests {
    /// One site on a square lattice, S = 1, neighbours J2 and one diagonal J1 (SpinW's test of its k optimisation).
    private func diagonal(j1: Double, j2: Double) throws -> SpinModel {
        try SpinModel(
            lattice: Lattice(a: 4, b: 4, c: 6),
            sites: [KnownMagnets.site("1", .zero, Vector3(1, 0, 0), spin: 1)],
            parameters: [.init("J1", j1), .init("J2", j2)],
            bonds: KnownMagnets.bonds("J2", [(0, 0, SIMD3(1, 0, 0)), (0, 0, SIMD3(0, 1, 0))])
                + KnownMagnets.bonds("J1", [(0, 0, SIMD3(1, 1, 0))]))
    }

    @Test("Luttinger and Tisza: the square lattice with one diagonal orders at k = (x, x, 0), cos 2πx = −J2/2J1")
    func wavevector() throws {
        for (j1, j2) in [(1.2, 1.0), (0.7, 1.0), (2.0, -0.9)] {
            let model = try diagonal(j1: j1, j2: j2)
            let found = try model.luttingerTisza(values: model.parameterValues)
            let c = -j2 / (2 * j1)
            let x = acos(c) / (2 * Double.pi)
            // Energies are equal to 1e-15 within 1e-8 of the minimum.
            #expect(abs(found.k.x - x) < 1e-7 && abs(found.k.y - x) < 1e-7 && found.k.z == 0)
            #expect(abs(found.energy - (2 * j2 * c + j1 * (2 * c * c - 1))) < 1e-12)
        }
        let sunny = try diagonal(j1: 1.2, j2: 1).luttingerTisza(values: [1.2, 1])
        #expect(abs(sunny.k.x - 0.3184) < 1e-4)
    }

    @Test("Luttinger and Tisza: chains, ferromagnetic at 0 and antiferromagnetic at 1/2, both at −1")
    func chains() throws {
        let model = try KnownMagnets.ferromagneticChain()
        for (j, k) in [(-1.0, 0.0), (1, 0.5)] {
            let found = try model.luttingerTisza(values: [j, 0])
            #expect(found.k == Vector3(k, 0, 0) && abs(found.energy + 1) < 1e-14 && found.isWhole)
        }
    }

    /// cos θ = gμB B/8JS between moment and field, energy −4JS² … of a two-sublattice antiferromagnet with four neighbours.
    @Test("a square antiferromagnet in a field cants by cos θ = gμB B/8JS")
    func canting() throws {
        let (s, j) = (2.5, 1.0)
        let plain = try KnownMagnets.square(spin: s, j1: j)
        let model = try SpinModel(
            lattice: plain.lattice, sites: plain.sites, parameters: plain.parameters, bonds: plain.bonds,
            field: Vector3(0, 60, 0))
        let found = try model.groundState(values: [j, 0, 0, 0], starts: 10)
        let c = 2 * bohrMagneton * 60 / (8 * j * s)
        for n in found.directions { #expect(abs(n.y + c) < 1e-9) }
        #expect(abs(found.energy - (2 * j * s * s * (2 * c * c - 1) - 2 * bohrMagneton * 60 * s * c)) < 1e-10)
        #expect(found.torque < 1e-10 && found.arrivals == 10)
    }

    @Test("lowest structures of random magnets: at rest, in a minimum, above the bound", arguments: 0..<12)
    func random(number: Int) throws {
        let drawn = try RandomMagnets(stream: RandomStream(seed: 21)).magnet(number).model
        // Without the easy axes that hold the drawn spins.
        let model = try SpinModel(
            lattice: drawn.lattice, sites: drawn.sites, parameters: [],
            bonds: drawn.bonds.enumerated().map { k, bond in
                var bond = bond
                if number % 2 == 1 { bond.biquadratic = ParametricScalar([.init(nil, k % 2 == 0 ? 0.1 : -0.1)]) }
                return bond
            },
            anisotropies: drawn.sites.indices.map {
                Anisotropy(site: $0, tensor: .constant(Matrix3(diagonal: Vector3(0.1, -0.3, 0.2))))
            })
        let found = try model.groundState(values: [], starts: 20)
        let classical = model.classicalEnergy(values: [])
        #expect(abs(classical.energy(found.directions) / Double(model.sites.count) - found.energy) < 1e-12)
        #expect(found.torque < 1e-9 * classical.stiffness)
        let hamiltonian = try model.ordered(found.directions).hamiltonian()
        var colpa = Colpa(siteCount: model.sites.count)
        let lowest = try colpa.lowestEigenvalue(hamiltonian, at: .zero)
        #expect(lowest > -1e-9 * hamiltonian.scale)
        let bound = try model.luttingerTisza(values: [])
        if bound.isWhole { #expect(bound.energy < found.energy + 1e-9) }
        let stream = RandomStream(seed: number)
        for trial in 0..<20 {
            let n = model.sites.indices.map { i in
                let v = Vector3(
                    stream.normal(at: 100 * trial + 3 * i), stream.normal(at: 100 * trial + 3 * i + 1),
                    stream.normal(at: 100 * trial + 3 * i + 2))
                return (1 / v.length) * v
            }
            #expect(classical.energy(n) > Double(model.sites.count) * found.energy)
        }
    }

    @Test("the answer depends on the seed and on nothing else")
    func deterministic() throws {
        let model = try KnownMagnets.triclinic()
        let one = try model.groundState(values: model.parameterValues, starts: 8, seed: 3)
        #expect(try model.groundState(values: model.parameterValues, starts: 8, seed: 3, threads: 4) == one)
        // Isotropic exchange leaves the common turn free, so that another seed ends elsewhere.
        let free = try KnownMagnets.antiferromagneticChain()
        let (a, b) = (try free.groundState(values: [1], seed: 1), try free.groundState(values: [1], seed: 2))
        #expect(a.directions != b.directions && abs(a.energy - b.energy) < 1e-12 && abs(a.energy + 1) < 1e-12)
        #expect(throws: SpinWaveError.self) { try free.groundState(values: [.nan]) }
    }

    @Test("structures with Goldstone modes, even whole bands of them, are sound")
    func sound() throws {
        for (name, model) in [
            ("ferromagnetic chain", try KnownMagnets.ferromagneticChain()),
            ("square", try KnownMagnets.square(spin: 2.5, j1: 1)),
            ("easy axis", try KnownMagnets.square(spin: 2.5, j1: 1, d: -0.05)),
            ("triangular", try KnownMagnets.triangular()), ("triangular spiral", try KnownSpirals.triangular()),
            ("kagome", try KnownSpirals.kagome()), ("rutile", try KnownMagnets.rutile()),
        ] {
            let values = name == "ferromagnetic chain" ? [-1.0, 0] : model.parameterValues
            let found = try model.diagnosis(values: values, starts: 10)
            #expect(found.verdict == .sound, "\(name)")
            let scale = try model.hamiltonian(values: values).scale
            let gap = try #require(found.softest).lowestEigenvalue
            if name == "easy axis" || name == "rutile" {
                #expect(gap > 1e-3 * scale)
            } else {
                #expect(abs(gap) < 1e-9 * scale)
            }
        }
        // Three digits of a direction are a small torque, which is relaxed before the zone is searched.
        let plain = try KnownMagnets.triangular()
        let rough = try plain.ordered([Vector3(1, 0, 0), Vector3(-0.5, 0.866, 0), Vector3(-0.5, -0.866, 0)])
        #expect(try rough.diagnosis(values: [1], starts: 10).verdict == .sound)
    }

    @Test("an easy axis across a chain's spins is a soft mode at q = 0, and the lower structure lies along it")
    func soft() throws {
        let model = try KnownMagnets.ferromagneticChain(anisotropy: Vector3(-1, 0, 0))
        let found = try model.diagnosis(values: model.parameterValues, starts: 10)
        guard case .softMode(let soft) = found.verdict else {
            Issue.record("\(found.verdict)")
            return
        }
        #expect(soft.q == .zero && abs(soft.lowestEigenvalue + 2) < 1e-12)
        #expect(abs(abs(found.lowest.directions[0].x) - 1) < 1e-12 && abs(found.lowest.energy + 2) < 1e-12)
    }

    /// q² terms: the energy of a helix falls along k until cos 2πk = −J1/4J2, here k = 0.2301; at k = 0.25 it is soft.
    @Test("a spiral with another k than its exchange wants is soft; with the right one it is sound and proven")
    func spirals() throws {
        let off = try KnownSpirals.chain(j1: -1, j2: 2, k: 0.25)
        guard case .softMode = try off.diagnosis(values: [-1, 2, 0], starts: 5).verdict else {
            Issue.record("not soft")
            return
        }
        let k = acos(0.125) / (2 * Double.pi)
        let right = try KnownSpirals.chain(j1: -1, j2: 2, k: k).diagnosis(values: [-1, 2, 0], starts: 5)
        #expect(right.verdict == .sound && right.isProven)
        #expect(abs(right.luttingerTisza.k.x - k) < 1e-7)
        // Declared ferromagnetic, the spiral is found from the exchange alone.
        let declared = try KnownSpirals.chain(j1: -1, j2: 2, k: 0).diagnosis(values: [-1, 2, 0], starts: 5)
        #expect(abs(try #require(declared.lowest.spiral).k.x - k) < 1e-7)
        guard case .softMode = declared.verdict else {
            Issue.record("not soft")
            return
        }
    }

    /// Two sites a cell with S = 1 and 1/2 in a zigzag with second neighbours on the first alone: the spins' lengths enter
    /// Luttinger and Tisza's eigenvector, which such spins cannot follow. With all spins in their easy plane, turned by φ from one
    /// to the next, E/2 = (2 J S₁S₂ cos φ + K S₁² cos 2φ)/2 is least at cos φ = −J S₂/2K S₁.
    @Test("sites that are not alike: k is that of the spins, not of the bound")
    func unlike() throws {
        let (j, k2, s1, s2) = (1.0, 0.6, 1.0, 0.5)
        let model = try SpinModel(
            lattice: Lattice(a: 6, b: 8, c: 8),
            sites: [
                KnownMagnets.site("1", .zero, Vector3(1, 0, 0), spin: s1),
                KnownMagnets.site("2", Vector3(0.5, 0, 0), Vector3(-1, 0, 0), spin: s2),
            ], parameters: [.init("J", j), .init("K", k2), .init("D", 0.2)],
            bonds: KnownMagnets.bonds("J", [(0, 1, .zero), (1, 0, SIMD3(1, 0, 0))])
                + KnownMagnets.bonds("K", [(0, 0, SIMD3(1, 0, 0))]),
            anisotropies: KnownMagnets.uniaxial("D", Vector3(0, 0, 1), sites: 0..<2))
        let found = try model.diagnosis(values: [j, k2, 0.2], starts: 10)
        let c = -j * s2 / (2 * k2 * s1)
        let expected = (2 * j * s1 * s2 * c + k2 * s1 * s1 * (2 * c * c - 1)) / 2
        #expect(abs(found.lowest.energy - expected) < 1e-9)
        #expect(found.luttingerTisza.energy < expected - 1e-3 && !found.isProven)
        // Two turns of φ a cell, up to whole ones and the sense.
        let k = try #require(found.lowest.spiral).k.x
        #expect(abs(cosine(turns: k) - (2 * c * c - 1)) < 1e-6)
    }

    /// Held by its easy axis, a ferromagnet can stand against weak antiferromagnetic exchange: −0.1 + 1 and 0.1 + 1 a spin.
    @Test("a stable structure that is not the lowest")
    func metastable() throws {
        let chain = try KnownMagnets.antiferromagneticChain()
        let axis = ParametricMatrix([.init(nil, Matrix3(diagonal: Vector3(0, -1, 0)))])
        let model = try SpinModel(
            lattice: chain.lattice, sites: chain.sites, parameters: chain.parameters, bonds: chain.bonds,
            anisotropies: (0..<2).map { Anisotropy(site: $0, tensor: axis) }
        ).ordered([Vector3(0, 1, 0), Vector3(0, 1, 0)])
        let found = try model.diagnosis(values: [0.1], starts: 30)
        guard case .wrongGroundState(let lower) = found.verdict else {
            Issue.record("\(found.verdict)")
            return
        }
        #expect(abs(found.energy + 0.9) < 1e-12 && abs(lower.energy + 1.1) < 1e-12 && found.isProven)
        #expect(abs(dot(lower.directions[0], lower.directions[1]) + 1) < 1e-12)
        #expect(lower.arrivals < lower.starts)
    }

    /// Ising-like exchange across no axis of turning: spins along ±x of a chain, E = −K S² with K the largest component.
    @Test("what a cell cannot hold is found in a larger one")
    func largerCell() throws {
        let exchange = ParametricMatrix([.init("J", Matrix3(diagonal: Vector3(1, 0.7, 0.4)))])
        let model = try SpinModel(
            lattice: Lattice(a: 3, b: 8, c: 8), sites: [KnownMagnets.site("1", .zero, Vector3(0, 0, 1), spin: 1)],
            parameters: [.init("J", 1)], bonds: [Bond(from: 0, to: 0, offset: SIMD3(1, 0, 0), exchange: exchange)])
        let alone = try model.groundState(values: [1], starts: 5)
        #expect(abs(alone.energy - 0.4) < 1e-12)
        #expect(abs(try model.luttingerTisza(values: [1]).energy + 1) < 1e-12)
        let found = try model.repeated(SIMD3(2, 1, 1)).diagnosis(values: [1], starts: 20)
        #expect(abs(found.lowest.energy + 1) < 1e-12 && found.isProven)
        #expect(abs(abs(found.lowest.directions[1].x) - 1) < 1e-9)
        // Written out, a spiral is the supercell that its k asks for.
        let spiral = try KnownSpirals.triangular()
        let whole = try spiral.repeated(SIMD3(3, 3, 1))
        #expect(whole.spiral == nil && whole.sites.count == 9)
        #expect(abs(whole.classicalEnergy(values: [1]).energy(whole.frames.map(\.n)) / 9 + 3.375) < 1e-12)
        #expect(throws: SpinWaveError.self) { try spiral.repeated(SIMD3(2, 2, 1)) }
    }

    @Test("a torque is named before anything else")
    func torque() throws {
        let model = try KnownMagnets.triangular().ordered([
            Vector3(1, 0, 0), Vector3(-0.5, 0.9, 0), Vector3(-0.5, -0.8, 0),
        ])
        let found = try model.diagnosis(values: [1], starts: 10)
        guard case .notStationary(let wrong) = found.verdict else {
            Issue.record("\(found.verdict)")
            return
        }
        #expect(wrong.site == found.torque.site && wrong.torque == found.torque.value && found.softest == nil)
        // −3JS²/2 · … : three neighbours a spin at 120°, S = 3/2.
        #expect(abs(found.lowest.energy + 3 * 2.25 / 2) < 1e-10)
    }
}
