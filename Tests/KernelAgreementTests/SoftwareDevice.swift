import Devices
import Foundation
import HostDevice

/// The device in software as the faces of kernels see it; or this machine's own, where SPINWEAVE_TEST_DEVICE=cuda asks for that: then
/// all that is claimed of kernels is claimed of it.
struct SoftwareDevice: KernelDevice {
    static let hardware: CUDAKernelDevice? = {
        let environment = ProcessInfo.processInfo.environment
        guard environment["SPINWEAVE_TEST_DEVICE"] == "cuda" else { return nil }
        let search = LibrarySearch(preferred: environment["SPINWEAVE_CUDA_LIBRARIES"])
        let inventory = DeviceInventory(search, networkLibraries: false)
        guard let device = inventory.devices.first, let compiler = inventory.compiler,
            let hardware = try? CUDAKernelDevice(KernelLibrary(device, compiler: compiler))
        else {
            preconditionFailure("SPINWEAVE_TEST_DEVICE=cuda: \(inventory.obstacle?.message ?? "no device")")
        }
        return hardware
    }()

    var order = HostDevice.Order.ascending
    /// In software an H100's.
    var sharedBytesPerBlock = hardware?.sharedBytesPerBlock ?? 227 << 10
    var multiprocessors = 2
    /// What `freeBytes` says, by which batches are bounded.
    var free = 1 << 30

    final class Memory: KernelMemory {
        let bytes: Int
        /// nil in software.
        let onHardware: CUDAKernelDevice.Memory?
        /// Empty on hardware.
        private let storage: UnsafeMutableRawPointer

        init(_ memory: CUDAKernelDevice.Memory) {
            (bytes, onHardware) = (memory.bytes, memory)
            storage = .allocate(byteCount: 1, alignment: 1)
        }

        init(bytes: Int) {
            (self.bytes, onHardware) = (bytes, nil)
            storage = .allocate(byteCount: max(1, bytes), alignment: 256)
            // As of a device: of no particular content, which here is NaN and negative numbers.
            storage.initializeMemory(as: UInt8.self, repeating: 0xFF, count: bytes)
        }

        deinit { storage.deallocate() }

        var address: UInt64 { onHardware?.address ?? UInt64(UInt(bitPattern: storage)) }

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
    func memory(bytes: Int) throws -> Memory {
        try Self.hardware.map { Memory(try $0.memory(bytes: bytes)) } ?? Memory(bytes: bytes)
    }
    func write<T: BitwiseCopyable>(_ values: [T], to memory: Memory, at offset: Int) throws {
        if let hardware = Self.hardware, let target = memory.onHardware {
            return try hardware.write(values, to: target, at: offset)
        }
        values.withUnsafeBytes { memory.write($0, at: offset) }
    }
    func copy(_ bytes: Int, from memory: Memory, to other: Memory, at offset: Int) throws {
        if let hardware = Self.hardware, let source = memory.onHardware, let target = other.onHardware {
            return try hardware.copy(bytes, from: source, to: target, at: offset)
        }
        other.write(memory.bytes(bytes), at: offset)
    }
    func read<T: BitwiseCopyable>(_ type: T.Type, count: Int, from memory: Memory) throws -> [T] {
        if let hardware = Self.hardware, let source = memory.onHardware {
            return try hardware.read(type, count: count, from: source)
        }
        return memory.read(type, count: count)
    }
    func launch<T: BitwiseCopyable>(_ launch: KernelLaunch, _ parameter: T) throws {
        if let hardware = Self.hardware { return try hardware.launch(launch, parameter) }
        try HostDevice.launch(
            launch.kernel, grid: Extent(launch.columns, launch.rows), block: Extent(launch.threads),
            sharedBytes: launch.sharedBytes, order: order, [.value(parameter)])
    }
}
