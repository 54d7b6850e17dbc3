import Artifacts
import Dataflow
import Devices
import Synchronization

/// A CUDA device as the engine sees it, with the program's kernels for the stages that have some.
public final class CUDAAccelerator: Accelerator {
    /// What the user calls it (`--executor cuda`) and what records say.
    public static let executor = "cuda"

    public let kernels: KernelLibrary

    public var executor: String { Self.executor }
    public var name: String { kernels.device.name }
    public var kind: String { "\(kernels.device.model), sm_\(kernels.device.architecture)" }

    /// Where the libraries for networks are looked for, and what came of it.
    let search: LibrarySearch
    let networks = Mutex<Result<NetworkLibraries, DeviceError>?>(nil)

    public init(_ kernels: KernelLibrary, search: LibrarySearch = LibrarySearch()) {
        self.kernels = kernels
        self.search = search
    }

    /// Every device of an inventory.
    ///
    /// - Throws: why there is none.
    public static func all(_ inventory: DeviceInventory, memory: CodeMemory) throws(DeviceError) -> [CUDAAccelerator] {
        if let obstacle = inventory.obstacle { throw obstacle }
        guard let compiler = inventory.compiler else { return [] }
        return inventory.devices.map {
            CUDAAccelerator(
                KernelLibrary($0, compiler: compiler, memory: memory), search: inventory.search)
        }
    }

    /// The accelerator that stages of this module have kernels for.
    ///
    /// - Throws: `AcceleratorFailure` for another.
    static func of(_ accelerator: any Accelerator) throws -> CUDAAccelerator {
        guard let device = accelerator as? CUDAAccelerator else {
            throw AcceleratorFailure("the stage has no kernel for \(accelerator.name)")
        }
        return device
    }

    /// Does work for a stage; what fails on the device becomes what the engine falls back on.
    public func perform<R>(_ body: (KernelLibrary) throws -> R) throws -> R {
        do {
            return try body(kernels)
        } catch let error as DeviceError {
            var isFull = false
            if case .outOfMemory = error { isFull = true }
            throw AcceleratorFailure(error.message, isFull: isFull)
        }
    }
}

extension CodeMemory {
    /// In the store. A store that cannot be read or written is met by the run itself, which words its errors: here it
    /// costs a compilation.
    public static func store(_ memory: ToolMemory) -> CodeMemory {
        CodeMemory(
            recall: { identity in
                guard let value = try? memory.value(for: identity), case .bytes(let code) = value else { return nil }
                return code
            },
            keep: { code, identity, name, seconds in
                try? memory.keep(.bytes(code), for: identity, name: name, tool: "compile-kernel", seconds: seconds)
            })
    }
}
