import Quantities

extension ParameterType {
    /// What a value of this type is, as it follows "must be": `an energy of at least 0 meV`, `one of a, b`.
    var phrase: String {
        switch self {
        case .boolean: "true or false"
        case .integer(let range): "a whole number" + Self.phrase(range)
        case .number(let range): "a number" + Self.phrase(range, unit: "")
        case .quantity(let dimension, let range):
            "\(dimension.withArticle)" + Self.phrase(range, unit: " " + dimension.baseUnit)
        case .choice(let names): "one of \(names.joined(separator: ", "))"
        case .text: "a text"
        case .file: "the path of a file"
        case .directory: "the path of a folder"
        case .model: "the name or path of a model"
        case .instrument: "the name or path of an instrument"
        case .list(let element, let count): "a list\(Self.phrase(count: count)), each \(element.phrase)"
        case .mapping(let value): "a mapping of names, each with \(value.phrase)"
        case .structure(let parameters):
            parameters.isEmpty ? "an empty mapping" : "a mapping of \(parameters.map(\.name).joined(separator: ", "))"
        case .variant(let variants): "one of the forms \(variants.map(\.name).joined(separator: ", "))"
        case .either(let first, let second): "\(first.phrase), or \(second.phrase)"
        }
    }

    static func phrase(_ range: ClosedRange<Int>) -> String {
        switch (range.lowerBound == .min, range.upperBound == .max) {
        case (true, true): ""
        case (false, true): " of at least \(range.lowerBound)"
        case (true, false): " of at most \(range.upperBound)"
        case (false, false): " from \(range.lowerBound) to \(range.upperBound)"
        }
    }

    static func phrase(_ range: ClosedRange<Double>, unit: String) -> String {
        let (low, high) = (range.lowerBound, range.upperBound)
        let upper = high >= .greatestFiniteMagnitude ? nil : plain(high) + unit
        if low <= -.greatestFiniteMagnitude { return upper.map { " of at most \($0)" } ?? "" }
        // The smallest positive numbers stand for an open lower bound at zero.
        if low > 0, low <= .leastNormalMagnitude {
            return " greater than 0" + unit + (upper.map { " and at most \($0)" } ?? "")
        }
        return upper.map { " from \(plain(low)) to \($0)" } ?? " of at least \(plain(low))\(unit)"
    }

    static func phrase(count: ClosedRange<Int>) -> String {
        if count.lowerBound == count.upperBound { return " of \(count.lowerBound)" }
        if count.upperBound == .max { return count.lowerBound == 0 ? "" : " of at least \(count.lowerBound)" }
        return " of \(count.lowerBound) to \(count.upperBound)"
    }

    /// The shortest decimal that reads back the same, without `.0`.
    static func plain(_ number: Double) -> String {
        let text = "\(number)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}

extension Dimension {
    /// `an energy`, `a length`; a magnetic field is `a field`.
    var withArticle: String { rawValue.withArticle }

    /// A value as one writes it, to show what a unit looks like.
    var example: String {
        switch self {
        case .energy: "0.8 meV"
        case .length: "3.9 angstrom"
        case .temperature: "4 K"
        case .field: "5 T"
        case .angle: "30 deg"
        case .frequency: "300 Hz"
        case .wavevector: "0.5 1/angstrom"
        case .time: "20 us"
        case .distance: "2.5 m"
        }
    }

    /// Names of the units that may be written.
    var unitNames: String { units.map(\.name).joined(separator: ", ") }
}

extension String {
    /// `a spectrum`, `an image`; plurals such as `parameters` take none.
    var withArticle: String {
        if hasSuffix("s"), !hasSuffix("ss") { return self }
        return first.map { "aeiou".contains($0.lowercased()) } == true ? "an \(self)" : "a \(self)"
    }
}
