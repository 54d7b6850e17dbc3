import Artifacts
import Foundation
import GraphLanguage

/// The part of JSON Schema (draft 2020-12) that the schema of graph files uses; an unknown keyword is a failure.
struct SchemaValidator {
    let root: Value

    enum Failure: Error { case unknownKeyword(String), badSchema(String) }

    private static let annotations: Set<String> = ["$schema", "$defs", "title", "description"]

    func accepts(_ value: Located, schema: Value? = nil) throws -> Bool {
        let schema = schema ?? root
        if case .bool(let answer) = schema { return answer }
        for (keyword, argument) in try schema.asRecord() where !Self.annotations.contains(keyword) {
            if try !holds(keyword, argument, for: value, schema) { return false }
        }
        return true
    }

    private func holds(_ keyword: String, _ argument: Value, for value: Located, _ schema: Value) throws -> Bool {
        switch keyword {
        case "$ref":
            let name = try argument.asString().replacingOccurrences(of: "#/$defs/", with: "")
            return try accepts(value, schema: root.field("$defs").field(name))
        case "type":
            let types = if case .list(let list) = argument { list } else { [argument] }
            return try types.contains { value.is(type: try $0.asString()) }
        case "const":
            guard let scalar = value.scalar else { return false }
            // 0 and 0.0 are one number.
            return scalar == argument || (scalar.number != nil && scalar.number == argument.number)
        case "enum": return try argument.asList().contains { $0 == value.scalar }
        case "pattern":
            guard case .string(let text)? = value.scalar else { return true }
            return try text.contains(Regex(argument.asString()))
        case "minLength":
            guard case .string(let text)? = value.scalar else { return true }
            return try text.count >= argument.asInt()
        case "minimum": return try value.scalar?.number.map { try $0 >= argument.asDouble() } ?? true
        case "maximum": return try value.scalar?.number.map { try $0 <= argument.asDouble() } ?? true
        case "anyOf": return try argument.asList().contains { try accepts(value, schema: $0) }
        case "allOf": return try argument.asList().allSatisfy { try accepts(value, schema: $0) }
        case "if":
            let branch = try accepts(value, schema: argument) ? schema["then"] : schema["else"]
            return try branch.map { try accepts(value, schema: $0) } ?? true
        case "then", "else": return true
        case "items": return try value.items?.allSatisfy { try accepts($0, schema: argument) } ?? true
        case "minItems": return try value.items.map { try $0.count >= argument.asInt() } ?? true
        case "maxItems": return try value.items.map { try $0.count <= argument.asInt() } ?? true
        case "properties":
            return try value.entries?.allSatisfy { entry in
                try argument[entry.key].map { try accepts(entry.value, schema: $0) } ?? true
            } ?? true
        case "additionalProperties":
            return try value.entries?.allSatisfy { entry in
                try schema["properties"]?[entry.key] != nil || accepts(entry.value, schema: argument)
            } ?? true
        case "propertyNames":
            return try value.entries?.allSatisfy { entry in
                try accepts(Located(.scalar(entry.key, quoted: true), at: entry.keyRange), schema: argument)
            } ?? true
        case "minProperties": return try value.entries.map { try $0.count >= argument.asInt() } ?? true
        case "required":
            return try value.entries.map { entries in
                try argument.asList().allSatisfy { name in try entries.contains { try $0.key == name.asString() } }
            } ?? true
        default: throw Failure.unknownKeyword(keyword)
        }
    }
}

extension Value {
    fileprivate var number: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }
}

extension Located {
    /// A single value as YAML's core types have it.
    fileprivate var scalar: Value? {
        guard case .scalar(let text, let isQuoted) = content else { return nil }
        if isQuoted { return .string(text) }
        if isNull { return Value.none }
        if text == "true" || text == "false" { return .bool(text == "true") }
        if let number = Int(text) { return .int(number) }
        let isNumber = text.allSatisfy { $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }
        if isNumber, let number = Double(text) { return .double(number) }
        return .string(text)
    }

    fileprivate func `is`(type: String) -> Bool {
        switch (type, scalar) {
        case ("object", _): return entries != nil
        case ("array", _): return items != nil
        case ("null", .none?), ("boolean", .bool?), ("string", .string?), ("integer", .int?), ("number", .int?),
            ("number", .double?):
            return type != "null" || scalar == Value.none
        default: return false
        }
    }
}
