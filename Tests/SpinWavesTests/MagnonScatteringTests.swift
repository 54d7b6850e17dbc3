import Compute
import Foundation
import Testing

@testable import SpinWaves

@Suite("What is observed")
struct MagnonScatteringTests {
    @Test("the chain's spectrum in SpinW's 500 bins: half a spin² in the bins that hold 2 and 4 meV")
    func bins() throws {
        let scattering = try MagnonScattering(KnownMagnets.ferromagneticChain(), formFactor: false)
        let bins = try EnergyBins(from: 0, to: 4.4, count: 500)
        let points = [Vector3(0.25, 0, 0), Vector3(0.5, 0, 0)]
        let map = try scattering.map(at: points, bins: bins, fwhm: 0)
        for (row, energy) in [(0, 2.0), (1, 4.0)] {
            let spectrum = (0..<500).map { map.elements[row * 500 + $0] * 0.0088 }
            // 2 = 227.27 and 4 = 454.55 bin widths
            let bin = Int(energy / 0.0088)
            #expect(abs(spectrum[bin] - 0.5) < 1e-12)
            #expect(abs(bins.centres[bin] - (row == 0 ? 2.0020 : 3.9996)) < 1e-12)
            #expect(abs(spectrum.reduce(0, +) - 0.5) < 1e-12)
        }
        // SpinW takes the thermal factor at the bins' centres, 1e-3 from the modes: 6.70977 and 3.48827.
        let warm = try MagnonScattering(KnownMagnets.ferromagneticChain(), formFactor: false, temperature: 300)
        let lines = try warm.lines(at: points)
        #expect(abs(lines.intensities.elements[0] / 6.70976913583173 - 1) < 1.1e-3)
        #expect(abs(lines.intensities.elements[1] / 3.48826657260066 - 1) < 1.1e-3)
        #expect(lines.energies.shape == [2, 1] && abs(lines.energies.elements[1] - 4) < 1e-12)
    }

    @Test("a Gaussian keeps the intensity, is as wide as asked and centred on the mode")
    func gaussian() throws {
        let bins = try EnergyBins(from: 0, to: 10, count: 1000)
        var spectrum = [Double](repeating: 0, count: 1000)
        bins.add(3, at: 4.0037, fwhm: 0.7, to: &spectrum)
        // Of a Gaussian nothing lies outside, 11 deviations away.
        #expect(abs(spectrum.reduce(0, +) - 3) < 1e-12)
        let mean = zip(spectrum, bins.centres).reduce(0) { $0 + $1.0 * $1.1 } / 3
        #expect(abs(mean - 4.0037) < 1e-9)
        let variance = zip(spectrum, bins.centres).reduce(0) { $0 + $1.0 * ($1.1 - mean) * ($1.1 - mean) } / 3
        // Bins of 0.01 add 0.01²/12 to the variance (Sheppard).
        #expect(abs(variance - (0.7 / 2.3548200450309493) * (0.7 / 2.3548200450309493) - 1e-4 / 12) < 1e-9)
        var half = [Double](repeating: 0, count: 1000)
        bins.add(3, at: 0, fwhm: 0.7, to: &half)
        #expect(abs(half.reduce(0, +) - 1.5) < 1e-12)
        let uneven = try EnergyBins(edges: [0, 1, 4, 4.5])
        var counts = [0.0, 0, 0]
        for energy in [0.0, 1, 3.9, 4.5, 4.6, -0.1] { uneven.add(1, at: energy, fwhm: 0, to: &counts) }
        #expect(counts == [1, 2, 1])
        #expect(throws: SpinWaveError.self) { try EnergyBins(edges: [0, 0]) }
        #expect(throws: SpinWaveError.self) { try EnergyBins(from: 1, to: 0, count: 3) }
        let chain = try MagnonScattering(KnownMagnets.ferromagneticChain())
        #expect(throws: SpinWaveError.badBins("a width must be 0 or more, not -1.0 meV")) {
            try chain.map(at: [.zero], bins: bins, fwhm: -1)
        }
    }

    @Test("twins with volumes 1, 1, 2: the mixture is SpinW's 0.78125, spread over its two energies as there")
    func twins() throws {
        let s = 3.0.squareRoot() / 2
        let model = try KnownMagnets.ferromagneticChain(twins: [
            Twin(matrix: .identity, fraction: 1),
            Twin(matrix: Matrix3(rows: Vector3(0.5, -s, 0), Vector3(s, 0.5, 0), Vector3(0, 0, 1)), fraction: 1),
            Twin(matrix: Matrix3(rows: Vector3(-0.5, -s, 0), Vector3(s, -0.5, 0), Vector3(0, 0, 1)), fraction: 2),
        ])
        let scattering = try MagnonScattering(model, formFactor: false)
        let bins = try EnergyBins(from: 0, to: 4.4, count: 500)
        let map = try scattering.map(at: [Vector3(0.25, 0, 0)], bins: bins, fwhm: 0, domain: .mixture)
        let weights = map.elements.map { $0 * 0.0088 }.filter { $0 != 0 }
        // Twins at 60° and 120° see H/2: one energy, 0.875 (1/4 + 1/2); the first sees H: 0.5/4.
        #expect(weights.count == 2 && abs(weights.reduce(0, +) - 0.78125) < 1e-12)
        #expect(abs(weights[0] - 0.65625) < 1e-12 && abs(weights[1] - 0.125) < 1e-12)
        #expect(throws: SpinWaveError.noTwin(4, count: 3)) { try scattering.lines(at: [.zero], domain: .twin(4)) }
    }

    @Test("lines along a path are those of the pocket calculator, with any number of threads")
    func lines() throws {
        let model = try KnownMagnets.triangular()
        let path = try QPath([Vector3(0.1, 0, 0), Vector3(1, 1, 0.3)], lattice: model.lattice, count: 70)
        let scattering = try MagnonScattering(model)
        let lines = try scattering.lines(at: path.points)
        #expect(try scattering.lines(at: path.points, threads: 2) == lines)
        for (k, q) in path.points.enumerated() {
            for (mode, line) in try modes(model, q: q).enumerated() {
                #expect(lines.energies.elements[3 * k + mode] == line.energy)
                #expect(lines.diverges[3 * k + mode] == line.diverges)
                if !line.diverges { #expect(lines.intensities.elements[3 * k + mode] == line.sperpFormFactor) }
            }
        }
    }

    @Test("energies alone are those of the modes, and refuse what the modes refuse")
    func energies() throws {
        for model in [try KnownMagnets.triangular(), try KnownMagnets.rutile(), try KnownMagnets.triclinic()] {
            let hamiltonian = try model.hamiltonian()
            let points = [Vector3(0.1, 0.23, 0.4), Vector3(-0.4, 0.71, 0.3), Vector3(0.5, 0, 0.25)]
            let energies = try MagnonSolver(model).energies(at: points, threads: 2)
            for (k, q) in points.enumerated() {
                for (mode, energy) in try hamiltonian.modes(at: q).energies.enumerated() {
                    // Rounding of a band of about 10 meV.
                    #expect(abs(energies[k, mode] - energy) < 1e-11)
                }
            }
        }
        let unstable = try MagnonSolver(KnownMagnets.ferromagneticChain(anisotropy: Vector3(-1, 0, 0)))
        #expect(throws: SpinWaveError.unstable(Instability(q: .zero, lowestEigenvalue: -2))) {
            try unstable.energies(at: [.zero])
        }
        // A Goldstone point is singular but no instability.
        #expect(try MagnonSolver(KnownMagnets.antiferromagneticChain()).energies(at: [.zero])[0, 1] < 1e-3)
    }

    @Test("the powder average of a chain has the moments of its closed form")
    func powder() throws {
        let scattering = try MagnonScattering(KnownMagnets.ferromagneticChain(), formFactor: false)
        let bins = try EnergyBins(from: 0, to: 4.1, count: 410)
        let lengths = [0.4, 1.1, 2.7]
        let map = try scattering.powder(lengths: lengths, directions: 4000, bins: bins, fwhm: 0, threads: 2)
        for (row, q) in lengths.enumerated() {
            let spectrum = (0..<410).map { map.elements[row * 410 + $0] * 0.01 }
            // ω = 2(1 − cos 3Qu), S⊥ = ½ (1 + Q̂_y²) with u along the chain and the spin along y: the azimuth gives
            // ½ (1 + (1 − u²)/2), the integral over u the moments.
            let steps = 20_000
            var (zeroth, first) = (0.0, 0.0)
            for k in 0..<steps {
                let u = (Double(k) + 0.5) / Double(steps)
                let weight = 0.5 * (1 + (1 - u * u) / 2) / Double(steps)
                zeroth += weight
                first += weight * 2 * (1 - cos(3 * q * u))
            }
            #expect(abs(zeroth - 2.0 / 3) < 1e-8)
            #expect(abs(spectrum.reduce(0, +) - zeroth) < 2e-4, "\(q)")
            // Half a bin is the most that binning shifts; on average much less.
            #expect(abs(zip(spectrum, bins.centres).reduce(0) { $0 + $1.0 * $1.1 } - first) < 1e-3, "\(q)")
        }
        #expect(throws: SpinWaveError.badPath("a powder average needs |Q| above 0, not 0.0 1/Å")) {
            try scattering.powder(lengths: [0], directions: 10, bins: bins, fwhm: 0)
        }
    }

    @Test("contributions of sites add up to the intensity, and a site alone scatters as its own crystal")
    func contributions() throws {
        let model = try KnownMagnets.triclinic()
        let modes = try model.hamiltonian().modes(at: Vector3(0.31, -0.2, 0.7))
        let q = Vector3(1.31, 0.8, -0.3)
        let structure = StructureFactor(model)
        let bare = structure.perpendicular(modes, at: q)
        let found = structure.contributions(modes, at: q)
        #expect(found.count == 3 && found.allSatisfy { $0.multiplicity == 1 && !$0.diverges })
        for (mode, line) in found.enumerated() {
            #expect(abs(line.perpendicular - bare[mode]) < 1e-12)
            #expect(abs(line.shares.reduce(0, +) - line.perpendicular) < 1e-12)
            #expect(line.alone.allSatisfy { $0 >= 0 } && line.alone.reduce(0, +) != line.perpendicular)
            let tensor = structure.tensor(modes, mode: mode, at: q)
            for a in 0..<3 {
                for b in 0..<3 { #expect((line.correlations[a][b] - tensor[a][b]).squaredMagnitude < 1e-24) }
            }
        }
        #expect(model.byIon([1, 2, 4]) == [7])

        // In the ferromagnetic chain's doubled cell the acoustic mode at (2 0 0) is both sites' in equal parts, and the
        // optic mode, dark there, has none of either although each site alone would scatter.
        let chain = try SpinModel(
            lattice: Lattice(a: 6, b: 8, c: 8),
            sites: [
                KnownMagnets.site("1", .zero, Vector3(0, 1, 0), spin: 1),
                KnownMagnets.site("2", Vector3(0.5, 0, 0), Vector3(0, 1, 0), spin: 1),
            ],
            parameters: [.init("J", -1)], bonds: KnownMagnets.bonds("J", [(0, 1, .zero), (1, 0, SIMD3(1, 0, 0))]))
        let lines = StructureFactor(chain, formFactor: false)
            .contributions(try chain.hamiltonian().modes(at: Vector3(2, 0, 0)), at: Vector3(2, 0, 0))
        // S⊥ = 2 sites × S/2 for the mode in phase.
        #expect(abs(lines[0].perpendicular - 1) < 1e-6 && abs(lines[1].perpendicular) < 1e-6)
        for site in 0..<2 {
            #expect(abs(lines[0].shares[site] - 0.5) < 1e-6 && abs(lines[1].shares[site]) < 1e-6)
            #expect(abs(lines[1].alone[site] - 0.25) < 1e-6)
        }
    }
}
