import Foundation

/// NVIDIA's libraries with a device in software behind them, as files of their names in a directory of its own.
///
/// Each directory holds a copy: what one test does to its device no other sees.
public final class SoftwareCUDA: Sendable {
    /// For `LibrarySearch(preferred:)` and SPINWEAVE_CUDA_LIBRARIES.
    public let directory: String

    public struct Missing: Error, CustomStringConvertible {
        public var description: String
    }

    /// - Parameter settings: `["driver": "11080", "fail": "cuLaunchKernel:3"]`; see CSoftwareCUDA's header.
    /// - Parameter libraries: which of the names are there.
    public init(
        _ settings: [String: String] = [:],
        libraries: [String] = [
            "libcuda.so.1", "libnvrtc.so.12", "libcublas.so.12", "libcusolver.so.11", "libcudnn.so.9",
        ]
    ) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "software-cuda-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let original = try Self.library()
        let copy = directory + "/libSoftwareCUDA.so"
        try FileManager.default.copyItem(atPath: original, toPath: copy)
        for name in libraries {
            try FileManager.default.createSymbolicLink(atPath: "\(directory)/\(name)", withDestinationPath: copy)
        }
        let lines = settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }
        try Data(lines.joined().utf8).write(to: URL(filePath: directory + "/software-cuda.conf"))
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Beside the tests' own executable.
    private static func library() throws -> String {
        let bundle = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        var folder = bundle.deletingLastPathComponent()
        for _ in 0..<4 {
            let file = folder.appending(path: "libSoftwareCUDA.so").path
            if FileManager.default.fileExists(atPath: file) { return file }
            folder = folder.deletingLastPathComponent()
        }
        throw Missing(description: "libSoftwareCUDA.so is not beside the tests; build with `swift build --build-tests`")
    }
}

/// NVRTC where there is one without a device: in SPINWEAVE_CUDA_LIBRARIES, or from PyPI (nvidia-cuda-nvrtc-cu12).
public enum InstalledCompiler {
    /// Its directory; nil where it cannot be found.
    public static let directory: String? = {
        let places = (ProcessInfo.processInfo.environment["SPINWEAVE_CUDA_LIBRARIES"] ?? "").split(separator: ":")
        if let place = places.map(String.init).first(where: holds) { return place }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c", "import nvidia.cuda_nvrtc as m; print(list(m.__path__)[0] + '/lib', end='')",
        ]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let found = String(decoding: bytes, as: UTF8.self)
        return process.terminationStatus == 0 && holds(found) ? found : nil
    }()

    private static func holds(_ directory: String) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.contains { $0.hasPrefix("libnvrtc.so") }
    }
}
