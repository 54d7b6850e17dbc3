import Compute
import Testing

@testable import SpinWaves

/// H(q) against numerical second derivatives of the classical energy, which is written down without bosons and frames: every
/// term's algebra is tested by something else.
///
/// Bosons with classical amplitudes a_R = α e^{2πi q·R} + β e^{−2πi q·R} tilt the spins of a supercell; to second order the energy of
/// a chemical cell must rise by x†H(q)x, x = (α, β̄). Holds away from equilibrium, too: terms linear in a have no second derivative.
@Suite("Second derivatives of the classical energy")
struct SecondDerivativeTests {
    /// Spins tilted by bosons: √(S/2)(ū a + u ā) across and the rest along.
    private func tilted(_ model: SpinModel, _ a: [Complex]) -> [Vector3] {
        zip(model.frames, zip(model.sites, a)).map { frame, pair in
            let (site, a) = pair
            let size = (2 / site.spin).squareRoot()
            let across = size * a.re * frame.e1 + size * a.im * frame.e2
            return across + (1 - dot(across, across)).squareRoot() * frame.n
        }
    }

    /// Half the second derivative along a, by central differences extrapolated to step 0: errors of order step⁴.
    private func curvature(_ energy: ([Complex]) -> Double, _ a: [Complex]) -> Double {
        func difference(_ step: Double) -> Double {
            (energy(a.map { step * $0 }) + energy(a.map { -step * $0 }) - 2 * energy(a.map { 0 * $0 }))
                / (2 * step * step)
        }
        return (4 * difference(0.005) - difference(0.01)) / 3
    }

    private func form(_ h: ComplexMatrix, _ x: [Complex]) -> Double {
        var sum = Complex.zero
        for i in x.indices { for j in x.indices { sum += x[i].conjugate * h[i, j] * x[j] } }
        return sum.re
    }

    private func draws(_ count: Int, _ number: Int) -> [Complex] {
        let stream = RandomStream(seed: 11).substream("amplitudes", number)
        return (0..<count).map { Complex(stream.normal(at: 2 * $0), stream.normal(at: 2 * $0 + 1)) }
    }

    /// - Parameter cells: a supercell in which e^{4πi q·R} is not 1 everywhere.
    private func check(_ model: SpinModel, whole: SpinModel, cells: SIMD3<Int>, q: Vector3, number: Int) throws {
        let n = model.sites.count
        let (alpha, beta) = (draws(n, 2 * number), draws(n, 2 * number + 1))
        // Bosons of an atom counted in another cell than its own are numbered by the cell it is counted in.
        var pattern: [Complex] = []
        for origin in Supercell.origins(cells) {
            for i in 0..<n {
                let cell = origin &- model.unwrapping.cells[i]
                let phase = Complex(turns: dot(q, Vector3(Double(cell.x), Double(cell.y), Double(cell.z))))
                pattern.append(phase * alpha[i] + phase.conjugate * beta[i])
            }
        }
        let classical = whole.classicalEnergy(values: whole.parameterValues)
        let found = curvature({ classical.energy(self.tilted(whole, $0)) }, pattern)
        let x = alpha + beta.map(\.conjugate)
        let expected = Double(pattern.count / n) * form(try model.hamiltonian().matrix(at: q), x)
        // step⁴ times sixth derivatives, 1e-8 of the energies at stake; cancellation leaves 1e-16 / step² = 1e-11.
        let scale = try model.hamiltonian().scale * pattern.reduce(0) { $0 + $1.squaredMagnitude }
        #expect(abs(found - expected) < 1e-6 * scale)
        #expect(abs(found) > 1e-4 * scale)
    }

    @Test("general exchange, anisotropy, field and biquadratic exchange", arguments: 0..<10)
    func general(number: Int) throws {
        let plain = try RandomMagnets(stream: RandomStream(seed: 3)).magnet(5 * number).model
        let stream = RandomStream(seed: 3).substream("biquadratic", number)
        let bonds = plain.bonds.enumerated().map { k, bond in
            var bond = bond
            bond.biquadratic = ParametricScalar([.init(nil, stream.normal(at: k)), .init("B", 0.3)])
            return bond
        }
        let parameters = [SpinModel.Parameter("B", 0.7)]
        let field = Vector3(2, -3, 4)
        let model = try SpinModel(
            lattice: plain.lattice, sites: plain.sites, parameters: parameters, bonds: bonds,
            anisotropies: plain.anisotropies, field: field)
        let cells = SIMD3(3, 1, 2)
        let still = SpinSpiral(k: .zero, normal: Vector3(0, 0, 1))
        let copies = try Supercell(
            cells: cells, order: .spiral(still), lattice: plain.lattice, sites: plain.sites, bonds: bonds,
            anisotropies: plain.anisotropies)
        let whole = try SpinModel(
            lattice: copies.lattice, sites: copies.sites, parameters: parameters, bonds: copies.bonds,
            anisotropies: copies.anisotropies, field: field)
        try check(model, whole: whole, cells: cells, q: Vector3(1.0 / 3, 0, 0.5), number: number)
    }

    @Test("dipole–dipole coupling alone, with skew g-tensors", arguments: 0..<3)
    func dipolar(number: Int) throws {
        let plain = try RandomMagnets(stream: RandomStream(seed: 4)).magnet(5 * number).model
        let g = Matrix3(rows: Vector3(2, 0.3, -0.1), Vector3(0.2, 1.7, 0), Vector3(0.1, -0.4, 2.5))
        let sites = plain.sites.prefix(4).map { site in
            var site = site
            site.g = g
            return site
        }
        let model = try SpinModel(
            lattice: plain.lattice, sites: sites, parameters: [], bonds: [], isDipolar: true)
        let cells = SIMD3(3, 1, 2)
        let copies = try Supercell(
            cells: cells, order: .spiral(SpinSpiral(k: .zero, normal: Vector3(0, 0, 1))), lattice: plain.lattice,
            sites: sites, bonds: [], anisotropies: [])
        let whole = try SpinModel(
            lattice: copies.lattice, sites: copies.sites, parameters: [], bonds: [], isDipolar: true)
        try check(model, whole: whole, cells: cells, q: Vector3(1.0 / 3, 0, 0.5), number: number)
    }

    @Test("the turning frame of a spiral, at its own q = 0", arguments: 0..<6)
    func spiral(number: Int) throws {
        let model = try RandomCones(stream: RandomStream(seed: 8).substream("cone", number)).spiral(
            k: Vector3(0.17, -0.3, 0.41))
        let classical = model.classicalEnergy(values: [])
        let a = draws(model.sites.count, number)
        let found = curvature({ classical.energy(self.tilted(model, $0)) }, a)
        let expected = 0.5 * form(try model.hamiltonian().matrix(at: .zero), a + a.map(\.conjugate))
        let scale = try model.hamiltonian().scale * a.reduce(0) { $0 + $1.squaredMagnitude }
        #expect(abs(found - expected) < 1e-6 * scale && abs(found) > 1e-4 * scale)
    }

    @Test("the gradient is the energy's", arguments: 0..<4)
    func gradient(number: Int) throws {
        let model = try RandomCones(stream: RandomStream(seed: 9).substream("cone", number)).spiral(
            k: Vector3(0.17, -0.3, 0.41))
        let classical = model.classicalEnergy(values: [])
        let n = model.frames.map(\.n)
        let gradient = classical.gradient(n)
        for i in n.indices {
            for axis in 0..<3 {
                var (above, below) = (n, n)
                above[i][axis] += 1e-5
                below[i][axis] -= 1e-5
                let slope = (classical.energy(above) - classical.energy(below)) / 2e-5
                // Energies of 1000 meV: cancellation leaves 1e-13 / 1e-5.
                #expect(abs(slope - gradient[i][axis]) < 1e-6)
            }
        }
    }
}
