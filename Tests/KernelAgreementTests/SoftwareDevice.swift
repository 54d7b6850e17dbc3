import Devices
import HostDevice

/// The device in software as the faces of kernels see it.
struct SoftwareDevice: KernelDevice {
    var order = HostDevice.Order.ascending
    /// An H100's.
    var sharedBytesPerBlock = 227 << 10
    var multiprocessors = 2
    /// What `freeBytes` says, by which batches are bounded.
    var free = 1 << 30

    final class Memory: KernelMemory {
        let bytes: Int
        private let storage: UnsafeMutableRawPointer

        init(bytes: Int) {
            self.bytes = bytes
            storage = .allocate(byteCount: max(1, bytes), alignment: 256)
            // As of a device: of no particular content, which here is NaN and negative numbers.
            storage.initializeMemory(as: UInt8.self, repeating: 0xFF, count: bytes)
        }

        deinit { storage.deallocate() }

        var address: UInt64 { UInt64(UInt(bitPattern: storage)) }

        fileprivate func write(_ source: UnsafeRawBufferPointer, at offset: Int) {
            precondition(offset + source.count <= bytes)
            if let base = source.baseAddress { (storage + offset).copyMemory(from: base, byteCount: source.count) }
        }

        fileprivate func bytes(_ count: Int) -> UnsafeRawBufferPointer {
            precondition(count <= bytes)
            return UnsafeRawBufferPointer(start: storage, count: count)
        }

        fileprivate func read<T: BitwiseCopyable>(_ type: T.Type, count: Int) -> [T] {
            precondition(count * MemoryLayout<T>.stride <= bytes)
            return (0..<count).map { storage.load(fromByteOffset: $0 * MemoryLayout<T>.stride, as: T.self) }
        }
    }

    func freeBytes() -> Int { free }
    func memory(bytes: Int) -> Memory { Memory(bytes: bytes) }
    func write<T: BitwiseCopyable>(_ values: [T], to memory: Memory, at offset: Int) {
        values.withUnsafeBytes { memory.write($0, at: offset) }
    }
    func copy(_ bytes: Int, from memory: Memory, to other: Memory, at offset: Int) {
        other.write(memory.bytes(bytes), at: offset)
    }
    func read<T: BitwiseCopyable>(_ type: T.Type, count: Int, from memory: Memory) -> [T] {
        memory.read(type, count: count)
    }
    func launch<T: BitwiseCopyable>(_ launch: KernelLaunch, _ parameter: T) throws {
        try HostDevice.launch(
            launch.kernel, grid: Extent(launch.columns, launch.rows), block: Extent(launch.threads),
            sharedBytes: launch.sharedBytes, order: order, [.value(parameter)])
    }
}
