import CCUDA
import Synchronization

/// Work for a device that is done in the order in which it is given; beside that of other streams.
public final class CUDAStream: Sendable {
    public let device: CUDADevice
    // The driver's own object, which may be used from any thread.
    package nonisolated(unsafe) let handle: sw_cu_stream?
    /// Host memory that copies under way read or write.
    private let underWay = Mutex<[any Sendable]>([])

    public init(_ device: CUDADevice) throws(DeviceError) {
        self.device = device
        try device.makeCurrent()
        var handle: sw_cu_stream?
        try device.check(
            device.driver.functions.stream_create(&handle, UInt32(SW_CU_STREAM_NON_BLOCKING)),
            "cuStreamCreate")
        self.handle = handle
    }

    deinit {
        // Work that is under way is finished by the driver all the same; what it reads must stay until then.
        if (try? device.makeCurrent()) == nil { return }
        _ = device.driver.functions.stream_synchronize(handle)
        _ = device.driver.functions.stream_destroy(handle)
    }

    /// Waits until all that was given is done. Errors of kernels are thrown here at the latest.
    public func synchronize() throws(DeviceError) {
        try device.makeCurrent()
        try device.check(device.driver.functions.stream_synchronize(handle), "cuStreamSynchronize")
        underWay.withLock { $0 = [] }
    }

    /// Later work of this stream waits for `event`, on the device: the host goes on.
    public func wait(for event: CUDAEvent) throws(DeviceError) {
        try device.makeCurrent()
        try device.check(device.driver.functions.stream_wait_event(handle, event.handle, 0), "cuStreamWaitEvent")
    }

    /// Marks what was given so far.
    public func record() throws(DeviceError) -> CUDAEvent {
        let event = try CUDAEvent(device)
        try device.check(device.driver.functions.event_record(event.handle, handle), "cuEventRecord")
        return event
    }

    /// Keeps `memory` until `synchronize`.
    func keep(_ memory: any Sendable) { underWay.withLock { $0.append(memory) } }
}

/// A moment in a stream's work.
public final class CUDAEvent: Sendable {
    public let device: CUDADevice
    // The driver's own object, which may be used from any thread.
    nonisolated(unsafe) let handle: sw_cu_event?

    init(_ device: CUDADevice) throws(DeviceError) {
        self.device = device
        try device.makeCurrent()
        var handle: sw_cu_event?
        // Whoever waits sleeps: the host's cores compute meanwhile.
        try device.check(
            device.driver.functions.event_create(&handle, UInt32(SW_CU_EVENT_BLOCKING_SYNC)),
            "cuEventCreate")
        self.handle = handle
    }

    deinit {
        if (try? device.makeCurrent()) == nil { return }
        _ = device.driver.functions.event_destroy(handle)
    }

    /// Whether the stream has come this far.
    public func isReached() throws(DeviceError) -> Bool {
        try device.makeCurrent()
        let status = device.driver.functions.event_query(handle)
        if status == Int32(SW_CU_NOT_READY) { return false }
        try device.check(status, "cuEventQuery")
        return true
    }

    /// Waits until the stream has come this far.
    public func synchronize() throws(DeviceError) {
        try device.makeCurrent()
        try device.check(device.driver.functions.event_synchronize(handle), "cuEventSynchronize")
    }

    /// Seconds between two events that were both reached, to about half a microsecond.
    public func seconds(since earlier: CUDAEvent) throws(DeviceError) -> Double {
        try device.makeCurrent()
        var milliseconds: Float = 0
        try device.check(
            device.driver.functions.event_elapsed_time(&milliseconds, earlier.handle, handle), "cuEventElapsedTime")
        return Double(milliseconds) / 1000
    }
}
