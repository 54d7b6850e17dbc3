import Foundation
import Testing

/// The layers of the house: what each module may import. Imports go down only, and engine and science never see
/// each other.
private let allowed: [String: Set<String>] = [
    // 1: vocabulary
    "Diagnostics": [],
    "Tensors": [],
    "Quantities": [],
    "Artifacts": ["Tensors", "Crypto"],
    // 2: services
    "GraphLanguage": ["Diagnostics", "Quantities", "Yams"],
    "CacheStore": ["Artifacts", "Diagnostics", "Tensors", "CLMDB", "CPlanes", "CZstd"],
    "Compute": ["Tensors", "CLAPACK"],
    "Devices": ["Artifacts", "CCUDA", "CKernels"],
    "Interchange": ["Artifacts", "Diagnostics", "Tensors", "CHDF5", "CPNG", "CZip", "CZlib"],
    // 3: engine ║ science
    "Dataflow": [
        "Artifacts", "CacheStore", "Compute", "Crypto", "Diagnostics", "GraphLanguage", "Quantities", "Tensors",
    ],
    "SpinWaves": ["CGemmi", "CKernels", "CSpglib", "Compute", "Devices", "Tensors"],
    "Instruments": ["CKernels", "Compute", "Devices", "Tensors"],
    "Learning": ["CKernels", "COneDNN", "Compute", "Devices", "SwiftProtobuf", "Tensors"],
    // 4: meeting and view
    "Stages": [
        "Artifacts", "Compute", "Dataflow", "Devices", "Diagnostics", "GraphLanguage", "Instruments", "Interchange",
        "Learning", "Quantities", "SpinWaves", "Tensors",
    ],
    "Presentation": ["Interchange", "Tensors"],
]

private let system: Set<String> = [
    "Foundation", "FoundationEssentials", "Glibc", "Darwin", "Dispatch", "Synchronization",
]

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

@Suite("The layers hold")
struct ImportTests {
    @Test("no module imports upwards", arguments: allowed.keys.sorted())
    func imports(module: String) throws {
        let folder = root.appending(path: "Sources/\(module)")
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        #expect(!files.isEmpty)
        for file in files {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ").map(String.init)
                guard let at = words.firstIndex(of: "import"), at + 1 < words.count,
                    words[..<at].allSatisfy({ $0.hasPrefix("@") || $0 == "public" || $0 == "internal" })
                else { continue }
                let name = words[at + 1]
                let permitted = system.contains(name) || allowed[module]?.contains(name) == true
                #expect(permitted, "\(module)/\(file) imports \(name)")
            }
        }
    }

    /// What is above all: they import downwards by being above, but the inspector knows neither engine nor science.
    @Test("the inspector reads stores, and knows neither engine nor science")
    func inspector() throws {
        let permitted: Set<String> = [
            "ArgumentParser", "Artifacts", "CacheStore", "Diagnostics", "Interchange", "Quantities", "Tensors",
        ]
        let folder = root.appending(path: "tools/cache-inspector")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".swift") }
        #expect(!files.isEmpty)
        for file in files {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            for line in text.split(separator: "\n") where line.hasPrefix("import ") {
                let name = String(line.dropFirst(7))
                #expect(permitted.contains(name) || system.contains(name), "\(file) imports \(name)")
            }
        }
    }

    @Test("libraries never print", arguments: allowed.keys.sorted())
    func silence(module: String) throws {
        let folder = root.appending(path: "Sources/\(module)")
        for file in try FileManager.default.subpathsOfDirectory(atPath: folder.path) where file.hasSuffix(".swift") {
            let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
            for line in text.split(separator: "\n") {
                let code = line.drop { $0 == " " }
                #expect(!code.hasPrefix("print("), "\(module)/\(file) prints")
            }
        }
    }
}
