import CCUDA

/// Compiled kernels on a device.
public final class CUDAModule: Sendable {
    public let device: CUDADevice
    /// The text that it was compiled from: `axpy.cu`.
    public let text: String
    // The driver's own object, which may be used from any thread.
    nonisolated(unsafe) private let handle: sw_cu_module?

    public init(_ kernel: CompiledKernel, on device: CUDADevice) throws(DeviceError) {
        self.device = device
        text = kernel.text
        try device.makeCurrent()
        var handle: sw_cu_module?
        let status = kernel.code.withUnsafeBytes { device.driver.functions.module_load(&handle, $0.baseAddress) }
        if Self.meansOtherCode.contains(status) {
            throw .unusableCode(kernel: kernel.text, device: device.name)
        }
        try device.check(status, "cuModuleLoadData")
        self.handle = handle
    }

    /// Code for another device, or damaged.
    private static let meansOtherCode: Set<Int32> = [
        Int32(SW_CU_INVALID_IMAGE), Int32(SW_CU_NO_BINARY_FOR_DEVICE), Int32(SW_CU_INVALID_PTX),
        Int32(SW_CU_UNSUPPORTED_PTX_VERSION),
    ]

    deinit {
        if (try? device.makeCurrent()) == nil { return }
        _ = device.driver.functions.module_unload(handle)
    }

    /// The kernel of that name.
    public func kernel(_ name: String) throws(DeviceError) -> CUDAKernel {
        try device.makeCurrent()
        var function: sw_cu_function?
        let status = device.driver.functions.module_function(&function, handle, name)
        if status == Int32(SW_CU_NOT_FOUND) { throw .noKernel(name: name, text: text) }
        try device.check(status, "cuModuleGetFunction")
        guard let function else { throw .noKernel(name: name, text: text) }
        return try CUDAKernel(name, function, of: self)
    }
}

/// How many blocks, or threads of a block, along each axis.
public struct GridExtent: Sendable, Hashable, ExpressibleByIntegerLiteral {
    public var x, y, z: Int

    public init(_ x: Int, _ y: Int = 1, _ z: Int = 1) {
        self.x = x
        self.y = y
        self.z = z
    }

    public init(integerLiteral value: Int) { self.init(value) }

    public var count: Int { x * y * z }
}

/// What is passed for one parameter of a kernel: a number, a plain struct, or the address of memory on the device.
public struct KernelArgument: Sendable {
    let bytes: [UInt8]
    /// The buffer, kept until the launch was given to the stream.
    private let owner: (any Sendable)?

    /// A number or struct of the parameter's size and layout.
    public static func value<T: BitwiseCopyable>(_ value: T) -> KernelArgument {
        KernelArgument(bytes: withUnsafeBytes(of: value) { Array($0) }, owner: nil)
    }

    public static func buffer<T>(_ buffer: CUDABuffer<T>) -> KernelArgument {
        KernelArgument(bytes: withUnsafeBytes(of: buffer.address) { Array($0) }, owner: buffer)
    }

    /// The address of element `start`, for a kernel that works on a part.
    public static func buffer<T>(_ buffer: CUDABuffer<T>, from start: Int) -> KernelArgument {
        precondition((0...buffer.count).contains(start), "element \(start) of \(buffer.count)")
        let address = buffer.address + UInt64(start * MemoryLayout<T>.stride)
        return KernelArgument(bytes: withUnsafeBytes(of: address) { Array($0) }, owner: buffer)
    }

    /// For a pointer that the kernel is told not to follow.
    public static let null = KernelArgument(bytes: [UInt8](repeating: 0, count: 8), owner: nil)
}

/// One kernel, ready to be launched.
public final class CUDAKernel: Sendable {
    public let name: String
    public let module: CUDAModule
    /// A thread's registers; bytes of its stack and spilt registers; bytes of a block's shared memory before the launch's.
    public let registers: Int
    public let localBytes: Int
    public let sharedBytes: Int
    /// The most threads that its registers leave room for in a block.
    public let threadsPerBlock: Int
    // The driver's own object, which may be used from any thread.
    nonisolated(unsafe) private let function: sw_cu_function
    /// Bytes of each parameter; nil where the driver does not tell (before CUDA 12.4).
    private let parameterSizes: [Int]?

    fileprivate init(_ name: String, _ function: sw_cu_function, of module: CUDAModule) throws(DeviceError) {
        self.name = name
        self.module = module
        self.function = function
        let device = module.device
        let functions = device.driver.functions
        func attribute(_ which: Int) throws(DeviceError) -> Int {
            var value: Int32 = 0
            try device.check(functions.function_attribute(&value, Int32(which), function), "cuFuncGetAttribute")
            return Int(value)
        }
        registers = try attribute(SW_CU_FUNCTION_REGISTERS)
        localBytes = try attribute(SW_CU_FUNCTION_LOCAL_BYTES)
        sharedBytes = try attribute(SW_CU_FUNCTION_SHARED_BYTES)
        threadsPerBlock = try attribute(SW_CU_FUNCTION_MAX_THREADS_PER_BLOCK)
        // As much as there is, once: without it a block has 48 KB in all, and to ask for each launch's own would race with those of
        // other threads.
        try device.check(
            functions.function_set_attribute(
                function, Int32(SW_CU_FUNCTION_MAX_DYNAMIC_SHARED_BYTES),
                Int32(max(0, device.sharedPerBlock - sharedBytes))),
            "cuFuncSetAttribute")
        if let parameter = functions.function_parameter {
            var sizes: [Int] = []
            var offset = 0
            var size = 0
            while parameter(function, sizes.count, &offset, &size) == 0 { sizes.append(size) }
            parameterSizes = sizes
        } else {
            parameterSizes = nil
        }
    }

    /// Gives a launch to a stream; returns before it is done.
    ///
    /// - Parameter sharedBytes: size of the kernel's `SW_DYNAMIC_SHARED`.
    /// - Parameter arguments: one for each parameter, of its size.
    /// - Throws: `DeviceError.launch` for what no device of this kind can take. What goes wrong while the kernel runs is thrown by
    ///   whatever waits for it.
    public func launch(
        grid: GridExtent, block: GridExtent, sharedBytes: Int = 0, on stream: CUDAStream, _ arguments: [KernelArgument]
    ) throws(DeviceError) {
        if let reason = obstacle(grid, block, sharedBytes, arguments) {
            throw .launch(kernel: name, device: module.device.name, reason: reason)
        }
        let device = module.device
        try device.makeCurrent()
        // Each argument at a multiple of sixteen bytes, which is enough for every type of a kernel's.
        var offsets: [Int] = []
        var size = 0
        for argument in arguments {
            offsets.append(size)
            size += (argument.bytes.count + 15) / 16 * 16
        }
        let storage = UnsafeMutableRawPointer.allocate(byteCount: max(16, size), alignment: 16)
        defer { storage.deallocate() }
        for (argument, offset) in zip(arguments, offsets) {
            (storage + offset).copyMemory(from: argument.bytes, byteCount: argument.bytes.count)
        }
        var addresses = offsets.map { Optional(storage + $0) }
        let status = device.driver.functions.launch(
            function, UInt32(grid.x), UInt32(grid.y), UInt32(grid.z), UInt32(block.x), UInt32(block.y), UInt32(block.z),
            UInt32(sharedBytes), stream.handle, &addresses, nil)
        withExtendedLifetime(arguments) {}
        try device.check(status, "cuLaunchKernel of \(name)")
    }

    private func obstacle(
        _ grid: GridExtent, _ block: GridExtent, _ shared: Int, _ arguments: [KernelArgument]
    ) -> String? {
        let device = module.device
        if let parameterSizes {
            if arguments.count != parameterSizes.count {
                return "it has \(parameterSizes.count) parameters, not \(arguments.count)"
            }
            for (index, size) in parameterSizes.enumerated() where size != arguments[index].bytes.count {
                return "its parameter \(index) has \(size) bytes, not \(arguments[index].bytes.count)"
            }
        }
        // CUDA C++ Programming Guide, "Compute Capabilities".
        if grid.x < 1 || grid.y < 1 || grid.z < 1 || grid.x > Int(Int32.max) || grid.y > 65535 || grid.z > 65535 {
            return "a grid of \(grid.x) × \(grid.y) × \(grid.z) blocks"
        }
        if block.count < 1 || block.count > min(threadsPerBlock, device.threadsPerBlock) || block.z > 64 {
            return "blocks of \(block.count) threads; at most \(min(threadsPerBlock, device.threadsPerBlock)) fit"
        }
        if shared + sharedBytes > device.sharedPerBlock {
            return "\(shared + sharedBytes) bytes of shared memory; a block has at most \(device.sharedPerBlock)"
        }
        return nil
    }
}
