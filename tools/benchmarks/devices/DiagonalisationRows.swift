import Compute
import Devices
import Foundation
import SpinWaves
import Stages

/// Bogoliubov problems: the program's kernels on a device, NVIDIA's libraries on the same problem, and the program on all cores of the host.
struct DiagonalisationRows {
    let device: CUDAKernelDevice
    let peaks: DevicePeaks
    let libraries: Result<SolverLibraries, DeviceError>
    let isSmall: Bool
    let threads = Parallel.availableCores

    /// Of one size: a magnet, parameter sets of it, and wavevectors.
    struct Load {
        /// Rows of H(q).
        var size: Int
        var model: SpinModel
        var grid: ZoneGrid
        var samples: Int
        /// Those of the grid that are solved; the others follow from them.
        var points: [Int]

        var count: Int { samples * points.count }
        /// Each a little different.
        var values: [[Double]] {
            (0..<samples).map { sample in
                model.parameterValues.map { $0 * (1 - 0.1 * Double(sample) / Double(samples)) }
            }
        }
    }

    /// By rows of H(q): ns a matrix as docs/decisions/0032-kernels-for-cuda.md predicts them, for an H100; of 4 rows 0047.
    static let predictions: [Int: Double] = [4: 1, 8: 5, 16: 25, 32: 140, 64: 1000, 128: 10_000]

    func measure(_ figures: inout Figures) {
        for size in Self.predictions.keys.sorted() {
            figures.trying("diag_\(size), the rest") {
                try measure(try Self.load(size: size, isSmall: isSmall), as: "diag_\(size)", &$0)
            }
        }
        figures.trying("diag_pcsmo, the rest") {
            try measure(try Self.magnet(isSmall: isSmall), as: "diag_pcsmo", &$0)
        }
    }

    /// As many as make each launch last: samples of one magnet share launches.
    static func load(size: Int, isSmall: Bool) throws -> Load {
        let (samples, points): (Int, Int)
        switch size {
        case 4, 8: (samples, points) = (64, 4096)
        case 16: (samples, points) = (64, 2048)
        case 32: (samples, points) = (64, 1024)
        case 64: (samples, points) = (64, 256)
        default: (samples, points) = (64, 128)
        }
        let model = try GenericMagnet.chain(sites: size / 2)
        let grid = try ZoneGrid([isSmall ? max(2, 64 / size) : points, 1, 1])
        return Load(
            size: size, model: model, grid: grid, samples: isSmall ? 2 : samples,
            points: Array(0..<grid.count))
    }

    /// PCSMO as graphs have it: its symmetry makes of 32 rows four blocks of fewer.
    static func magnet(isSmall: Bool) throws -> Load {
        let model = try held(readModel(at: "graphs/models/pcsmo-goodenough.yaml"))
        let grid = ZoneGrid(model, divisions: isSmall ? 3 : 25)
        return Load(
            size: 2 * model.sites.count, model: model, grid: grid, samples: isSmall ? 2 : 128,
            points: ZoneSpectrum.halfZone(of: grid))
    }

    /// The same magnet, each spin held along itself: where a mode costs nothing, rounding decides what comes out, and there is nothing to compare.
    private static func held(_ model: SpinModel) throws -> SpinModel {
        let axes = model.sites.indices.map { i in
            let n = model.frames[i].n
            return Anisotropy(
                site: i, tensor: .constant(-0.05 * Matrix3(rows: n.x * n, n.y * n, n.z * n)))
        }
        return try SpinModel(
            lattice: model.lattice, sites: model.sites, parameters: model.parameters, bonds: model.bonds,
            anisotropies: model.anisotropies + axes, field: model.field, twins: model.twins,
            formFactors: model.formFactors)
    }

    private func measure(_ load: Load, as name: String, _ figures: inout Figures) throws {
        let count = Double(load.count)
        let timed = TimedDevice(device)
        let solver = try ZoneSolver(load.model, grid: load.grid)
        let (size, rounds) = (load.size, isSmall ? 1 : 2)
        var spectra: [ZoneSpectrum] = []
        var best: [String: Double] = [:]
        var wall = Double.infinity
        for round in 0...rounds {
            let seconds = try elapsed {
                spectra = try solver.spectra(values: load.values, on: timed, threads: threads).map { try $0.get() }
            }
            let kernels = try timed.kernelSeconds()
            // The first compiles kernels, and takes memory from the driver.
            if round == 0 { continue }
            wall = min(wall, seconds)
            if best.isEmpty || kernels.values.reduce(0, +) < best.values.reduce(0, +) { best = kernels }
        }
        let mine = best.values.reduce(0, +) / count * 1e9
        figures.add(
            "\(name)_ns", mine,
            name == "diag_pcsmo"
                ? "a wavevector of PCSMO in its blocks, kernels' time by events; \(load.count) of them"
                : "a matrix of \(size) rows, kernels' time by events; \(load.count) of them",
            // Decision note 47 for blocks of four rows, of which PCSMO has four.
            prediction: name == "diag_pcsmo" ? 3.5 : Self.predictions[size])
        let shares = best.sorted { $0.key < $1.key }.map { kernel, seconds in
            "\(kernel.replacing("sw_magnons_", with: "")) \(Int((seconds / count * 1e9 / mine * 100).rounded())) %"
        }
        figures.remarks.append("\(name): \(shares.joined(separator: ", ")) of the kernels' time")
        figures.add(
            "\(name)_ns_whole", wall / count * 1e9, "with copies, checks and all that the host does, by the wall clock")
        if name != "diag_pcsmo" {
            // Decision note 32; for PCSMO's blocks they would be others.
            let n = Double(size)
            figures.add(
                "\(name)_of_flops", 22.4 * n * n * n / peaks.double / (mine * 1e-9),
                "of the floor by arithmetic, 22.4 n³ flops at the peak measured here")
            // Blocks of up to four rows pass nothing through memory but their modes.
            if size > 4 {
                figures.add(
                    "\(name)_of_memory", (82 * n * n + 150 * n) / peaks.memory / (mine * 1e-9),
                    "of the floor by memory, 82 n² + 150 n bytes at the bandwidth measured here")
            }
        }
        try compareWithHost(solver, load, mine, spectra, as: name, &figures)
        switch libraries {
        case .failure(let error): figures.leaveOut("\(name)_ratio_cusolver", because: error.message)
        case .success(let libraries): try compare(libraries, load, mine, spectra, as: name, &figures)
        }
    }

    /// The same spectra on all cores, a sample a thread.
    private func compareWithHost(
        _ solver: ZoneSolver, _ load: Load, _ mine: Double, _ spectra: [ZoneSpectrum], as name: String,
        _ figures: inout Figures
    ) throws {
        let values = load.values
        let host = try bestOf(isSmall ? 1 : 2) { _ in
            try Parallel.forEach(values.count, threads: threads) { _ = try solver.spectrum(values: values[$0]) }
        }
        let each = host / Double(load.count) * 1e9
        figures.add("\(name)_host_ns", each, "this program on \(threads) cores of the host")
        figures.add(
            "\(name)_ratio_host", each / mine, "how many times as fast as the host",
            prediction: ["diag_32": 6, "diag_pcsmo": 27][name], aim: .atLeast(30))
        let one = try solver.spectrum(values: values[0])
        try Self.check(one.energies.elements, spectra[0].energies.elements, "the host")
    }

    private func compare(
        _ libraries: SolverLibraries, _ load: Load, _ mine: Double, _ spectra: [ZoneSpectrum], as name: String,
        _ figures: inout Figures
    ) throws {
        let route = try LibraryRoute(size: load.size, count: load.count, libraries, on: device)
        try Self.fill(route, load, threads: threads)
        var best: (eigensolver: LibraryRoute.Eigensolver, seconds: Double)?
        for eigensolver in route.eigensolvers {
            for round in 0...(isSmall ? 1 : 3) {
                let seconds = try route.solve(by: eigensolver)
                if round > 0, seconds < best?.seconds ?? .infinity { best = (eigensolver, seconds) }
            }
            // A comparison of speeds is one only between equal answers.
            let energies = try route.energies()
            let modes = load.size / 2
            for sample in 0..<load.samples {
                let start = sample * load.points.count * modes
                let theirs = Array(energies[start..<start + load.points.count * modes])
                let ours = load.points.flatMap { point in
                    (0..<modes).map { spectra[sample].energies.elements[point * modes + $0] }
                }
                try Self.check(theirs, ours, eigensolver.rawValue)
            }
        }
        guard let best else { return }
        let theirs = best.seconds / Double(load.count) * 1e9
        figures.add(
            "\(name)_cusolver_ns", theirs,
            "Zpotrf, Zgemm, \(best.eigensolver.rawValue), Ztrsm on the same matrices, which are made beforehand")
        figures.add(
            "\(name)_ratio_cusolver", theirs / mine, "how many times as fast as that", aim: .atLeast(3))
    }

    /// Makes the matrices on the host, of one sample after the other.
    static func fill(_ route: LibraryRoute, _ load: Load, threads: Int) throws {
        let (model, grid, points, values) = (load.model, load.grid, load.points, load.values)
        for sample in 0..<load.samples {
            let hamiltonian = try model.hamiltonian(values: values[sample])
            let parts = try Parallel.map(points.count, threads: threads) { place in
                hamiltonian.matrix(at: grid.q(points[place])).elements.flatMap { [$0.re, $0.im] }
            }
            try route.load(parts.flatMap { $0 }, at: sample * points.count)
        }
    }

    /// - Throws: where energies differ by more than 1e-9 of the largest.
    static func check(_ some: [Double], _ others: [Double], _ who: String) throws {
        let band = others.max() ?? 0
        let worst = zip(some, others).map { abs($0 - $1) }.max() ?? .infinity
        guard some.count == others.count, band > 0, worst <= 1e-9 * band else {
            throw BenchmarkFailure(
                description: "energies by \(who) differ from the kernels' by \(worst) meV, in a band of \(band) meV")
        }
    }
}
