import Foundation

/// One of the package's two programs, started as a user starts it.
enum Program: String {
    case spinweave
    case inspector = "spinweave-cache"

    /// What a program left behind when it ended.
    struct Outcome {
        /// The exit status, or minus the number of the signal that ended it.
        var status: Int32
        var output: String
        var errors: String
    }

    /// The folder of the built programs: that of the test bundle, which depends on them.
    private static let folder: URL = {
        // The test bundle on Linux is the running program itself.
        let bundle = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        return bundle.resolvingSymlinksInPath().deletingLastPathComponent()
    }()

    var executable: URL { Self.folder.appending(path: rawValue) }

    /// Starts the program in `directory`, its streams going to files there.
    ///
    /// - Parameter environment: added to what the tests themselves have, less SPINWEAVE_STORE.
    func start(_ arguments: [String], in directory: URL, environment: [String: String] = [:]) throws -> RunningProgram {
        var all = ProcessInfo.processInfo.environment
        all["SPINWEAVE_STORE"] = nil
        return try RunningProgram(
            executable: executable, arguments: arguments, directory: directory,
            environment: all.merging(environment) { $1 })
    }
}

/// A program that was started; it may be sent signals before it is waited for.
final class RunningProgram {
    private let process = Process()
    private let output: URL
    private let errors: URL
    /// When the program ends. A semaphore, because waiting by run loop can miss the end on Linux.
    private let ended = DispatchSemaphore(value: 0)

    fileprivate init(executable: URL, arguments: [String], directory: URL, environment: [String: String]) throws {
        let name = UUID().uuidString
        output = directory.appending(path: ".\(name).out")
        errors = directory.appending(path: ".\(name).err")
        // Files rather than pipes: a pipe that nobody reads while the test waits would stop the program.
        for file in [output, errors] { try Data().write(to: file) }
        process.executableURL = executable
        process.arguments = arguments
        process.currentDirectoryURL = directory
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        process.terminationHandler = { [ended] _ in ended.signal() }
        try process.run()
    }

    var isRunning: Bool { process.isRunning }

    /// What it has written on standard error so far.
    var errorsSoFar: String {
        get throws { String(decoding: try Data(contentsOf: errors), as: UTF8.self) }
    }

    func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

    func wait() throws -> Program.Outcome {
        ended.wait()
        defer {
            // Two hidden files that may stay where they cannot be removed: their folder goes with the test.
            try? FileManager.default.removeItem(at: output)
            try? FileManager.default.removeItem(at: errors)
        }
        let status = process.terminationStatus
        return Program.Outcome(
            status: process.terminationReason == .uncaughtSignal ? -status : status,
            output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
    }
}
