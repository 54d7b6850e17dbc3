import Artifacts
import Dataflow
import Diagnostics
import Foundation
import GraphLanguage
import Instruments

/// Reads an instrument by name or path.
///
/// - Parameter name: `NAME` for `directory/instruments/NAME.yaml`; else a path from `directory`, with or without `.yaml`,
///   or an absolute path; else one that is built in (`maps`, `maps-before-2017`).
/// - Parameter directory: the folder of the graph file.
/// - Returns: what the instrument means. Comments, descriptions and the way numbers are written leave no trace in it.
/// - Throws: `Diagnostic` when there is no such instrument, `DiagnosticList` with every problem of the file.
public func loadInstrument(name: String, directory: String) throws -> Value {
    if let path = describedPath(name: name, directory: directory, folder: "instruments") {
        return try instrumentValue(text: readText(path, "instrument"), file: path)
    }
    if let text = BuiltInInstruments.texts[name] { return try instrumentValue(text: text, file: "built in: \(name)") }
    let known = instrumentNames(directory: directory)
    throw Diagnostic(
        "there is no instrument '\(name)'",
        hint: Spelling.nearest(to: name, among: known).map { "did you mean '\($0)'?" }
            ?? "known are \(known.joined(separator: ", "))")
}

/// The first of `directory/folder/NAME.yaml` and the path itself, with or without `.yaml`, that is a file.
func describedPath(name: String, directory: String, folder: String) -> String? {
    let start = directory.isEmpty ? "." : directory
    let base = name.hasPrefix("/") ? name : "\(start)/\(name)"
    var isFolder: ObjCBool = false
    return ["\(start)/\(folder)/\(name).yaml", base, base + ".yaml"].first {
        FileManager.default.fileExists(atPath: $0, isDirectory: &isFolder) && !isFolder.boolValue
    }
}

/// - Parameter kind: for the message: `instrument`.
func readText(_ path: String, _ kind: String) throws(Diagnostic) -> String {
    do {
        return try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
    } catch {
        throw Diagnostic("the \(kind) file \(path) cannot be read: \(error.localizedDescription)")
    }
}

/// The names of files `NAME.yaml` in a folder; none where there is no such folder.
func describedNames(directory: String, folder: String) -> [String] {
    let path = URL(fileURLWithPath: directory.isEmpty ? "." : directory).appendingPathComponent(folder).path
    let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
}

/// The names of the instruments beside a graph and of those built in, sorted.
public func instrumentNames(directory: String) -> [String] {
    Set(describedNames(directory: directory, folder: "instruments") + BuiltInInstruments.texts.keys).sorted()
}

/// The record that an instrument file means.
///
/// - Throws: `DiagnosticList` with every problem of form; when there are none, the first of physics.
public func instrumentValue(text: String, file: String) throws -> Value {
    let parsed = try parseYAML(text: text, file: file)
    guard case .record(var fields) = try readRecord(parsed, parameters: InstrumentParameters.all, of: "an instrument")
    else { return .none }
    // For readers only.
    fields["about"] = nil
    // An instrument that says nothing of detectors is what it was before there was a choice.
    if fields["detectors"]?.isNone == true { fields["detectors"] = nil }
    let value = Value.record(fields)
    do {
        _ = try InstrumentDescription(value: value)
    } catch let error as InstrumentError {
        let place = error.description.hasPrefix("the package '") ? parsed["package"]?.range : nil
        throw DiagnosticList([Diagnostic(error.description, at: place ?? parsed.range, hint: error.hint)])
    }
    return value
}
