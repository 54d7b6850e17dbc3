/// Tries a device on what every kernel needs, with answers that are known.
public enum DeviceCheck {
    /// Runs the kernels of `axpy.cu`: copies both ways, a launch over many blocks, shared memory, barriers and shuffles.
    ///
    /// - Returns: nil for a device that gives the right answers; else what it got wrong.
    public static func problem(of module: CUDAModule) throws(DeviceError) -> String? {
        let stream = try CUDAStream(module.device)
        let count = 10_007
        // Small integers: right in every order of adding them, fused or not.
        let x = (0..<count).map { Double($0 * $0 % 1013) }
        let y = (0..<count).map { Double($0 % 17) }
        let xs = try CUDABuffer(x, on: stream)
        let ys = try CUDABuffer(y, on: stream)
        let sums = try CUDABuffer<Double>(count: 4, on: stream)
        try module.kernel("sw_axpy").launch(
            grid: 7, block: 256, on: stream, [.value(Int64(count)), .value(3.0), .buffer(xs), .buffer(ys)])
        try module.kernel("sw_block_sums").launch(
            grid: 4, block: 256, sharedBytes: 8 * 8, on: stream, [.value(Int64(count)), .buffer(ys), .buffer(sums)])
        let result = try ys.values()
        for index in 0..<count where result[index] != 3 * x[index] + y[index] {
            return "3 · \(x[index]) + \(y[index]) gave \(result[index])"
        }
        let total = try sums.values().reduce(0, +)
        let expected = result.reduce(0, +)
        return total == expected ? nil : "a sum of \(expected) gave \(total)"
    }
}
