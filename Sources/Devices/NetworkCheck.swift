/// Tries cuDNN and cuBLAS on a device with answers that are known.
public enum NetworkCheck {
    /// A convolution with strides and edges, on its way and both ways back, and a product of matrices of which one is transposed.
    ///
    /// - Returns: nil for a device that gives the right answers; else what it got wrong.
    public static func problem(of network: NetworkDevice) throws(DeviceError) -> String? {
        let shape = DeviceConvolution.Shape(
            images: 2, inputs: 3, height: 7, width: 6, outputs: 4, rows: 3, columns: 2, stride: [2, 1], padding: [1, 1])
        // Small whole numbers: right in every order of adding them, in TF32 as well.
        let x = numbers(2 * 3 * 7 * 6, 7)
        let w = numbers(4 * 3 * 3 * 2, 5)
        let y = numbers(2 * 4 * shape.outputHeight * shape.outputWidth, 3)
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
        let device = network.device
        let (source, kernel, result) = (try memory(x, device), try memory(w, device), try memory(y, device))
        let (a, b, c) = (try memory(zeros(y), device), try memory(zeros(x), device), try memory(zeros(w), device))
        let convolution = try DeviceConvolution(shape, on: network)
        try convolution.forward(source.address, kernel: kernel.address, into: a.address)
        try convolution.backward(result.address, kernel: kernel.address, into: b.address)
        try convolution.backward(source: source.address, result.address, intoKernel: c.address)
        for (name, expected, found) in [
            ("a convolution", forward, a), ("its gradient", data, b), ("its kernel's gradient", filter, c),
        ] where try device.read(Float.self, count: expected.count, from: found) != expected {
            return "\(name) by cuDNN is wrong"
        }
        // [6, 7] of the maps' first numbers, times the transposed [9, 7] of what follows.
        var product = [Float](repeating: 0, count: 54)
        for (row, column, inner) in places(6, 9, 7) {
            product[row * 9 + column] += x[row * 7 + inner] * x[42 + column * 7 + inner]
        }
        let d = try memory(product.map { _ in 0 }, device)
        try network.multiply(
            .init(source.address, stride: 7), .init(source.address + 4 * 42, stride: 7, isTransposed: true), rows: 6,
            columns: 9, inner: 7, into: d.address)
        let found = try device.read(Float.self, count: 54, from: d)
        withExtendedLifetime((source, kernel, result)) {}
        return found == product ? nil : "a product of matrices by cuBLAS is wrong"
    }

    private static func numbers(_ count: Int, _ modulus: Int) -> [Float] {
        (0..<count).map { Float($0 * $0 % modulus - modulus / 2) }
    }

    private static func zeros(_ values: [Float]) -> [Float] { [Float](repeating: 0, count: values.count) }

    private static func places(_ a: Int, _ b: Int, _ c: Int) -> [(Int, Int, Int)] {
        (0..<a * b * c).map { ($0 / (b * c), $0 / c % b, $0 % c) }
    }

    private static func memory(
        _ values: [Float], _ device: CUDAKernelDevice
    ) throws(DeviceError) -> CUDAKernelDevice.Memory {
        let memory = try device.memory(bytes: 4 * values.count)
        try device.write(values, to: memory, at: 0)
        return memory
    }
}
