import Diagnostics
import Foundation

extension GraphFile {
    /// Reads the graph file at `path`.
    ///
    /// - Throws: every problem of the file and the overrides; see `parse`.
    public static func load(path: String, overrides: [String] = []) throws(DiagnosticList) -> GraphFile {
        try parse(text: try readText(path: path), file: path, overrides: overrides)
    }
}

/// Reads a text file that a person wrote: a graph or a model.
///
/// - Throws: one diagnostic when there is no such file or it is not UTF-8.
public func readText(path: String) throws(DiagnosticList) -> String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
        let directory = (path as NSString).deletingLastPathComponent
        let beside: [String]
        do {
            beside = try FileManager.default.contentsOfDirectory(atPath: directory.isEmpty ? "." : directory).sorted()
        } catch {
            throw DiagnosticList([Diagnostic("no folder '\(directory)' for the file '\(path)'", hint: "check the path")]
            )
        }
        let nearest = Spelling.nearest(to: (path as NSString).lastPathComponent, among: beside)
        throw DiagnosticList([
            Diagnostic(
                "no file '\(path)'",
                hint: nearest.map { "did you mean '\((directory as NSString).appendingPathComponent($0))'?" })
        ])
    }
    guard !isDirectory.boolValue else { throw DiagnosticList([Diagnostic("'\(path)' is a folder, not a file")]) }
    let data: Data
    do {
        data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
        throw DiagnosticList([Diagnostic("'\(path)' cannot be read", hint: "check its permissions")])
    }
    return try decodeUTF8(Array(data), file: path)
}

/// - Throws: one diagnostic that points at the first byte that is no UTF-8, or names the encoding.
func decodeUTF8(_ bytes: [UInt8], file: String) throws(DiagnosticList) -> String {
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
        throw DiagnosticList([
            Diagnostic(
                "the file is in UTF-16", at: SourceRange(file: file, line: 1, column: 1), hint: "save it as UTF-8")
        ])
    }
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    // Everything up to the fault decodes; what follows the last line break there is the line with the fault.
    var line = 1
    var lineStart = 0
    for (index, byte) in bytes.enumerated() {
        guard byte == 0x0A || index == bytes.count - 1 else { continue }
        if String(validating: bytes[lineStart...index], as: UTF8.self) == nil { break }
        line += 1
        lineStart = index + 1
    }
    var end = lineStart
    var column = 1
    while end < bytes.count {
        // A character is at most four bytes.
        let next = (1...4).first { length in
            end + length <= bytes.count && String(validating: bytes[end..<end + length], as: UTF8.self) != nil
        }
        guard let next else { break }
        end += next
        column += 1
    }
    let byte = end < bytes.count ? bytes[end] : 0
    throw DiagnosticList([
        Diagnostic(
            "the file is not UTF-8: byte 0x\(String(byte, radix: 16, uppercase: true))",
            at: SourceRange(file: file, line: line, column: column),
            hint: "save it as UTF-8 (byte 0x\(String(byte, radix: 16, uppercase: true)) may come from Latin-1)")
    ])
}
