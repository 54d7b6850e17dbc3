import CKernels
import COneDNN

// The unsafe edge to oneDNN: this file and OneDNN+Primitives.swift own every handle and pointer. What they hand out is
// safe to use from one thread at a time.

/// Float32 storage of fixed size, aligned to a cache line and zero at first.
final class FloatBuffer {
    fileprivate let base: UnsafeMutablePointer<Float>
    let count: Int

    init(count: Int) {
        let room = max(count, 1)
        let raw = UnsafeMutableRawPointer.allocate(byteCount: room * MemoryLayout<Float>.stride, alignment: 64)
        base = raw.initializeMemory(as: Float.self, repeating: 0, count: room)
        self.count = count
    }

    deinit { UnsafeMutableRawPointer(base).deallocate() }

    func withSpan<R>(_ body: (Span<Float>) throws -> R) rethrows -> R {
        try body(UnsafeBufferPointer(start: base, count: count).span)
    }

    func withMutableSpan<R>(_ body: (inout MutableSpan<Float>) throws -> R) rethrows -> R {
        var span = UnsafeMutableBufferPointer(start: base, count: count).mutableSpan
        return try body(&span)
    }

    /// Copies `range` of `source` to the elements from `offset` on.
    func copy(_ source: [Float], _ range: Range<Int>, to offset: Int) {
        precondition(range.lowerBound >= 0 && range.upperBound <= source.count, "range outside the source")
        precondition(offset >= 0 && offset + range.count <= count, "range outside the buffer")
        source.withUnsafeBufferPointer { values in
            if let start = values.baseAddress {
                (base + offset).update(from: start + range.lowerBound, count: range.count)
            }
        }
    }

    /// Copies all of `source` to the elements from `offset` on.
    func copy(_ source: FloatBuffer, to offset: Int) {
        precondition(offset >= 0 && offset + source.count <= count, "range outside the buffer")
        (base + offset).update(from: source.base, count: source.count)
    }

    /// Adds the elements of `range` of `source` to those at the same places.
    func add(_ source: FloatBuffer, _ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= min(count, source.count), "range outside the buffer")
        if !range.isEmpty { sw_add(base + range.lowerBound, source.base + range.lowerBound, Int64(range.count)) }
    }

    /// The first `count` elements.
    func prefix(_ count: Int) -> [Float] {
        precondition(count <= self.count, "more elements than the buffer has")
        return Array(UnsafeBufferPointer(start: base, count: count))
    }

    func clear(_ range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside the buffer")
        (base + range.lowerBound).update(repeating: 0, count: range.count)
    }
}

/// How the elements of a tensor lie in memory, and what they are.
struct Layout: Equatable {
    fileprivate(set) var raw = dnnl_memory_desc_t()

    /// Row-major.
    init(plain shape: [Int], _ precision: Precision = .f32) throws(LearningError) {
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in stride(from: shape.count - 2, through: 0, by: -1) {
            strides[axis] = strides[axis + 1] * shape[axis + 1]
        }
        try self.init(shape, strides: strides, precision)
    }

    /// Left to the primitive, which answers with the layout that it is fastest with.
    init(any shape: [Int], _ precision: Precision = .f32) throws(LearningError) {
        let status = dnnl_memory_desc_init_by_tag(
            &raw, Int32(shape.count), shape.map(Int64.init), precision.type, dnnl_format_tag_any)
        try check(status, "dnnl_memory_desc_init_by_tag")
    }

    init(_ shape: [Int], strides: [Int], _ precision: Precision = .f32) throws(LearningError) {
        let status = dnnl_memory_desc_init_by_strides(
            &raw, Int32(shape.count), shape.map(Int64.init), precision.type, strides.map(Int64.init))
        try check(status, "dnnl_memory_desc_init_by_strides")
    }

    fileprivate init(_ raw: dnnl_memory_desc_t) { self.raw = raw }

    /// Room that the layout takes, padding of blocks included, in floats.
    var floatCount: Int {
        withUnsafePointer(to: raw) { (dnnl_memory_desc_get_size($0) + 3) / 4 }
    }

    var precision: Precision { raw.data_type == dnnl_bf16 ? .bf16 : .f32 }

    static func == (a: Layout, b: Layout) -> Bool {
        withUnsafePointer(to: a.raw) { a in withUnsafePointer(to: b.raw) { b in dnnl_memory_desc_equal(a, b) != 0 } }
    }
}

extension Precision {
    fileprivate var type: dnnl_data_type_t { self == .bf16 ? dnnl_bf16 : dnnl_f32 }
}

/// A tensor in memory: a layout over (part of) a buffer.
final class Memory {
    let layout: Layout
    let buffer: FloatBuffer
    fileprivate let raw: dnnl_memory_t
    /// Kept, because handles must not outlive their engine.
    private let engine: Engine

    /// - Parameter offset: first element in `buffer`; several memories may look at one buffer.
    init(_ layout: Layout, _ buffer: FloatBuffer, offset: Int = 0, _ engine: Engine) throws(LearningError) {
        precondition(offset >= 0 && offset + layout.floatCount <= buffer.count, "memory outside its buffer")
        var handle: dnnl_memory_t?
        let status = withUnsafePointer(to: layout.raw) {
            dnnl_memory_create(&handle, $0, engine.raw, buffer.base + offset)
        }
        raw = try created(handle, status, "dnnl_memory_create")
        self.layout = layout
        self.buffer = buffer
        self.engine = engine
    }

    deinit { dnnl_memory_destroy(raw) }
}

/// A CPU engine with its stream, and the scratch space that its primitives share.
///
/// The scratch space is ours because oneDNN's own belongs to the thread that created a primitive, and a network may be
/// built on one thread and run on another.
final class Engine {
    fileprivate let raw: dnnl_engine_t
    private let stream: dnnl_stream_t
    private var scratch = FloatBuffer(count: 0)
    private var scratchUsers: [dnnl_memory_t] = []

    init() throws(LearningError) {
        Self.useOneThread()
        var engine: dnnl_engine_t?
        let status = dnnl_engine_create(&engine, dnnl_cpu, 0)
        raw = try created(engine, status, "dnnl_engine_create")
        var stream: dnnl_stream_t?
        let streamStatus = dnnl_stream_create(&stream, raw, dnnl_stream_default_flags.rawValue)
        self.stream = try created(stream, streamStatus, "dnnl_stream_create")
    }

    deinit {
        for user in scratchUsers { dnnl_memory_destroy(user) }
        dnnl_stream_destroy(stream)
        dnnl_engine_destroy(raw)
    }

    /// Whether this processor multiplies in bf16.
    static var hasBF16: Bool {
        let bf16 = dnnl_cpu_isa_avx512_core_bf16.rawValue
        return dnnl_get_effective_cpu_isa().rawValue & bf16 == bf16
    }

    /// OpenMP must not start threads below ours. The limit belongs to the calling thread.
    private static func useOneThread() { omp_set_num_threads(1) }

    /// To be called on a thread before it runs primitives.
    func enter() { Self.useOneThread() }

    /// Makes a primitive of what `description` describes, with its arguments (`DNNL_ARG_…`) tied to it.
    func primitive(
        _ description: PrimitiveDescription, _ arguments: [(Int32, Memory)]
    ) throws(LearningError) -> Primitive {
        let layout = description.layout(DNNL_ARG_SCRATCHPAD)
        if layout.floatCount > scratch.count {
            scratch = FloatBuffer(count: layout.floatCount)
            for user in scratchUsers {
                try check(dnnl_memory_set_data_handle(user, scratch.base), "dnnl_memory_set_data_handle")
            }
        }
        var all = arguments.map { dnnl_exec_arg_t(arg: $0.0, memory: $0.1.raw) }
        if layout.floatCount > 0 {
            var handle: dnnl_memory_t?
            let status = withUnsafePointer(to: layout.raw) { dnnl_memory_create(&handle, $0, raw, scratch.base) }
            let scratchpad = try created(handle, status, "dnnl_memory_create")
            scratchUsers.append(scratchpad)
            all.append(dnnl_exec_arg_t(arg: DNNL_ARG_SCRATCHPAD, memory: scratchpad))
        }
        return try Primitive(description, all, keeping: arguments.map(\.1))
    }

    func run(_ primitive: Primitive) throws(LearningError) {
        let status = dnnl_primitive_execute(
            primitive.raw, stream, Int32(primitive.arguments.count), primitive.arguments)
        if status != dnnl_success { try check(status, "dnnl_primitive_execute") }
    }
}

extension Engine {
    /// The same values in another layout, copied now.
    func copy(_ memory: Memory, as layout: Layout) throws(LearningError) -> Memory {
        let result = try Memory(layout, FloatBuffer(count: layout.floatCount), self)
        let description = try PrimitiveDescription(reorder: memory.layout, to: layout, self)
        try run(primitive(description, [(DNNL_ARG_FROM, memory), (DNNL_ARG_TO, result)]))
        return result
    }
}

/// One operation, ready to run on memory that it holds on to.
final class Primitive {
    fileprivate let raw: dnnl_primitive_t
    fileprivate let arguments: [dnnl_exec_arg_t]
    private let memories: [Memory]

    fileprivate init(
        _ description: PrimitiveDescription, _ arguments: [dnnl_exec_arg_t], keeping memories: [Memory]
    ) throws(LearningError) {
        var handle: dnnl_primitive_t?
        let status = dnnl_primitive_create(&handle, description.raw)
        raw = try created(handle, status, "dnnl_primitive_create")
        self.arguments = arguments
        self.memories = memories
    }

    deinit { dnnl_primitive_destroy(raw) }
}

/// An operation with the layouts that oneDNN chose for it.
final class PrimitiveDescription {
    fileprivate let raw: dnnl_primitive_desc_t

    /// - Parameter hint: the forward description that a backward one belongs to.
    init<Operation>(
        _ operation: Operation, _ engine: Engine, fusingReLU: Bool = false, hint: PrimitiveDescription? = nil
    ) throws(LearningError) {
        let attributes = try Attributes(fusingReLU: fusingReLU)
        var handle: dnnl_primitive_desc_t?
        let status = withUnsafePointer(to: operation) {
            dnnl_primitive_desc_create(&handle, $0, attributes.raw, engine.raw, hint?.raw)
        }
        raw = try created(handle, status, "dnnl_primitive_desc_create for \(Operation.self)")
    }

    init(reorder source: Layout, to destination: Layout, _ engine: Engine) throws(LearningError) {
        let attributes = try Attributes(fusingReLU: false)
        var handle: dnnl_primitive_desc_t?
        let status = withUnsafePointer(to: source.raw) { source in
            withUnsafePointer(to: destination.raw) { destination in
                dnnl_reorder_primitive_desc_create(
                    &handle, source, engine.raw, destination, engine.raw, attributes.raw)
            }
        }
        raw = try created(handle, status, "dnnl_reorder_primitive_desc_create")
    }

    deinit { dnnl_primitive_desc_destroy(raw) }

    /// The layout of an argument (`DNNL_ARG_…`); empty where the operation has no such argument.
    func layout(_ argument: Int32) -> Layout {
        guard let found = dnnl_primitive_desc_query_md(raw, dnnl_query_exec_arg_md, argument) else {
            return Layout(dnnl_memory_desc_t())
        }
        return Layout(found.pointee)
    }
}

/// Scratch space from the caller and, if wanted, max(x, 0) of the result at no extra pass.
private final class Attributes {
    let raw: dnnl_primitive_attr_t

    init(fusingReLU: Bool) throws(LearningError) {
        var handle: dnnl_primitive_attr_t?
        let status = dnnl_primitive_attr_create(&handle)
        raw = try created(handle, status, "dnnl_primitive_attr_create")
        try check(
            dnnl_primitive_attr_set_scratchpad_mode(raw, dnnl_scratchpad_mode_user),
            "dnnl_primitive_attr_set_scratchpad_mode")
        guard fusingReLU else { return }
        var operations: dnnl_post_ops_t?
        try check(dnnl_post_ops_create(&operations), "dnnl_post_ops_create")
        defer { dnnl_post_ops_destroy(operations) }
        try check(
            dnnl_post_ops_append_eltwise(operations, 1, dnnl_eltwise_relu, 0, 0), "dnnl_post_ops_append_eltwise")
        try check(dnnl_primitive_attr_set_post_ops(raw, operations), "dnnl_primitive_attr_set_post_ops")
    }

    deinit { dnnl_primitive_attr_destroy(raw) }
}

/// - Throws: `LearningError.library` unless `status` is success.
func check(_ status: dnnl_status_t, _ call: String) throws(LearningError) {
    if status != dnnl_success {
        throw .library(call: call, status: String(cString: dnnl_status2str(status)))
    }
}

private func created<Handle>(
    _ handle: Handle?, _ status: dnnl_status_t, _ call: String
) throws(LearningError) -> Handle {
    try check(status, call)
    guard let handle else { throw .library(call: call, status: "no handle") }
    return handle
}
