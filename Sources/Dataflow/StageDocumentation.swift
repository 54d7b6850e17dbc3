import Quantities

/// A stage's manual page, from its signature alone.
///
/// What it is for, its inputs and output, and every parameter with type, range, units, default and meaning; the
/// parts of structures and variants are indented below them. Lines are at most 100 characters where words allow.
public func documentation(of signature: Signature) -> String {
    var page = ManualPage()
    page.add("\(signature.name), version \(signature.version)", indent: 0)
    page.add(signature.about, indent: 1)
    if !signature.inputs.isEmpty {
        page.heading("Inputs")
        for input in signature.inputs {
            let extent =
                input.cardinality == .each
                ? "one value; sample by sample where the node has samples" : "all samples, of all classes"
            page.add("\(input.name): \(input.type.name) (\(extent))\(input.isOptional ? ", optional" : "")", indent: 1)
            page.add(input.about, indent: 2)
        }
    }
    page.heading("Output")
    let count = signature.samplesFrom.map { ", as many samples as '\($0)' says" } ?? ""
    page.add("\(signature.output.name)\(count)", indent: 1)
    if signature.isRandom {
        page.add("Draws random numbers, addressed by the graph's seed, the node and the sample.", indent: 1)
    }
    if !signature.parameters.isEmpty {
        page.heading("Parameters")
        for parameter in signature.parameters { page.add(parameter, indent: 1) }
    }
    return page.text
}

private struct ManualPage {
    private(set) var text = ""

    mutating func heading(_ title: String) { text += "\n\(title)\n" }

    /// Adds words at four blanks an indent, broken at 100 characters; a broken line goes on two blanks further in.
    mutating func add(_ words: String, indent: Int) {
        let start = String(repeating: "    ", count: indent)
        var line = start
        for word in words.split(separator: " ") {
            if line.count + 1 + word.count > 100, line.count > start.count + 2 {
                text += line + "\n"
                line = start + "  " + word
            } else {
                line += (line.allSatisfy { $0 == " " } ? "" : " ") + word
            }
        }
        text += line + "\n"
    }

    mutating func add(_ parameter: Parameter, indent: Int) {
        let ending =
            switch parameter.defaultValue {
            case .required: "required"
            case .optional: "optional"
            case .text(let text): "default \(text.isEmpty ? "''" : text)"
            }
        add("\(parameter.name): \(parameter.type.headline); \(ending)", indent: indent)
        add(parameter.about, indent: indent + 1)
        addParts(of: parameter.type, indent: indent + 1)
    }

    mutating func addParts(of type: ParameterType, indent: Int) {
        switch type {
        case .structure(let parameters):
            for parameter in parameters { add(parameter, indent: indent) }
        case .variant(let variants):
            for variant in variants {
                // A form whose parts all have defaults may stand as its bare name.
                let isBare = if case .structure(let parts) = variant.type { parts.isEmpty } else { false }
                add(variant.name + (isBare ? "" : ": \(variant.type.headline)"), indent: indent)
                add(variant.about, indent: indent + 1)
                addParts(of: variant.type, indent: indent + 1)
            }
        case .list(let element, _), .mapping(let element): addParts(of: element, indent: indent)
        case .either(let first, let second):
            addParts(of: first, indent: indent)
            addParts(of: second, indent: indent)
        default: break
        }
    }
}

extension ParameterType {
    /// The type in words where its parts follow on lines of their own.
    fileprivate var headline: String {
        switch self {
        case .structure: "a mapping with the names below"
        case .variant: "one of the forms below"
        case .list(let element, let count): "a list\(Self.phrase(count: count)), each \(element.headline)"
        case .mapping(let element): "a mapping of names, each with \(element.headline)"
        case .either(let first, let second): "\(first.headline), or \(second.headline)"
        case .quantity(let dimension, _): "\(phrase) (units \(dimension.unitNames))"
        default: phrase
        }
    }
}
