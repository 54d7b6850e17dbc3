import Foundation
import Testing

/// NVIDIA's headers where they are installed: `pip install nvidia-cusolver-cu12 nvidia-cublas-cu12 nvidia-cuda-runtime-cu12`.
private enum InstalledHeaders {
    /// Directories that hold cusolverDn.h, cublas_v2.h and what they include; nil where one is missing.
    static let directories: [String]? = {
        let text = """
            import glob, sys
            for path in sys.path:
                print("\\n".join(glob.glob(path + "/nvidia/*/include")))
            """
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", text]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let places = (ProcessInfo.processInfo.environment["SPINWEAVE_CUDA_HEADERS"] ?? "").split(separator: ":")
        let found =
            places.map(String.init) + String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
            + ["/usr/local/cuda/include"]
        let all = ["cusolverDn.h", "cublas_v2.h", "cuComplex.h", "library_types.h"].allSatisfy { name in
            found.contains { FileManager.default.fileExists(atPath: "\($0)/\(name)") }
        }
        return all ? found : nil
    }()
}

@Suite(
    "cuSOLVER and cuBLAS are declared as NVIDIA declares them",
    .enabled(
        if: InstalledHeaders.directories != nil,
        "NVIDIA's headers are not here: pip install nvidia-cusolver-cu12 nvidia-cublas-cu12 nvidia-cuda-runtime-cu12, or SPINWEAVE_CUDA_HEADERS"
    ))
struct HeaderTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Arguments alike in number, size, and in being addresses or real numbers; enumerations by their values.
    private static let comparison = """
        #include <cublas_v2.h>
        #include <cusolverDn.h>
        #include <type_traits>
        // OURS
        template <class A, class B> constexpr bool fits = sizeof(A) == sizeof(B)
            && std::is_pointer_v<A> == std::is_pointer_v<B> && std::is_floating_point_v<A> == std::is_floating_point_v<B>;
        template <class R, class... A, class S, class... B> constexpr bool alike(R (*)(A...), S (*)(B...)) {
            if constexpr (sizeof...(A) != sizeof...(B)) return false;
            else return sizeof(R) == sizeof(S) && (fits<A, B> && ...);
        }
        #define SAME(table, field, function) \\
            static_assert(alike(decltype(table::field)(nullptr), decltype(&function)(nullptr)), #function)
        SAME(sw_cuda_solver, create, cusolverDnCreate);
        SAME(sw_cuda_solver, destroy, cusolverDnDestroy);
        SAME(sw_cuda_solver, set_stream, cusolverDnSetStream);
        SAME(sw_cuda_solver, settings_create, cusolverDnCreateParams);
        SAME(sw_cuda_solver, settings_destroy, cusolverDnDestroyParams);
        SAME(sw_cuda_solver, cholesky, cusolverDnZpotrfBatched);
        SAME(sw_cuda_solver, eigen_room, cusolverDnXsyevBatched_bufferSize);
        SAME(sw_cuda_solver, eigen, cusolverDnXsyevBatched);
        SAME(sw_cuda_solver, jacobi_create, cusolverDnCreateSyevjInfo);
        SAME(sw_cuda_solver, jacobi_destroy, cusolverDnDestroySyevjInfo);
        SAME(sw_cuda_solver, jacobi_room, cusolverDnZheevjBatched_bufferSize);
        SAME(sw_cuda_solver, jacobi, cusolverDnZheevjBatched);
        SAME(sw_cuda_batched_blas, create, cublasCreate_v2);
        SAME(sw_cuda_batched_blas, destroy, cublasDestroy_v2);
        SAME(sw_cuda_batched_blas, set_stream, cublasSetStream_v2);
        SAME(sw_cuda_batched_blas, multiply, cublasZgemmStridedBatched);
        SAME(sw_cuda_batched_blas, solve, cublasZtrsmBatched);
        static_assert(sizeof(sw_solver_complex) == sizeof(cuDoubleComplex));
        static_assert(SW_SOLVER_VECTORS == (int)CUSOLVER_EIG_MODE_VECTOR);
        static_assert(SW_SOLVER_UPPER == (int)CUBLAS_FILL_MODE_UPPER);
        static_assert(SW_SOLVER_LEFT == (int)CUBLAS_SIDE_LEFT);
        static_assert(SW_SOLVER_NOT_UNIT == (int)CUBLAS_DIAG_NON_UNIT);
        static_assert(SW_SOLVER_PLAIN == (int)CUBLAS_OP_N && SW_SOLVER_ADJOINT == (int)CUBLAS_OP_C);
        static_assert(SW_SOLVER_REAL_DOUBLE == (int)CUDA_R_64F && SW_SOLVER_COMPLEX_DOUBLE == (int)CUDA_C_64F);

        """

    /// Our headers as C++ takes them, which has structs and types in one space of names.
    private static func ours() throws -> String {
        let files =
            ["cuda_driver.h", "cuda_blas.h", "cuda_library.h"].map { "Sources/CCUDA/include/\($0)" }
            + ["tools/benchmarks/solver/include/cuda_solver.h"]
        let lines = try files.flatMap {
            try String(contentsOf: root.appending(path: $0), encoding: .utf8).split(separator: "\n")
        }
        return lines.filter { !$0.hasPrefix("#include \"") }.map { line in
            line.replacing(/^typedef struct (\w+) \*\1;/) { "typedef struct \($0.1)_ *\($0.1);" }
        }.joined(separator: "\n")
    }

    private static func compile(_ text: String) throws -> (status: Int32, errors: String) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "headers-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "comparison.cpp")
        try Data(text.replacing("// OURS", with: ours()).utf8).write(to: file)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            ["clang++", "-std=c++17", "-fsyntax-only"]
            + (InstalledHeaders.directories ?? []).flatMap { ["-I", $0] } + [file.path]
        let output = Pipe()
        process.standardError = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }

    @Test("functions and enumerations")
    func same() throws {
        let outcome = try Self.compile(Self.comparison)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    @Test("a declaration that differs is noticed")
    func different() throws {
        let wrong = Self.comparison + "SAME(sw_cuda_batched_blas, multiply, cublasZtrsmBatched);\n"
        let outcome = try Self.compile(wrong)
        #expect(outcome.status != 0 && outcome.errors.contains("cublasZtrsmBatched"))
    }
}
