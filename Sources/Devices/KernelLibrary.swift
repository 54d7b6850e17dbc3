import Artifacts
import Synchronization

/// Where compiled code is kept between runs of the program.
public struct CodeMemory: Sendable {
    /// The code that was kept under an identity (`KernelCompiler.identity`); nil for none.
    public var recall: @Sendable (_ identity: Value) -> [UInt8]?
    /// - Parameter name: `axpy.cu for sm_90`.
    /// - Parameter seconds: what compiling took.
    public var keep: @Sendable (_ code: [UInt8], _ identity: Value, _ name: String, _ seconds: Double) -> Void

    public init(
        recall: @escaping @Sendable (Value) -> [UInt8]?,
        keep: @escaping @Sendable ([UInt8], Value, String, Double) -> Void
    ) {
        self.recall = recall
        self.keep = keep
    }

    /// Forgets everything.
    public static let none = CodeMemory(recall: { _ in nil }, keep: { _, _, _, _ in })
}

/// The program's kernels on one device: compiled when first asked for, or recalled.
public final class KernelLibrary: Sendable {
    private struct Entry: Hashable {
        var text: String
        var options: [String]
    }

    private struct KernelEntry: Hashable {
        var text: Entry
        var name: String
    }

    public let device: CUDADevice
    public let compiler: KernelCompiler
    private let memory: CodeMemory
    private let loaded = Mutex<[Entry: CUDAModule]>([:])
    private let found = Mutex<[KernelEntry: CUDAKernel]>([:])

    public init(_ device: CUDADevice, compiler: KernelCompiler, memory: CodeMemory = .none) {
        self.device = device
        self.compiler = compiler
        self.memory = memory
    }

    /// A kernel, ready to be launched.
    ///
    /// - Parameter text: the file's name: `axpy.cu`.
    /// - Parameter options: of the compiler, for the whole text: `--fmad=false`.
    public func kernel(_ name: String, in text: String, options: [String] = []) throws(DeviceError) -> CUDAKernel {
        let entry = KernelEntry(text: Entry(text: text, options: options), name: name)
        if let kernel = found.withLock({ $0[entry] }) { return kernel }
        let kernel = try module(text, options: options).kernel(name)
        found.withLock { $0[entry] = kernel }
        return kernel
    }

    /// The kernels of a text. Whoever comes meanwhile waits for one compilation.
    public func module(_ name: String, options: [String] = []) throws(DeviceError) -> CUDAModule {
        try loaded.withLock { loaded throws(DeviceError) -> CUDAModule in
            let entry = Entry(text: name, options: options)
            if let module = loaded[entry] { return module }
            guard let text = KernelText.named(name) else { throw .noKernel(name: "any", text: name) }
            let module = try load(text, options: options)
            loaded[entry] = module
            return module
        }
    }

    private func load(_ text: KernelText, options: [String]) throws(DeviceError) -> CUDAModule {
        let target = try compiler.target(for: device)
        let identity = compiler.identity(of: text, for: target, options: options)
        if let code = memory.recall(identity) {
            do throws(DeviceError) {
                return try CUDAModule(CompiledKernel(text: text.name, target: target, code: code), on: device)
            } catch .unusableCode {
                // Whatever was kept there is not what it says: compiled anew below.
            } catch {
                throw error
            }
        }
        let clock = ContinuousClock()
        let began = clock.now
        let compiled = try compiler.compile(text, for: target, options: options)
        let took = began.duration(to: clock.now)
        let module = try CUDAModule(compiled, on: device)
        memory.keep(compiled.code, identity, "\(text.name) for \(target)", took / .seconds(1))
        return module
    }
}
