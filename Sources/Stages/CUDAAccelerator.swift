import Artifacts
import Dataflow
import Devices
import Synchronization

/// A CUDA device as the engine sees it, with the program's kernels for the stages that have some.
public final class CUDAAccelerator: Accelerator {
    /// What the user calls it (`--executor cuda`) and what records say.
    public static let executor = "cuda"

    public let kernels: KernelLibrary
    /// What stages left on the device for those that come after.
    public let residents: ResidentArtifacts
    /// Streams, with their pinned memory, that nobody uses now.
    private let idle = Mutex<[CUDAKernelDevice]>([])

    public var executor: String { Self.executor }
    public var name: String { kernels.device.name }
    public var kind: String { "\(kernels.device.model), sm_\(kernels.device.architecture)" }

    /// Where the libraries for networks are looked for, and what came of it.
    let search: LibrarySearch
    let networks = Mutex<Result<NetworkLibraries, DeviceError>?>(nil)

    /// - Parameter residentBytes: the most that stays on the device from stage to stage; nil: `residentBytes(of:)`.
    public init(_ kernels: KernelLibrary, search: LibrarySearch = LibrarySearch(), residentBytes: Int? = nil) {
        self.kernels = kernels
        self.search = search
        residents = ResidentArtifacts(bound: residentBytes ?? Self.residentBytes(of: kernels.device))
    }

    /// What stays where nobody says otherwise: half of the device's memory, or of what others leave free of it now.
    public static func residentBytes(of device: CUDADevice) -> Int {
        min(device.memory, (try? device.freeMemory()) ?? device.memory) / 2
    }

    /// Every device of an inventory.
    ///
    /// - Parameter residentBytes: of each.
    /// - Throws: why there is none.
    public static func all(
        _ inventory: DeviceInventory, memory: CodeMemory, residentBytes: Int? = nil
    ) throws(DeviceError) -> [CUDAAccelerator] {
        if let obstacle = inventory.obstacle { throw obstacle }
        guard let compiler = inventory.compiler else { return [] }
        return inventory.devices.map {
            CUDAAccelerator(
                KernelLibrary($0, compiler: compiler, memory: memory), search: inventory.search,
                residentBytes: residentBytes)
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

    public func keep(_ remnant: any Sendable, of digest: Digest) {
        if let resident = remnant as? any Resident { residents.keep(resident, of: digest) }
    }

    public func remnant(of digest: Digest) -> (any Sendable)? { residents.resident(of: digest) }

    /// Gives back what stays on the device, streams and pinned memory: before the program ends, when the driver must not be called any more.
    public func giveBack() {
        _ = try? residents.release()
        let streams = idle.withLock { idle in
            defer { idle = [] }
            return idle
        }
        withExtendedLifetime(streams) {}
    }

    /// Does work for a stage on a stream that nobody else uses meanwhile. Where the device has no room, what stays on it goes, and the work
    /// is tried once more.
    public func onStream<R>(_ body: (CUDAKernelDevice) throws -> R) throws -> R {
        try perform { library in
            let device = try idle.withLock { $0.popLast() } ?? CUDAKernelDevice(library)
            do {
                let result = try trying(body, on: device)
                idle.withLock { $0.append(device) }
                return result
            } catch {
                // What is under way reads memory that its owners are about to give back. The stream is not used again.
                try? device.stream.synchronize()
                throw error
            }
        }
    }

    private func trying<R>(_ body: (CUDAKernelDevice) throws -> R, on device: CUDAKernelDevice) throws -> R {
        do {
            return try body(device)
        } catch let error as DeviceError {
            guard error.isFull else { throw error }
            try device.stream.synchronize()
            guard try residents.release() else { throw error }
        }
        return try body(device)
    }

    /// Does work for a stage; what fails on the device becomes what the engine falls back on.
    public func perform<R>(_ body: (KernelLibrary) throws -> R) throws -> R {
        do {
            return try body(kernels)
        } catch let error as DeviceError {
            // Whoever tries again finds more room.
            if error.isFull { _ = try? residents.release() }
            throw AcceleratorFailure(error.message, isFull: error.isFull, isUnfit: error.isUnfit)
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
