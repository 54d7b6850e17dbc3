import Tensors

/// The value of an attribute.
public enum HDF5Attribute: Hashable, Sendable {
    case text(String)
    case int32(Int32)
    case double(Double)

    public var text: String? {
        if case .text(let text) = self { return text }
        return nil
    }

    public var number: Double? {
        switch self {
        case .text: nil
        case .int32(let value): Double(value)
        case .double(let value): value
        }
    }
}

/// A dataset to be written.
public struct HDF5Dataset: Hashable, Sendable {
    /// How numbers are stored.
    public enum Number: String, Sendable { case int8, uint8, int32, uint32, int64, float32, float64 }

    enum Content: Hashable, Sendable {
        case numbers(AnyTensor, as: Number, chunk: [Int]?)
        case text(String)
    }

    var content: Content
    public var attributes: [String: HDF5Attribute]

    /// - Parameter chunk: extents of the pieces that are deflated one by one; without it the numbers lie as they are.
    public init(
        _ numbers: AnyTensor, as stored: Number? = nil, chunk: [Int]? = nil, attributes: [String: HDF5Attribute] = [:]
    ) {
        let natural: Number =
            switch numbers.elementType {
            case .uint8: .uint8
            case .int32: .int32
            case .int64: .int64
            case .float32: .float32
            case .float64: .float64
            }
        content = .numbers(numbers, as: stored ?? natural, chunk: chunk)
        self.attributes = attributes
    }

    public init(_ doubles: [Double], attributes: [String: HDF5Attribute] = [:]) {
        self.init(.float64(Tensor(shape: [doubles.count], elements: doubles)), attributes: attributes)
    }

    public init(_ text: String, attributes: [String: HDF5Attribute] = [:]) {
        content = .text(text)
        self.attributes = attributes
    }
}

/// A group to be written, with all that is in it.
public struct HDF5Group: Hashable, Sendable {
    public var attributes: [String: HDF5Attribute]
    public var datasets: [String: HDF5Dataset]
    public var groups: [String: HDF5Group]

    public init(
        attributes: [String: HDF5Attribute] = [:], datasets: [String: HDF5Dataset] = [:],
        groups: [String: HDF5Group] = [:]
    ) {
        self.attributes = attributes
        self.datasets = datasets
        self.groups = groups
    }

    /// A group of a NeXus class: its attribute `NX_class`.
    public init(class name: String, datasets: [String: HDF5Dataset] = [:], groups: [String: HDF5Group] = [:]) {
        self.init(attributes: ["NX_class": .text(name)], datasets: datasets, groups: groups)
    }

    /// The bytes of a file whose root is this group: without dates, so that the same tree gives the same bytes with the
    /// same version of the library. Readable since HDF5 1.8.
    public func encoded(name: String = "the file") throws(InterchangeError) -> [UInt8] {
        try HDF5Library.locked { () throws(InterchangeError) in
            let file = try HDF5Library.create(name)
            try write(to: file, name)
            return try HDF5Library.image(of: file, name)
        }
    }

    private func write(to group: HDF5Handle, _ file: String) throws(InterchangeError) {
        for (name, attribute) in attributes.sorted(by: { $0.key < $1.key }) {
            try HDF5Library.write(attribute, named: name, to: group, file)
        }
        for (name, dataset) in datasets.sorted(by: { $0.key < $1.key }) {
            let made: HDF5Handle
            switch dataset.content {
            case .text(let text): made = try HDF5Library.write(text: text, named: name, in: group, file)
            case .numbers(let tensor, let stored, let chunk):
                made = try HDF5Library.write(tensor, as: stored, chunk: chunk, named: name, in: group, file)
            }
            for (key, attribute) in dataset.attributes.sorted(by: { $0.key < $1.key }) {
                try HDF5Library.write(attribute, named: key, to: made, file)
            }
        }
        for (name, inner) in groups.sorted(by: { $0.key < $1.key }) {
            try inner.write(to: try HDF5Library.makeGroup(name, in: group, file), file)
        }
    }
}
