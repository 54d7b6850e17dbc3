import Compute
import Devices
import Foundation
import HostDevice
import Testing

@testable import SpinWaves

/// `magnons.cu`, run by the device in software, against the host's kernel and against Colpa's method on LAPACK.
@Suite("Spin waves: reference = host = CUDA")
struct MagnonAgreementTests {
    let points = [
        Vector3(0.13, 0.37, -0.21), Vector3(-0.4, 0.05, 0.33), Vector3(0.5, 0.5, 0),
        Vector3(0.25, 0, 0),
        Vector3(0.71, -0.13, 0.9), Vector3(0.02, 0.01, 0), .zero,
    ]
    let everything: MagnonKernel.Request = [
        .energies, .amplitudes, .velocities, .intensities,
    ]

    /// The three answers for one magnet.
    struct Trial {
        let model: SpinModel
        let solver: BatchSolver
        let kernel: MagnonKernel
        let phases: [Complex]
        let sight: MagnonKernel.Sight
        let points: [Vector3]

        init(_ model: SpinModel, at points: [Vector3], reduces: Bool, splits: Bool = true) throws {
            self.model = model
            self.points = points
            let reduction = reduces ? BlockReduction(model) : .none(siteCount: model.sites.count)
            solver = try BatchSolver(model.hamiltonian(), reduction, splits: splits)
            kernel = MagnonKernel(
                ReducedHamiltonian(solver.hamiltonian, solver.reduction, splits: splits))
            phases = solver.phases(at: points)
            sight = StructureFactor(model).sight(at: points)
        }

        func onHost(_ request: MagnonKernel.Request) -> MagnonKernel.Answer {
            kernel.solve(phases: phases, request, sight: sight)
        }

        func onDevice(
            _ request: MagnonKernel.Request, _ device: SoftwareDevice = SoftwareDevice(),
            largestBatch: Int = 1 << 16,
            team: Int? = nil
        ) throws -> (answer: MagnonKernel.Answer, pivots: [Int32]) {
            try kernel.solve(
                phases: phases, request, sight: sight, on: device, largestBatch: largestBatch, team: team)
        }
    }

    /// Sums over modes that do not depend on how degenerate modes are chosen: Σ S g(ω) for a few smooth g.
    func moments(_ energies: ArraySlice<Double>, _ weights: [Double], width: Double)
        -> [Double]
    {
        [0.0, 0.5, 1].map { centre in
            zip(energies, weights).reduce(0) { sum, line in
                let x = line.0 / width - centre
                return sum + line.1 / (1 + 16 * x * x)
            }
        }
    }

    /// How far two solutions of one H may be apart in the energy of a mode.
    ///
    /// H is rounded to n ε of its scale s, and an energy moves by v† δH v = δH Σ|v|² = δH (2κ − 1) with it, κ = Σ|V|²: 1e-15 s where κ is 1,
    /// 1e-12 s at 1e-4 s from a Goldstone point, 1e-8 s at it, where E = √(ε) s itself is rounding; 16 for what Cholesky and QL add. At a
    /// point with the shift E = √(2e-9) s to 1e-11 s. Rounding decides whether there is a shift: where only one has it, they are
    /// √(2e-9) s apart.
    func tolerance(
        _ a: MagnonKernel.Answer, _ b: MagnonKernel.Answer, _ line: Int, _ point: Int, _ trial: Trial, band: Double
    ) -> Double {
        let scale = trial.solver.hamiltonian.scale
        if a.isRegularised[point] != b.isRegularised[point] { return 1e-4 * scale }
        let rows = Double(2 * trial.model.sites.count)
        let particles = max(a.particles[line], b.particles[line])
        // Where κ itself is rounding, E² is known to n ε s².
        let moved = min(32 * rows * Double.ulpOfOne * particles, (64 * rows * Double.ulpOfOne).squareRoot())
        return max(1e-9 * band, moved * scale)
    }

    /// Energies to 1e-9 of the bandwidth; sums of intensities, slopes and particles to 1e-7 of the largest, as for the
    /// host's kernel: rounding of amplitudes by the condition of H, 1e-16 times some 1e6 at most where nothing diverges.
    ///
    /// Near a Goldstone point, where H is nearly singular, `tolerance` says what rounding leaves.
    func expectAgreement(_ trial: Trial, team: Int? = nil, _ comment: @autoclosure () -> Comment) throws {
        let host = trial.onHost(everything)
        let (device, pivots) = try trial.onDevice(everything, team: team)
        let n = trial.model.sites.count
        #expect(device.isUnstable == host.isUnstable, comment())
        #expect(device.isConverged == host.isConverged, comment())
        let hamiltonian = trial.solver.hamiltonian
        let band = zip(host.energies.indices, host.energies).filter { !host.isUnstable[$0.0 / n] }.map(\.1).max() ?? 0
        for (point, q) in trial.points.enumerated() {
            #expect((pivots[point] != 0) == host.isUnstable[point], comment())
            if host.isUnstable[point] { continue }
            let lines = point * n..<(point + 1) * n
            let width = max(host.energies[lines].max() ?? 0, 1e-300)
            let reference = try hamiltonian.modes(at: q)
            let isSingular =
                host.isRegularised[point] || device.isRegularised[point] || reference.diverges.contains(true)
                || lines.contains { host.diverges(line: $0, point: point) }
            var colpa = Colpa(siteCount: n)
            _ = try colpa.solve(hamiltonian, at: q)
            for line in lines {
                let mode = line - lines.lowerBound
                #expect(
                    abs(device.energies[line] - host.energies[line])
                        <= tolerance(device, host, line, point, trial, band: band), comment())
                let isAlike = colpa.isRegularised == device.isRegularised[point]
                #expect(
                    abs(device.energies[line] - reference.energies[mode])
                        <= (isAlike
                            ? tolerance(device, device, line, point, trial, band: band) : 1e-4 * hamiltonian.scale),
                    comment())
            }
            if isSingular { continue }
            func agree(_ a: [Double], _ b: [Double], floor: Double) {
                let (a, b) = (
                    moments(device.energies[lines], a, width: width),
                    moments(host.energies[lines], b, width: width)
                )
                let size = max(b.map(abs).max() ?? 0, floor)
                #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-7 * size }, comment())
            }
            agree(Array(device.intensities[lines]), Array(host.intensities[lines]), floor: 1e-3)
            agree(Array(device.particles[lines]), Array(host.particles[lines]), floor: 1e-3)
            let expected = StructureFactor(trial.model).perpendicular(reference, at: q)
            agree(Array(device.intensities[lines]), expected, floor: 1e-3)
            for axis in 0..<3 {
                agree(
                    lines.map { device.velocities[3 * $0 + axis] },
                    lines.map { host.velocities[3 * $0 + axis] },
                    floor: 10 * max(width, 1))
            }
            // The amplitudes solve H V = g V ω with Vᴴ g V = 1: a check that knows of neither kernel.
            #expect(trial.solver.deviation(of: device, point: point, at: q) < 1e-9, comment())
        }
    }

    @Test("known magnets, whole, in blocks, and as one problem of 2N rows")
    func knownMagnets() throws {
        let models = try [
            KnownMagnets.ferromagneticChain(), KnownMagnets.antiferromagneticChain(),
            KnownMagnets.triangular(),
            KnownMagnets.rutile(), KnownMagnets.triclinic(),
            KnownMagnets.square(spin: 0.5, j1: 1, j2: 0.1, j3: 0.2, d: -0.1),
        ]
        for (k, model) in models.enumerated() {
            for (reduces, splits) in [(true, true), (false, true), (false, false)] {
                try expectAgreement(
                    Trial(model, at: points, reduces: reduces, splits: splits),
                    "model \(k), \(reduces), \(splits)")
            }
        }
    }

    /// 1 to 36 sites: blocks of 1 to 72 rows, with a metric and in quadratures.
    @Test("three hundred random magnets")
    func randomMagnets() throws {
        let magnets = RandomMagnets(
            stream: RandomStream(seed: 11).substream("random magnets on a device"))
        for index in 0..<300 {
            let (model, kind) = try magnets.magnet(index)
            let trial = try Trial(
                model, at: Array(points[0..<3]), reduces: index % 3 != 0, splits: index % 5 != 0)
            try expectAgreement(trial, "magnet \(index), \(kind)")
        }
    }

    /// Both kinds of block have their own code for each number of rows: what the random magnets claim is of all of it.
    @Test("blocks of up to four rows are one thread's, and every such kind of block is tried above")
    func small() throws {
        let magnets = RandomMagnets(
            stream: RandomStream(seed: 11).substream("random magnets on a device"))
        var tried: Set<[Int]> = []
        for index in 0..<300 {
            let trial = try Trial(
                magnets.magnet(index).model, at: [], reduces: index % 3 != 0, splits: index % 5 != 0)
            let plan = MagnonDevicePlan([trial.kernel], sharedBytesPerBlock: SoftwareDevice().sharedBytesPerBlock)
            #expect(plan.isSmall == (plan.pitch <= 4))
            #expect((plan.reduce.kernel == "sw_magnons_small") == plan.isSmall)
            if plan.isSmall {
                let little = MagnonDevicePlan([trial.kernel], sharedBytesPerBlock: 48 << 10)
                #expect(little.reduce.sharedBytes <= 48 << 10 && little.reduce.threads >= 32)
            }
            if plan.isSmall { for block in plan.blocks { tried.insert([Int(block.size), Int(block.in_quadratures)]) } }
        }
        #expect(tried.isSuperset(of: [[1, 1], [2, 1], [3, 1], [4, 1], [1, 0], [2, 0], [4, 0]]), "\(tried)")
    }

    @Test("teams of every size", arguments: [8, 16, 32, 64, 128])
    func teams(team: Int) throws {
        let magnets = RandomMagnets(stream: RandomStream(seed: 12).substream("teams"))
        for index in 0..<10 {
            let (model, kind) = try magnets.magnet(index)
            let trial = try Trial(model, at: Array(points[0..<5]), reduces: false, splits: index % 2 == 0)
            try expectAgreement(trial, team: team, "magnet \(index), \(kind)")
        }
    }

    /// 2N = 128: more than a block's shared memory holds.
    @Test("sixty-four sites without symmetry")
    func largest() throws {
        let magnets = RandomMagnets(stream: RandomStream(seed: 13).substream("large"))
        let model = try magnets.stretched(3, by: 64)
        let sites = model.sites.count
        let trial = try Trial(model, at: [points[0]], reduces: false, splits: false)
        let plan = MagnonDevicePlan(
            [trial.kernel], sharedBytesPerBlock: SoftwareDevice().sharedBytesPerBlock)
        #expect(sites >= 64 && plan.reduce.spill > 0 && plan.reduce.kernel == "sw_magnons_reduce_spill")
        // On devices whose blocks have little, too: every launch keeps to it.
        for limit in [8192, 99 << 10, 163 << 10, 227 << 10] {
            let small = MagnonDevicePlan([trial.kernel], sharedBytesPerBlock: limit)
            let launches = small.launches(slots: 1000, wanted: 2, multiprocessors: 10)
            #expect(launches.count == 4 && launches.allSatisfy { $0.sharedBytes <= limit && $0.threads > 0 })
        }
        let device = try trial.onDevice(.energies).answer
        let host = trial.onHost(.energies)
        let width = host.energies.max() ?? 0
        #expect(zip(device.energies, host.energies).allSatisfy { abs($0 - $1) <= 1e-9 * width })
    }

    @Test(
        "hostile: one site, no exchange, degenerate, nearly unstable, Goldstone points, scales from 1e-40 to 1e40"
    )
    func hostile() throws {
        var models: [(String, SpinModel)] = []
        for size in [0, 1e-10, -1e-10, 1e-7, -1e-7, 1e-3, -1e-3] {
            models.append(
                (
                    "soft by \(size)",
                    try KnownMagnets.ferromagneticChain(anisotropy: Vector3(-4 * size, 0, 0))
                ))
        }
        models.append(("Goldstone", try KnownMagnets.square(spin: 2.5, j1: 1)))
        models.append(("Goldstone of a triangle", try KnownMagnets.triangular()))
        let lattice = try Lattice(a: 3, b: 4, c: 5)
        func chain(_ exchange: Double, _ easy: Double, sites: Int, spread: Double = 0) throws
            -> SpinModel
        {
            try SpinModel(
                lattice: lattice,
                sites: (0..<sites).map { i in
                    KnownMagnets.site(
                        "\(i)", Vector3(Double(i) / Double(sites), 0, 0), Vector3(0, 0, i % 2 == 0 ? 1 : -1),
                        spin: 1)
                },
                parameters: [],
                bonds: (0..<sites).map { i in
                    Bond(
                        from: i, to: (i + 1) % sites, offset: SIMD3(i + 1 == sites ? 1 : 0, 0, 0),
                        exchange: .constant(exchange * Matrix3.identity))
                },
                anisotropies: (0..<sites).map { i in
                    Anisotropy(
                        site: i,
                        tensor: .constant(Matrix3(diagonal: Vector3(0, 0, -easy * (1 + spread * Double(i))))))
                })
        }
        models.append(("no energy at all", try chain(0, 0, sites: 2)))
        models.append(("no exchange", try chain(0, 1, sites: 4)))
        models.append(("no exchange, nearly degenerate", try chain(0, 1, sites: 6, spread: 1e-14)))
        models.append(("nearly degenerate", try chain(1e-12, 1, sites: 6, spread: 1e-13)))
        models.append(("frustrated", try chain(-1, 0.01, sites: 4)))
        for scale in [1e-40, 1e-6, 1e6, 1e40] {
            models.append(("scale \(scale)", try chain(scale, 0.3 * scale, sites: 4)))
        }
        for (name, model) in models {
            for (reduces, splits) in [(true, true), (false, false)] {
                let trial = try Trial(model, at: points, reduces: reduces, splits: splits)
                let host = trial.onHost(everything)
                let (device, pivots) = try trial.onDevice(everything)
                #expect(device.isUnstable == host.isUnstable, "\(name)")
                let n = model.sites.count
                let rows = Int32(trial.kernel.hamiltonian.blocks.reduce(0) { $0 + $1.size })
                let band =
                    zip(host.energies.indices, host.energies).filter { !host.isUnstable[$0.0 / n] }.map(\.1).max() ?? 0
                for point in points.indices {
                    #expect((pivots[point] != 0) == host.isUnstable[point] && pivots[point] <= rows, "\(name)")
                    if host.isUnstable[point] { continue }
                    let lines = point * n..<(point + 1) * n
                    #expect(
                        lines.allSatisfy { line in
                            abs(device.energies[line] - host.energies[line])
                                <= tolerance(device, host, line, point, trial, band: band)
                        },
                        "\(name) at \(points[point])")
                }
            }
        }
    }

    /// E = 4SJ √(1 − γ²) of the square antiferromagnet, γ = cos πh cos πk of the √2 cell: 4SJ sin πh at k = 0. Host and device are held to
    /// what rounding of H makes of it, some ε 4SJ over E/4SJ, however near: down to where that is all that there is.
    @Test("towards a Goldstone point host and device are exact to what rounding of H leaves")
    func towardsGoldstone() throws {
        let model = try KnownMagnets.square(spin: 2.5, j1: 1)
        let distances = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 3e-7]
        let trial = try Trial(model, at: distances.map { Vector3($0, 0, 0) }, reduces: true)
        let device = try trial.onDevice(everything).answer
        let host = trial.onHost(everything)
        let top = 10.0
        for (point, h) in distances.enumerated() {
            let exact = sin(Double.pi * h)
            #expect(!device.isRegularised[point] && !host.isRegularised[point])
            for mode in 0..<2 {
                let line = 2 * point + mode
                // Of H 16 ε, of the phases' arguments as much.
                let tolerance = 32 * Double.ulpOfOne / exact
                #expect(abs(device.energies[line] / top - exact) <= tolerance, "at \(h)")
                #expect(abs(host.energies[line] / top - exact) <= tolerance, "at \(h)")
            }
        }
    }

    @Test("H that is not positive definite is an answer that names the pivot")
    func pivot() throws {
        // H(0) = [[−K, K], [K, −K]] S with K = −1 in the frame of the spin: the first row's pivot is K S = 1·(−(−1)), the second's
        // 1 − 1 = 0 less 2: by hand, −K = 1 and 1 − K²/1 = 0 with the shift 1e-9, so that it is the soft direction that breaks.
        let model = try KnownMagnets.ferromagneticChain(anisotropy: Vector3(-1, 0, 0))
        let trial = try Trial(model, at: [Vector3(0.5, 0, 0), .zero], reduces: false, splits: false)
        let (answer, pivots) = try trial.onDevice([])
        #expect(answer.isUnstable == [false, true] && answer.energies.isEmpty)
        #expect(pivots[0] == 0 && (1...2).contains(pivots[1]))
        #expect(try trial.onDevice(.energies).answer.isUnstable == [false, true])
    }
}
