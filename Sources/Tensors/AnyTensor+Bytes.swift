extension AnyTensor {
    /// Calls `body` with the elements as bytes, little-endian, row-major, where they lie.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        switch self {
        case .uint8(let t): try t.elements.withUnsafeBytes(body)
        case .int32(let t): try t.elements.withUnsafeBytes(body)
        case .int64(let t): try t.elements.withUnsafeBytes(body)
        case .float32(let t): try t.elements.withUnsafeBytes(body)
        case .float64(let t): try t.elements.withUnsafeBytes(body)
        }
    }

    /// A tensor whose bytes `fill` writes, all of them unless it throws.
    ///
    /// - Precondition: the product of `shape` times the element's size does not overflow.
    public init<E: Error>(
        elementType: ElementType, shape: [Int], filledBy fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void
    ) throws(E) {
        switch elementType {
        case .uint8: self = .uint8(Tensor(shape: shape, elements: try Self.filled(shape, fill)))
        case .int32: self = .int32(Tensor(shape: shape, elements: try Self.filled(shape, fill)))
        case .int64: self = .int64(Tensor(shape: shape, elements: try Self.filled(shape, fill)))
        case .float32: self = .float32(Tensor(shape: shape, elements: try Self.filled(shape, fill)))
        case .float64: self = .float64(Tensor(shape: shape, elements: try Self.filled(shape, fill)))
        }
    }

    private static func filled<Element: TensorElement, E: Error>(
        _ shape: [Int], _ fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void
    ) throws(E) -> [Element] {
        var failure: E?
        let elements = [Element](unsafeUninitializedCapacity: shape.reduce(1, *)) { buffer, initialised in
            let bytes = UnsafeMutableRawBufferPointer(
                start: buffer.baseAddress, count: shape.reduce(1, *) * MemoryLayout<Element>.stride)
            do throws(E) {
                try fill(bytes)
                initialised = shape.reduce(1, *)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return elements
    }
}
