import Artifacts
import Diagnostics
import Foundation
import GraphLanguage
import SpinWaves

/// Reads a magnetic model by name or path.
///
/// - Parameter name: `NAME` for `directory/models/NAME.yaml`; else a path from `directory`, with or without `.yaml`, or
///   an absolute path.
/// - Parameter directory: the folder of the graph file.
/// - Returns: what the model means. Comments, descriptions, the order of keys and the way numbers and units are written
///   leave no trace in it.
/// - Throws: `Diagnostic` when there is no such model, `DiagnosticList` with every problem of the file.
public func loadModel(name: String, directory: String) throws -> Value {
    try readModel(at: modelPath(name: name, directory: directory)).value
}

/// The model in a file.
///
/// - Throws: `DiagnosticList` with every problem of the file.
public func readModel(at path: String) throws -> SpinModel { try spinModel(from: parsedModel(at: path)) }

/// The crystal of a model file: cell, symmetry and positions; spins and exchange need not be there yet.
///
/// - Parameters: as for `loadModel`.
/// - Throws: `Diagnostic` when there is no such model, `DiagnosticList` with every problem of these parts.
public func loadCrystal(name: String, directory: String) throws -> BondSearch {
    var reader = ModelReader(try parsedModel(at: modelPath(name: name, directory: directory)))
    guard let search = reader.readBondSearch() else { throw DiagnosticList(reader.diagnostics) }
    return search
}

private func parsedModel(at path: String) throws -> Located {
    let text: String
    do {
        text = try String(contentsOf: URL(fileURLWithPath: path), encoding: .utf8)
    } catch {
        throw Diagnostic("the model file \(path) cannot be read: \(error.localizedDescription)")
    }
    return try parseYAML(text: text, file: path)
}

/// Where a model's file is.
func modelPath(name: String, directory: String) throws(Diagnostic) -> String {
    let folder = directory.isEmpty ? "." : directory
    let base = name.hasPrefix("/") ? name : "\(folder)/\(name)"
    let candidates = ["\(folder)/models/\(name).yaml", base, base + ".yaml"]
    var isFolder: ObjCBool = false
    for path in candidates
    where FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue {
        return path
    }
    let known = modelNames(directory: folder)
    var hint = "there are no models in \(folder)/models"
    if let nearest = Spelling.nearest(to: name, among: known) {
        hint = "did you mean '\(nearest)'?"
    } else if !known.isEmpty {
        hint = "\(folder)/models has \(known.joined(separator: ", "))"
    }
    throw Diagnostic("there is no model '\(name)'", hint: hint)
}

/// The names of the models beside a graph, sorted.
public func modelNames(directory: String) -> [String] {
    let folder = URL(fileURLWithPath: directory).appendingPathComponent("models").path
    // A folder that is missing has no models, which is what the caller then reports.
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
}

/// The model that a parsed file describes.
///
/// - Throws: every problem found: first of form, then (if the form is right) of physics.
func spinModel(from file: Located) throws(DiagnosticList) -> SpinModel {
    var reader = ModelReader(file)
    let draft = reader.draft()
    guard let draft, reader.diagnostics.isEmpty else { throw DiagnosticList(reader.diagnostics) }
    do {
        return try SpinModel(
            lattice: draft.lattice, sites: draft.sites, parameters: draft.parameters, bonds: draft.bonds,
            anisotropies: draft.anisotropies, field: draft.field, twins: draft.twins, formFactors: draft.formFactors,
            spiral: draft.spiral, isDipolar: draft.isDipolar)
    } catch {
        guard case .model(let problems) = error else {
            throw DiagnosticList([Diagnostic(error.description, at: file.range)])
        }
        let places = reader.places
        throw DiagnosticList(
            problems.map { problem in
                Diagnostic(problem.message, at: places[problem.part] ?? file.range, hint: problem.hint)
            })
    }
}
