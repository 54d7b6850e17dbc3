/// A tensor whose element type is known at run time: what a file or the store gives back.
public enum AnyTensor: Hashable, Sendable {
    case uint8(Tensor<UInt8>)
    case int32(Tensor<Int32>)
    case int64(Tensor<Int64>)
    case float32(Tensor<Float>)
    case float64(Tensor<Double>)

    public var elementType: ElementType {
        switch self {
        case .uint8: .uint8
        case .int32: .int32
        case .int64: .int64
        case .float32: .float32
        case .float64: .float64
        }
    }

    public var shape: [Int] {
        switch self {
        case .uint8(let t): t.shape
        case .int32(let t): t.shape
        case .int64(let t): t.shape
        case .float32(let t): t.shape
        case .float64(let t): t.shape
        }
    }

    public var count: Int { shape.reduce(1, *) }

    /// The elements as bytes, little-endian, row-major.
    public var bytes: [UInt8] {
        switch self {
        case .uint8(let t): t.elements
        case .int32(let t): Self.copyBytes(of: t.elements)
        case .int64(let t): Self.copyBytes(of: t.elements)
        case .float32(let t): Self.copyBytes(of: t.elements)
        case .float64(let t): Self.copyBytes(of: t.elements)
        }
    }

    /// - Returns: nil when the number of bytes does not fill `shape`.
    public init?(elementType: ElementType, shape: [Int], bytes: some Collection<UInt8>) {
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            if overflow || extent < 0 { return nil }
            count = product
        }
        let (size, overflow) = count.multipliedReportingOverflow(by: elementType.size)
        guard !overflow, bytes.count == size else { return nil }
        switch elementType {
        case .uint8: self = .uint8(Tensor(shape: shape, elements: Array(bytes)))
        case .int32: self = .int32(Tensor(shape: shape, elements: Self.elements(bytes, count)))
        case .int64: self = .int64(Tensor(shape: shape, elements: Self.elements(bytes, count)))
        case .float32: self = .float32(Tensor(shape: shape, elements: Self.elements(bytes, count)))
        case .float64: self = .float64(Tensor(shape: shape, elements: Self.elements(bytes, count)))
        }
    }

    /// The elements converted to double precision (int64 beyond 2⁵³ rounds).
    public var asFloat64: Tensor<Double> {
        switch self {
        case .uint8(let t): Tensor(shape: t.shape, elements: t.elements.map(Double.init))
        case .int32(let t): Tensor(shape: t.shape, elements: t.elements.map(Double.init))
        case .int64(let t): Tensor(shape: t.shape, elements: t.elements.map(Double.init))
        case .float32(let t): Tensor(shape: t.shape, elements: t.elements.map(Double.init))
        case .float64(let t): t
        }
    }

    /// The elements converted to single precision.
    public var asFloat32: Tensor<Float> {
        if case .float32(let t) = self { return t }
        let t = asFloat64
        return Tensor(shape: t.shape, elements: t.elements.map(Float.init))
    }

    private static func copyBytes<E: TensorElement>(of elements: [E]) -> [UInt8] {
        elements.withUnsafeBytes { Array($0) }
    }

    private static func elements<E: TensorElement>(_ bytes: some Collection<UInt8>, _ count: Int) -> [E] {
        Array(unsafeUninitializedCapacity: count) { buffer, initialised in
            let target = UnsafeMutableRawBufferPointer(buffer)
            // One copy: byte by byte through an unspecialised iterator takes a thousand times longer.
            let copied: Void? = bytes.withContiguousStorageIfAvailable { target.copyBytes(from: $0) }
            if copied == nil { target.copyBytes(from: Array(bytes)) }
            initialised = count
        }
    }
}
