import CCUDA

/// How numbers of networks lie in a device's memory.
public enum DeviceNumber: Hashable, Sendable {
    /// Single precision.
    case f32
    /// bfloat16: the upper half of a number in single precision, whose range it has, with 8 bits of mantissa.
    case bf16

    public var bytes: Int { self == .f32 ? 4 : 2 }

    var dnnType: Int32 { Int32(self == .f32 ? SW_DNN_FLOAT : SW_DNN_BF16) }
    var blasType: Int32 { Int32(self == .f32 ? SW_BLAS_FLOAT : SW_BLAS_BF16) }
}

extension CUDADevice {
    /// Whether products take factors in bfloat16: since compute capability 8.0.
    public var multipliesBF16: Bool { architecture >= 80 }
}
