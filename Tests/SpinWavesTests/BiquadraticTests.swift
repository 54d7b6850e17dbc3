import Foundation
import Testing

@testable import SpinWaves

/// Biquadratic exchange B (S_i·S_j)² against closed forms.
@Suite("Biquadratic exchange")
struct BiquadraticTests {
    private func bonds(_ list: [(Int, Int, SIMD3<Int>)], _ j: Double, _ b: Double) -> [Bond] {
        list.map {
            Bond(
                from: $0.0, to: $0.1, offset: $0.2, exchange: .constant(j * Matrix3.identity),
                biquadratic: ParametricScalar([.init(nil, b)]))
        }
    }

    /// Between collinear spins B is a bilinear exchange of 2B S² cos: J − 2BS² of a square antiferromagnet.
    @Test("square antiferromagnet: ω = 4(J − 2BS²)S √(1 − γ²)")
    func square() throws {
        let (s, j, b) = (2.5, 1.0, -0.02)
        let edge = 4 * 2.0.squareRoot()
        let model = try SpinModel(
            lattice: Lattice(a: edge, b: edge, c: 13),
            sites: [
                KnownMagnets.site("up", .zero, Vector3(0, 0, 1), spin: s),
                KnownMagnets.site("down", Vector3(0.5, 0.5, 0), Vector3(0, 0, -1), spin: s),
            ], parameters: [],
            bonds: bonds([(0, 0), (-1, 0), (0, -1), (-1, -1)].map { (0, 1, SIMD3($0.0, $0.1, 0)) }, j, b))
        for (h, k) in [(0.3, 0.1), (0.25, 0.25), (-0.12, 0.43)] {
            let gamma = 0.5 * (cosine(turns: h) + cosine(turns: k))
            let expected = 4 * (j - 2 * b * s * s) * s * (1 - gamma * gamma).squareRoot()
            for energy in try model.hamiltonian().modes(at: KnownMagnets.squareCell(h, k)).energies {
                #expect(abs(energy - expected) < 1e-9)
            }
        }
    }

    /// A planar spiral of one site has ω = √(K_θ K_z)/S with the stiffnesses
    ///
    ///     K_θ = Σ 2F″(φ)(1 − cos q),   K_z = Σ 2S² f′(X)(cos q − cos φ)
    ///
    /// over the bonds, f(X) = JX + BX², F(φ) = f(S² cos φ), φ the turn and q the phase over the bond. Here spins are neither
    /// parallel nor antiparallel, so that the square of the linear term counts.
    @Test("helix with first neighbours J, B and second neighbours J₂")
    func helix() throws {
        let (s, k, j2, b) = (1.5, 0.2, 1.0, 0.15)
        let c = cosine(turns: k)
        // The turn of lowest energy.
        let j1 = -c * (4 * j2 + 2 * b * s * s)
        let model = try SpinModel(
            lattice: Lattice(a: 3, b: 8, c: 8), sites: [KnownMagnets.site("1", .zero, Vector3(0, 1, 0), spin: s)],
            parameters: [], bonds: bonds([(0, 0, SIMD3(1, 0, 0))], j1, b) + bonds([(0, 0, SIMD3(2, 0, 0))], j2, 0),
            spiral: SpinSpiral(k: Vector3(k, 0, 0), normal: Vector3(0, 0, 1)))
        func energy(_ q: Double) -> Double {
            var (stiff, soft) = (0.0, 0.0)
            for (d, j, b) in [(1.0, j1, b), (2, j2, 0)] {
                let (x, twice, phase) = (cosine(turns: d * k), cosine(turns: 2 * d * k), cosine(turns: d * q))
                stiff += 2 * (-j * s * s * x - 2 * b * s * s * s * s * twice) * (1 - phase)
                soft += 2 * s * s * (j + 2 * b * s * s * x) * (phase - x)
            }
            return (stiff * soft).squareRoot() / s
        }
        for h in [0.13, 0.41, -0.77] {
            let expected = [energy(h), energy(h - k), energy(h + k)].sorted()
            for (mine, value) in zip(try model.hamiltonian().modes(at: Vector3(h, 0, 0)).energies, expected) {
                #expect(abs(mine - value) < 1e-9)
            }
        }
    }

    @Test("a biquadratic exchange that names no parameter of the model, or is not finite, is refused")
    func refusals() {
        for term in [ParametricScalar.Term("B", 1), ParametricScalar.Term(nil, .nan)] {
            #expect(throws: SpinWaveError.self) {
                try SpinModel(
                    lattice: Lattice(a: 3, b: 8, c: 8),
                    sites: [KnownMagnets.site("1", .zero, Vector3(0, 1, 0), spin: 1)], parameters: [],
                    bonds: [
                        Bond(
                            from: 0, to: 0, offset: SIMD3(1, 0, 0), exchange: ParametricMatrix([]),
                            biquadratic: ParametricScalar([term]))
                    ])
            }
        }
    }
}
