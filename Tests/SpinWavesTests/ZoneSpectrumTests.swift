import Compute
import Testing

@testable import SpinWaves

@Suite("Zone spectrum")
struct ZoneSpectrumTests {
    /// S⊥ from a zone spectrum's single-precision amplitudes, as the convolution uses them.
    private func perpendicular(_ model: SpinModel, _ zone: ZoneSpectrum, point: Int, at q: Vector3) -> [Double] {
        let n = zone.modeCount
        let modes = Modes(
            q: q, energies: (0..<n).map { zone.energies[point, $0] },
            amplitudes: (0..<2 * n * n).map { k in
                let base = 4 * n * n * point + 2 * k
                return Complex(Double(zone.amplitudes.elements[base]), Double(zone.amplitudes.elements[base + 1]))
            }, velocities: [], diverges: [])
        return StructureFactor(model).perpendicular(modes, at: q)
    }

    @Test("agrees with single wavevectors at every grid point", arguments: ["triclinic", "dimer"])
    func agreement(name: String) throws {
        let model = try SpinWaveAlgebraTests.model(name)
        let divisions = name == "dimer" ? [6, 5, 1] : [3, 4, 2]
        let solver = try ZoneSolver(model, grid: ZoneGrid(divisions))
        let zone = try solver.spectrum()
        let hamiltonian = try model.hamiltonian()
        // PCSMO's collinear moments make H(−q) = H(q)*, so half the zone is solved; the other magnet has no such luck.
        #expect(hamiltonian.isReal == (name == "dimer"))
        #expect(zone.energies.shape == [solver.grid.count, model.sites.count])
        #expect(zone.isStable && zone.firstInstability == nil)
        for point in 0..<solver.grid.count {
            let q = solver.grid.q(point)
            let modes = try hamiltonian.modes(at: q)
            if modes.diverges.contains(true) { continue }
            for n in 0..<zone.modeCount { #expect(abs(zone.energies[point, n] - modes.energies[n]) < 1e-9) }
            let image = q + Vector3(1, -2, 0)
            let direct = groupSums(modes.energies, StructureFactor(model).perpendicular(modes, at: image))
            let stored = groupSums(modes.energies, perpendicular(model, zone, point: point, at: image))
            // Single precision: 1e-7 of amplitudes whose squares sum to some tens, summed over 16 sites.
            for (a, b) in zip(direct, stored) { #expect(abs(a.sum - b.sum) < 1e-4) }
            for group in degenerateGroups(modes.energies) {
                for axis in 0..<3 {
                    let direct = group.reduce(0) { $0 + modes.velocities[$1][axis] }
                    let stored = group.reduce(0) { $0 + Double(zone.velocities[point, $1, axis]) }
                    #expect(abs(direct - stored) < 1e-3)
                }
            }
        }
    }

    /// A ferromagnet's spins precess one way round at q and at −q: S_zx has the sign of the spin's direction at both.
    @Test("the half of the zone that is not solved has the right chirality")
    func chirality() throws {
        let model = try KnownMagnets.ferromagneticChain()
        #expect(try model.hamiltonian().isReal)
        let zone = try ZoneSolver(model, grid: ZoneGrid([4, 1, 1])).spectrum()
        for point in [1, 3] {
            let w = zone.amplitudes.elements[4 * point..<4 * point + 4].map(Double.init)
            let modes = Modes(
                q: zone.grid.q(point), energies: [2], amplitudes: [Complex(w[0], w[1]), Complex(w[2], w[3])],
                velocities: [], diverges: [])
            let stored = StructureFactor(model).tensor(modes, mode: 0, at: zone.grid.q(point))
            let direct = try model.hamiltonian().modes(at: zone.grid.q(point))
            let expected = StructureFactor(model).tensor(direct, mode: 0, at: zone.grid.q(point))
            #expect(abs(expected[2][0].im) > 0.1)
            #expect(abs(stored[2][0].im - expected[2][0].im) < 1e-6)
        }
    }

    @Test("the same bits for any number of threads")
    func threads() throws {
        let solver = try ZoneSolver(ReferenceData.pcsmo("goodenough"), grid: ZoneGrid([12, 11, 1]))
        let one = try solver.spectrum(threads: 1)
        let three = try solver.spectrum(threads: 3)
        #expect(one.energies == three.energies)
        #expect(one.amplitudes == three.amplitudes)
        #expect(one.velocities == three.velocities)
    }

    @Test("the zone centre of PCSMO has one Goldstone mode, left dark")
    func goldstone() throws {
        for name in ["goodenough", "dimer"] {
            let zone = try ZoneSolver(ReferenceData.pcsmo(name), grid: ZoneGrid([4, 4, 1])).spectrum()
            #expect(zone.divergingModes == 1)
            #expect(zone.energies[0, 0] < 1e-2 && zone.energies[0, 1] > 1)
            #expect((0..<64).allSatisfy { zone.amplitudes.elements[$0] == 0 })
            #expect(zone.amplitudes.elements.allSatisfy { $0.isFinite && abs($0) < 10 })
        }
        // A ferromagnet's zero mode scatters with S/2 like the rest of its band.
        let chain = try ZoneSolver(KnownMagnets.ferromagneticChain(), grid: ZoneGrid([4, 1, 1])).spectrum()
        #expect(chain.divergingModes == 0)
        #expect(chain.energies.elements.map { ($0 * 1e6).rounded() / 1e6 } == [0, 2, 4, 2])
    }

    @Test("a grid that cannot hold the dispersion is refused; flat axes take one division")
    func grids() throws {
        let model = try ReferenceData.pcsmo("dimer")
        #expect(
            throws: SpinWaveError.grid("the model disperses along b*, so the grid needs more than 1 division there")
        ) { try ZoneSolver(model, grid: ZoneGrid([4, 1, 1])) }
        #expect(throws: SpinWaveError.self) { try ZoneGrid([4, 0, 1]) }
        #expect(throws: SpinWaveError.self) { try ZoneGrid([4, 4]) }
        #expect(try ZoneSolver(model, grid: ZoneGrid([4, 6, 9])).grid.divisions == [4, 6, 1])
        #expect(ZoneGrid(model, divisions: 11).divisions == [11, 11, 1])
        let grid = try ZoneGrid([3, 4, 5])
        for index in 0..<grid.count {
            #expect(grid.linearIndex(grid.indices(index)) == index)
            let sum = grid.q(index) + grid.q(grid.opposite(index))
            #expect((sum - sum.rounded(.toNearestOrAwayFromZero)).length < 1e-12)
        }
    }

    @Test("an unstable draw is counted, named and kept dark, or refused", arguments: ["goodenough", "dimer"])
    func unstable(name: String) throws {
        let model = try ReferenceData.pcsmo(name)
        let reference: ReferenceData.Spectrum = try ReferenceData.load("lswt_\(name).json")
        let parameters = try #require(reference.unstable_example).parameters
        let solver = try ZoneSolver(model, grid: ZoneGrid([7, 7, 1]))
        let zone = try solver.spectrum(parameters: parameters, unstable: .keep)
        let stability = try solver.stability(of: model.hamiltonian(parameters: parameters))
        #expect(zone.unstablePoints > 0 && zone.unstablePoints == stability.unstablePoints)
        #expect(stability.points == 49 && stability.unstableFraction == Double(zone.unstablePoints) / 49)
        #expect(zone.firstInstability?.q == stability.firstUnstable)
        #expect(!stability.isStable)
        let worst = try #require(zone.worstInstability)
        #expect(throws: SpinWaveError.unstable(worst)) { try solver.spectrum(parameters: parameters) }
        let dark = (0..<49).filter { zone.energies[$0, 0].isNaN }
        #expect(dark.count == zone.unstablePoints)
        let width = 4 * 16 * 16
        for point in dark {
            #expect(zone.amplitudes.elements[point * width..<(point + 1) * width].allSatisfy { $0 == 0 })
        }
        let first = try solver.stability(of: model.hamiltonian(parameters: parameters), stopAtFirst: true)
        #expect(first.firstUnstable == stability.firstUnstable)
    }

    /// Of the published priors, 12.2 % (Goodenough) and 59.2 % (dimer) of 600 draws are unstable; 200 other draws
    /// should give that within three binomial standard deviations of both samples.
    @Test("the published priors are unstable as often as an independent program found")
    func publishedRates() throws {
        let priors: [(name: String, ranges: [(Double, Double)], rate: Double)] = [
            ("goodenough", [(-20, 0), (0, 3), (-3, 3), (-3, 3), (0, 3), (0, 0.2)], 0.122),
            ("dimer", [(-20, 0), (-3, 3), (-3, 3), (-20, 0), (0, 3), (0, 0.2)], 0.592),
        ]
        for prior in priors {
            let model = try ReferenceData.pcsmo(prior.name)
            let solver = try ZoneSolver(model, grid: ZoneGrid(model, divisions: 11))
            let stream = RandomStream(seed: 5)
            var unstable = 0
            for draw in 0..<200 {
                let values = prior.ranges.enumerated().map { k, range in
                    range.0 + (range.1 - range.0) * stream.uniform(at: 6 * draw + k)
                }
                let hamiltonian = try model.hamiltonian(values: values)
                let isStable = try solver.stability(of: hamiltonian, stopAtFirst: true).isStable
                if !isStable { unstable += 1 }
                // Known for the dimer: stable when both JA are positive, never when their sum is negative.
                if prior.name == "dimer" {
                    if values[1] > 0, values[2] > 0 { #expect(isStable) }
                    if values[1] + values[2] < 0 { #expect(!isStable) }
                }
            }
            let rate = Double(unstable) / 200
            let deviation = (prior.rate * (1 - prior.rate) * (1.0 / 200 + 1.0 / 600)).squareRoot()
            #expect(abs(rate - prior.rate) < 3 * deviation, "\(prior.name): \(rate)")
        }
    }
}
