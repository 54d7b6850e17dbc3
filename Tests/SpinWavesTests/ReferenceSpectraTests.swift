import Testing

@testable import SpinWaves

/// Sums of `values` over degenerate groups.
func groupSums(_ energies: [Double], _ values: [Double]) -> [(energy: Double, sum: Double)] {
    degenerateGroups(energies).map { group in (energies[group.lowerBound], group.reduce(0) { $0 + values[$1] }) }
}

/// The ways in which modes are computed.
enum Way: CaseIterable, Sendable {
    /// Colpa's method on LAPACK, one wavevector at a time.
    case reference
    /// The batched kernel, on the whole matrix and on the blocks found in it.
    case batched, blocks

    func modes(_ model: SpinModel, _ parameters: [String: Double] = [:], at q: [Vector3]) throws -> [Modes] {
        if self == .reference {
            var solver = try ModeSolver(model.hamiltonian(parameters: parameters))
            return try q.map { try solver.modes(at: $0) }
        }
        return try MagnonSolver(model, parameters: parameters, reduces: self == .blocks).modes(at: q)
    }
}

@Suite("Reference spectra")
struct ReferenceSpectraTests {
    /// Energies within 1e-8 meV; S⊥ within 1e-6 relative, with 1e-10 (of sums of order 10) for groups that symmetry
    /// makes dark: the reference has 1e-27 there, rounding in another order of operations 1e-20 and more.
    private func compare(
        _ modes: Modes, _ model: SpinModel, at q: Vector3, _ groups: [ReferenceData.Group], _ comment: Comment
    ) {
        for (formFactor, reference) in [(false, groups.map(\.Sperp)), (true, groups.map(\.Sperp_ff))] {
            let sperp = StructureFactor(model, formFactor: formFactor).perpendicular(modes, at: q)
            let found = groupSums(modes.energies, sperp)
            #expect(found.count == groups.count, comment)
            for (mine, (group, expected)) in zip(found, zip(groups, reference)) {
                #expect(abs(mine.energy - group.E) < 1e-8, comment)
                #expect(abs(mine.sum - expected) <= 1e-6 * expected + 1e-10, comment)
            }
        }
    }

    @Test(
        "every point of both PCSMO models, both parameter sets, both twins",
        arguments: ["goodenough", "dimer"], Way.allCases)
    func pcsmo(name: String, way: Way) throws {
        let model = try ReferenceData.pcsmo(name)
        let reference: ReferenceData.Spectrum = try ReferenceData.load("lswt_\(name).json")
        #expect(reference.sets.count == 2)
        for set in reference.sets {
            #expect(try model.largestTorque(values: model.values(overriding: set.parameters)).torque < 1e-12)
            #expect(set.points.count == 24)
            let all = try way.modes(model, set.parameters, at: set.points.map { Vector3($0.Q) })
            let twin = set.points.map { model.wavevector(Vector3($0.Q), in: model.twins[1]) }
            let ofTwin = try way.modes(model, set.parameters, at: twin)
            for (k, point) in set.points.enumerated() {
                let q = Vector3(point.Q)
                let comment: Comment = "\(name), \(set.name), Q = \(point.Q), \(way)"
                let modes = all[k]
                for (mine, expected) in zip(modes.energies, point.omega) {
                    #expect(abs(mine - expected) < 1e-8, comment)
                }
                compare(modes, model, at: q, point.groups, comment)
                compare(ofTwin[k], model, at: twin[k], point.twin2_physical, comment)
            }
        }
    }

    @Test("diagonal spin correlations of both PCSMO models", arguments: ["goodenough", "dimer"], Way.allCases)
    func tensors(name: String, way: Way) throws {
        let model = try ReferenceData.pcsmo(name)
        let reference: ReferenceData.Spectrum = try ReferenceData.load("lswt_\(name).json")
        let bare = StructureFactor(model, formFactor: false)
        for set in reference.sets {
            let all = try way.modes(model, set.parameters, at: set.points.map { Vector3($0.Q) })
            for (point, modes) in zip(set.points, all) {
                let q = Vector3(point.Q)
                let tensors = modes.energies.indices.map { bare.tensor(modes, mode: $0, at: q) }
                for axis in 0..<3 {
                    let sums = groupSums(modes.energies, tensors.map { $0[axis][axis].re })
                    let expected = point.groups.map { [$0.Sxx, $0.Syy, $0.Szz][axis] ?? .nan }
                    for (mine, value) in zip(sums, expected) { #expect(abs(mine.sum - value) <= 1e-6 * value + 1e-10) }
                }
            }
        }
    }

    @Test("the unstable draw is found, with its imaginary energies", arguments: ["goodenough", "dimer"])
    func unstable(name: String) throws {
        let model = try ReferenceData.pcsmo(name)
        let reference: ReferenceData.Spectrum = try ReferenceData.load("lswt_\(name).json")
        let example = try #require(reference.unstable_example)
        let hamiltonian = try model.hamiltonian(parameters: example.parameters)
        for point in example.points {
            let q = Vector3(point.Q)
            if point.min_eig_h < -1e-6 {
                #expect {
                    _ = try hamiltonian.modes(at: q)
                } throws: { error in
                    guard case SpinWaveError.unstable(let instability) = error else { return false }
                    return instability.q == q && abs(instability.lowestEigenvalue - point.min_eig_h) < 1e-8
                }
            }
            // A general eigenvalue of a non-normal matrix keeps about half the digits near exceptional points.
            let energies = try hamiltonian.generalEnergies(at: q)
            let mine = energies.map { ($0.re * $0.re - $0.im * $0.im) }.sorted()
            let expected = point.omega_general.map { $0[0] * $0[0] - $0[1] * $0[1] }.sorted()
            for (a, b) in zip(mine, expected) { #expect(abs(a - b) < 1e-6) }
        }
    }

    @Test("the six closed-form models", arguments: Way.allCases)
    func analytic(way: Way) throws {
        let reference: ReferenceData.Analytic = try ReferenceData.load("analytic.json")
        #expect(reference.cases.count == 6)
        for c in reference.cases {
            let model = try ReferenceData.analytic(c)
            for (q, expected) in zip(c.Q, c.omega) {
                let energies = try way.modes(model, at: [Vector3(q)])[0].energies
                #expect(energies.count == expected.count)
                for (mine, value) in zip(energies, expected.sorted()) {
                    #expect(abs(mine - value) < 1e-8, "\(c.name) at \(q)")
                }
            }
        }
    }
}
