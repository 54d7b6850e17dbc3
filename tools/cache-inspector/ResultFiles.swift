import Artifacts
import CacheStore
import Diagnostics
import Foundation
import Interchange
import Tensors

/// The readable form of artifacts in a crate: each array as `.npy`, and the rest as one `.json` that names them.
enum ResultFiles {
    struct File {
        /// Below the crate's folder.
        var path: String
        var step: String
        var artifact: Digest
    }

    /// Writes the artifacts of these steps under `results/`.
    static func write(_ records: [Record], of store: Store, into folder: String, crate: inout Crate) throws -> [File] {
        var files: [File] = []
        var taken: Set<String> = []
        for record in records {
            guard let artifact = record.artifact, case .value(let value) = try StoredAnswer(of: record, in: store)
            else {
                continue
            }
            var place = "results/\(safe(record.node))" + (record.sample.map { "/\($0)" } ?? "")
            // The same node of two graphs.
            if !taken.insert(place).inserted { place = "results/\(record.key.short)-\(safe(record.node))" }
            try makeFolder("\(folder)/\(place)")
            var arrays: [(name: String, tensor: AnyTensor)] = []
            let outline = replacingArrays(in: value, at: "", &arrays)
            for (name, tensor) in arrays {
                let path = "\(place)/\(name)"
                try crate.add(
                    NPY.encode(tensor), at: path, in: folder, name: "\(record.step): \(name)",
                    description: "NumPy array, \(tensor.elementType.rawValue), shape \(tensor.shape)",
                    encoding: "application/octet-stream", from: artifact)
                files.append(File(path: path, step: record.step, artifact: artifact))
            }
            let path = "\(place)/value.json"
            try crate.add(
                Array(ValueJSON.encode(outline).utf8), at: path, in: folder, name: "\(record.step): value.json",
                description: "The whole artifact; arrays are in the .npy files that it names",
                encoding: "application/json", from: artifact)
            files.append(File(path: path, step: record.step, artifact: artifact))
        }
        return files
    }

    /// The value with `{"dtype", "file", "shape"}` in place of arrays.
    static func replacingArrays(
        in value: Value, at path: String, _ arrays: inout [(name: String, tensor: AnyTensor)]
    ) -> Value {
        func joined(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }
        switch value {
        case .tensor(let tensor):
            var name = safe(path.isEmpty ? "array" : path) + ".npy"
            if arrays.contains(where: { $0.name == name }) { name = "\(arrays.count)-\(name)" }
            arrays.append((name, tensor))
            return .record([
                "file": .string(name), "dtype": .string(tensor.elementType.rawValue),
                "shape": .list(tensor.shape.map { .int($0) }),
            ])
        case .record(let fields):
            var replaced: [String: Value] = [:]
            for (name, field) in fields.sorted(by: { $0.key < $1.key }) {
                replaced[name] = replacingArrays(in: field, at: joined(name), &arrays)
            }
            return .record(replaced)
        case .list(let values):
            return .list(
                values.enumerated().map { replacingArrays(in: $0.element, at: joined("\($0.offset)"), &arrays) })
        default: return value
        }
    }

    /// A name that is one part of a path everywhere.
    static func safe(_ name: String) -> String {
        let safe = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber || "@._-+".contains($0)) ? $0 : "_" })
        return safe.hasPrefix(".") ? "_" + safe : safe
    }

    static func makeFolder(_ path: String) throws(InterchangeError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw InterchangeError(
                "cannot be made: \(error.localizedDescription)", file: path, hint: "check the path and its permissions")
        }
    }
}
