import CHostDevice

/// A CUDA device in software: runs the kernels of `Sources/CKernels/cuda`, compiled as C++, on this machine.
public enum HostDevice {
    /// In which order blocks take their turns, and the threads of a block between two barriers.
    ///
    /// An answer that depends on it is a race.
    public enum Order: Sendable, Hashable, CaseIterable {
        case ascending, descending, shuffled, shuffledAgain

        var number: UInt64 {
            switch self {
            case .ascending: UInt64(SW_HOST_ASCENDING)
            case .descending: UInt64(SW_HOST_DESCENDING)
            case .shuffled: 20_261
            case .shuffledAgain: 4_096_001
            }
        }
    }

    /// A mistake of a kernel or its launch, with file, line and thread.
    public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        public var description: String
    }

    /// Runs a kernel to its end.
    ///
    /// - Parameter sharedBytes: size of `SW_DYNAMIC_SHARED`.
    /// - Parameter arguments: one for each parameter of the kernel, of its size.
    /// - Throws: `Failure`, also for arguments that do not fit the kernel's parameters.
    public static func launch(
        _ kernel: String, grid: Extent, block: Extent, sharedBytes: Int = 0, order: Order = .ascending,
        _ arguments: [Argument]
    ) throws(Failure) {
        let count = sw_host_parameter_count(kernel)
        if count >= 0, count != arguments.count {
            throw Failure(description: "\(kernel) has \(count) parameters, not \(arguments.count)")
        }
        for (index, argument) in arguments.enumerated() where count >= 0 {
            let size = sw_host_parameter_size(kernel, Int32(index))
            if size != argument.bytes.count {
                throw Failure(
                    description: "\(kernel)'s parameter \(index) has \(size) bytes, not \(argument.bytes.count)")
            }
        }
        var problem = [CChar](repeating: 0, count: 1024)
        var storage = arguments.map(\.bytes)
        let status = withPointers(to: &storage) { pointers in
            sw_host_launch(
                kernel, grid.c, block.c, sharedBytes, pointers, order.number, &problem, problem.count)
        }
        withExtendedLifetime(arguments) {}
        if status != 0 {
            throw Failure(description: String(decoding: problem.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self))
        }
    }

    /// Names of all kernels.
    public static var kernels: [String] {
        var names: [String] = []
        while let name = sw_host_kernel_name(Int32(names.count)) { names.append(String(cString: name)) }
        return names
    }

    private static func withPointers<R>(
        to arguments: inout [[UInt8]], _ body: (UnsafePointer<UnsafeMutableRawPointer?>) -> R
    ) -> R {
        // Each argument in sixteen-byte-aligned memory of its own.
        let copies = arguments.map { bytes in
            let copy = UnsafeMutableRawPointer.allocate(byteCount: max(1, bytes.count), alignment: 16)
            copy.copyMemory(from: bytes, byteCount: bytes.count)
            return Optional(copy)
        }
        defer { for copy in copies { copy?.deallocate() } }
        return copies.withUnsafeBufferPointer { pointers in
            // A kernel without parameters has no array of them.
            var none: UnsafeMutableRawPointer?
            return withUnsafePointer(to: &none) { body(pointers.baseAddress ?? $0) }
        }
    }
}

/// How many blocks, or threads of a block, along each axis.
public struct Extent: Sendable, Hashable, ExpressibleByIntegerLiteral {
    public var x, y, z: Int

    public init(_ x: Int, _ y: Int = 1, _ z: Int = 1) {
        self.x = x
        self.y = y
        self.z = z
    }

    public init(integerLiteral value: Int) { self.init(value) }

    var c: sw_host_extent { sw_host_extent(x: UInt32(x), y: UInt32(y), z: UInt32(z)) }
}

/// Memory that a kernel reads and writes.
public final class HostBuffer<Element: BitwiseCopyable> {
    fileprivate let storage: UnsafeMutableBufferPointer<Element>

    /// Holds a copy of `values`.
    public init(_ values: [Element]) {
        // At least one, so that there is an address; aligned as a device aligns.
        let raw = UnsafeMutableRawPointer.allocate(
            byteCount: max(1, values.count) * MemoryLayout<Element>.stride, alignment: 256)
        let first = raw.initializeMemory(as: Element.self, from: values, count: values.count)
        storage = UnsafeMutableBufferPointer(start: first, count: values.count)
    }

    deinit { UnsafeMutableRawPointer(storage.baseAddress!).deallocate() }

    public var values: [Element] { Array(storage) }
}

/// What is passed for one parameter of a kernel.
public struct Argument {
    let bytes: [UInt8]
    // Keeps a buffer until the launch has ended.
    private let owner: AnyObject?

    /// A number, or a plain struct.
    public static func value<T: BitwiseCopyable>(_ value: T) -> Argument {
        Argument(bytes: withUnsafeBytes(of: value) { Array($0) }, owner: nil)
    }

    /// The address of a buffer.
    public static func buffer<T>(_ buffer: HostBuffer<T>) -> Argument {
        let address = Int(bitPattern: buffer.storage.baseAddress!)
        return Argument(bytes: withUnsafeBytes(of: address) { Array($0) }, owner: buffer)
    }

    /// A pointer that a kernel is told not to follow.
    public static var null: Argument { Argument(bytes: [UInt8](repeating: 0, count: 8), owner: nil) }

    private init(bytes: [UInt8], owner: AnyObject?) {
        self.bytes = bytes
        self.owner = owner
    }
}
