import Artifacts
import Quantities

extension Signature {
    /// The signature as one value, for `spinweave stages NAME --format json`; what does not apply is absent.
    public var document: Value {
        var fields: [String: Value] = [
            "name": .string(name), "version": .int(version), "about": .string(about),
            "inputs": .list(inputs.map(\.document)), "output": .string(output.name),
            "parameters": .list(parameters.map(\.document)), "random": .bool(isRandom), "threaded": .bool(isThreaded),
        ]
        if let samplesFrom { fields["samples_from"] = .string(samplesFrom) }
        return .record(fields)
    }
}

extension InputPort {
    var document: Value {
        .record([
            "name": .string(name), "type": .string(type.name), "cardinality": .string(cardinality.rawValue),
            "optional": .bool(isOptional), "about": .string(about),
        ])
    }
}

extension Parameter {
    var document: Value {
        var fields: [String: Value] = ["name": .string(name), "about": .string(about), "type": type.document]
        switch defaultValue {
        case .required: fields["required"] = .bool(true)
        case .optional: fields["required"] = .bool(false)
        case .text(let text):
            fields["required"] = .bool(false)
            // As one would write it in a graph file.
            fields["default"] = .string(text)
        }
        return .record(fields)
    }
}

extension ParameterType {
    /// `kind`, the type in words, and what belongs to the kind: bounds in `unit`, `choices`, `elements` (one type of
    /// a list or mapping, two of `either`), `parameters` of a structure, `forms` of a variant.
    var document: Value {
        var fields = parts
        fields["phrase"] = .string(phrase)
        return .record(fields)
    }

    private var parts: [String: Value] {
        switch self {
        case .boolean: return ["kind": .string("boolean")]
        case .text: return ["kind": .string("text")]
        case .file: return ["kind": .string("file")]
        case .directory: return ["kind": .string("directory")]
        case .model: return ["kind": .string("model")]
        case .instrument: return ["kind": .string("instrument")]
        case .integer(let range):
            var fields: [String: Value] = ["kind": .string("integer")]
            if range.lowerBound != .min { fields["minimum"] = .int(range.lowerBound) }
            if range.upperBound != .max { fields["maximum"] = .int(range.upperBound) }
            return fields
        case .number(let range): return Self.bounds(range).merging(["kind": .string("number")]) { $1 }
        case .quantity(let dimension, let range):
            return Self.bounds(range).merging([
                "kind": .string("quantity"), "dimension": .string(dimension.rawValue),
                "unit": .string(dimension.baseUnit), "units": .list(dimension.units.map { .string($0.name) }),
            ]) { $1 }
        case .choice(let names): return ["kind": .string("choice"), "choices": .list(names.map { .string($0) })]
        case .list(let element, let count):
            var fields: [String: Value] = [
                "kind": .string("list"), "elements": .list([element.document]),
                "minimum_count": .int(count.lowerBound),
            ]
            if count.upperBound != .max { fields["maximum_count"] = .int(count.upperBound) }
            return fields
        case .mapping(let element): return ["kind": .string("mapping"), "elements": .list([element.document])]
        case .structure(let inner):
            return ["kind": .string("structure"), "parameters": .list(inner.map(\.document))]
        case .variant(let variants):
            let forms = variants.map { form in
                Value.record([
                    "name": .string(form.name), "about": .string(form.about), "type": form.type.document,
                ])
            }
            return ["kind": .string("variant"), "forms": .list(forms)]
        case .either(let first, let second):
            return ["kind": .string("either"), "elements": .list([first.document, second.document])]
        }
    }

    /// JSON has no infinities; an open end is absent.
    private static func bounds(_ range: ClosedRange<Double>) -> [String: Value] {
        var fields: [String: Value] = [:]
        if range.lowerBound > -.greatestFiniteMagnitude { fields["minimum"] = .double(range.lowerBound) }
        if range.upperBound < .greatestFiniteMagnitude { fields["maximum"] = .double(range.upperBound) }
        return fields
    }
}
