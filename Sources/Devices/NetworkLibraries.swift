import CCUDA

/// cuDNN and cuBLAS, opened at run time: what the layers with kernels of networks are computed by.
///
/// One for the process is enough.
public final class NetworkLibraries: Sendable {
    public let dnnVersion: LibraryVersion
    public let blasVersion: LibraryVersion
    // Filled once, before anyone else sees them; the functions may be called from any thread, on handles of its own.
    let dnn: sw_cuda_dnn
    let blas: sw_cuda_blas

    /// The convolutions by descriptors have the form that is declared here since then.
    public static let oldestDNN = LibraryVersion(8, 9)
    public static let oldestBLAS = LibraryVersion(12, 0)

    static let dnnFiles = ["libcudnn.so.9", "libcudnn.so.8"]
    static let blasFiles = ["libcublas.so.13", "libcublas.so.12"]

    /// - Parameter newest: the driver's major version: cuBLAS and cuDNN of a later one it does not take.
    public init(_ search: LibrarySearch, newest: Int = .max) throws(DeviceError) {
        let blasLibrary = try SharedLibrary(
            newest >= 13 ? Self.blasFiles : ["libcublas.so.12"], symbol: "cublasGetProperty", search: search,
            hint: "it comes with the CUDA toolkit and with PyPI's nvidia-cublas-cu12; networks are computed on the CPU")
        let dnnLibrary = try SharedLibrary(
            Self.dnnFiles, symbol: "cudnnGetVersion", search: search,
            hint: "it comes with cuDNN and with PyPI's nvidia-cudnn-cu12; networks are computed on the CPU")
        blasVersion = try Self.version(Self.version(ofBLAS: blasLibrary), of: blasLibrary, atLeast: Self.oldestBLAS)
        dnnVersion = try Self.version(Self.version(ofDNN: dnnLibrary), of: dnnLibrary, atLeast: Self.oldestDNN)
        // One file name for every CUDA; it says for which it was built. (0: it does not say.)
        let built = dnnLibrary.number("cudnnGetCudartVersion") / 1000
        if built > newest {
            throw .noLibrary(
                name: dnnLibrary.path, reason: "it was built for CUDA \(built), and the driver is for CUDA \(newest)",
                hint: "install the cuDNN for CUDA \(newest), or a later driver; networks are computed on the CPU")
        }
        var dnn = sw_cuda_dnn()
        if let missing = sw_cuda_dnn_fill(dnnLibrary.handle, &dnn) {
            throw .incompleteLibrary(path: dnnLibrary.path, missing: String(cString: missing))
        }
        self.dnn = dnn
        var blas = sw_cuda_blas()
        if let missing = sw_cuda_blas_fill(blasLibrary.handle, &blas) {
            throw .incompleteLibrary(path: blasLibrary.path, missing: String(cString: missing))
        }
        self.blas = blas
    }

    private static func version(
        _ found: LibraryVersion?, of library: SharedLibrary, atLeast oldest: LibraryVersion
    ) throws(DeviceError) -> LibraryVersion {
        guard let found else {
            throw .noLibrary(name: library.path, reason: "it does not tell its version", hint: "reinstall it")
        }
        if found < oldest {
            throw .noLibrary(
                name: library.path, reason: "it is of version \(found)", hint: "version \(oldest) or later is needed")
        }
        return found
    }

    static func version(ofBLAS library: SharedLibrary) -> LibraryVersion? {
        library.propertyVersion("cublasGetProperty")
    }

    static func version(ofDNN library: SharedLibrary) -> LibraryVersion? {
        let number = library.number("cudnnGetVersion")
        if number == 0 { return nil }
        // cudnn.h: 10000 · major + 100 · minor + patch since 9, 1000 · major before.
        let thousands = number >= 90_000 ? 10_000 : 1000
        return LibraryVersion(number / thousands, number % thousands / 100, number % 100)
    }
}
