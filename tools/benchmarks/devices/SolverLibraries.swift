import CCUDA
import CSolver
import Devices

/// cuSOLVER and cuBLAS for batches of Hermitian problems, opened at run time.
struct SolverLibraries {
    let solver: sw_cuda_solver
    let blas: sw_cuda_batched_blas
    /// Of cuSOLVER.
    let version: LibraryVersion?

    /// - Parameter newest: the driver's major version: libraries for a later one it does not take.
    init(_ search: LibrarySearch, newest: Int) throws(DeviceError) {
        let hint =
            "it comes with the CUDA toolkit and with PyPI's nvidia-cusolver; this comparison is left out without it"
        // cuBLAS first: cuSOLVER needs it, and then finds it loaded, wherever it lies.
        let blasLibrary = try SharedLibrary(
            newest >= 13 ? ["libcublas.so.13", "libcublas.so.12"] : ["libcublas.so.12"], symbol: "cublasGetProperty",
            search: search, hint: hint)
        // cuSOLVER 12 is CUDA 13's.
        let library = try SharedLibrary(
            newest >= 13 ? ["libcusolver.so.12", "libcusolver.so.11"] : ["libcusolver.so.11"],
            symbol: "cusolverGetProperty", search: search, hint: hint)
        var blas = sw_cuda_batched_blas()
        if let missing = sw_cuda_batched_blas_fill(blasLibrary.handle, &blas) {
            throw .incompleteLibrary(path: blasLibrary.path, missing: String(cString: missing))
        }
        var solver = sw_cuda_solver()
        if let missing = sw_cuda_solver_fill(library.handle, &solver) {
            throw .incompleteLibrary(path: library.path, missing: String(cString: missing))
        }
        self.blas = blas
        self.solver = solver
        version = library.propertyVersion("cusolverGetProperty")
    }
}
