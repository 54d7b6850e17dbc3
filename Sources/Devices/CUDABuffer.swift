import CCUDA

/// Memory on a device: `count` elements of a plain type.
///
/// It belongs to a stream: it is there for what that stream is given after its making, and is given back after
/// what that stream was given before its end. Another stream waits for an event of the first before it uses it, and the first
/// for one of the other before the buffer ends.
public final class CUDABuffer<Element: BitwiseCopyable & Sendable>: Sendable {
    public let count: Int
    public let stream: CUDAStream
    let address: sw_cu_address

    public var bytes: Int { count * MemoryLayout<Element>.stride }

    /// Uninitialised memory.
    ///
    /// - Throws: `DeviceError.outOfMemory`, after which the device is as before.
    public init(count: Int, on stream: CUDAStream) throws(DeviceError) {
        self.count = count
        self.stream = stream
        let device = stream.device
        let functions = device.driver.functions
        try device.makeCurrent()
        // The driver gives no memory of no bytes.
        let bytes = max(1, count) * MemoryLayout<Element>.stride
        var address: sw_cu_address = 0
        let status =
            device.hasPools
            ? functions.memory_allocate_async(&address, bytes, stream.handle)
            : functions.memory_allocate(&address, bytes)
        if status == Int32(SW_CU_OUT_OF_MEMORY) {
            throw .outOfMemory(device: device.name, requested: bytes, free: try device.freeMemory())
        }
        try device.check(status, device.hasPools ? "cuMemAllocAsync" : "cuMemAlloc")
        self.address = address
    }

    /// A copy of `values`; the array may be changed as soon as this returns.
    public convenience init(_ values: [Element], on stream: CUDAStream) throws(DeviceError) {
        try self.init(count: values.count, on: stream)
        try copy(from: values)
    }

    deinit {
        let device = stream.device
        if (try? device.makeCurrent()) == nil { return }
        // Without pools the driver waits for all work before it gives memory back.
        _ =
            device.hasPools
            ? device.driver.functions.memory_free_async(address, stream.handle)
            : device.driver.functions.memory_free(address)
    }

    /// Copies an array of `count` values; the array may be changed as soon as this returns.
    public func copy(from values: [Element]) throws(DeviceError) {
        precondition(values.count == count, "\(values.count) values for a buffer of \(count)")
        if count == 0 { return }
        try stream.device.makeCurrent()
        // Pageable memory may be read after the call has returned, where a device reads the host's own ("API synchronization behavior").
        let functions = stream.device.driver.functions
        let status = values.withUnsafeBytes {
            let given = functions.copy_to_device(address, $0.baseAddress, $0.count, stream.handle)
            return given == 0 ? functions.stream_synchronize(stream.handle) : given
        }
        try stream.device.check(status, "cuMemcpyHtoDAsync")
    }

    /// Copies pinned memory, which the stream keeps and nobody may write until the stream has come past this.
    public func copy(from memory: PinnedBuffer<Element>) throws(DeviceError) {
        precondition(memory.count == count, "\(memory.count) values for a buffer of \(count)")
        if count == 0 { return }
        try stream.device.makeCurrent()
        stream.keep(memory)
        try stream.device.check(
            stream.device.driver.functions.copy_to_device(address, memory.address, bytes, stream.handle),
            "cuMemcpyHtoDAsync")
    }

    /// Copies into pinned memory, which the stream keeps and nobody may read until the stream has come past this.
    public func copy(to memory: PinnedBuffer<Element>) throws(DeviceError) {
        precondition(memory.count == count, "a buffer of \(count) values into \(memory.count)")
        if count == 0 { return }
        try stream.device.makeCurrent()
        stream.keep(memory)
        try stream.device.check(
            stream.device.driver.functions.copy_to_host(memory.address, address, bytes, stream.handle),
            "cuMemcpyDtoHAsync")
    }

    /// Every byte becomes `byte`.
    public func fill(byte: UInt8) throws(DeviceError) {
        if count == 0 { return }
        try stream.device.makeCurrent()
        try stream.device.check(
            stream.device.driver.functions.fill_bytes(address, byte, bytes, stream.handle), "cuMemsetD8Async")
    }

    /// The values after all that the stream was given; waits for it.
    public func values() throws(DeviceError) -> [Element] {
        let device = stream.device
        try device.makeCurrent()
        var status: Int32 = 0
        let values = [Element](unsafeUninitializedCapacity: count) { buffer, initialised in
            if count == 0 { return }
            status = device.driver.functions.copy_to_host(buffer.baseAddress, address, bytes, stream.handle)
            if status == 0 { status = device.driver.functions.stream_synchronize(stream.handle) }
            // After a failure the bytes are whatever was there; they are plain, and thrown away below.
            initialised = count
        }
        try device.check(status, "cuMemcpyDtoHAsync")
        return values
    }
}

/// Host memory that a device reads and writes by itself, while the host goes on.
///
/// Whoever writes or reads it while a stream copies has a race; `CUDAStream.synchronize` and `CUDAEvent` say when a copy is
/// done. That is why it is Sendable only by its user's promise.
public final class PinnedBuffer<Element: BitwiseCopyable & Sendable>: @unchecked Sendable {
    public let count: Int
    let device: CUDADevice
    let address: UnsafeMutableRawPointer

    /// Memory of no particular content.
    public init(count: Int, for device: CUDADevice) throws(DeviceError) {
        self.count = count
        self.device = device
        try device.makeCurrent()
        var address: UnsafeMutableRawPointer?
        let bytes = max(1, count) * MemoryLayout<Element>.stride
        try device.check(
            device.driver.functions.host_allocate(&address, bytes, UInt32(SW_CU_HOST_PORTABLE)),
            "cuMemHostAlloc")
        guard let address else {
            throw .call(function: "cuMemHostAlloc", device: device.name, code: "no address", reason: "nothing")
        }
        self.address = address
        address.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    }

    deinit {
        if (try? device.makeCurrent()) == nil { return }
        _ = device.driver.functions.host_free(address)
    }

    public var values: [Element] {
        Array(UnsafeBufferPointer(start: address.assumingMemoryBound(to: Element.self), count: count))
    }

    /// Lets `body` fill the memory.
    public func write<R>(_ body: (inout MutableSpan<Element>) throws -> R) rethrows -> R {
        let buffer = UnsafeMutableBufferPointer(start: address.assumingMemoryBound(to: Element.self), count: count)
        var span = buffer.mutableSpan
        return try body(&span)
    }
}
