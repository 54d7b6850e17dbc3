import CCUDA

/// A CUDA device as the faces of kernels see it: kernels are compiled when first wanted, and work is done in the order of one
/// stream. Copies pass through pinned memory, of which it has two blocks: uploads go on while the host does.
public struct CUDAKernelDevice: KernelDevice, Sendable {
    public let library: KernelLibrary
    public let stream: CUDAStream
    /// nil where the machine gives no pinned memory: then copies wait.
    private let staging: PinnedStaging?

    /// - Parameter stagingBytes: of each of the two blocks of pinned memory.
    public init(_ library: KernelLibrary, stream: CUDAStream, stagingBytes: Int = pinnedBytes / 2) {
        self.library = library
        self.stream = stream
        do throws(DeviceError) {
            staging = try PinnedStaging(stream, size: stagingBytes)
        } catch {
            staging = nil
        }
    }

    /// A stream of its own.
    public init(_ library: KernelLibrary) throws(DeviceError) {
        self.init(library, stream: try CUDAStream(library.device))
    }

    /// Pinned memory of each stream, bytes.
    public static var pinnedBytes: Int { 2 * PinnedStaging.usualBlock }

    /// Bytes of a buffer, of which parts are read and written.
    public final class Memory: KernelMemory, Sendable {
        fileprivate let buffer: CUDABuffer<UInt8>
        public var address: UInt64 { buffer.address }
        public var bytes: Int { buffer.bytes }

        fileprivate init(_ buffer: CUDABuffer<UInt8>) { self.buffer = buffer }
    }

    public var multiprocessors: Int { stream.device.multiprocessors }
    public var sharedBytesPerBlock: Int { stream.device.sharedPerBlock }
    public func freeBytes() throws(DeviceError) -> Int { try stream.device.freeMemory() }

    public func memory(bytes: Int) throws(DeviceError) -> Memory {
        Memory(try CUDABuffer(count: bytes, on: stream))
    }

    public func write<T: BitwiseCopyable>(_ values: [T], to memory: Memory, at offset: Int) throws(DeviceError) {
        let bytes = values.count * MemoryLayout<T>.stride
        precondition(offset + bytes <= memory.buffer.count, "\(bytes) bytes for a buffer of \(memory.buffer.count)")
        if bytes == 0 { return }
        let device = stream.device
        try device.makeCurrent()
        if let staging {
            // The array's closures throw any error.
            var failure: DeviceError?
            values.withUnsafeBytes { bytes in
                do throws(DeviceError) {
                    try staging.write(bytes, to: memory.address + UInt64(offset))
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            return
        }
        // Pageable memory may be read after the call has returned, where a device reads the host's own ("API synchronization behavior").
        let functions = device.driver.functions
        let status = values.withUnsafeBytes {
            let given = functions.copy_to_device(
                memory.address + UInt64(offset), $0.baseAddress, bytes, stream.handle)
            return given == 0 ? functions.stream_synchronize(stream.handle) : given
        }
        try device.check(status, "cuMemcpyHtoDAsync")
    }

    public func copy(_ bytes: Int, from memory: Memory, to other: Memory, at offset: Int) throws(DeviceError) {
        precondition(bytes <= memory.buffer.count && offset + bytes <= other.buffer.count)
        if bytes == 0 { return }
        try stream.device.makeCurrent()
        try stream.device.check(
            stream.device.driver.functions.copy_on_device(
                other.address + UInt64(offset), memory.address, bytes, stream.handle), "cuMemcpyDtoDAsync")
    }

    public func read<T: BitwiseCopyable>(
        _ type: T.Type, count: Int, from memory: Memory
    ) throws(DeviceError) -> [T] {
        let bytes = count * MemoryLayout<T>.stride
        precondition(bytes <= memory.buffer.count, "\(bytes) bytes from a buffer of \(memory.buffer.count)")
        let device = stream.device
        try device.makeCurrent()
        if let staging {
            var failure: DeviceError?
            let values = [T](unsafeUninitializedCapacity: count) { buffer, initialised in
                do throws(DeviceError) {
                    if count > 0 {
                        try staging.read(into: UnsafeMutableRawBufferPointer(buffer), from: memory.address)
                    }
                } catch {
                    failure = error
                }
                // After a failure the bytes are whatever was there; they are plain, and thrown away below.
                initialised = count
            }
            if let failure { throw failure }
            return values
        }
        var status: Int32 = 0
        let values = [T](unsafeUninitializedCapacity: count) { buffer, initialised in
            if count == 0 { return }
            status = device.driver.functions.copy_to_host(buffer.baseAddress, memory.address, bytes, stream.handle)
            if status == 0 { status = device.driver.functions.stream_synchronize(stream.handle) }
            // After a failure the bytes are whatever was there; they are plain, and thrown away below.
            initialised = count
        }
        try device.check(status, "cuMemcpyDtoHAsync")
        return values
    }

    public func launch<T: BitwiseCopyable>(_ launch: KernelLaunch, _ parameter: T) throws(DeviceError) {
        let kernel = try library.kernel(launch.kernel, in: launch.text)
        try kernel.launch(
            grid: GridExtent(launch.columns, launch.rows), block: GridExtent(launch.threads),
            sharedBytes: launch.sharedBytes, on: stream, [.value(parameter)])
    }
}
