import Diagnostics
import Yams

/// A composed YAML text in which keys that stand twice in one mapping have been told apart.
///
/// Yams stops at the first mapping with a duplicate key and names only one place. To report every duplicate, each
/// with its own place, the first of the two is renamed to a private-use character of the same width and the text
/// composed again; `original` gives the names back.
struct MaskedYAML {
    /// nil for a text without a value.
    private(set) var root: Node?
    /// Names that stand for a renamed key.
    private(set) var original: [String: String] = [:]

    /// Every duplicate costs another composition of the whole text, and nobody reads a hundred of them.
    private static let mostDuplicates = 20

    /// - Throws: a syntax error, or duplicate keys in a place where renaming fails, or more of them than anybody reads.
    init(_ text: String, lines: SourceLines) throws(DiagnosticList) {
        var masked = lines.lines
        // Renaming keeps every column, so the marks of the renamed text hold for the text itself.
        var current = text
        while true {
            do {
                // Without rules for tags: they would try a dozen patterns on every scalar, and nobody asks what they found.
                root = try Parser(yaml: current, resolver: .basic, encoding: .utf8).singleRoot()
                return
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let mark = YAMLMark(context.mark)
                guard original.count < Self.mostDuplicates, let name = names.first,
                    let replacement = Self.rename(name, at: mark, number: original.count, in: &masked, lines: lines)
                else {
                    let name = names.first.map { "'\($0)'" } ?? "a key"
                    let hint = "mend this one first: more than \(Self.mostDuplicates) names stand twice in this file"
                    throw DiagnosticList([
                        Diagnostic(
                            "\(name) stands twice in one mapping", at: lines.range(at: mark),
                            hint: original.count < Self.mostDuplicates ? nil : hint)
                    ])
                }
                original[replacement] = name
                current = masked.map(SourceLines.string).joined(separator: "\n")
            } catch let error as YamlError {
                throw DiagnosticList([syntaxDiagnostic(error, lines: lines, masked: original)])
            } catch {
                throw DiagnosticList([
                    Diagnostic("the text cannot be read: \(error)", at: lines.end)
                ])
            }
        }
    }

    /// Replaces the key's own characters, quotation marks apart, by one private-use character repeated.
    private static func rename(
        _ name: String, at mark: YAMLMark, number: Int, in masked: inout [[Unicode.Scalar]], lines: SourceLines
    ) -> String? {
        guard masked.indices.contains(mark.line - 1), let scalar = Unicode.Scalar(UInt32(0xF0000 + number)) else {
            return nil
        }
        var extent = lines.extent(ofScalar: name, at: mark)
        let line = masked[mark.line - 1]
        guard extent.upperBound <= line.count, !extent.isEmpty else { return nil }
        if line[extent.lowerBound] == "\"" || line[extent.lowerBound] == "'" {
            guard extent.count > 2 else { return nil }
            extent = extent.lowerBound + 1..<extent.upperBound - 1
        }
        let replacement = [Unicode.Scalar](repeating: scalar, count: extent.count)
        masked[mark.line - 1].replaceSubrange(extent, with: replacement)
        return SourceLines.string(replacement)
    }
}
