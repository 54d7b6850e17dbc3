import CCUDA

/// A device with cuDNN and cuBLAS on one stream, for the layers of networks.
///
/// Products and convolutions are in single precision, or of factors in bf16 with sums in single precision, by algorithms that give
/// the same bits every time and do not transform (Winograd's and Fourier's rounding errors are larger). Not for several threads at
/// once.
public final class NetworkDevice {
    public let device: CUDAKernelDevice
    /// Whether products may take their factors in TF32: 10 bits of mantissa, in the tensor cores.
    public let usesTF32: Bool
    private let libraries: NetworkLibraries
    private let dnn: sw_dnn_handle
    private let blas: sw_blas_handle
    /// What cuBLAS and cuDNN write on between. One stream: nobody else does meanwhile.
    private let blasWorkspace: CUDAKernelDevice.Memory
    private var workspace: CUDAKernelDevice.Memory?
    private var workspaceBytes = 0
    private var blasMath = Int32(-1)

    /// The most that a convolution may take beside its tensors, bytes.
    static let largestWorkspace = 256 << 20
    /// NVIDIA's advice for Hopper (cublasSetWorkspace); less serves other devices as well.
    private static let blasWorkspaceBytes = 32 << 20

    public init(_ device: CUDAKernelDevice, _ libraries: NetworkLibraries, usesTF32: Bool) throws(DeviceError) {
        self.device = device
        self.libraries = libraries
        self.usesTF32 = usesTF32
        let place = device.stream.device
        try place.makeCurrent()
        let small = min(Self.blasWorkspaceBytes, place.memory / 64)
        blasWorkspace = try device.memory(bytes: small)
        var dnn: sw_dnn_handle?
        try Self.check(libraries.dnn.create(&dnn), "cudnnCreate", place, libraries.dnn.error_string)
        var blas: sw_blas_handle?
        let status = libraries.blas.create(&blas)
        guard status == 0, let dnn, let blas else {
            if let dnn { _ = libraries.dnn.destroy(dnn) }
            try Self.check(status, "cublasCreate", place, libraries.blas.error_string, isBLAS: true)
            throw .call(function: "cublasCreate", device: place.name, code: "no handle", reason: "nothing")
        }
        self.dnn = dnn
        self.blas = blas
        try check(libraries.dnn.set_stream(dnn, device.stream.handle), "cudnnSetStream")
        try checkBLAS(libraries.blas.set_stream(blas, device.stream.handle), "cublasSetStream")
        // With a workspace of its own a stream's products are the same bits every time ("Results reproducibility").
        try checkBLAS(
            libraries.blas.set_workspace(blas, UnsafeMutableRawPointer(bitPattern: UInt(blasWorkspace.address)), small),
            "cublasSetWorkspace")
        try checkBLAS(
            libraries.blas.set_atomics(blas, Int32(SW_BLAS_ATOMICS_NOT_ALLOWED)), "cublasSetAtomicsMode")
        try setMath(of: .f32)
    }

    /// Before a product: what the library may do with factors of this kind. Sums of those in bf16 are never rounded on the way.
    private func setMath(of factors: DeviceNumber) throws(DeviceError) {
        let math: Int
        switch factors {
        case .f32: math = usesTF32 ? SW_BLAS_TF32_MATH : SW_BLAS_PEDANTIC_MATH
        case .bf16: math = SW_BLAS_DEFAULT_MATH | SW_BLAS_FULL_REDUCTION
        }
        if blasMath == Int32(math) { return }
        try checkBLAS(libraries.blas.set_math(blas, Int32(math)), "cublasSetMathMode")
        blasMath = Int32(math)
    }

    deinit {
        if (try? device.stream.device.makeCurrent()) == nil { return }
        _ = libraries.dnn.destroy(dnn)
        _ = libraries.blas.destroy(blas)
    }

    /// A matrix in memory, row by row; seen with rows and columns exchanged where `isTransposed`.
    public struct Matrix {
        public var address: UInt64
        /// Length of a row as it lies.
        public var stride: Int
        public var isTransposed: Bool

        public init(_ address: UInt64, stride: Int, isTransposed: Bool = false) {
            self.address = address
            self.stride = stride
            self.isTransposed = isTransposed
        }
    }

    /// [rows, columns] ← a [rows, inner] · b [inner, columns], row by row at `result`.
    ///
    /// - Parameter factors: what a and b are.
    /// - Parameter number: what the product is rounded to after all sums; single precision for factors in it.
    public func multiply(
        _ a: Matrix, _ b: Matrix, rows: Int, columns: Int, inner: Int, of factors: DeviceNumber = .f32,
        into result: UInt64, as number: DeviceNumber = .f32
    ) throws(DeviceError) {
        precondition(factors == .bf16 || number == .f32, "products of singles are singles")
        try device.stream.device.makeCurrent()
        try setMath(of: factors)
        var one: Float = 1
        var zero: Float = 0
        // cuBLAS has columns where rows are meant: the transposed product, of the factors in the other order.
        if factors == .bf16 {
            try checkBLAS(
                libraries.blas.multiply_mixed(
                    blas, Self.operation(b), Self.operation(a), Int32(columns), Int32(rows), Int32(inner), &one,
                    Self.raw(b.address), factors.blasType, Int32(b.stride), Self.raw(a.address), factors.blasType,
                    Int32(a.stride), &zero, Self.raw(result), number.blasType, Int32(columns),
                    Int32(SW_BLAS_COMPUTE_FLOAT), Int32(SW_BLAS_USUAL_ALGORITHM)), "cublasGemmEx")
            return
        }
        try checkBLAS(
            libraries.blas.multiply(
                blas, Self.operation(b), Self.operation(a), Int32(columns), Int32(rows), Int32(inner), &one,
                Self.floats(b.address), Int32(b.stride), Self.floats(a.address), Int32(a.stride), &zero,
                UnsafeMutablePointer(mutating: Self.floats(result)), Int32(columns)), "cublasSgemm")
    }

    private static func operation(_ matrix: Matrix) -> Int32 {
        Int32(matrix.isTransposed ? SW_BLAS_TRANSPOSED : SW_BLAS_PLAIN)
    }

    private static func raw(_ address: UInt64) -> UnsafeMutableRawPointer? {
        UnsafeMutableRawPointer(bitPattern: UInt(address))
    }

    private static func floats(_ address: UInt64) -> UnsafePointer<Float>? { UnsafePointer(bitPattern: UInt(address)) }

    // MARK: what convolutions need

    var dnnFunctions: sw_cuda_dnn { libraries.dnn }
    var dnnHandle: sw_dnn_handle { dnn }

    /// Room of at least so many bytes, for one call.
    func room(bytes: Int) throws(DeviceError) -> UInt64 {
        if bytes == 0 { return 0 }
        if bytes > workspaceBytes {
            workspace = nil
            workspaceBytes = 0
            workspace = try device.memory(bytes: bytes)
            workspaceBytes = bytes
        }
        return workspace?.address ?? 0
    }

    func check(_ status: Int32, _ function: String) throws(DeviceError) {
        try Self.check(status, function, device.stream.device, libraries.dnn.error_string)
    }

    private func checkBLAS(_ status: Int32, _ function: String) throws(DeviceError) {
        try Self.check(status, function, device.stream.device, libraries.blas.error_string, isBLAS: true)
    }

    /// Whether a status of cuDNN's says that it does not do what it was asked.
    static func isUnsupported(_ status: Int32) -> Bool {
        status != 0 && !isFull(status, isBLAS: false) && !isFailure(status, isBLAS: false)
    }

    /// No memory. A library that finds none when it is started is "not initialized".
    private static func isFull(_ status: Int32, isBLAS: Bool) -> Bool {
        let full =
            isBLAS
            ? [SW_BLAS_NOT_INITIALIZED, SW_BLAS_ALLOCATION_FAILED]
            // cuDNN 8 and 9 number them differently.
            : [
                SW_DNN_NOT_INITIALIZED_8, SW_DNN_ALLOCATION_FAILED_8, SW_DNN_NOT_INITIALIZED,
                SW_DNN_HOST_ALLOCATION_FAILED, SW_DNN_DEVICE_ALLOCATION_FAILED,
            ]
        return full.contains(Int(status))
    }

    /// A kernel that failed, or something within the library that may have been one.
    private static func isFailure(_ status: Int32, isBLAS: Bool) -> Bool {
        if isBLAS {
            return [SW_BLAS_MAPPING_ERROR, SW_BLAS_EXECUTION_FAILED, SW_BLAS_INTERNAL_ERROR].contains(Int(status))
        }
        return [SW_DNN_INTERNAL_ERROR_8, SW_DNN_MAPPING_ERROR_8, SW_DNN_EXECUTION_FAILED_8].contains(Int(status))
            || (SW_DNN_INTERNAL_ERROR..<SW_DNN_EXECUTION_FAILED + 1000).contains(Int(status))
    }

    /// Memory that is not there, and what a library does not do, leave the device as it was.
    private static func check(
        _ status: Int32, _ function: String, _ device: CUDADevice,
        _ text: (Int32) -> UnsafePointer<CChar>?, isBLAS: Bool = false
    ) throws(DeviceError) {
        if status == 0 { return }
        if isFull(status, isBLAS: isBLAS) { throw .noRoom(function: function, device: device.name) }
        var reason = "which the library does not explain"
        if let words = text(status) { reason = String(cString: words) }
        if isFailure(status, isBLAS: isBLAS) {
            throw .call(function: function, device: device.name, code: "status \(status)", reason: reason)
        }
        throw .unsupported(function: function, device: device.name, code: "status \(status)", reason: reason)
    }
}
