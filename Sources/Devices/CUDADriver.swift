import CCUDA

/// NVIDIA's driver, `libcuda`, opened at run time.
///
/// One for the process is enough; its functions may be called from any thread.
public final class CUDADriver: Sendable {
    /// The file that the driver was read from.
    public let path: String
    /// The version of CUDA that the driver is for.
    public let version: LibraryVersion
    // Filled once, before anyone else sees it; the driver's functions are safe to call from any thread.
    let functions: sw_cuda_driver

    /// Code made by any NVRTC 12 runs on it (NVIDIA, "CUDA Compatibility", minor version compatibility), and all functions
    /// that are used have the form they have now.
    public static let oldestVersion = LibraryVersion(12, 0)

    /// Opens the driver.
    public init(_ search: LibrarySearch = LibrarySearch()) throws(DeviceError) {
        let library = try SharedLibrary(
            ["libcuda.so.1"], symbol: "cuInit", search: search,
            hint: "it comes with the NVIDIA driver; for an unusual place set SPINWEAVE_CUDA_LIBRARIES to its directory")
        path = library.path
        var functions = sw_cuda_driver()
        if let missing = sw_cuda_driver_fill(library.handle, &functions) {
            throw .incompleteLibrary(path: library.path, missing: String(cString: missing))
        }
        self.functions = functions
        // What the driver is for can be asked before it is started, and an old one may not start.
        var number: Int32 = 0
        let known = functions.driver_version(&number)
        version = LibraryVersion(cuda: Int(number))
        if known == 0, version < Self.oldestVersion {
            throw .oldDriver(path: library.path, found: version, needed: Self.oldestVersion)
        }
        let status = functions.start(0)
        if status == Int32(SW_CU_NO_DEVICE) { throw .noDevice(path: library.path) }
        try check(status, "cuInit", "this machine")
    }

    /// All devices that the driver shows this program and that can be used, in its order; `unusable` is told why another cannot: it may
    /// be another process's alone.
    ///
    /// - Throws: why the first cannot, where none can.
    public func devices(unusable: (DeviceError) -> Void = { _ in }) throws(DeviceError) -> [CUDADevice] {
        var count: Int32 = 0
        try check(functions.device_count(&count), "cuDeviceGetCount", "this machine")
        if count == 0 { throw .noDevice(path: path) }
        var devices: [CUDADevice] = []
        var first: DeviceError?
        for ordinal in 0..<Int(count) {
            do throws(DeviceError) {
                devices.append(try CUDADevice(ordinal, of: self))
            } catch {
                first = first ?? error
                unusable(error)
            }
        }
        if let first, devices.isEmpty { throw first }
        return devices
    }

    /// Throws where a call did not succeed.
    func check(_ status: Int32, _ function: String, _ device: String) throws(DeviceError) {
        if status == 0 { return }
        // Launches, streams, events and modules take memory, too, and do not say how much.
        if status == Int32(SW_CU_OUT_OF_MEMORY) { throw .noRoom(function: function, device: device) }
        throw .call(function: function, device: device, code: name(of: status), reason: text(of: status))
    }

    private func name(of status: Int32) -> String {
        var name: UnsafePointer<CChar>?
        guard functions.error_name(status, &name) == 0, let name else { return "error \(status)" }
        return String(cString: name)
    }

    private func text(of status: Int32) -> String {
        var text: UnsafePointer<CChar>?
        guard functions.error_string(status, &text) == 0, let text else { return "which the driver does not explain" }
        return String(cString: text)
    }
}
