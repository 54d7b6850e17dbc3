import Tensors

/// What a step gives and takes: a tree of plain values and tensors.
///
/// Two values are the same artifact when their canonical bytes are equal: floats by bit pattern, records by
/// sorted field names. Science types convert to and from `Value` in the `Stages` module.
public indirect enum Value: Hashable, Sendable {
    /// An optional parameter that was not given.
    case none
    case bool(Bool)
    case int(Int)
    /// Compared by bit pattern in keys and digests.
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case list([Value])
    case record([String: Value])
    case tensor(AnyTensor)
    /// The content of another artifact, by name.
    case digest(Digest)

    /// The digest of the canonical bytes.
    public var digest: Digest { Digest(of: encoded().bytes) }
}

extension Value {
    public static func tensor(_ t: Tensor<Float>) -> Value { .tensor(.float32(t)) }
    public static func tensor(_ t: Tensor<Double>) -> Value { .tensor(.float64(t)) }
    public static func tensor(_ t: Tensor<UInt8>) -> Value { .tensor(.uint8(t)) }

    /// The field of a record; nil for other kinds and for missing fields.
    public subscript(field: String) -> Value? {
        if case .record(let fields) = self { return fields[field] }
        return nil
    }

    public var isNone: Bool { self == .none }
}

/// A value did not have the expected kind: an artifact from another version, or a stage's own defect.
public struct ValueError: Error, Hashable, Sendable, CustomStringConvertible {
    public var expected: String
    public var field: String?
    public var found: String

    public init(expected: String, field: String?, found: String) {
        self.expected = expected
        self.field = field
        self.found = found
    }

    public var description: String {
        "expected \(expected)\(field.map { " in field '\($0)'" } ?? "") but found \(found)"
    }
}

extension Value {
    /// The name of the kind, for messages.
    public var kind: String {
        switch self {
        case .none: "none"
        case .bool: "bool"
        case .int: "int"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .list: "list"
        case .record: "record"
        case .tensor(let t): "tensor \(t.elementType.rawValue)\(t.shape)"
        case .digest: "digest"
        }
    }

    private func mismatch(_ expected: String) -> ValueError { ValueError(expected: expected, field: nil, found: kind) }

    public func asBool() throws(ValueError) -> Bool {
        guard case .bool(let b) = self else { throw mismatch("bool") }
        return b
    }

    public func asInt() throws(ValueError) -> Int {
        guard case .int(let i) = self else { throw mismatch("int") }
        return i
    }

    /// A double, or an integer converted.
    public func asDouble() throws(ValueError) -> Double {
        switch self {
        case .double(let d): return d
        case .int(let i): return Double(i)
        default: throw mismatch("double")
        }
    }

    public func asString() throws(ValueError) -> String {
        guard case .string(let s) = self else { throw mismatch("string") }
        return s
    }

    public func asList() throws(ValueError) -> [Value] {
        guard case .list(let l) = self else { throw mismatch("list") }
        return l
    }

    public func asRecord() throws(ValueError) -> [String: Value] {
        guard case .record(let r) = self else { throw mismatch("record") }
        return r
    }

    public func asTensor() throws(ValueError) -> AnyTensor {
        guard case .tensor(let t) = self else { throw mismatch("tensor") }
        return t
    }

    public func asDoubles() throws(ValueError) -> [Double] {
        if case .tensor(let t) = self { return t.asFloat64.elements }
        var doubles: [Double] = []
        for element in try asList() { doubles.append(try element.asDouble()) }
        return doubles
    }

    /// The field of a record, which must be there.
    public func field(_ name: String) throws(ValueError) -> Value {
        guard let value = try asRecord()[name] else {
            throw ValueError(expected: "a value", field: name, found: "nothing")
        }
        return value
    }

    public func bool(_ name: String) throws(ValueError) -> Bool { try field(name).asBool() }
    public func int(_ name: String) throws(ValueError) -> Int { try field(name).asInt() }
    public func double(_ name: String) throws(ValueError) -> Double { try field(name).asDouble() }
    public func string(_ name: String) throws(ValueError) -> String { try field(name).asString() }
    public func list(_ name: String) throws(ValueError) -> [Value] { try field(name).asList() }
    public func doubles(_ name: String) throws(ValueError) -> [Double] { try field(name).asDoubles() }
    public func tensor(_ name: String) throws(ValueError) -> AnyTensor { try field(name).asTensor() }
}
