import CCUDA
import CSolver
import Devices

/// Bogoliubov problems by NVIDIA's libraries: Colpa's method (`Colpa` in SpinWaves) on batches, for comparison with the program's kernels.
///
///     H = Kᴴ K (Zpotrf), M = (K g) Kᴴ (Zgemm), M U = U L (Zheev), V = K⁻¹ U (Ztrsm)
///
/// All unsafe use of cuSOLVER and of cuBLAS's batches is in this file. The matrices are on the device beforehand. What is timed are the four calls, by
/// events of the stream between them: not the pass that clears the other triangle of K, nor the scaling of the columns of V, nor intensities,
/// nor making H, all of which the program's kernels do within their time.
final class LibraryRoute {
    /// Which of cuSOLVER's functions diagonalises.
    enum Eigensolver: String {
        /// cusolverDnXsyevBatched, of any size.
        case any = "XsyevBatched"
        /// cusolverDnZheevjBatched, by Jacobi's rotations: for small matrices.
        case jacobi = "ZheevjBatched"
    }

    let size: Int
    let count: Int
    private let device: CUDAKernelDevice
    private let libraries: SolverLibraries
    private let solver: sw_solver_handle
    private let settings: sw_solver_settings
    private let jacobi: sw_solver_jacobi
    private let blas: sw_blas_handle
    /// H; what is worked on: K, then M, then U and V; K with zeros below its diagonal; K g.
    private let problem, work, upper, product: CUDAKernelDevice.Memory
    private let values, info: CUDAKernelDevice.Memory
    /// The addresses of each matrix in `work`, of its upper half of columns, and of each in `upper`.
    private let works, halves, uppers: CUDAKernelDevice.Memory

    /// - Parameter size: rows of each matrix, an even number.
    init(size: Int, count: Int, _ libraries: SolverLibraries, on device: CUDAKernelDevice) throws {
        precondition(size % 2 == 0 && size * size * count <= Int(Int32.max), "what cuSOLVER takes")
        (self.size, self.count, self.libraries, self.device) = (size, count, libraries, device)
        let bytes = 16 * size * size
        problem = try device.memory(bytes: bytes * count)
        work = try device.memory(bytes: bytes * count)
        upper = try device.memory(bytes: bytes * count)
        product = try device.memory(bytes: bytes * count)
        values = try device.memory(bytes: 8 * size * count)
        info = try device.memory(bytes: 4 * count)
        func addresses(_ base: UInt64) throws -> CUDAKernelDevice.Memory {
            try device.memory(of: (0..<count).map { base + UInt64($0 * bytes) })
        }
        works = try addresses(work.address)
        halves = try addresses(work.address + UInt64(bytes / 2))
        uppers = try addresses(upper.address)
        try device.stream.device.makeCurrent()
        var solver: sw_solver_handle?
        var settings: sw_solver_settings?
        var jacobi: sw_solver_jacobi?
        var blas: sw_blas_handle?
        try Self.check(libraries.solver.create(&solver), "cusolverDnCreate")
        try Self.check(libraries.solver.settings_create(&settings), "cusolverDnCreateParams")
        try Self.check(libraries.solver.jacobi_create(&jacobi), "cusolverDnCreateSyevjInfo")
        try Self.check(libraries.blas.create(&blas), "cublasCreate")
        guard let solver, let settings, let jacobi, let blas else {
            throw BenchmarkFailure(description: "cuSOLVER or cuBLAS gives no handle")
        }
        (self.solver, self.settings, self.jacobi, self.blas) = (solver, settings, jacobi, blas)
        try Self.check(libraries.solver.set_stream(solver, device.stream.handle), "cusolverDnSetStream")
        try Self.check(libraries.blas.set_stream(blas, device.stream.handle), "cublasSetStream")
    }

    deinit {
        if (try? device.stream.device.makeCurrent()) == nil { return }
        try? device.stream.synchronize()
        _ = libraries.solver.jacobi_destroy(jacobi)
        _ = libraries.solver.settings_destroy(settings)
        _ = libraries.solver.destroy(solver)
        _ = libraries.blas.destroy(blas)
    }

    /// Those that this version of cuSOLVER has and that are for matrices of this size.
    var eigensolvers: [Eigensolver] {
        guard libraries.solver.eigen != nil, libraries.solver.eigen_room != nil else { return [.jacobi] }
        return size <= 32 ? [.any, .jacobi] : [.any]
    }

    /// Brings matrices `first` and following to the device.
    ///
    /// - Parameter elements: column by column, one matrix after the other, real and imaginary parts.
    func load(_ elements: [Double], at first: Int) throws {
        precondition(elements.count % (2 * size * size) == 0, "whole matrices")
        try device.write(elements, to: problem, at: 16 * size * size * first)
    }

    /// Solves all that was loaded.
    ///
    /// - Returns: seconds on the device.
    func solve(by eigensolver: Eigensolver) throws -> Double {
        try device.stream.device.makeCurrent()
        try device.copy(16 * size * size * count, from: problem, to: work, at: 0)
        let (n, stride) = (Int32(size), Int32(size))
        let stream = device.stream
        let next = Int64(size * size)
        var (one, zero) = (sw_solver_complex(re: 1, im: 0), sw_solver_complex(re: 0, im: 0))
        var spans: [(start: CUDAEvent, end: CUDAEvent)] = []
        func timed(_ name: String, _ call: () throws -> Int32) throws {
            let start = try stream.record()
            try Self.check(call(), name)
            spans.append((start, try stream.record()))
        }
        try timed("cusolverDnZpotrfBatched") {
            libraries.solver.cholesky(
                solver, upperTriangle, n, Self.pointer(works), stride, Self.mutablePointer(info), Int32(count))
        }
        let unfit = try device.read(Int32.self, count: count, from: info).filter { $0 != 0 }
        if let some = unfit.first {
            throw BenchmarkFailure(description: "Cholesky of \(unfit.count) matrices failed (info \(some))")
        }
        try separate()
        try timed("cublasZgemmStridedBatched") {
            libraries.blas.multiply(
                blas, Int32(SW_SOLVER_PLAIN), Int32(SW_SOLVER_ADJOINT), n, n, n, &one, Self.pointer(product), stride,
                next, Self.pointer(upper), stride, next, &zero, Self.mutablePointer(work), stride, next, Int32(count))
        }
        try diagonalise(by: eigensolver, timed: timed)
        let lost = try device.read(Int32.self, count: count, from: info).filter { $0 != 0 }
        if let some = lost.first {
            throw BenchmarkFailure(
                description: "\(eigensolver.rawValue) of \(lost.count) matrices did not converge (info \(some))")
        }
        try timed("cublasZtrsmBatched") {
            libraries.blas.solve(
                blas, Int32(SW_SOLVER_LEFT), upperTriangle, Int32(SW_SOLVER_PLAIN), Int32(SW_SOLVER_NOT_UNIT), n, n / 2,
                &one, Self.pointer(uppers), stride, Self.pointer(halves), stride, Int32(count))
        }
        try stream.synchronize()
        return try spans.reduce(0) { try $0 + $1.end.seconds(since: $1.start) }
    }

    /// The positive energies of each matrix, ascending: [count, size / 2].
    func energies() throws -> [Double] {
        let all = try device.read(Double.self, count: size * count, from: values)
        return (0..<count).flatMap { all[$0 * size + size / 2..<($0 + 1) * size] }
    }

    /// V of the modes of `energies`, not yet multiplied by √L: [count, size / 2, size, 2].
    func vectors() throws -> [Double] {
        let all = try device.read(Double.self, count: 2 * size * size * count, from: work)
        let half = size * size
        return (0..<count).flatMap { all[2 * $0 * half + half..<2 * ($0 + 1) * half] }
    }

    /// K with zeros, and K g.
    private func separate() throws {
        let kernel = try device.library.kernel("sw_measure_triangles", in: "measure.cu")
        let blocks = min(1 << 16, (size * size * count + 255) / 256)
        try kernel.launch(
            grid: GridExtent(blocks), block: 256, on: device.stream,
            [
                .value(Int64(count)), .value(Int64(size)), .value(work.address), .value(upper.address),
                .value(product.address),
            ])
    }

    private func diagonalise(
        by eigensolver: Eigensolver, timed: (String, () throws -> Int32) throws -> Void
    ) throws {
        let mode = Int32(SW_SOLVER_VECTORS)
        switch eigensolver {
        case .jacobi:
            var length: Int32 = 0
            try Self.check(
                libraries.solver.jacobi_room(
                    solver, mode, upperTriangle, Int32(size), Self.pointer(work), Int32(size), Self.pointer(values),
                    &length, jacobi, Int32(count)), "cusolverDnZheevjBatched_bufferSize")
            let room = try device.memory(bytes: 16 * max(1, Int(length)))
            try timed("cusolverDnZheevjBatched") {
                libraries.solver.jacobi(
                    solver, mode, upperTriangle, Int32(size), Self.mutablePointer(work), Int32(size),
                    Self.mutablePointer(values), Self.mutablePointer(room), length, Self.mutablePointer(info), jacobi,
                    Int32(count))
            }
            withExtendedLifetime(room) {}
        case .any:
            guard let ask = libraries.solver.eigen_room, let solve = libraries.solver.eigen else {
                throw BenchmarkFailure(description: "this cuSOLVER has no cusolverDnXsyevBatched")
            }
            let (complex, real) = (Int32(SW_SOLVER_COMPLEX_DOUBLE), Int32(SW_SOLVER_REAL_DOUBLE))
            var (deviceBytes, hostBytes) = (0, 0)
            try Self.check(
                ask(
                    solver, settings, mode, upperTriangle, Int64(size), complex, Self.raw(work), Int64(size), real,
                    Self.raw(values), complex, &deviceBytes, &hostBytes, Int64(count)),
                "cusolverDnXsyevBatched_bufferSize")
            let room = try device.memory(bytes: max(1, deviceBytes))
            let hostRoom = UnsafeMutableRawPointer.allocate(byteCount: max(1, hostBytes), alignment: 64)
            // The call may read it until its work is done.
            defer {
                try? device.stream.synchronize()
                hostRoom.deallocate()
            }
            try timed("cusolverDnXsyevBatched") {
                solve(
                    solver, settings, mode, upperTriangle, Int64(size), complex, Self.raw(work), Int64(size), real,
                    Self.raw(values), complex, Self.raw(room), deviceBytes, hostRoom, hostBytes,
                    Self.mutablePointer(info), Int64(count))
            }
            withExtendedLifetime(room) {}
        }
    }

    private var upperTriangle: Int32 { Int32(SW_SOLVER_UPPER) }

    private static func check(_ status: Int32, _ function: String) throws {
        if status != 0 { throw BenchmarkFailure(description: "\(function) ended with status \(status)") }
    }

    // Addresses of the device, which nobody follows here.
    private static func raw(_ memory: CUDAKernelDevice.Memory) -> UnsafeMutableRawPointer? {
        UnsafeMutableRawPointer(bitPattern: UInt(memory.address))
    }
    private static func pointer<T>(_ memory: CUDAKernelDevice.Memory) -> UnsafePointer<T>? {
        UnsafePointer(bitPattern: UInt(memory.address))
    }
    private static func mutablePointer<T>(_ memory: CUDAKernelDevice.Memory) -> UnsafeMutablePointer<T>? {
        UnsafeMutablePointer(bitPattern: UInt(memory.address))
    }
}
