import Compute
import Foundation
import SpinWaves
import Stages
import Tensors

/// Modes and intensities of PCSMO at wavevectors of no symmetry, beside pyspinw.
struct SpinWaveBenchmark: Benchmark {
    static let name = "spin-waves"
    static let about = "energies and intensities of PCSMO's 16 spins at 8,000 wavevectors, beside pyspinw"

    private static let count = 8000
    private static let rounds = 5

    func run() throws -> Figures {
        let model = try readModel(at: "graphs/models/pcsmo-goodenough.yaml")
        let points = Self.wavevectors(Self.count)
        let whole = try MagnonSolver(model, reduces: false)
        let reduced = try MagnonSolver(model)
        var figures = Figures()
        let full = try Self.microseconds(points) { _ = try whole.lines(at: $0) }
        let small = try Self.microseconds(points) { _ = try reduced.lines(at: $0) }
        figures.add("us_per_q_full", full, "the 32 × 32 problem whole; one core, processor time (target 30)")
        figures.add("us_per_q_reduced", small, "in the blocks \(reduced.blockSizes) found (target 5)")
        figures.add(
            "us_per_q_full_energies", try Self.microseconds(points) { _ = try whole.energies(at: $0) }, "energies alone"
        )
        figures.add(
            "us_per_q_reduced_energies", try Self.microseconds(points) { _ = try reduced.energies(at: $0) }, "")
        figures.add(
            "two_core_speedup", try Self.speedup(points, whole), "the whole problem on two threads (target 1.9)")
        if let peer = try PySpinWPeer.measure(model, points) {
            figures.add(
                "pyspinw_us_per_q", peer.microseconds, "peer: pyspinw's compiled core, one core, processor time")
            figures.add("ratio_full", peer.microseconds / full, "how many times as fast as it (target 12)")
            figures.add("ratio_reduced", peer.microseconds / small, "(target 70)")
            try Self.compare(peer, try whole.energies(at: points), try reduced.energies(at: points))
        }
        try addReference(model, points, to: &figures)
        try addCampaign(model, to: &figures)
        for sites in [1, 2, 4, 8, 16, 32, 64, 128] {
            let chain = try Self.chain(sites: sites)
            let some = Array(points.prefix(max(16, Self.count / (sites * sites / 4 + 1)) / 8 * 8))
            let solver = try MagnonSolver(chain, reduces: false)
            figures.add(
                "us_\(sites)_sites", try Self.microseconds(some) { _ = try solver.lines(at: $0) },
                sites == 1 ? "a chain of that many sites, solved whole" : "")
        }
        return figures
    }

    /// Processor time of one thread for each point, the best of several rounds.
    private static func microseconds(_ points: [Vector3], _ body: ([Vector3]) throws -> Void) throws -> Double {
        var best = Double.infinity
        for _ in 0..<rounds { best = min(best, try processorSeconds { try body(points) }) }
        return best / Double(points.count) * 1e6
    }

    private static func speedup(_ points: [Vector3], _ solver: MagnonSolver) throws -> Double {
        let many = points + points
        let one = try bestOf(rounds) { _ in _ = try solver.lines(at: many, threads: 1) }
        let two = try bestOf(rounds) { _ in _ = try solver.lines(at: many, threads: 2) }
        return one / two
    }

    /// In no plane of symmetry, within a few zones.
    private static func wavevectors(_ count: Int) -> [Vector3] {
        let stream = RandomStream(seed: 1).substream("wavevectors")
        return (0..<count).map { k in
            Vector3(
                4 * stream.uniform(at: 3 * k) - 2, 4 * stream.uniform(at: 3 * k + 1) - 2,
                8 * stream.uniform(at: 3 * k + 2) - 4)
        }
    }

    /// The same by Colpa's method on LAPACK.
    private func addReference(_ model: SpinModel, _ points: [Vector3], to figures: inout Figures) throws {
        let some = Array(points.prefix(800))
        var solver = ModeSolver(try model.hamiltonian())
        let factor = StructureFactor(model)
        let time = try Self.microseconds(some) { q in
            for q in q { _ = factor.perpendicular(try solver.modes(at: q), at: q) }
        }
        figures.add("lapack_us_per_q", time, "the reference: zpotrf, zheevd and what belongs to them")
    }

    /// The spectra of the published campaign's size: 4,000 parameter sets on the grid that images are made from.
    private func addCampaign(_ model: SpinModel, to figures: inout Figures) throws {
        let solver = try ZoneSolver(model, grid: ZoneGrid(model, divisions: 25))
        let stream = RandomStream(seed: 2).substream("campaign")
        let fitted = model.parameterValues
        let seconds = try elapsed {
            try Parallel.forEach(4000, threads: 2) { sample in
                let values = fitted.indices.map { fitted[$0] * (0.9 + 0.2 * stream.uniform(at: 8 * sample + $0)) }
                _ = try solver.spectrum(values: values, unstable: .keep)
            }
        }
        figures.add("campaign_s", seconds, "4,000 parameter sets, a zone of 25 × 25 each, on two threads (target 180)")
    }

    /// A chain along a with exchange to three neighbours and an easy axis, all spins up; `sites` in the cell.
    private static func chain(sites: Int) throws -> SpinModel {
        let all = (0..<sites).map { i in
            Site(
                label: "\(i)", ion: "Mn2", position: Vector3(Double(i) / Double(sites), 0, 0), spin: 2.5,
                direction: Vector3(0, 0, 1))
        }
        var bonds: [Bond] = []
        for i in 0..<sites {
            for (step, strength) in [(1, -1.0), (2, -0.2), (3, -0.1)] {
                let j = i + step
                bonds.append(
                    Bond(
                        from: i, to: j % sites, offset: SIMD3(j / sites, 0, 0),
                        exchange: .constant(strength * Matrix3(diagonal: Vector3(1, 0.9, 1.1)))))
            }
        }
        return try SpinModel(
            lattice: Lattice(a: 3 * Double(sites), b: 8, c: 8), sites: all, parameters: [], bonds: bonds,
            anisotropies: all.indices.map {
                Anisotropy(site: $0, tensor: .constant(Matrix3(diagonal: Vector3(0, 0, -2))))
            })
    }

    /// A comparison of speeds is one only between equal answers.
    private static func compare(_ peer: PySpinWPeer, _ answers: Tensor<Double>...) throws {
        for answer in answers {
            for point in 0..<peer.energies.count {
                for (mode, energy) in peer.energies[point].enumerated() {
                    let mine = answer[point, mode]
                    guard abs(mine - energy) < 1e-6 else {
                        throw BenchmarkFailure(
                            description: "point \(point), mode \(mode): \(mine) meV, but pyspinw says \(energy)")
                    }
                }
            }
        }
    }
}
