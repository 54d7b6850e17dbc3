/// The element types that a tensor, an artifact and a .npy file may have.
public enum ElementType: String, Sendable, Codable, CaseIterable {
    case uint8, int32, int64, float32, float64

    /// Bytes of one element.
    public var size: Int {
        switch self {
        case .uint8: 1
        case .int32, .float32: 4
        case .int64, .float64: 8
        }
    }
}

/// A Swift type that can be an element of a tensor. All are trivial and stored little-endian.
public protocol TensorElement: BitwiseCopyable, Hashable, Sendable {
    static var elementType: ElementType { get }
}

extension UInt8: TensorElement { public static var elementType: ElementType { .uint8 } }
extension Int32: TensorElement { public static var elementType: ElementType { .int32 } }
extension Int64: TensorElement { public static var elementType: ElementType { .int64 } }
extension Float: TensorElement { public static var elementType: ElementType { .float32 } }
extension Double: TensorElement { public static var elementType: ElementType { .float64 } }

/// A dense array in row-major (C) order: the last index runs fastest.
public struct Tensor<Element: TensorElement>: Hashable, Sendable {
    /// Extent of each dimension; empty for a scalar.
    public let shape: [Int]
    public var elements: [Element]

    /// - Precondition: `elements.count` is the product of `shape`.
    public init(shape: [Int], elements: [Element]) {
        precondition(elements.count == shape.reduce(1, *), "\(elements.count) elements do not fill shape \(shape)")
        self.shape = shape
        self.elements = elements
    }

    public init(shape: [Int], repeating element: Element) {
        self.init(shape: shape, elements: Array(repeating: element, count: shape.reduce(1, *)))
    }

    public var count: Int { elements.count }

    /// The position of `indices` in `elements`.
    public func offset(_ indices: [Int]) -> Int {
        precondition(indices.count == shape.count, "\(indices.count) indices for \(shape.count) dimensions")
        var offset = 0
        for (index, extent) in zip(indices, shape) {
            precondition(index >= 0 && index < extent, "index \(indices) outside shape \(shape)")
            offset = offset * extent + index
        }
        return offset
    }

    public subscript(indices: Int...) -> Element {
        get { elements[offset(indices)] }
        set { elements[offset(indices)] = newValue }
    }

    /// The same elements, counted differently.
    public func reshaped(_ shape: [Int]) -> Tensor { Tensor(shape: shape, elements: elements) }
}
