import Artifacts
import GraphLanguage
import Quantities

extension StageLibrary {
    /// A JSON Schema (draft 2020-12) of graph files, so that an editor with a YAML language server completes and checks
    /// them: stages, inputs and parameters with their meanings, units, ranges and defaults.
    ///
    /// It is more lenient than binding where one file cannot tell: which names stand for nodes, whether quantities are in
    /// range, whether what is not written comes from `defaults` or an included file.
    public var schema: Value {
        var definitions: [String: Value] = [
            "name": .record(["type": .string("string"), "pattern": .string("^[A-Za-z][A-Za-z0-9_-]*$")]),
            "reference": .record([
                "type": .string("string"), "pattern": .string("^\\$[^$]"),
                "description": .string("a value from the class, the axis or 'define'"),
            ]),
            "loop": Self.loop, "limits": Self.limits, "node": node(isComplete: false),
            "complete-node": node(isComplete: true),
        ]
        for stage in stages {
            let signature = stage.signature
            definitions["stage." + signature.name] = signature.nodeSchema
            definitions["defaults." + signature.name] = signature.defaultsSchema
        }
        let named: (Value) -> Value = {
            .record([
                "type": .string("object"), "propertyNames": .reference("name"), "additionalProperties": $0,
            ])
        }
        let settings = named(.bool(true))
        return .record([
            "$schema": .string("https://json-schema.org/draft/2020-12/schema"),
            "title": .string("Spinweave graph"), "type": .string("object"), "$defs": .record(definitions),
            "properties": .record([
                "graph": .record(["$ref": .string("#/$defs/name"), "description": .string("the graph's name")]),
                "about": .record([
                    "type": .types("string", "number", "boolean"), "description": .string("one line for readers"),
                ]),
                "seed": .record(["type": .string("integer"), "description": .string("of every random number")]),
                "include": .anyOf([
                    .type("string"), .record(["type": .string("array"), "items": .type("string")]),
                ]).described("graph files whose sections are taken over; paths start at this file's folder"),
                "classes": named(.anyOf([settings, .type("null")])).described("the candidate models"),
                "define": .anyOf([settings, .type("null")]).described("values that $name stands for"),
                "defaults": .anyOf([
                    .record([
                        "type": .string("object"), "additionalProperties": .bool(false),
                        "properties": .record(
                            Dictionary(
                                uniqueKeysWithValues: stages.map {
                                    ($0.signature.name, .reference("defaults." + $0.signature.name))
                                })),
                    ]), .type("null"),
                ]).described("parameters of stages, for every node that does not write its own"),
                "nodes": named(.reference("node")).described("what to compute"),
            ]),
            "additionalProperties": .bool(false),
            // What a file leaves out may stand in its defaults or in a file that it includes.
            "if": .anyOf([.record(["required": .strings(["include"])]), .record(["required": .strings(["defaults"])])]),
            "else": .record([
                "properties": .record(["nodes": .record(["additionalProperties": .reference("complete-node")])]),
                "required": .strings(["nodes"]),
            ]),
        ])
    }

    /// `stage` decides what else a node takes.
    private func node(isComplete: Bool) -> Value {
        var rules = stages.map { stage -> Value in
            let name = stage.signature.name
            let taken =
                isComplete
                ? Value.record(["required": .strings(stage.signature.requiredParameters)]) : .reference("stage." + name)
            return .record([
                "if": .record([
                    "properties": .record(["stage": .record(["const": .string(name)])]),
                    "required": .strings(["stage"]),
                ]), "then": taken,
            ])
        }
        if isComplete { rules.append(.reference("node")) }
        return .record([
            "type": .string("object"), "required": .strings(["stage"]), "allOf": .list(rules),
            "properties": .record([
                "stage": .record([
                    "enum": .strings(stages.map { $0.signature.name }), "description": .string("the kind of work"),
                ])
            ]),
        ])
    }

    /// `{time: 10 min, memory: 4 GB}`.
    private static var limits: Value {
        func amount(_ units: [String]) -> Value {
            .anyOf([
                .record([
                    "type": .string("string"),
                    "pattern": .string(
                        "^ *([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]+)? *(\(units.joined(separator: "|"))) *$"),
                ]), .type("null"),
            ])
        }
        return .anyOf([
            .record([
                "type": .string("object"), "additionalProperties": .bool(false),
                "properties": .record([
                    "time": amount(StepLimits.timeUnitNames), "memory": amount(StepLimits.memoryUnitNames),
                ]),
            ]), .type("null"),
        ]).described("what one step may take: it fails when it exceeds a limit")
    }

    /// `each class`, or a mapping of axes.
    private static var loop: Value {
        let points = Value.anyOf([
            .reference("reference"),
            .record([
                "type": .string("array"), "minItems": .int(1),
                "items": .record(["type": .types("string", "number", "boolean")]),
            ]),
            .record(["type": .string("object"), "minProperties": .int(1), "propertyNames": .reference("name")]),
        ])
        return .anyOf([
            .record(["type": .string("string"), "pattern": .string("^ *each +class *$")]),
            .record([
                "type": .string("object"), "minProperties": .int(1), "propertyNames": .reference("name"),
                "properties": .record(["class": .record(["const": .string("each")])]), "additionalProperties": points,
            ]),
        ]).described("one node for each class, or for each combination of the axes")
    }
}

extension Signature {
    fileprivate var requiredParameters: [String] {
        parameters.filter { if case .required = $0.defaultValue { true } else { false } }.map(\.name)
    }

    /// A node of this stage: everything that it takes, and nothing else.
    fileprivate var nodeSchema: Value {
        var properties: [String: Value] = [
            "stage": .record(["const": .string(name), "description": .string(about)]), "for": .reference("loop"),
            "limits": .reference("limits"),
        ]
        for input in inputs { properties[input.name] = input.schema }
        for parameter in parameters { properties[parameter.name] = parameter.schema }
        return .record([
            "description": .string(about), "properties": .record(properties), "additionalProperties": .bool(false),
            "required": .strings(["stage"] + inputs.filter { !$0.isOptional }.map(\.name)),
        ])
    }

    fileprivate var defaultsSchema: Value {
        .anyOf([
            .record([
                "type": .string("object"), "additionalProperties": .bool(false),
                "properties": .record(
                    Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.schema) })
                        .merging(["limits": .reference("limits")]) { $1 }),
            ]), .type("null"),
        ])
    }
}

extension InputPort {
    fileprivate var schema: Value {
        let name = Value.record(["type": .string("string"), "minLength": .int(1)])
        var forms = [name]
        if cardinality == .all {
            forms.append(
                .anyOf([.record(["type": .string("array"), "items": name, "minItems": .int(1)])]))
        }
        if isOptional { forms.append(.type("null")) }
        let who = cardinality == .all ? "nodes that give" : "a node that gives"
        return Value.anyOf(forms).described("\(about) (\(who) \(type.name.withArticle))")
    }
}

extension Parameter {
    fileprivate var schema: Value {
        var forms = [Value.reference("reference"), type.schema]
        var text = about
        switch defaultValue {
        case .required: break
        case .optional: forms.append(.type("null"))
        case .text(let written): text += " (default \(written.isEmpty ? "''" : written))"
        }
        return Value.anyOf(forms).described("\(text): \(type.phrase)")
    }
}

extension ParameterType {
    /// The schema of what may be written, as a YAML reader with the core types sees it.
    var schema: Value {
        switch self {
        case .boolean:
            return .anyOf([.type("boolean"), .record(["type": .string("string"), "pattern": .string(Self.truth)])])
        case .integer(let range):
            var fields: [String: Value] = ["type": .string("integer")]
            if range.lowerBound != .min { fields["minimum"] = .int(range.lowerBound) }
            if range.upperBound != .max { fields["maximum"] = .int(range.upperBound) }
            return .record(fields)
        case .number(let range):
            var fields: [String: Value] = ["type": .string("number")]
            if range.lowerBound > -.greatestFiniteMagnitude { fields["minimum"] = .double(range.lowerBound) }
            if range.upperBound < .greatestFiniteMagnitude { fields["maximum"] = .double(range.upperBound) }
            return .record(fields)
        case .quantity(let dimension, _):
            let units = dimension.units.map(\.name).joined(separator: "|")
            let number = "[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?"
            return .anyOf([
                .record(["type": .string("string"), "pattern": .string("^ *\(number) *(\(units)) *$")]),
                // Zero needs no unit, in quotation marks or out of them.
                .record(["const": .int(0)]),
                .record(["type": .string("string"), "pattern": .string("^ *[+-]?0+([.]0*)? *$")]),
            ])
        case .choice(let names): return .record(["enum": .strings(names)])
        case .text: return .record(["type": .types("string", "number", "boolean")])
        case .file, .directory, .model, .instrument:
            return .record(["type": .types("string", "number"), "minLength": .int(1)])
        case .list(let element, let count):
            var fields: [String: Value] = [
                "type": .string("array"), "items": element.schemaOrReference, "minItems": .int(count.lowerBound),
            ]
            if count.upperBound != .max { fields["maxItems"] = .int(count.upperBound) }
            return .record(fields)
        case .mapping(let element):
            return .record(["type": .string("object"), "additionalProperties": element.schemaOrReference])
        case .structure(let parameters):
            return .record([
                "type": .string("object"), "additionalProperties": .bool(false),
                "properties": .record(Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.schema) })),
                "required": .strings(
                    parameters.filter { if case .required = $0.defaultValue { true } else { false } }.map(\.name)),
            ])
        case .variant(let variants): return .anyOf(variants.flatMap(\.schemas))
        case .either(let first, let second): return .anyOf([first.schema, second.schema])
        }
    }

    /// JSON Schema's patterns have no way to leave out the case.
    private static let truth = "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Yy][Ee][Ss]|[Nn][Oo])$"

    fileprivate var schemaOrReference: Value { .anyOf([.reference("reference"), schema]) }
}

extension ParameterType.Variant {
    /// `name: content`, and the bare `name` where everything in it has a default.
    fileprivate var schemas: [Value] {
        var content = type.schemaOrReference
        var forms: [Value] = []
        if case .structure(let parts) = type {
            let needsNothing = parts.allSatisfy { if case .required = $0.defaultValue { false } else { true } }
            if needsNothing {
                forms.append(.record(["const": .string(name), "description": .string(about)]))
                content = .anyOf([content, .type("null")])
            }
        }
        forms.append(
            .record([
                "type": .string("object"), "description": .string(about), "required": .strings([name]),
                "properties": .record([name: content]), "additionalProperties": .bool(false),
            ]))
        return forms
    }
}

extension Value {
    fileprivate static func type(_ name: String) -> Value { .record(["type": .string(name)]) }
    fileprivate static func types(_ names: String...) -> Value { .strings(names) }
    fileprivate static func strings(_ texts: [String]) -> Value { .list(texts.map { .string($0) }) }
    fileprivate static func reference(_ name: String) -> Value { .record(["$ref": .string("#/$defs/" + name)]) }
    fileprivate static func anyOf(_ forms: [Value]) -> Value {
        forms.count == 1 ? forms[0] : .record(["anyOf": .list(forms)])
    }

    fileprivate func described(_ text: String) -> Value {
        guard case .record(var fields) = self else { return self }
        fields["description"] = .string(text)
        return .record(fields)
    }
}
