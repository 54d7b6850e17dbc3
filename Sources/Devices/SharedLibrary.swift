import CCUDA

/// Where libraries are looked for, in this order: the directories, then wherever the system's loader looks.
public struct LibrarySearch: Sendable, Hashable {
    public var directories: [String]

    /// Directories that CUDA's own installers use and loaders are not always told of.
    public static let usualDirectories = [
        "/usr/local/cuda/lib64", "/opt/cuda/lib64", "/usr/lib/wsl/lib", "/usr/local/nvidia/lib64",
    ]

    /// - Parameter preferred: directories that come before the system's, separated by colons.
    public init(preferred: String? = nil) {
        directories = (preferred ?? "").split(separator: ":").map(String.init)
    }

    /// The files to try for a library, the likeliest first.
    func candidates(_ names: [String]) -> [String] {
        directories.flatMap { directory in names.map { "\(directory)/\($0)" } } + names
            + Self.usualDirectories.flatMap { directory in names.map { "\(directory)/\($0)" } }
    }
}

/// An opened shared library. It stays open: NVIDIA's libraries do not bear to be closed.
package struct SharedLibrary {
    // An address that is never written through; the loader's functions may be called from any thread.
    package nonisolated(unsafe) let handle: UnsafeMutableRawPointer
    /// The file it was read from.
    package let path: String

    /// - Parameter names: file names of known versions, the best first.
    /// - Parameter symbol: a function by which the loader is asked for the file.
    /// - Parameter hint: what to do where there is none.
    package init(_ names: [String], symbol: String, search: LibrarySearch, hint: String) throws(DeviceError) {
        var refusal: String?
        for candidate in search.candidates(names) {
            var problem = [CChar](repeating: 0, count: 512)
            guard let handle = sw_library_open(candidate, &problem, problem.count) else {
                let words = Self.text(problem)
                // A file that is there and is refused says more than ten that are not there.
                if !words.contains("No such file or directory") { refusal = refusal ?? words }
                continue
            }
            self.handle = handle
            var path = [CChar](repeating: 0, count: 4096)
            sw_library_path(handle, symbol, &path, path.count)
            let found = Self.text(path)
            self.path = found.isEmpty ? candidate : found
            return
        }
        throw .noLibrary(name: names[0], reason: refusal ?? "no such file where libraries are looked for", hint: hint)
    }

    private static func text(_ bytes: [CChar]) -> String {
        String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// By a function of the form of cublasGetProperty.
    package func propertyVersion(_ symbol: String) -> LibraryVersion? {
        var numbers: [Int32] = [0, 0, 0]
        guard sw_library_property_version(handle, symbol, &numbers) != 0 else { return nil }
        return LibraryVersion(Int(numbers[0]), Int(numbers[1]), Int(numbers[2]))
    }

    /// By a function of the form of cudnnGetVersion; 0 where there is none.
    func number(_ symbol: String) -> Int { Int(sw_library_number(handle, symbol)) }
}
