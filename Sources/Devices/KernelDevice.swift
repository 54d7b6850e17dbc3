/// One launch of one of the program's CUDA kernels.
public struct KernelLaunch: Sendable, Hashable {
    /// The file that has it: `magnons.cu`.
    public var text: String
    public var kernel: String
    /// Blocks along x and y.
    public var columns: Int
    public var rows: Int
    /// Threads of a block.
    public var threads: Int
    /// Shared memory that the launch adds to the kernel's own.
    public var sharedBytes: Int

    public init(text: String, kernel: String, columns: Int, rows: Int = 1, threads: Int, sharedBytes: Int = 0) {
        self.text = text
        self.kernel = kernel
        self.columns = columns
        self.rows = rows
        self.threads = threads
        self.sharedBytes = sharedBytes
    }
}

/// Memory on a device, given back when the object ends.
public protocol KernelMemory: AnyObject {
    /// As a kernel sees it.
    var address: UInt64 { get }
}

/// What the Swift face of a CUDA kernel needs of a device: a real one, or the one in software by which kernels are tested.
///
/// Work is done in the order in which it is given; `read` waits for it.
public protocol KernelDevice {
    associatedtype Memory: KernelMemory

    var multiprocessors: Int { get }
    /// The most shared memory that a block may have, bytes.
    var sharedBytesPerBlock: Int { get }
    /// What can still be taken, bytes.
    func freeBytes() throws -> Int
    /// Memory of no particular content.
    func memory(bytes: Int) throws -> Memory
    /// - Parameter offset: where in the memory, bytes.
    func write<T: BitwiseCopyable>(_ values: [T], to memory: Memory, at offset: Int) throws
    /// Copies memory on the device, from its begin on.
    func copy(_ bytes: Int, from memory: Memory, to other: Memory, at offset: Int) throws
    func read<T: BitwiseCopyable>(_ type: T.Type, count: Int, from memory: Memory) throws -> [T]
    /// - Parameter parameter: the kernel's one parameter, a struct of CKernels.
    func launch<T: BitwiseCopyable>(_ launch: KernelLaunch, _ parameter: T) throws
}

extension KernelDevice {
    public func write<T: BitwiseCopyable>(_ values: [T], to memory: Memory) throws {
        try write(values, to: memory, at: 0)
    }

    /// Memory that holds a copy of `values`; of one element at least, so that there is an address.
    public func memory<T: BitwiseCopyable>(of values: [T]) throws -> Memory {
        let memory = try memory(bytes: max(1, values.count) * MemoryLayout<T>.stride)
        if !values.isEmpty { try write(values, to: memory) }
        return memory
    }
}
