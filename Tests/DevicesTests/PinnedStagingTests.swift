import HostDevice
import Testing

@testable import Devices

/// The device in software does nothing before someone waits: memory that is used again while a copy is under way ends up with the bytes of
/// later copies, and what is read too early is what was there before.
@Suite("Copies through pinned memory")
struct PinnedStagingTests {
    private let device: CUDADevice
    private let software: SoftwareCUDA

    init() throws {
        software = try SoftwareCUDA()
        device = try CUDADriver(LibrarySearch(preferred: software.directory)).devices()[0]
    }

    private func bytes(_ count: Int, _ seed: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: ($0 + 1) &* (seed &+ 7) &* 2_654_435_761 >> 11) }
    }

    /// Blocks of 1,000 bytes, so that copies share a block, fill both and begin anew many times.
    @Test("arrays of every size come back as they went, many on the way at once")
    func sizes() throws {
        let stream = try CUDAStream(device)
        let staging = try PinnedStaging(stream, size: 1000)
        let sizes = [1, 999, 1000, 1001, 300, 300, 300, 300, 2500, 7, 10_000, 1, 0, 1999]
        var buffers: [CUDABuffer<UInt8>] = []
        for (index, size) in sizes.enumerated() {
            let buffer = try CUDABuffer<UInt8>(count: size, on: stream)
            try bytes(size, index).withUnsafeBytes { try staging.write($0, to: buffer.address) }
            buffers.append(buffer)
        }
        for (index, size) in sizes.enumerated().reversed() {
            var found = [UInt8](repeating: 0, count: size)
            try found.withUnsafeMutableBytes { try staging.read(into: $0, from: buffers[index].address) }
            #expect(found == bytes(size, index), "\(size) bytes")
        }
        // As without pinned memory.
        #expect(try buffers[8].values() == bytes(2500, 8))
    }

    @Test("reading waits for what the stream was given before")
    func order() throws {
        let stream = try CUDAStream(device)
        let staging = try PinnedStaging(stream, size: 512)
        let buffer = try CUDABuffer<UInt8>(count: 2000, on: stream)
        for round in 0..<5 {
            try bytes(2000, round).withUnsafeBytes { try staging.write($0, to: buffer.address) }
            try buffer.fill(byte: UInt8(round))
            var found = [UInt8](repeating: 99, count: 2000)
            try found.withUnsafeMutableBytes { try staging.read(into: $0, from: buffer.address) }
            #expect(found == [UInt8](repeating: UInt8(round), count: 2000))
        }
    }

    /// That the tests above and those of streams can fail: what they guard against shows.
    @Test("memory that is used without waiting is stale, on one stream and across two")
    func misuse() throws {
        let first = try CUDAStream(device)
        let second = try CUDAStream(device)
        let host = try PinnedBuffer<UInt8>(count: 100, for: device)
        let buffer = try CUDABuffer<UInt8>(count: 100, on: first)
        host.write { span in for index in span.indices { span[index] = 1 } }
        try buffer.copy(from: host)
        // Written before the copy was waited for: the later bytes arrive.
        host.write { span in for index in span.indices { span[index] = 2 } }
        #expect(try buffer.values() == [UInt8](repeating: 2, count: 100))

        let device = CUDAKernelDevice(try library(), stream: second)
        let other = try device.memory(bytes: 100)
        // Kept, for its end waits for its stream.
        let owner = CUDAKernelDevice(try library(), stream: first)
        let source = try owner.memory(of: [UInt8](repeating: 5, count: 100))
        try device.copy(100, from: source, to: other, at: 0)
        // The first stream has done nothing yet, and nobody waited for it.
        #expect(try device.read(UInt8.self, count: 100, from: other) != [UInt8](repeating: 5, count: 100))
        try second.wait(for: try first.record())
        try device.copy(100, from: source, to: other, at: 0)
        #expect(try device.read(UInt8.self, count: 100, from: other) == [UInt8](repeating: 5, count: 100))
        withExtendedLifetime(owner) {}
    }

    @Test("a machine that gives no pinned memory copies without it")
    func withoutPinned() throws {
        let software = try SoftwareCUDA(["fail": "cuMemHostAlloc:1"])
        let driver = try CUDADriver(LibrarySearch(preferred: software.directory))
        let compiler = try KernelCompiler(LibrarySearch(preferred: software.directory))
        let device = try CUDAKernelDevice(KernelLibrary(driver.devices()[0], compiler: compiler))
        let memory = try device.memory(of: [1.0, 2, 3])
        try device.write([7.0], to: memory, at: 8)
        #expect(try device.read(Double.self, count: 3, from: memory) == [1, 7, 3])
    }

    private func library() throws -> KernelLibrary {
        KernelLibrary(device, compiler: try KernelCompiler(LibrarySearch(preferred: software.directory)))
    }
}
