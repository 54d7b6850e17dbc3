import Foundation

/// One JSON document on standard output: what `--format json` promises to programs.
public enum JSONDocument {
    /// Pretty, keys sorted, one trailing newline.
    ///
    /// Doubles are the shortest decimals that read back exactly; NaN and ±∞ become the strings "NaN", "Infinity" and
    /// "-Infinity", as in exported artifacts.
    public static func text(_ value: some Encodable) throws(EncodingError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
        } catch let error as EncodingError {
            throw error
        } catch {
            throw EncodingError.invalidValue(
                value, EncodingError.Context(codingPath: [], debugDescription: "\(error)", underlyingError: error))
        }
    }
}
