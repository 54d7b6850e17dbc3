import Testing

@testable import SpinWaves

@Suite("Known magnets")
struct KnownMagnetsTests {
    /// By the reference, by the batched solver on the whole matrix, and by blocks: what is claimed is claimed of all.
    private func energies(_ model: SpinModel, _ q: Vector3) throws -> [Double] {
        try model.hamiltonian().modes(at: q).energies + MagnonSolver(model, reduces: false).energies(at: [q]).elements
            + MagnonSolver(model).energies(at: [q]).elements
    }

    @Test("ferromagnetic chain: ω = 2|J|S(1 − cos 2πH), flat across the chain")
    func ferromagneticChain() throws {
        let model = try KnownMagnets.ferromagneticChain()
        #expect(model.unwrapping.isNonDispersive == [false, true, true])
        for (h, expected, tolerance) in [
            (0.0, 0.0, 1e-5), (0.25, 2, 1e-12), (0.5, 4, 1e-12), (0.75, 2, 1e-12), (1, 0, 1e-5), (0.1, 0.381966, 1e-6),
            (0.2, 1.381966, 1e-6),
        ] {
            for across in [0.0, 0.37] {
                #expect(abs(try energies(model, Vector3(h, across, -2 * across))[0] - expected) < tolerance)
            }
        }
        let modes = try model.hamiltonian().modes(at: Vector3(0.25, 0, 0))
        let bare = StructureFactor(model, formFactor: false)
        for q in [Vector3(0.25, 0, 0), Vector3(1.25, 0, 0)] {
            let s = bare.tensor(modes, mode: 0, at: q)
            #expect(abs(s[0][0].re - 0.5) < 1e-12 && abs(s[2][2].re - 0.5) < 1e-12)
            #expect(abs(abs(s[0][2].im) - 0.5) < 1e-12 && abs(s[0][2].re) < 1e-12)
            #expect((0..<3).allSatisfy { abs(s[1][$0].re) + abs(s[1][$0].im) < 1e-12 })
            #expect(abs(bare.perpendicular(modes, at: q)[0] - 0.5) < 1e-12)
        }
        // |Q| = 2πH/3 at (H, 0, 0)
        #expect(abs(model.lattice.cartesian(hkl: Vector3(0.5, 0, 0)).x - Double.pi / 3) < 1e-12)
    }

    @Test("the chain's Bose factors at 300 K are SpinW's")
    func bose() {
        // Weights 0.5 (n + 1) at the centres of the 8.8 µeV bins that hold ω = 2 and 4.
        #expect(abs(0.5 * boseFactor(energy: 2.0020, temperature: 300) - 6.70976913583173) < 1e-5)
        #expect(abs(0.5 * boseFactor(energy: 3.9996, temperature: 300) - 3.48826657260066) < 1e-5)
        #expect(boseFactor(energy: 1, temperature: 0) == 1)
        #expect(abs(boseFactor(energy: 50, temperature: 4) - 1) < 1e-12)
    }

    @Test("the chain's twins, turned by 60° and 120° about c, volumes 1, 1, 2")
    func twins() throws {
        let s = 3.0.squareRoot() / 2
        let turned60 = Matrix3(rows: Vector3(0.5, -s, 0), Vector3(s, 0.5, 0), Vector3(0, 0, 1))
        let turned120 = Matrix3(rows: Vector3(-0.5, -s, 0), Vector3(s, -0.5, 0), Vector3(0, 0, 1))
        let model = try KnownMagnets.ferromagneticChain(twins: [
            Twin(matrix: .identity, fraction: 1), Twin(matrix: turned60, fraction: 1),
            Twin(matrix: turned120, fraction: 2),
        ])
        #expect(model.twins.map(\.fraction) == [0.25, 0.25, 0.5])
        let q = Vector3(0.25, 0, 0)
        var total = 0.0
        for (number, expected) in [0.5, 0.875, 0.875].enumerated() {
            let line = try modes(model, q: q, twin: number + 1)[0]
            #expect(abs(line.sperp - expected) < 1e-12)
            total += model.twins[number].fraction * line.sperp
        }
        #expect(abs(total - 0.78125) < 1e-12)
        #expect(throws: SpinWaveError.noTwin(4, count: 3)) { try modes(model, q: q, twin: 4) }
    }

    @Test("a g-tensor diag(1, 2, 3) multiplies S_ab by g_a g_b")
    func gTensor() throws {
        let model = try KnownMagnets.ferromagneticChain(g: Matrix3(diagonal: Vector3(1, 2, 3)))
        let modes = try model.hamiltonian().modes(at: Vector3(0.25, 0, 0))
        let q = Vector3(0.25, 0, 0)
        let spin = StructureFactor(model, formFactor: false).tensor(modes, mode: 0, at: q)
        let moment = StructureFactor(model, formFactor: false, weighting: .gTensor).tensor(modes, mode: 0, at: q)
        for a in 0..<3 {
            for b in 0..<3 {
                let factor = Double((a + 1) * (b + 1))
                #expect(abs(moment[a][b].re - factor * spin[a][b].re) < 1e-12)
                #expect(abs(moment[a][b].im - factor * spin[a][b].im) < 1e-12)
            }
        }
    }

    @Test("antiferromagnetic chain: 0, 2, 0, 2, 0, each twice")
    func antiferromagneticChain() throws {
        let model = try KnownMagnets.antiferromagneticChain()
        for (h, expected) in [(0.0, 0.0), (0.25, 2), (0.5, 0), (0.75, 2), (1, 0)] {
            for energy in try energies(model, Vector3(2 * h, 0, 0)) {
                // √(2e-9) of the band is where a regularised zero mode may lie.
                #expect(abs(energy - expected) < (expected == 0 ? 1e-3 : 1e-10))
            }
        }
    }

    @Test("triangular 120° order in its √3 × √3 cell against the rotating-frame branches")
    func triangular() throws {
        let model = try KnownMagnets.triangular()
        let bare = StructureFactor(model, formFactor: false)
        // (H, 0, 0) of the chemical cell is (−H, 2H, 0) of the √3 cell; the modes are ω'(Q) and ω'(Q ± k).
        for (h, central, satellite, szz) in [(0.25, 4.74342, 3.968627, 0.47434), (0.5, 3, 4.743416, 1.5)] {
            let q = Vector3(-h, 2 * h, 0)
            let modes = try model.hamiltonian().modes(at: q)
            let expected = [central, satellite, satellite].sorted()
            for (mine, value) in zip(modes.energies, expected) { #expect(abs(mine - value) < 1e-5) }
            // Out-of-plane correlations belong to the central branch alone; three sites a cell.
            let group = modes.energies.indices.filter { abs(modes.energies[$0] - central) < 1e-4 }
            let sum = group.reduce(0) { $0 + bare.tensor(modes, mode: $1, at: q)[2][2].re }
            #expect(abs(sum - 3 * szz) < 5e-5)
        }
        for energy in try energies(model, .zero) { #expect(energy < 0.02) }
    }

    @Test("La2CuO4 (Coldea et al. 2001): closed form at all q, published numbers")
    func laCuO() throws {
        let (s, j1, j2, j3) = (0.5, 138.3 - 38.0 / 2, 2 - 38.0 / 4, 2.0)
        let model = try KnownMagnets.square(spin: s, j1: j1, j2: j2, j3: j3)
        for (h, k, expected, tolerance) in [
            (0.75, 0.25, 245.6, 0.01), (0.5, 0, 268.6, 0.01), (0.25, 0.25, 245.6, 0.01), (0.3, 0.1, 245.1987, 1e-4),
            (0.5, 0.5, 0, 1e-1), (1, 0, 0, 1e-1),
        ] {
            for energy in try energies(model, KnownMagnets.squareCell(h, k)) {
                #expect(abs(energy - expected) < tolerance, "(\(h), \(k))")
            }
        }
        func cosine(_ x: Double) -> Double { SpinWavesTests.cosine(turns: x) }
        for (h, k) in [(0.13, 0.37), (0.41, -0.22), (-0.8, 0.55)] {
            let a =
                4 * s * j1 - 4 * s * j2 * (1 - cosine(h) * cosine(k)) - 2 * s * j3 * (2 - cosine(2 * h) - cosine(2 * k))
            let b = 2 * s * j1 * (cosine(h) + cosine(k))
            let expected = (a * a - b * b).squareRoot()
            for energy in try energies(model, KnownMagnets.squareCell(h, k)) { #expect(abs(energy - expected) < 1e-8) }
        }
    }

    @Test("rutile antiferromagnet")
    func rutile() throws {
        let model = try KnownMagnets.rutile()
        for (q, expected) in [
            (Vector3(0, 0, 0), 1.75), (Vector3(0, 0, 0.5), 6.75), (Vector3(0.5, 0, 0), 6.25),
            (Vector3(0.5, 0.5, 0.5), 6.75), (Vector3(0.1, 0.2, 0.3), 5.991415),
        ] {
            for energy in try energies(model, q) { #expect(abs(energy - expected) < 1e-6) }
        }
    }

    @Test("easy-axis square antiferromagnet")
    func easyAxis() throws {
        let model = try KnownMagnets.square(spin: 2.5, j1: 1, d: -0.05)
        for (h, k, expected) in [(0.5, 0.5, 2.25), (0.25, 0.25, 10.25), (0.12, 0.23, 9.31755)] {
            for energy in try energies(model, KnownMagnets.squareCell(h, k)) { #expect(abs(energy - expected) < 1e-5) }
        }
    }

    @Test("an easy axis across the spins makes the chain unstable")
    func unstableChain() throws {
        let model = try KnownMagnets.ferromagneticChain(anisotropy: Vector3(-1, 0, 0))
        #expect(throws: SpinWaveError.unstable(Instability(q: .zero, lowestEigenvalue: -2))) {
            try model.hamiltonian().modes(at: .zero)
        }
        let energies = try model.hamiltonian().generalEnergies(at: Vector3(0.05, 0, 0))
        #expect(energies.contains { abs($0.im) > 0.1 })
    }

    @Test("a field splits off gμB B where spins stand against it, and destabilises those along it")
    func field() throws {
        let against = try KnownMagnets.ferromagneticChain(field: Vector3(0, -2, 0))
        #expect(abs(try energies(against, .zero)[0] - 2 * bohrMagneton * 2) < 1e-12)
        let along = try KnownMagnets.ferromagneticChain(field: Vector3(0, 2, 0))
        #expect(throws: SpinWaveError.self) { try along.hamiltonian().modes(at: .zero) }
        let tilted = try KnownMagnets.ferromagneticChain(field: Vector3(1, 0, 0))
        #expect(abs(try tilted.largestTorque(values: tilted.parameterValues).torque - 2 * bohrMagneton) < 1e-12)
    }
}
