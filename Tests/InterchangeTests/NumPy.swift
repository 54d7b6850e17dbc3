import Foundation

/// The Python of this machine, where it has NumPy: an independent reader and writer to test against.
enum NumPy {
    static let isAvailable: Bool = (try? run("import numpy")) != nil

    struct Failure: Error {
        var status: Int32
        var output: String
    }

    /// Runs `script` with `arguments`; gives what it printed.
    @discardableResult
    static func run(_ script: String, _ arguments: String...) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(status: process.terminationStatus, output: output) }
        return output
    }
}
