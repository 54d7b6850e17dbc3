import Devices

/// What a device reaches at best, measured: the floors of a kernel are set against this, not against a data sheet.
struct DevicePeaks {
    /// Flops a second by multiply-adds outside the tensor cores.
    var double: Double
    var single: Double
    /// Bytes a second, read and written, of a copy on the device.
    var memory: Double
    /// Bytes a second from pinned memory of the host.
    var upload: Double

    /// - Parameter isSmall: sizes for a device in software, whose figures say nothing.
    init(on device: CUDAKernelDevice, isSmall: Bool) throws {
        let blocks = isSmall ? 2 : 32 * device.multiprocessors
        let rounds: Int64 = isSmall ? 4 : 4096
        let sums = try device.memory(bytes: 8 * 256 * blocks)
        func flops(_ name: String, _ factor: KernelArgument) throws -> Double {
            let kernel = try device.library.kernel(name, in: "measure.cu")
            let seconds = try Self.best(3, on: device) {
                try kernel.launch(
                    grid: GridExtent(blocks), block: 256, on: device.stream,
                    [.value(rounds), factor, .value(sums.address)])
            }
            return 16 * Double(rounds) * 256 * Double(blocks) / seconds
        }
        double = try flops("sw_measure_double", .value(0.999))
        single = try flops("sw_measure_single", .value(Float(0.999)))
        // Far more than any cache holds.
        let bytes = isSmall ? 1 << 12 : 1 << 31
        let (source, target) = (try device.memory(bytes: bytes), try device.memory(bytes: bytes))
        let values = [UInt8](repeating: 1, count: min(bytes, 1 << 28))
        try device.write(values, to: source)
        memory =
            2 * Double(bytes)
            / (try Self.best(3, on: device) { try device.copy(bytes, from: source, to: target, at: 0) })
        upload = Double(values.count) / (try Self.best(3, on: device) { try device.write(values, to: source) })
    }

    /// Seconds on the device, the best of several after one that does not count.
    static func best(_ rounds: Int, on device: CUDAKernelDevice, _ work: () throws -> Void) throws -> Double {
        var best = Double.infinity
        for round in 0...rounds {
            let start = try device.stream.record()
            try work()
            let end = try device.stream.record()
            try end.synchronize()
            // An event is good for half a microsecond.
            if round > 0 { best = min(best, max(5e-7, try end.seconds(since: start))) }
        }
        return best
    }
}
