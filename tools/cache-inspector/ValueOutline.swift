import Artifacts
import Foundation
import Tensors

/// A value for the eye: small things in full, tensors by their shape, range and first numbers.
indirect enum ValueOutline: Encodable {
    case none
    case bool(Bool)
    case int(Int)
    case double(Double)
    case text(String)
    case bytes(Int)
    case list([ValueOutline], of: Int)
    case record([(name: String, value: ValueOutline)])
    case tensor(TensorOutline)
    case digest(Digest, step: String?)

    struct TensorOutline: Encodable {
        var type: String
        var shape: [Int]
        /// Over the finite elements; nil where there are none.
        var min: Double?
        var max: Double?
        var mean: Double?
        var notFinite: Int
        var first: [Double]
    }

    private static let longestList = 50

    /// - Parameter steps: who made an artifact, for the digests in a key.
    init(_ value: Value, steps: [Digest: String] = [:]) {
        switch value {
        case .none: self = .none
        case .bool(let bool): self = .bool(bool)
        case .int(let int): self = .int(int)
        case .double(let double): self = .double(double)
        case .string(let string): self = .text(string)
        case .bytes(let bytes): self = .bytes(bytes.count)
        case .list(let values):
            self = .list(values.prefix(Self.longestList).map { ValueOutline($0, steps: steps) }, of: values.count)
        case .record(let fields):
            self = .record(fields.sorted { $0.key < $1.key }.map { ($0.key, ValueOutline($0.value, steps: steps)) })
        case .tensor(let tensor): self = .tensor(TensorOutline(tensor))
        case .digest(let digest): self = .digest(digest, step: steps[digest])
        }
    }

    // MARK: Text

    /// One line, or a line for each part.
    func lines(named name: String, indent: String) -> [String] {
        switch self {
        case .record(let fields):
            if fields.isEmpty { return ["\(indent)\(name): {}"] }
            return ["\(indent)\(name):"]
                + fields.flatMap { $0.value.lines(named: $0.name, indent: indent + "  ") }
        case .list(let values, let count):
            let plain = values.compactMap(\.plain)
            if plain.count == values.count, plain.joined(separator: ", ").count <= 80 {
                return ["\(indent)\(name): [\(plain.joined(separator: ", "))\(count > values.count ? ", …" : "")]"]
            }
            var lines = ["\(indent)\(name): \(Wording.count(count, "item"))"]
            for (index, value) in values.enumerated() {
                lines += value.lines(named: "\(index)", indent: indent + "  ")
            }
            if count > values.count { lines.append("\(indent)  … \(count - values.count) more") }
            return lines
        default: return ["\(indent)\(name): \(plain ?? "")"]
        }
    }

    /// Everything on one line; digests in full, because a lineage names files by them.
    var inline: String {
        switch self {
        case .list(let values, let count):
            "[\(values.map(\.inline).joined(separator: ", "))\(count > values.count ? ", …" : "")]"
        case .record(let fields): "{\(fields.map { "\($0.name): \($0.value.inline)" }.joined(separator: ", "))}"
        case .digest(let digest, _): "sha256 \(digest.hex)"
        default: plain ?? ""
        }
    }

    /// The text of something that fits on a line; nil for lists and records.
    private var plain: String? {
        switch self {
        case .none: return "none"
        case .bool(let bool): return "\(bool)"
        case .int(let int): return "\(int)"
        case .double(let double): return "\(double)"
        case .text(let text): return "\"\(text)\""
        case .bytes(let count): return "\(Wording.bytes(count)) of bytes"
        case .digest(let digest, let step): return digest.short + (step.map { " (\($0))" } ?? "")
        case .tensor(let tensor): return tensor.text
        case .list, .record: return nil
        }
    }

    // MARK: JSON

    private struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .record(let fields):
            var container = encoder.container(keyedBy: Name.self)
            for (name, value) in fields { try container.encode(value, forKey: Name(stringValue: name)) }
        case .list(let values, _):
            var container = encoder.unkeyedContainer()
            for value in values { try container.encode(value) }
        case .tensor(let tensor): try tensor.encode(to: encoder)
        default:
            var container = encoder.singleValueContainer()
            switch self {
            case .bool(let bool): try container.encode(bool)
            case .int(let int): try container.encode(int)
            case .double(let double): try container.encode(double)
            case .text(let text): try container.encode(text)
            case .bytes(let count): try container.encode("\(count) bytes")
            case .digest(let digest, _): try container.encode(digest)
            default: try container.encodeNil()
            }
        }
    }
}

extension ValueOutline.TensorOutline {
    private static let shown = 6

    init(_ tensor: AnyTensor) {
        let elements = tensor.asFloat64.elements
        let finite = elements.filter(\.isFinite)
        type = tensor.elementType.rawValue
        shape = tensor.shape
        min = finite.min()
        max = finite.max()
        mean = finite.isEmpty ? nil : finite.reduce(0, +) / Double(finite.count)
        notFinite = elements.count - finite.count
        first = Array(elements.prefix(Self.shown))
    }

    var text: String {
        var text = "\(type) [\(shape.map(String.init).joined(separator: ", "))]"
        if let min, let max, let mean {
            text += "  min \(short(min))  max \(short(max))  mean \(short(mean))"
        }
        if notFinite > 0 { text += "  not finite \(notFinite)" }
        let count = shape.reduce(1, *)
        if count > 0 { text += "  [\(first.map(short).joined(separator: ", "))\(count > first.count ? ", …" : "")]" }
        return text
    }

    private func short(_ number: Double) -> String { String(format: "%.5g", number) }
}
