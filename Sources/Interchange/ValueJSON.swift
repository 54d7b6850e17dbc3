import Artifacts
import Tensors

/// Artifacts as JSON text, for programs that read no `.npy`.
///
///     record → object, keys sorted | list → array | none → null | digest → its 64 hexadecimal digits
///     tensor → {"data": [flat, row-major], "dtype": "float32", "shape": [2, 3]}
///     bytes → {"base64": "…"}
///
/// Numbers are the shortest decimals that read back exactly. JSON has no infinities: NaN and ±∞ become the strings
/// "NaN", "Infinity" and "-Infinity", which Python's `float()` and JavaScript's `Number()` read.
public enum ValueJSON {
    /// One JSON document.
    ///
    /// - Parameter pretty: two blanks a level, one field a line; a tensor's numbers stay on one line either way.
    public static func encode(_ value: Value, pretty: Bool = true) -> String {
        var text = ""
        append(value, to: &text, indent: pretty ? 0 : nil)
        return text + (pretty ? "\n" : "")
    }

    private static func append(_ value: Value, to text: inout String, indent: Int?) {
        switch value {
        case .none: text += "null"
        case .bool(let b): text += b ? "true" : "false"
        case .int(let i): text += String(i)
        case .double(let d): text += number(d)
        case .string(let s): text += quoted(s)
        case .bytes(let b): text += "{\"base64\":\(indent == nil ? "" : " ")\"\(Base64.encode(b))\"}"
        case .digest(let d): text += quoted(d.hex)
        case .list(let values):
            appendContainer("[", "]", values, to: &text, indent: indent) { value, text, inner in
                append(value, to: &text, indent: inner)
            }
        case .record(let fields):
            let sorted = fields.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            appendContainer("{", "}", sorted, to: &text, indent: indent) { field, text, inner in
                text += quoted(field.key) + (inner == nil ? ":" : ": ")
                append(field.value, to: &text, indent: inner)
            }
        case .tensor(let t):
            let parts: [(String, String)] = [
                ("data", "[\(numbers(t).joined(separator: ","))]"), ("dtype", quoted(t.elementType.rawValue)),
                ("shape", "[\(t.shape.map(String.init).joined(separator: ","))]"),
            ]
            appendContainer("{", "}", parts, to: &text, indent: indent) { part, text, inner in
                text += quoted(part.0) + (inner == nil ? ":" : ": ") + part.1
            }
        }
    }

    private static func appendContainer<Item>(
        _ open: String, _ close: String, _ items: [Item], to text: inout String, indent: Int?,
        each: (Item, inout String, Int?) -> Void
    ) {
        text += open
        let inner = indent.map { $0 + 1 }
        for (index, item) in items.enumerated() {
            if index > 0 { text += "," }
            if let inner { text += "\n" + String(repeating: "  ", count: inner) }
            each(item, &text, inner)
        }
        if let indent, !items.isEmpty { text += "\n" + String(repeating: "  ", count: indent) }
        text += close
    }

    private static func numbers(_ tensor: AnyTensor) -> [String] {
        switch tensor {
        case .uint8(let t): t.elements.map(String.init)
        case .int32(let t): t.elements.map(String.init)
        case .int64(let t): t.elements.map(String.init)
        case .float32(let t): t.elements.map(number)
        case .float64(let t): t.elements.map(number)
        }
    }

    private static func number(_ value: some BinaryFloatingPoint & LosslessStringConvertible) -> String {
        if value.isFinite { return value.description }
        return value.isNaN ? "\"NaN\"" : value < 0 ? "\"-Infinity\"" : "\"Infinity\""
    }

    private static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}", "\u{2028}", "\u{2029}":
                let hex = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

}
