import Devices
import Foundation
import HostDevice
import Testing

/// The runtime against a device in software that is opened as a real one is. It shows what the calls do, and nothing of a
/// real device's speed or concurrency.
@Suite("A CUDA device")
struct DeviceTests {
    private func device(_ settings: [String: String] = [:]) throws -> (CUDADevice, SoftwareCUDA) {
        let software = try SoftwareCUDA(settings)
        let driver = try CUDADriver(LibrarySearch(preferred: software.directory))
        return (try driver.devices()[0], software)
    }

    private func module(on device: CUDADevice, _ software: SoftwareCUDA) throws -> CUDAModule {
        let compiler = try KernelCompiler(LibrarySearch(preferred: software.directory))
        let text = try #require(KernelText.named("axpy.cu"))
        return try CUDAModule(try compiler.compile(text, for: try compiler.target(for: device)), on: device)
    }

    @Test("copies, launches, shared memory and shuffles give the right answers", arguments: ["0", "1", "777"])
    func check(order: String) throws {
        let (device, software) = try device(["order": order])
        #expect(try DeviceCheck.problem(of: try module(on: device, software)) == nil)
        #expect(device.architecture == 90 && device.model == "Software device" && device.memory == 1 << 30)
    }

    @Test("memory comes back when its buffers end, and too large a buffer says what is free", arguments: ["0", "1"])
    func memory(pools: String) throws {
        let (device, _) = try device(["memory": "1000000", "pools": pools])
        let stream = try CUDAStream(device)
        for _ in 0..<5 {
            let buffer = try CUDABuffer<Double>(count: 100_000, on: stream)
            #expect(try device.freeMemory() == 200_000)
            #expect {
                try CUDABuffer<Float>(count: 75_000, on: stream)
            } throws: { error in
                error as? DeviceError
                    == .outOfMemory(device: "Software device (device 0)", requested: 300_000, free: 200_000)
            }
            withExtendedLifetime(buffer) {}
        }
        try stream.synchronize()
        #expect(try device.freeMemory() == 1_000_000)
    }

    @Test("pinned memory has a copy when the stream says so, and not before; events tell when")
    func pinned() throws {
        let (device, software) = try device()
        let module = try module(on: device, software)
        let stream = try CUDAStream(device)
        let host = try PinnedBuffer<Double>(count: 1000, for: device)
        host.write { span in for index in span.indices { span[index] = Double(index) } }
        let x = try CUDABuffer<Double>(count: 1000, on: stream)
        let y = try CUDABuffer<Double>(count: 1000, on: stream)
        try x.copy(from: host)
        try y.fill(byte: 0)
        try module.kernel("sw_axpy").launch(
            grid: 2, block: 128, on: stream, [.value(Int64(1000)), .value(2.0), .buffer(x), .buffer(y)])
        let answer = try PinnedBuffer<Double>(count: 1000, for: device)
        try y.copy(to: answer)
        let event = try stream.record()
        // The device in software does nothing before someone waits.
        #expect(try !event.isReached() && answer.values.allSatisfy { $0 == 0 })
        try event.synchronize()
        #expect(try event.isReached() && answer.values == (0..<1000).map { 2 * Double($0) })
    }

    @Test("a stream waits for another's event")
    func order() throws {
        let (device, software) = try device()
        let module = try module(on: device, software)
        let first = try CUDAStream(device)
        let second = try CUDAStream(device)
        let x = try CUDABuffer([1.0, 2, 3], on: first)
        let y = try CUDABuffer([10.0, 20, 30], on: second)
        try second.wait(for: try first.record())
        try module.kernel("sw_axpy").launch(
            grid: 1, block: 32, on: second, [.value(Int64(3)), .value(1.0), .buffer(x), .buffer(y)])
        #expect(try y.values() == [11, 22, 33])
    }

    @Test("part of a buffer, and buffers of nothing")
    func parts() throws {
        let (device, software) = try device()
        let kernel = try module(on: device, software).kernel("sw_axpy")
        let stream = try CUDAStream(device)
        let x = try CUDABuffer([1.0, 2, 3, 4], on: stream)
        let y = try CUDABuffer([0.0, 0, 0, 0], on: stream)
        try kernel.launch(
            grid: 1, block: 32, on: stream, [.value(Int64(2)), .value(1.0), .buffer(x, from: 2), .buffer(y, from: 1)])
        #expect(try y.values() == [0, 3, 4, 0])
        #expect(try CUDABuffer<Float>([], on: stream).values() == [])
    }

    @Test("launches that do not fit are refused before the device sees them")
    func launches() throws {
        let (device, software) = try device()
        let kernel = try module(on: device, software).kernel("sw_axpy")
        let stream = try CUDAStream(device)
        func reason(
            grid: GridExtent = 1, block: GridExtent = 32, shared: Int = 0, _ arguments: [KernelArgument]
        ) -> String? {
            do {
                try kernel.launch(grid: grid, block: block, sharedBytes: shared, on: stream, arguments)
                return nil
            } catch {
                guard case .launch(_, _, let reason) = error else { return "\(error)" }
                return reason
            }
        }
        let right: [KernelArgument] = [.value(Int64(0)), .value(1.0), .null, .null]
        #expect(reason(right) == nil)
        #expect(reason([.value(Int64(0))]) == "it has 4 parameters, not 1")
        #expect(
            reason([.value(Int32(0)), .value(1.0), .null, .null]) == "its parameter 0 has 8 bytes, not 4")
        #expect(reason(grid: 0, right) == "a grid of 0 × 1 × 1 blocks")
        #expect(reason(block: GridExtent(64, 32), right) == "blocks of 2048 threads; at most 1024 fit")
        #expect(reason(shared: 240_000, right) == "240000 bytes of shared memory; a block has at most 232448")
    }

    /// CUDA driver API, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: what a kernel has of its own counts in the 48 KB that a block
    /// may have without asking. The device in software refuses more, as a driver does.
    @Test("shared memory up to a block's limit is asked for, a kernel's own counted", arguments: [0, 8208])
    func shared(own: Int) throws {
        let (device, software) = try device(["shared": "\(own)"])
        let kernel = try module(on: device, software).kernel("sw_axpy")
        #expect(kernel.sharedBytes == own)
        let stream = try CUDAStream(device)
        for dynamic in [0, 40_944, 40_945, 49_152, 49_153, 232_448 - own] {
            try kernel.launch(
                grid: 1, block: 32, sharedBytes: dynamic, on: stream, [.value(Int64(0)), .value(1.0), .null, .null])
        }
        #expect(throws: DeviceError.self) {
            try kernel.launch(
                grid: 1, block: 32, sharedBytes: 232_449 - own, on: stream,
                [.value(Int64(0)), .value(1.0), .null, .null])
        }
        try stream.synchronize()
    }

    @Test("memory that a launch does not find is lack of room, not a lost device")
    func noRoomToLaunch() throws {
        let (device, software) = try device(["fail": "cuLaunchKernel:1", "code": "2"])
        let kernel = try module(on: device, software).kernel("sw_axpy")
        let stream = try CUDAStream(device)
        #expect {
            try kernel.launch(grid: 1, block: 32, on: stream, [.value(Int64(0)), .value(1.0), .null, .null])
        } throws: { error in
            let error = error as? DeviceError
            return error == .noRoom(function: "cuLaunchKernel of sw_axpy", device: "Software device (device 0)")
                && error?.isFull == true && error?.isUnfit == false
        }
    }

    @Test("a device that cannot be used leaves the others, and is named")
    func oneOfTwo() throws {
        let software = try SoftwareCUDA(["devices": "2", "fail": "cuDevicePrimaryCtxRetain:2", "code": "46"])
        let inventory = DeviceInventory(LibrarySearch(preferred: software.directory))
        #expect(inventory.obstacle == nil && inventory.devices.map(\.ordinal) == [0])
        #expect(inventory.unusable.count == 1)
        #expect(inventory.unusable.first?.message.contains("cuDevicePrimaryCtxRetain failed on device 1") == true)
    }

    @Test("a kernel that writes beside its buffer is an error of what waits for it")
    func outside() throws {
        let (device, software) = try device()
        let kernel = try module(on: device, software).kernel("sw_axpy")
        let stream = try CUDAStream(device)
        let x = try CUDABuffer([1.0, 2, 3, 4], on: stream)
        let y = try CUDABuffer([1.0, 2, 3], on: stream)
        try kernel.launch(
            grid: 1, block: 32, on: stream, [.value(Int64(4)), .value(1.0), .buffer(x), .buffer(y)])
        #expect {
            try stream.synchronize()
        } throws: { error in
            guard case .call(_, _, "CUDA_ERROR_ILLEGAL_ADDRESS", let reason) = error as? DeviceError else {
                return false
            }
            return reason == "memory beside a buffer of 24 bytes was written"
        }
        // The context is lost, as on a device.
        #expect(throws: DeviceError.self) { try y.values() }
    }
}
