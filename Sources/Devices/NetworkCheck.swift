/// Tries cuDNN and cuBLAS on a device with answers that are known.
public enum NetworkCheck {
    /// A convolution with strides and edges, on its way and both ways back, and a product of matrices of which one is transposed.
    ///
    /// - Parameter bf16: whether factors in bf16 are tried too.
    /// - Returns: nil for a device that gives the right answers; else what it got wrong.
    public static func problem(of network: NetworkDevice, bf16: Bool = false) throws(DeviceError) -> String? {
        if let problem = try problem(of: network, in: .f32) { return problem }
        return bf16 ? try problem(of: network, in: .bf16) : nil
    }

    private static func problem(of network: NetworkDevice, in number: DeviceNumber) throws(DeviceError) -> String? {
        let shape = DeviceConvolution.Shape(
            images: 2, inputs: 3, height: 7, width: 6, outputs: 4, rows: 3, columns: 2, stride: [2, 1], padding: [1, 1])
        // Small whole numbers, and sums below 256: right in every order of adding them, in TF32 and in bf16 as well.
        let x = numbers(2 * 3 * 7 * 6, 7)
        let w = numbers(4 * 3 * 3 * 2, 5)
        let y = numbers(2 * 4 * shape.outputHeight * shape.outputWidth, 3)
        let expected = convolutions(shape, x, w, y)
        let device = network.device
        let (source, kernel, result) = (
            try memory(x, number, device), try memory(w, number, device), try memory(y, number, device)
        )
        let (a, b, c) = (
            try memory(zeros(y), number, device), try memory(zeros(x), number, device),
            try memory(zeros(w), number, device)
        )
        let kind = number == .bf16 ? " in bf16" : ""
        if let convolution = try convolution(shape, of: number, on: network) {
            try convolution.forward(source.address, kernel: kernel.address, into: a.address)
            try convolution.backward(result.address, kernel: kernel.address, into: b.address)
            try convolution.backward(source: source.address, result.address, intoKernel: c.address)
            for (name, right, found) in [
                ("a convolution", expected.forward, a), ("its gradient", expected.data, b),
                ("its kernel's gradient", expected.filter, c),
            ] where try values(right.count, number, found, device) != right {
                return "\(name)\(kind) by cuDNN is wrong"
            }
        }
        // [6, 7] of the maps' first numbers, times the transposed [9, 7] of those from the 48th on.
        let second = 48
        var product = [Float](repeating: 0, count: 54)
        for (row, column, inner) in places(6, 9, 7) {
            product[row * 9 + column] += x[row * 7 + inner] * x[second + column * 7 + inner]
        }
        // Factors in bf16 give products in either.
        for rounded in number == .bf16 ? [DeviceNumber.f32, .bf16] : [.f32] {
            let d = try memory(zeros(product), rounded, device)
            try network.multiply(
                .init(source.address, stride: 7),
                .init(source.address + UInt64(number.bytes * second), stride: 7, isTransposed: true), rows: 6,
                columns: 9, inner: 7, of: number, into: d.address, as: rounded)
            if try values(54, rounded, d, device) != product {
                return "a product of matrices\(kind) by cuBLAS is wrong"
            }
        }
        withExtendedLifetime((source, kernel, result)) {}
        return nil
    }

    /// - Returns: nil where cuDNN has no way in bf16: such convolutions are computed in singles.
    private static func convolution(
        _ shape: DeviceConvolution.Shape, of number: DeviceNumber, on network: NetworkDevice
    ) throws(DeviceError) -> DeviceConvolution? {
        do throws(DeviceError) {
            return try DeviceConvolution(shape, of: number, on: network)
        } catch {
            guard case .unsupported = error, number != .f32 else { throw error }
            return nil
        }
    }

    /// What the three operations give.
    private static func convolutions(
        _ shape: DeviceConvolution.Shape, _ x: [Float], _ w: [Float], _ y: [Float]
    ) -> (forward: [Float], data: [Float], filter: [Float]) {
        var (forward, data, filter) = (zeros(y), zeros(x), zeros(w))
        for image in 0..<2 {
            for (out, row, column) in places(4, shape.outputHeight, shape.outputWidth) {
                let o = ((image * 4 + out) * shape.outputHeight + row) * shape.outputWidth + column
                for (input, i, j) in places(3, 3, 2) {
                    let (v, h) = (row * 2 - 1 + i, column - 1 + j)
                    if !(0..<7).contains(v) || !(0..<6).contains(h) { continue }
                    let (s, k) = (((image * 3 + input) * 7 + v) * 6 + h, ((out * 3 + input) * 3 + i) * 2 + j)
                    forward[o] += x[s] * w[k]
                    data[s] += y[o] * w[k]
                    filter[k] += x[s] * y[o]
                }
            }
        }
        return (forward, data, filter)
    }

    private static func numbers(_ count: Int, _ modulus: Int) -> [Float] {
        (0..<count).map { Float($0 * $0 % modulus - modulus / 2) }
    }

    private static func zeros(_ values: [Float]) -> [Float] { [Float](repeating: 0, count: values.count) }

    private static func places(_ a: Int, _ b: Int, _ c: Int) -> [(Int, Int, Int)] {
        (0..<a * b * c).map { ($0 / (b * c), $0 / c % b, $0 % c) }
    }

    /// - Parameter values: which bf16 has exactly.
    private static func memory(
        _ values: [Float], _ number: DeviceNumber, _ device: CUDAKernelDevice
    ) throws(DeviceError) -> CUDAKernelDevice.Memory {
        let memory = try device.memory(bytes: number.bytes * values.count)
        switch number {
        case .f32: try device.write(values, to: memory, at: 0)
        case .bf16: try device.write(values.map { UInt16($0.bitPattern >> 16) }, to: memory, at: 0)
        }
        return memory
    }

    private static func values(
        _ count: Int, _ number: DeviceNumber, _ memory: CUDAKernelDevice.Memory, _ device: CUDAKernelDevice
    ) throws(DeviceError) -> [Float] {
        switch number {
        case .f32: return try device.read(Float.self, count: count, from: memory)
        case .bf16:
            return try device.read(UInt16.self, count: count, from: memory).map {
                Float(bitPattern: UInt32($0) << 16)
            }
        }
    }
}
