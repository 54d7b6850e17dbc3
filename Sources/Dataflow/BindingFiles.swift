import Artifacts
import Diagnostics
import Foundation
import GraphLanguage

// Values that stand for something on disk: files, folders, models.
extension ParameterReader {
    /// `.record(["path": …, "content": digest of the bytes])`.
    mutating func file(_ written: Located, _ subject: String) -> Value? {
        guard let text = text(written, as: .file, subject) else { return nil }
        let path = resolved(text, written)
        if let known = read["file " + path] { return known }
        guard exists(path, asFolder: false, text, written, subject) else { return nil }
        guard let digest = digest(ofFile: path) else {
            report("'\(path)' cannot be read ('\(subject)')", at: written.range, hint: "check its permissions")
            return nil
        }
        let value = Value.record(["path": .string(path), "content": .digest(digest)])
        read["file " + path] = value
        return value
    }

    /// `.record(["path": …, "content": digest over sorted relative names and contents])`; hidden files are left out.
    mutating func folder(_ written: Located, _ subject: String) -> Value? {
        guard let text = text(written, as: .directory, subject) else { return nil }
        let path = resolved(text, written)
        if let known = read["folder " + path] { return known }
        guard exists(path, asFolder: true, text, written, subject) else { return nil }
        guard let digest = folderDigest(at: path) else {
            report(
                "the folder '\(path)' cannot be read ('\(subject)')", at: written.range, hint: "check its permissions")
            return nil
        }
        let value = Value.record(["path": .string(path), "content": .digest(digest)])
        read["folder " + path] = value
        return value
    }

    /// What the library makes of the name or path of a model or an instrument (`kind`).
    mutating func described(
        _ written: Located, _ subject: String, as type: ParameterType, _ kind: String,
        _ load: @Sendable (String, String) throws -> Value
    ) -> Value? {
        guard let text = text(written, as: type, subject) else { return nil }
        // A path on the command line starts at the current directory, a name is looked up beside the graph.
        let isPath = text.contains("/") || text.hasSuffix(".yaml") || text.hasSuffix(".yml")
        let name =
            isPath && isFromCommandLine(written) ? URL(fileURLWithPath: text).standardizedFileURL.path : text
        let folder = folder(of: written)
        let key = "\(kind) \(name) of \(folder)"
        if let known = read[key] { return known }
        do {
            let value = try load(name, folder)
            read[key] = value
            return value
        } catch let list as DiagnosticList {
            for var diagnostic in list.diagnostics {
                diagnostic.range = diagnostic.range ?? written.range
                report(diagnostic)
            }
        } catch let diagnostic as Diagnostic {
            var diagnostic = diagnostic
            diagnostic.range = diagnostic.range ?? written.range
            report(diagnostic)
        } catch {
            report("the \(kind) '\(text)' cannot be loaded: \(error)", at: written.range)
        }
        return nil
    }

    private func isFromCommandLine(_ written: Located) -> Bool { written.range.file.hasPrefix("--set ") }

    /// The folder of the file that the value stands in.
    private func folder(of written: Located) -> String { folders[written.range.file] ?? directory }

    /// Relative paths start at the folder of the file that writes them, or at the current directory on the command line.
    private func resolved(_ text: String, _ written: Located) -> String {
        isFromCommandLine(written) || text.hasPrefix("/") ? text : join(folder(of: written), text)
    }

    private func join(_ directory: String, _ name: String) -> String {
        directory.isEmpty || directory == "." ? name : directory + (directory.hasSuffix("/") ? "" : "/") + name
    }

    private mutating func exists(
        _ path: String, asFolder: Bool, _ text: String, _ written: Located, _ subject: String
    ) -> Bool {
        var isDirectory: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) {
            if isDirectory.boolValue == asFolder { return true }
            report(
                "'\(path)' is \(asFolder ? "a file" : "a folder"), "
                    + "'\(subject)' takes \(asFolder ? "a folder" : "a file")", at: written.range)
            return false
        }
        let parent = (path as NSString).deletingLastPathComponent
        var hint = isFromCommandLine(written) || text.hasPrefix("/") ? nil : "paths start at the graph file's folder"
        if text.hasPrefix("~") { hint = "'~' stands for no folder here; write the whole path" }
        if FileManager.default.fileExists(atPath: parent.isEmpty ? "." : parent) {
            let beside = FileManager.default.subpathsOfFolder(parent.isEmpty ? "." : parent)
            if let nearest = Spelling.nearest(to: (path as NSString).lastPathComponent, among: beside) {
                hint = "did you mean '\(join((text as NSString).deletingLastPathComponent, nearest))'?"
            }
        }
        report("no \(asFolder ? "folder" : "file") '\(path)' ('\(subject)')", at: written.range, hint: hint)
        return false
    }

    private func digest(ofFile path: String) -> Digest? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return Digest(of: data)
    }
}

extension FileManager {
    /// Names directly in a folder, sorted; none when it cannot be listed.
    fileprivate func subpathsOfFolder(_ path: String) -> [String] {
        do { return try contentsOfDirectory(atPath: path).sorted() } catch { return [] }
    }
}
