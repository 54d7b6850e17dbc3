import CCUDA

/// What this machine has for computing on CUDA devices, and what of it is missing and why.
public struct DeviceInventory: Sendable {
    /// A library that was looked for.
    public struct Library: Sendable {
        /// `cuBLAS`.
        public var name: String
        public var path: String?
        public var version: LibraryVersion?
        /// Why it cannot be used; nil for one that can.
        public var problem: String?
        public var hint: String?
    }

    public var driver: CUDADriver?
    public var compiler: KernelCompiler?
    public var devices: [CUDADevice] = []
    /// Of devices beside `devices`, why they cannot be used.
    public var unusable: [DeviceError] = []
    /// Driver, compiler, then those that networks need.
    public var libraries: [Library] = []
    /// Why no device can be used; nil where one can.
    public var obstacle: DeviceError?
    /// Where libraries were looked for.
    public let search: LibrarySearch

    /// Looks for everything that kernels need, and for what else is used where it is.
    public init(_ search: LibrarySearch, networkLibraries: Bool = true) {
        self.search = search
        var driverEntry = Library(name: "CUDA driver")
        do throws(DeviceError) {
            let driver = try CUDADriver(search)
            driverEntry.path = driver.path
            driverEntry.version = driver.version
            self.driver = driver
            var unusable: [DeviceError] = []
            defer { self.unusable = unusable }
            devices = try driver.devices { unusable.append($0) }
        } catch {
            obstacle = error
            driverEntry.problem = error.message
            driverEntry.hint = error.hint
        }
        var compilerEntry = Library(name: "NVRTC")
        do throws(DeviceError) {
            let compiler = try KernelCompiler(search, newest: driver?.version.major ?? .max)
            compilerEntry.path = compiler.path
            compilerEntry.version = compiler.version
            if let driver, compiler.version.major > driver.version.major {
                // "CUDA Compatibility": within a major version an older driver runs newer code, not across.
                throw .oldDriver(
                    path: driver.path, found: driver.version, needed: LibraryVersion(compiler.version.major, 0))
            }
            self.compiler = compiler
        } catch {
            obstacle = obstacle ?? error
            compilerEntry.problem = error.message
            compilerEntry.hint = error.hint
        }
        libraries = [driverEntry, compilerEntry]
        if networkLibraries { libraries += Self.networkLibraries(search) }
    }

    /// Those that a network's layers are computed by, and what else may be of use.
    private static func networkLibraries(_ search: LibrarySearch) -> [Library] {
        [
            look("cuBLAS", NetworkLibraries.blasFiles, "cublasGetProperty", search) {
                NetworkLibraries.version(ofBLAS: $0)
            },
            look("cuSOLVER", ["libcusolver.so.12", "libcusolver.so.11"], "cusolverGetProperty", search) {
                $0.propertyVersion("cusolverGetProperty")
            },
            look("cuDNN", NetworkLibraries.dnnFiles, "cudnnGetVersion", search) {
                NetworkLibraries.version(ofDNN: $0)
            },
        ]
    }

    private static func look(
        _ name: String, _ files: [String], _ symbol: String, _ search: LibrarySearch,
        version: (SharedLibrary) -> LibraryVersion?
    ) -> Library {
        var entry = Library(name: name)
        do throws(DeviceError) {
            let library = try SharedLibrary(files, symbol: symbol, search: search, hint: "")
            entry.path = library.path
            entry.version = version(library)
            if entry.version == nil { entry.problem = "'\(library.path)' does not tell its version" }
        } catch {
            entry.problem = error.message
        }
        return entry
    }
}
