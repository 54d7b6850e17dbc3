import CKernels
import Devices

// The edge to a device's memory: addresses become pointers here, for the structs of CKernels. Nobody on the host follows them.

/// Floats on a device, in single precision unless they are rounded.
final class DeviceFloats {
    let count: Int
    /// As what they lie there.
    let number: DeviceNumber
    let memory: CUDAKernelDevice.Memory

    init(count: Int, as number: DeviceNumber = .f32, on device: CUDAKernelDevice) throws {
        self.count = count
        self.number = number
        memory = try device.memory(bytes: number.bytes * max(1, count))
    }

    /// Of element `offset`.
    func address(_ offset: Int = 0) -> UInt64 { memory.address + UInt64(number.bytes * offset) }

    /// For kernels that take singles only.
    func source(_ offset: Int = 0) -> UnsafePointer<Float>? { UnsafePointer(target(offset)) }
    func target(_ offset: Int = 0) -> UnsafeMutablePointer<Float>? {
        precondition(number == .f32, "rounded numbers for a kernel that takes singles")
        return UnsafeMutablePointer(bitPattern: UInt(address(offset)))
    }

    /// For kernels that take either.
    func values(_ offset: Int = 0) -> sw_net_source {
        sw_net_source(
            values: UnsafeRawPointer(bitPattern: UInt(address(offset))), is_bf16: number == .bf16 ? 1 : 0)
    }
    func places(_ offset: Int = 0) -> sw_net_target {
        sw_net_target(
            values: UnsafeMutableRawPointer(bitPattern: UInt(address(offset))), is_bf16: number == .bf16 ? 1 : 0)
    }
}

/// Values of another type on a device.
final class DeviceValues<Element: BitwiseCopyable> {
    let count: Int
    let memory: CUDAKernelDevice.Memory

    init(count: Int, on device: CUDAKernelDevice) throws {
        self.count = count
        memory = try device.memory(bytes: MemoryLayout<Element>.stride * max(1, count))
    }

    convenience init(_ values: [Element], on device: CUDAKernelDevice) throws {
        try self.init(count: values.count, on: device)
        if !values.isEmpty { try device.write(values, to: memory) }
    }

    func source(_ offset: Int = 0) -> UnsafePointer<Element>? { UnsafePointer(target(offset)) }
    func target(_ offset: Int = 0) -> UnsafeMutablePointer<Element>? {
        UnsafeMutablePointer(bitPattern: UInt(memory.address) + UInt(MemoryLayout<Element>.stride * offset))
    }
}

/// Texts of CKernels.
enum NetworkText: String {
    case layers = "network_layers.cu"
    case norms = "network_norms.cu"
    case heads = "network_heads.cu"
    case updates = "network_updates.cu"
}

extension NetworkDevice {
    /// As in network.cuh: the order of sums depends on it.
    private static let threads = 256

    /// Launches a kernel that has a thread for each of `count` values; a thread takes several where there are many.
    func each<T: BitwiseCopyable>(_ kernel: String, _ text: NetworkText, count: Int, _ parameter: T) throws {
        let columns = max(1, min((count + 1023) / 1024, 16 * device.multiprocessors))
        try launch(kernel, text, columns, parameter)
    }

    /// Launches a kernel that has a block for each of `count` runs.
    func eachBlock<T: BitwiseCopyable>(_ kernel: String, _ text: NetworkText, count: Int, _ parameter: T) throws {
        try launch(kernel, text, max(1, min(count, 32 * device.multiprocessors)), parameter)
    }

    private func launch<T: BitwiseCopyable>(
        _ kernel: String, _ text: NetworkText, _ columns: Int, _ parameter: T
    ) throws {
        try device.launch(
            KernelLaunch(text: text.rawValue, kernel: kernel, columns: columns, threads: Self.threads), parameter)
    }
}

/// Where the arrays of weights lie on a device: in their order, each where a wide load may begin.
struct DeviceLayout {
    let spec: NetworkSpec
    /// Of each array of `spec.parameters`.
    let offsets: [Int]
    let count: Int

    /// 256 bytes.
    private static let alignment = 64

    init(_ spec: NetworkSpec) {
        self.spec = spec
        var offsets: [Int] = []
        var next = 0
        for parameter in spec.parameters {
            offsets.append(next)
            next += (parameter.count + Self.alignment - 1) / Self.alignment * Self.alignment
        }
        self.offsets = offsets
        count = next
    }

    func offset(_ layer: Int, _ role: NetworkSpec.Parameter.Role) -> Int {
        for (index, parameter) in spec.parameters.enumerated() where parameter.layer == layer && parameter.role == role
        {
            return offsets[index]
        }
        preconditionFailure("layer \(layer) has no \(role.rawValue)")
    }

    /// From the order of `Weights.values`; between the arrays zeros.
    func spread(_ values: [Float]) -> [Float] {
        var result = [Float](repeating: 0, count: count)
        for (offset, parameter) in zip(offsets, spec.parameters) {
            result.replaceSubrange(offset..<offset + parameter.count, with: values[parameter.range])
        }
        return result
    }

    /// Into the order of `Weights.values`.
    func gather(_ values: [Float]) -> [Float] {
        var result: [Float] = []
        result.reserveCapacity(spec.parameterCount)
        for (offset, parameter) in zip(offsets, spec.parameters) { result += values[offset..<offset + parameter.count] }
        return result
    }
}
