import Compute
import Devices
import HostDevice
import SpinWaves
import Testing

@testable import Benchmarks

/// What the program's kernels are compared with must solve the same problem, and rightly.
@Suite("Bogoliubov problems by cuSOLVER and cuBLAS, in software")
struct LibraryRouteTests {
    private struct Bench {
        let software: SoftwareCUDA
        let device: CUDAKernelDevice
        let libraries: SolverLibraries

        init(_ settings: [String: String] = [:]) throws {
            software = try SoftwareCUDA(settings)
            let search = LibrarySearch(preferred: software.directory)
            let inventory = DeviceInventory(search, networkLibraries: false)
            let kernels = KernelLibrary(
                try #require(inventory.devices.first), compiler: try #require(inventory.compiler))
            device = try CUDAKernelDevice(kernels)
            libraries = try SolverLibraries(search, newest: 12)
        }
    }

    private static func loaded(_ load: DiagonalisationRows.Load, _ bench: Bench) throws -> LibraryRoute {
        let route = try LibraryRoute(size: load.size, count: load.count, bench.libraries, on: bench.device)
        try DiagonalisationRows.fill(route, load, threads: 1)
        return route
    }

    /// 1e-9 of the band is what the program's own kernels promise against LAPACK.
    @Test("energies are LAPACK's to 1e-9 of the band", arguments: [4, 8, 16, 32, 64])
    func energies(size: Int) throws {
        let bench = try Bench()
        let load = try DiagonalisationRows.load(size: size, isSmall: true)
        let route = try Self.loaded(load, bench)
        #expect(route.eigensolvers == (size <= 32 ? [.any, .jacobi] : [.any]))
        var expected: [Double] = []
        for values in load.values {
            var solver = ModeSolver(try load.model.hamiltonian(values: values))
            for point in load.points { expected += try solver.modes(at: load.grid.q(point)).energies }
        }
        let band = try #require(expected.max())
        #expect(band > 0 && expected.count == load.count * size / 2)
        for eigensolver in route.eigensolvers {
            // Again and again: what was loaded is not spoilt.
            for _ in 0..<2 {
                #expect(try route.solve(by: eigensolver) > 0)
                let found = try route.energies()
                let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
                #expect(found.count == expected.count && worst <= 1e-9 * band, "\(eigensolver): \(worst) of \(band)")
            }
        }
    }

    /// Vᴴ H V = L and Vᴴ g V = 1 hold V to what defines it, up to rounding: 1e-12 of the largest element for eight rows.
    @Test("vectors diagonalise H, and keep the bosons' metric")
    func vectors() throws {
        let bench = try Bench()
        let load = try DiagonalisationRows.load(size: 8, isSmall: true)
        let route = try Self.loaded(load, bench)
        let (n, modes) = (load.size, load.size / 2)
        for eigensolver in route.eigensolvers {
            _ = try route.solve(by: eigensolver)
            let (energies, vectors) = (try route.energies(), try route.vectors())
            for sample in 0..<load.samples {
                let hamiltonian = try load.model.hamiltonian(values: load.values[sample])
                for (place, point) in load.points.enumerated() {
                    let h = hamiltonian.matrix(at: load.grid.q(point))
                    let matrix = sample * load.points.count + place
                    func v(_ mode: Int, _ row: Int) -> Complex {
                        let at = 2 * ((matrix * modes + mode) * n + row)
                        let scale = energies[matrix * modes + mode].squareRoot()
                        return scale * Complex(vectors[at], vectors[at + 1])
                    }
                    for a in 0..<modes {
                        for b in 0..<modes {
                            var (energy, metric) = (Complex.zero, Complex.zero)
                            for i in 0..<n {
                                let image = (0..<n).reduce(into: Complex.zero) { $0 += h[i, $1] * v(b, $1) }
                                energy += v(a, i).conjugate * image
                                metric += (i < modes ? 1 : -1) * (v(a, i).conjugate * v(b, i))
                            }
                            let scale = energies[matrix * modes + a]
                            let wanted = a == b ? Complex(1, 0) : .zero
                            #expect((energy - scale * wanted).squaredMagnitude.squareRoot() < 1e-12 * 8 * scale)
                            #expect((metric - wanted).squaredMagnitude.squareRoot() < 1e-12 * 8)
                        }
                    }
                }
            }
        }
    }

    @Test("a matrix that is not positive definite, and a call that fails, end it with what happened")
    func failures() throws {
        let bench = try Bench()
        let route = try LibraryRoute(size: 2, count: 2, bench.libraries, on: bench.device)
        try route.load([1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 2, 0, 2, 0, 1, 0], at: 0)
        #expect {
            try route.solve(by: .any)
        } throws: {
            ($0 as? BenchmarkFailure)?.description == "Cholesky of 1 matrices failed (info 2)"
        }
        let broken = try Bench(["fail": "cusolverDnXsyevBatched:1"])
        let load = try DiagonalisationRows.load(size: 4, isSmall: true)
        let other = try Self.loaded(load, broken)
        #expect {
            try other.solve(by: .any)
        } throws: {
            ($0 as? BenchmarkFailure)?.description == "cusolverDnXsyevBatched ended with status 3"
        }
    }

    @Test("without the libraries it is said which is missing")
    func missing() throws {
        let software = try SoftwareCUDA([:], libraries: ["libcuda.so.1", "libnvrtc.so.12", "libcublas.so.12"])
        #expect {
            try SolverLibraries(LibrarySearch(preferred: software.directory), newest: 12)
        } throws: {
            ($0 as? DeviceError)?.message
                == "libcusolver.so.11 is not on this machine: no such file where libraries are looked for"
        }
    }
}
