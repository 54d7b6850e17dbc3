import Devices

/// A device that measures what its kernels take, by an event before and one after each launch.
///
/// The program's own calls run on it unchanged; copies are not counted.
final class TimedDevice: KernelDevice {
    typealias Memory = CUDAKernelDevice.Memory

    private let device: CUDAKernelDevice
    private var launches: [(kernel: String, start: CUDAEvent, end: CUDAEvent)] = []

    init(_ device: CUDAKernelDevice) { self.device = device }

    /// Seconds of each kernel since the last call of this, all launches together.
    func kernelSeconds() throws -> [String: Double] {
        try device.stream.synchronize()
        var seconds: [String: Double] = [:]
        for launch in launches {
            seconds[launch.kernel, default: 0] += try launch.end.seconds(since: launch.start)
        }
        launches = []
        return seconds
    }

    var multiprocessors: Int { device.multiprocessors }
    var sharedBytesPerBlock: Int { device.sharedBytesPerBlock }
    func freeBytes() throws -> Int { try device.freeBytes() }
    func memory(bytes: Int) throws -> Memory { try device.memory(bytes: bytes) }
    func write<T: BitwiseCopyable>(_ values: [T], to memory: Memory, at offset: Int) throws {
        try device.write(values, to: memory, at: offset)
    }
    func copy(_ bytes: Int, from memory: Memory, to other: Memory, at offset: Int) throws {
        try device.copy(bytes, from: memory, to: other, at: offset)
    }
    func read<T: BitwiseCopyable>(_ type: T.Type, count: Int, from memory: Memory) throws -> [T] {
        try device.read(type, count: count, from: memory)
    }
    func launch<T: BitwiseCopyable>(_ launch: KernelLaunch, _ parameter: T) throws {
        let start = try device.stream.record()
        try device.launch(launch, parameter)
        launches.append((launch.kernel, start, try device.stream.record()))
    }
}
