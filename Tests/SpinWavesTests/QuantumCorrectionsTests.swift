import Testing

@testable import SpinWaves

@Suite("Zero-point motion")
struct QuantumCorrectionsTests {
    @Test("square antiferromagnet: moment 0.3034, energy −0.1579 J a site, for S = 1/2")
    func square() throws {
        let corrections = try KnownMagnets.square(spin: 0.5, j1: 1).quantumCorrections()
        // P. W. Anderson, Phys. Rev. 86 (1952) 694; digits from ½ (⟨1/√(1 − γ²)⟩ − 1) and ⟨√(1 − γ²)⟩ − 1 with the zone
        // means 1.393203930 and 0.842052579 (tanh-sinh quadrature in numpy).
        for reduction in corrections.reductions { #expect(abs(reduction - 0.19660196) < 1e-5) }
        #expect(abs(corrections.zeroPointEnergy / 2 + 0.15794742) < 1e-6)
        #expect(corrections.uncertainty < 2e-3 && corrections.isConverged)
    }

    @Test("triangular antiferromagnet: Δ = 0.2613 at each site")
    func triangular() throws {
        // Th. Jolicœur and J. C. Le Guillou, Phys. Rev. B 40 (1989) 2727: ⟨S⟩ = 0.239 for S = 1/2; Δ does not depend on S.
        let corrections = try KnownMagnets.triangular().quantumCorrections()
        for reduction in corrections.reductions { #expect(abs(reduction - 0.2613) < 1e-4, "\(reduction)") }
        #expect(corrections.uncertainty < 2e-3)
    }

    @Test("an antiferromagnetic chain's zero-point energy is Anderson's, its moment has no value")
    func chain() throws {
        let model = try KnownMagnets.antiferromagneticChain()
        let (coarse, fine) = (try model.quantumCorrections(divisions: 20), try model.quantumCorrections(divisions: 60))
        // 2JS (2/π − 1) for two sites with J = S = 1
        #expect(abs(fine.zeroPointEnergy - 2 * (2 / Double.pi - 1)) < 1e-6)
        #expect(fine.reductions[0] > coarse.reductions[0] + 0.1 && fine.uncertainty > 0.05 && !fine.isConverged)
    }

    @Test("a ferromagnet has no zero-point motion")
    func ferromagnet() throws {
        let corrections = try KnownMagnets.ferromagneticChain().quantumCorrections()
        #expect(corrections.reductions[0] < 1e-12 && abs(corrections.zeroPointEnergy) < 1e-7)
        #expect(abs(corrections.oneMagnonPart - 1) < 1e-12 && abs(corrections.elasticPart - 1) < 1e-12)
    }

    /// A mean over the zone on 12 points an axis, of integrals that are smooth for these gapped models.
    @Test("elastic and one-magnon scattering make S (S + 1) to order S")
    func sumRule() throws {
        for model in [try KnownMagnets.square(spin: 2.5, j1: 1, d: -0.05), try KnownMagnets.rutile()] {
            let corrections = try model.quantumCorrections(divisions: 12)
            let expected = model.sites.reduce(0) { $0 + $1.spin * ($1.spin + 1) }
            #expect(corrections.reductions[0] > 0.01)
            #expect(abs(corrections.elasticPart + corrections.oneMagnonPart - expected) < 1e-10 * expected)
        }
    }

    @Test("the trace of S_ab over many zones is the one-magnon part of the sum rule")
    func trace() throws {
        let model = try KnownMagnets.rutile()
        let hamiltonian = try model.hamiltonian()
        let structure = StructureFactor(model, formFactor: false)
        // Q on a lattice of 12 points an axis through the 2 × 2 × 2 zones over which the phase of the two sites, half a
        // diagonal apart, runs through whole turns: interference averages out, and the zone is covered evenly.
        let n = 12
        var sum = 0.0
        for i in 0..<2 * n {
            for j in 0..<2 * n {
                for k in 0..<2 * n {
                    let q = (1 / Double(n)) * Vector3(Double(i) + 0.5, Double(j) + 0.5, Double(k) + 0.5)
                    let modes = try hamiltonian.modes(at: q)
                    for mode in 0..<2 {
                        let s = structure.tensor(modes, mode: mode, at: q)
                        sum += s[0][0].re + s[1][1].re + s[2][2].re
                    }
                }
            }
        }
        let expected = try model.quantumCorrections(divisions: 16).oneMagnonPart
        // Both integrals have converged to 1e-4 on these grids.
        #expect(abs(sum / Double(8 * n * n * n) - expected) < 5e-4)
    }
}
