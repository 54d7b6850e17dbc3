import Artifacts

/// What makes a step the step that it is: the parts whose digest is its key.
///
///     key = SHA-256(canonical bytes of {inputs: {port: digest}, [point], [sample], template: digest})
///
/// The template holds what all steps of a node share (stage, version, parameters, seed), so that ten thousand samples
/// store it once and hash it once.
public struct StepIdentity: Sendable, Hashable, Codable {
    /// Digest of the template's canonical bytes.
    public var template: Digest
    /// By port; of a port that takes everything, the digest of its collection.
    public var inputs: [String: Digest]
    /// The sample's number, where it takes part in the key: two samples with equal inputs are otherwise one step.
    public var sample: Int?
    /// Canonical bytes of the sample's own parameters, for stages whose samples are given one by one; else empty.
    public var point: [UInt8]

    public init(template: Digest, inputs: [String: Digest] = [:], sample: Int? = nil, point: [UInt8] = []) {
        self.template = template
        self.inputs = inputs
        self.sample = sample
        self.point = point
    }

    public var key: Digest {
        var pattern = KeyPattern(template: template, ports: inputs.keys.sorted(), hasSample: sample != nil)
        return pattern.key(inputs: pattern.ports.compactMap { inputs[$0] }, sample: sample ?? 0, point: point)
    }

    /// The whole preimage as one value: the template's fields, and `inputs`, `sample` and `point` beside them.
    ///
    /// - Parameter template: the value whose digest is `self.template`.
    public func preimage(template: Value) throws(ValueError) -> Value {
        var fields = try template.asRecord()
        fields["inputs"] = .record(inputs.mapValues { .digest($0) })
        if let sample { fields["sample"] = .int(sample) }
        if !point.isEmpty { fields["point"] = try Value(decoding: point) }
        return .record(fields)
    }
}

/// Makes the keys of many steps that differ in input digests, sample and point alone: one buffer, patched in place.
public struct KeyPattern {
    /// Sorted by name.
    public let ports: [String]
    /// A digest that stands for none.
    public let placeholder = Digest(of: [])
    private let hasSample: Bool
    private var bytes: [UInt8]
    private var slots: [Int] = []
    private let pointStart: Int
    private let tail: [UInt8]

    public init(template: Digest, ports: [String], hasSample: Bool) {
        self.ports = ports
        self.hasSample = hasSample
        // Names in canonical order: inputs, point, sample, template. The count of fields is patched with the point.
        func text(_ name: String) -> [UInt8] { Array(Value.string(name).encoded().bytes.dropFirst()) }
        bytes = [8] + Array(Value.int(2 + (hasSample ? 1 : 0)).encoded().bytes.dropFirst())
        bytes += text("inputs") + [8] + Array(Value.int(ports.count).encoded().bytes.dropFirst())
        for port in ports {
            bytes += text(port) + [10]
            slots.append(bytes.count)
            placeholder.append(to: &bytes)
        }
        pointStart = bytes.count
        var tail = text("template") + [10]
        template.append(to: &tail)
        self.tail = tail
    }

    /// - Parameter inputs: digests in the order of `ports`.
    public mutating func key(inputs: [Digest], sample: Int, point: [UInt8] = []) -> Digest {
        for (slot, digest) in zip(slots, inputs) { digest.write(to: &bytes, at: slot) }
        bytes.removeLast(bytes.count - pointStart)
        bytes[1] = (hasSample ? 3 : 2) + (point.isEmpty ? 0 : 1)
        if !point.isEmpty {
            bytes.append(contentsOf: Self.pointName)
            bytes.append(contentsOf: point)
        }
        if hasSample {
            bytes.append(contentsOf: Self.sampleName)
            bytes.append(3)
            var word = UInt64(bitPattern: Int64(sample)).littleEndian
            withUnsafeBytes(of: &word) { bytes.append(contentsOf: $0) }
        }
        bytes.append(contentsOf: tail)
        return Digest(of: bytes)
    }

    private static let pointName = Array(Value.string("point").encoded().bytes.dropFirst())
    private static let sampleName = Array(Value.string("sample").encoded().bytes.dropFirst())
}
