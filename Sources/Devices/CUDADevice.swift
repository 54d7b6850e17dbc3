import CCUDA

/// One CUDA device, with the context that this program has on it while the object lives.
public final class CUDADevice: Sendable {
    public let driver: CUDADriver
    /// Its number among the devices that the driver shows.
    public let ordinal: Int
    /// `NVIDIA H100 80GB HBM3`.
    public let model: String
    /// 90 for compute capability 9.0, as in `sm_90`.
    public let architecture: Int
    public let multiprocessors: Int
    /// Bytes.
    public let memory: Int
    public let cache: Int
    /// The most shared memory that a block may have, bytes.
    public let sharedPerBlock: Int
    public let threadsPerBlock: Int
    /// Memory can be taken and given back in the order of a stream's work.
    let hasPools: Bool
    private let number: Int32
    // The driver's own object, which may be used from any thread.
    nonisolated(unsafe) private let pool: sw_cu_pool?
    // The driver's own object; contexts may be made current on any thread.
    nonisolated(unsafe) private let context: sw_cu_context

    /// `NVIDIA H100 80GB HBM3 (device 0)`, for messages.
    public var name: String { "\(model) (device \(ordinal))" }

    init(_ ordinal: Int, of driver: CUDADriver) throws(DeviceError) {
        self.driver = driver
        self.ordinal = ordinal
        let place = "device \(ordinal)"
        let functions = driver.functions
        var number: Int32 = 0
        try driver.check(functions.device_get(&number, Int32(ordinal)), "cuDeviceGet", place)
        self.number = number
        var bytes = [CChar](repeating: 0, count: 256)
        try driver.check(functions.device_name(&bytes, Int32(bytes.count), number), "cuDeviceGetName", place)
        model = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        func attribute(_ which: Int) throws(DeviceError) -> Int {
            var value: Int32 = 0
            try driver.check(
                functions.device_attribute(&value, Int32(which), number), "cuDeviceGetAttribute", place)
            return Int(value)
        }
        architecture =
            try 10 * attribute(SW_CU_COMPUTE_CAPABILITY_MAJOR)
            + attribute(SW_CU_COMPUTE_CAPABILITY_MINOR)
        multiprocessors = try attribute(SW_CU_MULTIPROCESSOR_COUNT)
        cache = try attribute(SW_CU_L2_CACHE_SIZE)
        sharedPerBlock = try attribute(SW_CU_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)
        threadsPerBlock = try attribute(SW_CU_MAX_THREADS_PER_BLOCK)
        hasPools = try attribute(SW_CU_MEMORY_POOLS_SUPPORTED) != 0
        var size = 0
        try driver.check(functions.device_memory(&size, number), "cuDeviceTotalMem", place)
        memory = size
        // The primary context is the one that cuBLAS and cuDNN use, too.
        var context: sw_cu_context?
        try driver.check(functions.primary_context_retain(&context, number), "cuDevicePrimaryCtxRetain", place)
        guard let context else {
            throw .call(function: "cuDevicePrimaryCtxRetain", device: place, code: "no context", reason: "nothing")
        }
        self.context = context
        pool = hasPools ? try Self.keepingPool(of: number, driver, place) : nil
    }

    deinit { _ = driver.functions.primary_context_release(number) }

    /// Memory that was given back stays with the process: the next batch takes it without asking the operating system.
    private static func keepingPool(
        of number: Int32, _ driver: CUDADriver, _ place: String
    ) throws(DeviceError) -> sw_cu_pool? {
        var pool: sw_cu_pool?
        try driver.check(driver.functions.device_default_pool(&pool, number), "cuDeviceGetDefaultMemPool", place)
        var threshold = UInt64.max
        try driver.check(
            driver.functions.pool_set_attribute(pool, Int32(SW_CU_POOL_RELEASE_THRESHOLD), &threshold),
            "cuMemPoolSetAttribute", place)
        return pool
    }

    /// Bytes that this process can still take of the device's `memory`, whoever uses the rest: what is free, and what it gave back and
    /// keeps.
    public func freeMemory() throws(DeviceError) -> Int {
        try makeCurrent()
        var free = 0
        var total = 0
        try check(driver.functions.memory_info(&free, &total), "cuMemGetInfo")
        guard let pool else { return free }
        var (reserved, used): (UInt64, UInt64) = (0, 0)
        try check(
            driver.functions.pool_get_attribute(pool, Int32(SW_CU_POOL_RESERVED_CURRENT), &reserved),
            "cuMemPoolGetAttribute")
        try check(
            driver.functions.pool_get_attribute(pool, Int32(SW_CU_POOL_USED_CURRENT), &used),
            "cuMemPoolGetAttribute")
        return free + Int(reserved > used ? reserved - used : 0)
    }

    /// Before each call that concerns a context: calls come from whatever thread.
    package func makeCurrent() throws(DeviceError) {
        try check(driver.functions.context_set_current(context), "cuCtxSetCurrent")
    }

    func check(_ status: Int32, _ function: String) throws(DeviceError) {
        try driver.check(status, function, name)
    }
}
