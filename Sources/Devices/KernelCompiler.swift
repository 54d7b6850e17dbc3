import Artifacts
import CCUDA

/// NVRTC, which compiles the text of a kernel for a device. It needs no device itself.
public final class KernelCompiler: Sendable {
    public let path: String
    public let version: LibraryVersion
    /// What code it makes: 80 for sm_80, ascending.
    public let architectures: [Int]
    // Filled once, before anyone else sees it; NVRTC compiles on several threads at once.
    private let functions: sw_cuda_compiler

    /// Options for all kernels; a kernel that must not contract a·b + c into one rounding adds `--fmad=false`.
    public static let options = ["--std=c++17"]

    /// - Parameter newest: the driver's major version: code of a later NVRTC it does not take.
    public init(_ search: LibrarySearch = LibrarySearch(), newest: Int = .max) throws(DeviceError) {
        let library = try SharedLibrary(
            (newest >= 13 ? ["libnvrtc.so.13"] : []) + ["libnvrtc.so.12", "libnvrtc.so"], symbol: "nvrtcVersion",
            search: search,
            hint: "it comes with the CUDA toolkit and with PyPI's nvidia-cuda-nvrtc-cu12; "
                + "for an unusual place set SPINWEAVE_CUDA_LIBRARIES to its directory")
        path = library.path
        var functions = sw_cuda_compiler()
        if let missing = sw_cuda_compiler_fill(library.handle, &functions) {
            throw .incompleteLibrary(path: library.path, missing: String(cString: missing))
        }
        self.functions = functions
        var major: Int32 = 0
        var minor: Int32 = 0
        var count: Int32 = 0
        try Self.check(functions.version(&major, &minor), "nvrtcVersion", functions)
        try Self.check(functions.architecture_count(&count), "nvrtcGetNumSupportedArchs", functions)
        var numbers = [Int32](repeating: 0, count: Int(count))
        try Self.check(functions.architectures(&numbers), "nvrtcGetSupportedArchs", functions)
        version = LibraryVersion(Int(major), Int(minor))
        architectures = numbers.map(Int.init).sorted()
    }

    /// What code for `device` is compiled as.
    ///
    /// A device that is newer than this compiler takes intermediate code for the newest architecture that the compiler knows,
    /// which the driver finishes.
    public func target(for device: CUDADevice) throws(DeviceError) -> CodeTarget {
        if architectures.contains(device.architecture) { return .machine(device.architecture) }
        guard let newest = architectures.last, newest < device.architecture else {
            throw .unknownArchitecture(
                device: device.name, architecture: "sm_\(device.architecture)", compiler: version)
        }
        return .intermediate(newest)
    }

    /// What makes compiled code the code that it is: two that are equal here are equal.
    public func identity(of text: KernelText, for target: CodeTarget, options: [String] = []) -> Value {
        .record([
            "domain": .string("spinweave kernel 1"), "text": .digest(text.digest),
            "compiler": .string("NVRTC \(version)"), "target": .string(target.description),
            "options": .list((Self.options + options).map { .string($0) }),
        ])
    }

    /// Compiles a text.
    ///
    /// - Parameter options: further ones of NVRTC's.
    /// - Throws: `DeviceError.compilation` with the compiler's words.
    public func compile(
        _ text: KernelText, for target: CodeTarget, options: [String] = []
    ) throws(DeviceError) -> CompiledKernel {
        var program: sw_nvrtc_program?
        let names = text.headers.keys.sorted()
        let created = withCStrings(names.map { text.headers[$0]! }) { headers in
            withCStrings(names) { names in
                functions.create(
                    &program, text.text, text.name, Int32(names.count), headers.baseAddress, names.baseAddress)
            }
        }
        try Self.check(created, "nvrtcCreateProgram", functions)
        defer { _ = functions.destroy(&program) }
        let status = withCStrings([target.option] + Self.options + options) {
            functions.compile(program, Int32($0.count), $0.baseAddress)
        }
        let log = try bytes(of: program, "nvrtcGetProgramLog", functions.log_size, functions.log)
        let words = String(decoding: log.prefix { $0 != 0 }, as: UTF8.self)
        if status != 0 {
            throw .compilation(
                kernel: text.name, architecture: target.description,
                log: words.isEmpty ? Self.text(of: status, functions) : words)
        }
        let code: [UInt8]
        switch target {
        case .machine: code = try bytes(of: program, "nvrtcGetCUBIN", functions.cubin_size, functions.cubin)
        case .intermediate: code = try bytes(of: program, "nvrtcGetPTX", functions.ptx_size, functions.ptx)
        }
        return CompiledKernel(text: text.name, target: target, code: code, log: words)
    }

    private func bytes(
        of program: sw_nvrtc_program?, _ name: String,
        _ size: (sw_nvrtc_program?, UnsafeMutablePointer<Int>?) -> Int32,
        _ read: (sw_nvrtc_program?, UnsafeMutablePointer<CChar>?) -> Int32
    ) throws(DeviceError) -> [UInt8] {
        var count = 0
        try Self.check(size(program, &count), name + "Size", functions)
        var bytes = [CChar](repeating: 0, count: count)
        try Self.check(read(program, &bytes), name, functions)
        return bytes.map { UInt8(bitPattern: $0) }
    }

    private static func check(
        _ status: Int32, _ function: String, _ functions: sw_cuda_compiler
    ) throws(DeviceError) {
        if status == 0 { return }
        throw .call(
            function: function, device: "the host", code: "NVRTC error \(status)",
            reason: text(of: status, functions))
    }

    private static func text(of status: Int32, _ functions: sw_cuda_compiler) -> String {
        guard let text = functions.error_string(status) else { return "NVRTC error \(status)" }
        return String(cString: text)
    }
}

/// What a kernel is compiled for.
public enum CodeTarget: Sendable, Hashable, CustomStringConvertible {
    /// Code of one architecture: 90 for sm_90.
    case machine(Int)
    /// PTX, for all devices from an architecture on.
    case intermediate(Int)

    public var description: String {
        switch self {
        case .machine(let number): "sm_\(number)"
        case .intermediate(let number): "compute_\(number)"
        }
    }

    var option: String { "--gpu-architecture=\(self)" }
}

/// Code that a device of its target runs.
public struct CompiledKernel: Sendable, Hashable {
    /// `axpy.cu`.
    public let text: String
    public let target: CodeTarget
    /// A cubin, or PTX that ends with a zero.
    public let code: [UInt8]
    /// The compiler's words: warnings, and what was asked for.
    public let log: String

    public init(text: String, target: CodeTarget, code: [UInt8], log: String = "") {
        self.text = text
        self.target = target
        self.code = code
        self.log = log
    }
}

/// Calls `body` with the addresses of C strings.
private func withCStrings<R>(
    _ strings: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> R
) -> R {
    let joined = strings.map { Array($0.utf8CString) }
    let all = joined.flatMap { $0 }
    return all.withUnsafeBufferPointer { bytes in
        var addresses: [UnsafePointer<CChar>?] = []
        var offset = 0
        for string in joined {
            addresses.append(bytes.baseAddress.map { $0 + offset })
            offset += string.count
        }
        return addresses.withUnsafeBufferPointer(body)
    }
}
