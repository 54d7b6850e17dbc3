import Foundation
import Testing

/// A folder of a test's own, with a copy of the package's graphs and room for a store; removed with the test.
///
/// Programs run inside it, so that paths in messages are short and the same on every machine.
final class Workplace: Sendable {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "spinweave-scenario-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: Package.folder.appending(path: "graphs"), to: folder.appending(path: "graphs"))
    }

    /// A copy of another workplace with its graphs and stores.
    init(copying other: Workplace) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "spinweave-scenario-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        // Hidden files are the streams of programs that another test runs there just now; they come and go.
        for name in try FileManager.default.contentsOfDirectory(atPath: other.folder.path) where !name.hasPrefix(".") {
            try FileManager.default.copyItem(at: other.path(name), to: path(name))
        }
    }

    deinit {
        // A folder that cannot be removed stays among the temporary files.
        try? FileManager.default.removeItem(at: folder)
    }

    func path(_ name: String) -> URL { folder.appending(path: name) }

    func write(_ text: String, to name: String) throws {
        try text.write(to: path(name), atomically: true, encoding: .utf8)
    }

    func text(of name: String) throws -> String { try String(contentsOf: path(name), encoding: .utf8) }

    /// Runs `spinweave` to its end.
    @discardableResult
    func spinweave(_ arguments: String..., environment: [String: String] = [:]) throws -> Program.Outcome {
        try spinweave(arguments, environment: environment)
    }

    @discardableResult
    func spinweave(_ arguments: [String], environment: [String: String] = [:]) throws -> Program.Outcome {
        try Program.spinweave.start(arguments, in: folder, environment: environment).wait()
    }

    /// Runs `spinweave-cache` to its end.
    @discardableResult
    func inspector(_ arguments: String..., environment: [String: String] = [:]) throws -> Program.Outcome {
        try Program.inspector.start(arguments, in: folder, environment: environment).wait()
    }

    /// Runs `spinweave … --format json --quiet`, expects success and one document of type `T`.
    func document<T: Decodable>(
        _ type: T.Type, _ arguments: [String], location: SourceLocation = #_sourceLocation
    ) throws -> T {
        let outcome = try spinweave(arguments + ["--format", "json"])
        #expect(outcome.status == 0, "\(arguments.prefix(3)): \(outcome.errors)", sourceLocation: location)
        return try JSONDecoder().decode(T.self, from: Data(outcome.output.utf8))
    }
}

/// Where the package and its neighbours lie.
enum Package {
    static let folder: URL = {
        var folder = URL(filePath: #filePath).deletingLastPathComponent()
        while folder.path != "/", !FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path)
        {
            folder.deleteLastPathComponent()
        }
        return folder
    }()

    /// The published measurement, beside the package and not in it; nil where it is absent.
    static let pcsmo: URL? = {
        let data = folder.appending(path: "../shared/data/pcsmo").standardizedFileURL
        return FileManager.default.fileExists(atPath: data.path) ? data : nil
    }()
}
