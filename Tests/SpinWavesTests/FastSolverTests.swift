import CKernels
import Compute
import Testing

@testable import SpinWaves

/// The instruction sets that this processor has.
private let instructionSets = [Int32(1), 2, 3].filter { level in
    var nothing = sw_magnon_problem()
    return sw_magnons(&nothing, nil, level) == level
}

/// The batched solver against Colpa's method on LAPACK.
@Suite("Batched solver")
struct FastSolverTests {
    private let points = [
        Vector3(0.13, 0.37, -0.21), Vector3(-0.4, 0.05, 0.33), Vector3(0.5, 0.5, 0), Vector3(0.25, 0, 0),
        Vector3(0.71, -0.13, 0.9), Vector3(0.02, 0.01, 0), Vector3(1.3, 2.2, -0.7), Vector3(0, 0.5, 0.5),
        Vector3(0.33, 0.66, 0.1),
    ]

    /// Sums over modes that do not depend on how degenerate modes are chosen: Σ S g(ω) for a few smooth g.
    private func moments(_ energies: [Double], _ weights: [Double], width: Double) -> [Double] {
        [0.0, 0.5, 1].map { centre in
            zip(energies, weights).reduce(0) { sum, line in
                let x = line.0 / width - centre
                return sum + line.1 / (1 + 16 * x * x)
            }
        }
    }

    /// Energies to 1e-9 of the bandwidth; intensities, which grow like 1/ω, to 1e-7 of the strongest sum: rounding of
    /// amplitudes by the condition of H, 1e-16 times at most some 1e6 for the magnets here.
    private func expectAgreement(
        _ model: SpinModel, at q: [Vector3], reduces: Bool, _ comment: @autoclosure () -> Comment
    ) throws {
        let solver = try MagnonSolver(model, reduces: reduces)
        let lines = try solver.lines(at: q)
        let many = try solver.modes(at: q)
        let hamiltonian = try model.hamiltonian()
        let factor = StructureFactor(model)
        let n = model.sites.count
        for (point, q) in q.enumerated() {
            let reference = try hamiltonian.modes(at: q)
            if reference.diverges.contains(true) { continue }
            let width = max(reference.energies.last ?? 0, 1e-6)
            let found = (0..<n).map { lines.energies[point, $0] }
            let worst = zip(found, reference.energies).map { abs($0 - $1) }.max() ?? 0
            #expect(worst <= 1e-9 * width, comment())
            #expect(many[point].energies == found)
            let expected = moments(reference.energies, factor.perpendicular(reference, at: q), width: width)
            let size = max(expected.max() ?? 0, 1e-3)
            for intensities in [(0..<n).map { lines.intensities[point, $0] }, factor.perpendicular(many[point], at: q)]
            {
                let actual = moments(found, intensities, width: width)
                #expect(zip(actual, expected).allSatisfy { abs($0 - $1) < 1e-7 * size }, comment())
            }
            for axis in 0..<3 {
                let slopes = moments(reference.energies, reference.velocities.map { $0[axis] }, width: width)
                let actual = moments(found, many[point].velocities.map { $0[axis] }, width: width)
                #expect(zip(actual, slopes).allSatisfy { abs($0 - $1) < 1e-7 * max(width, 1) * 10 }, comment())
            }
        }
    }

    @Test("known magnets, whole and in blocks", arguments: [true, false])
    func knownMagnets(reduces: Bool) throws {
        let models = try [
            KnownMagnets.ferromagneticChain(), KnownMagnets.antiferromagneticChain(), KnownMagnets.triangular(),
            KnownMagnets.rutile(), KnownMagnets.triclinic(),
            KnownMagnets.square(spin: 0.5, j1: 1, j2: 0.1, j3: 0.2, d: -0.1),
            ReferenceData.pcsmo("goodenough"), ReferenceData.pcsmo("dimer"),
        ]
        for (k, model) in models.enumerated() {
            try expectAgreement(model, at: points, reduces: reduces, "model \(k)")
        }
    }

    @Test("ten thousand random magnets of 1 to 12 sites")
    func randomMagnets() throws {
        let magnets = RandomMagnets(stream: RandomStream(seed: 4).substream("random magnets"))
        try Parallel.forEach(10_000, threads: Parallel.availableCores) { index in
            let (model, kind) = try magnets.magnet(index)
            // Two wavevectors each, the second at a special place.
            try expectAgreement(
                model, at: [points[index % points.count], points[2 + index % 2]], reduces: index % 3 != 0,
                "magnet \(index), \(kind)")
        }
    }

    @Test("every instruction set that the processor has agrees", arguments: instructionSets)
    func levels(level: Int32) throws {
        for model in try [ReferenceData.pcsmo("dimer"), KnownMagnets.triclinic()] {
            let solver = BatchSolver(try model.hamiltonian(), BlockReduction(model))
            let kernel = MagnonKernel(ReducedHamiltonian(solver.hamiltonian, solver.reduction))
            let phases = solver.phases(at: points)
            let best = kernel.solve(phases: phases, .amplitudes)
            let other = kernel.solve(phases: phases, .amplitudes, level: level)
            for (a, b) in zip(best.energies, other.energies) { #expect(abs(a - b) < 1e-9) }
        }
    }

    @Test("a point's answer does not depend on its neighbours in the batch, bit by bit")
    func company() throws {
        let model = try ReferenceData.pcsmo("goodenough")
        let solver = try MagnonSolver(model)
        let all = try solver.lines(at: points)
        for (point, q) in points.enumerated() {
            let alone = try solver.lines(at: [q])
            #expect((0..<16).allSatisfy { alone.energies[0, $0] == all.energies[point, $0] })
            #expect((0..<16).allSatisfy { alone.intensities[0, $0] == all.intensities[point, $0] })
        }
        let many = (0..<2000).map { Vector3(Double($0) * 0.00137, Double($0) * 0.00071, 0) }
        #expect(try solver.energies(at: many, threads: 1) == solver.energies(at: many, threads: 3))
    }

    @Test("a solution is checked by what it solves, and a spoilt one fails the check")
    func deviation() throws {
        let model = try ReferenceData.pcsmo("dimer")
        let solver = BatchSolver(try model.hamiltonian(), BlockReduction(model))
        var answer = try solver.solve(phases: solver.phases(at: points), at: points, .amplitudes)
        // 32 rows of rounding in solution and check; near a Goldstone point it grows like 1/ω.
        for (point, q) in points.enumerated() { #expect(solver.deviation(of: answer, point: point, at: q) < 1e-12) }
        answer.energies[16 * 2 + 5] += 1e-6
        #expect(solver.deviation(of: answer, point: 2, at: points[2]) > 1e-9)
        answer.amplitudes[4 * 16 * 16 * 3 + 7] *= 1.0001
        #expect(solver.deviation(of: answer, point: 3, at: points[3]) > 1e-9)
    }

    @Test("wavevectors that are one to H(q) have the same modes, bit by bit, and intensities of their own")
    func equivalents() throws {
        let model = try ReferenceData.pcsmo("goodenough")
        let solver = try MagnonSolver(model)
        // l does not disperse; 0.3 and 1.3 − 1 differ in the last bit.
        let q = [Vector3(0.3, 0.2, 0), Vector3(1.3, -0.8, 0.37), Vector3(-0.7, 2.2, -5)]
        let modes = try solver.modes(at: q)
        let energies = try solver.energies(at: q)
        let lines = try solver.lines(at: q)
        for k in 0..<3 {
            #expect(modes[k].q == q[k])
            #expect(modes[k].energies == modes[0].energies && modes[k].amplitudes == modes[0].amplitudes)
            #expect((0..<16).allSatisfy { energies[k, $0] == modes[0].energies[$0] })
            let alone = StructureFactor(model).perpendicular(try model.hamiltonian().modes(at: q[k]), at: q[k])
            let own = StructureFactor(model).perpendicular(modes[k], at: q[k])
            let batched = (0..<16).map { lines.intensities[k, $0] }
            let sums = [alone, own, batched].map { groupSums(modes[k].energies, $0).map(\.sum) }
            // Rounding of the reduced wavevector, 7e-15 r.l.u., on intensities of order 1 to 10.
            #expect(zip(sums[0], sums[1]).allSatisfy { abs($0 - $1) < 1e-9 })
            #expect(zip(sums[0], sums[2]).allSatisfy { abs($0 - $1) < 1e-9 })
        }
        #expect(lines.intensities[0, 3] != lines.intensities[1, 3])
        #expect(throws: SpinWaveError.self) { try solver.energies(at: [Vector3(.nan, 0, 0)]) }
    }

    @Test("an unstable structure is named with its wavevector, as the reference names it")
    func unstable() throws {
        let model = try KnownMagnets.ferromagneticChain(anisotropy: Vector3(-1, 0, 0))
        for reduces in [true, false] {
            let solver = try MagnonSolver(model, reduces: reduces)
            let error = #expect(throws: SpinWaveError.self) { try solver.lines(at: [Vector3(0.5, 0, 0), .zero]) }
            guard case .unstable(let instability) = error else {
                Issue.record("not called unstable")
                return
            }
            #expect(instability.q == .zero)
            // H(0) = [[−K, K], [K, −K]] S with K = −1, in the frame of the spin: the soft direction has 2K S.
            #expect(abs(instability.lowestEigenvalue + 2) < 1e-9)
        }
    }

    /// Where other programs draw the line: an eigenvalue below 1e-7 of the scale is no rounding (pySpinW takes its general path from
    /// there). Ours lies at 1e-9.
    @Test("a soft mode just below zero is a Goldstone mode, one further below is an instability")
    func threshold() throws {
        for (size, isUnstable) in [(1e-10, false), (1e-7, true), (1e-5, true)] {
            let model = try KnownMagnets.ferromagneticChain(anisotropy: Vector3(-4 * size, 0, 0))
            for reduces in [true, false] {
                let solver = try MagnonSolver(model, reduces: reduces)
                let isFound = (try? solver.lines(at: [.zero])) == nil
                #expect(isFound == isUnstable, "\(size), \(reduces)")
            }
            #expect(((try? model.hamiltonian().modes(at: .zero)) == nil) == isUnstable)
        }
    }

    @Test("a Goldstone point is regularised, not called unstable")
    func goldstone() throws {
        for model in try [
            KnownMagnets.square(spin: 2.5, j1: 1), KnownMagnets.triangular(), ReferenceData.pcsmo("goodenough"),
        ] {
            let lines = try MagnonSolver(model).lines(at: [.zero])
            #expect(lines.diverges.contains(true))
            // √(2e-9) of the band, which is 20 meV at most here but for PCSMO's 87.
            #expect(lines.energies[0, 0] < 5e-3)
        }
    }
}
