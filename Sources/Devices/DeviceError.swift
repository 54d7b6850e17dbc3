/// Why a device, or something that it needs, cannot be used: what, where, and what now.
public enum DeviceError: Error, Sendable, Hashable {
    /// A shared library that is not on this machine, or that its loader refuses.
    case noLibrary(name: String, reason: String, hint: String)
    /// A library that lacks a function which this program calls.
    case incompleteLibrary(path: String, missing: String)
    case oldDriver(path: String, found: LibraryVersion, needed: LibraryVersion)
    /// The driver is there and sees no device.
    case noDevice(path: String)
    /// A kernel's text that does not compile.
    case compilation(kernel: String, architecture: String, log: String)
    /// Code for the device's architecture cannot be made by this compiler.
    case unknownArchitecture(device: String, architecture: String, compiler: LibraryVersion)
    /// The compiled code is for another architecture, or no code at all.
    case unusableCode(kernel: String, device: String)
    case noKernel(name: String, text: String)
    /// A launch that no device of this kind can take, or arguments that are not the kernel's.
    case launch(kernel: String, device: String, reason: String)
    /// - Parameter requested: bytes.
    case outOfMemory(device: String, requested: Int, free: Int)
    /// A call for which the device, or the host beside it, had no memory.
    case noRoom(function: String, device: String)
    /// What a library of NVIDIA's cannot do, or not so that it could be repeated: the device is as good as before.
    case unsupported(function: String, device: String, code: String, reason: String)
    /// A call that failed otherwise; the device's context may be lost.
    case call(function: String, device: String, code: String, reason: String)
}

extension DeviceError: CustomStringConvertible {
    public var description: String { hint.map { "\(message)\n  hint: \($0)" } ?? message }

    public var message: String {
        switch self {
        case .noLibrary(let name, let reason, _): "\(name) is not on this machine: \(reason)"
        case .incompleteLibrary(let path, let missing): "'\(path)' has no function \(missing)"
        case .oldDriver(let path, let found, let needed):
            "the NVIDIA driver is for CUDA \(found) ('\(path)'); CUDA \(needed) or later is needed"
        case .noDevice: "the NVIDIA driver finds no device"
        case .compilation(let kernel, let architecture, let log):
            "\(kernel) does not compile for \(architecture):\n\(log)"
        case .unknownArchitecture(let device, let architecture, let compiler):
            "NVRTC \(compiler) makes no code for \(architecture), the architecture of \(device)"
        case .unusableCode(let kernel, let device): "the code compiled from \(kernel) is not for \(device)"
        case .noKernel(let name, let text): "\(text) has no kernel called '\(name)'"
        case .launch(let kernel, let device, let reason): "\(kernel) cannot be launched on \(device): \(reason)"
        case .outOfMemory(let device, let requested, let free):
            "\(device) has no room for \(Self.megabytes(requested)); \(Self.megabytes(free)) are free"
        case .noRoom(let function, let device): "\(function) found no memory on \(device)"
        case .unsupported(let function, let device, let code, let reason),
            .call(let function, let device, let code, let reason):
            "\(function) failed on \(device): \(code), \(reason)"
        }
    }

    public var hint: String? {
        switch self {
        case .noLibrary(_, _, let hint): hint
        case .incompleteLibrary: "it is another version than this program knows; update the NVIDIA driver or CUDA"
        case .oldDriver: "update the NVIDIA driver, or use --executor cpu"
        case .noDevice: "see whether nvidia-smi lists one, and whether CUDA_VISIBLE_DEVICES hides it"
        case .compilation: "this is a defect of the program: please report it"
        case .unknownArchitecture: "install an NVRTC that knows the device, or use --executor cpu"
        case .unusableCode: "run 'spinweave doctor'; if it finds the same, please report it"
        case .noKernel, .launch: "this is a defect of the program: please report it"
        case .unsupported: "run 'spinweave doctor' to see which versions are used; the CPU computes such networks"
        case .outOfMemory, .noRoom: "close other programs that use the device, or use --executor cpu"
        case .call: "run 'spinweave doctor'; if the device stays unusable, use --executor cpu"
        }
    }

    /// The device has no room, now.
    public var isFull: Bool {
        switch self {
        case .outOfMemory, .noRoom: true
        default: false
        }
    }

    /// It is what was asked for that cannot be done; the device can do other things.
    public var isUnfit: Bool {
        switch self {
        case .launch, .noKernel, .compilation, .unknownArchitecture, .unusableCode, .unsupported, .noLibrary,
            .incompleteLibrary:
            true
        default: false
        }
    }

    static func megabytes(_ bytes: Int) -> String { "\((bytes + (1 << 20) - 1) >> 20) MiB" }
}
