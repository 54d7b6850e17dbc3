// swift-tools-version: 6.2
import PackageDescription

/// Debug builds keep the loops over pixels, bytes and wavevectors fast, so that tests run at real sizes.
let fast: [SwiftSetting] = [.unsafeFlags(["-O"], .when(configuration: .debug))]

let package = Package(
    name: "Spinweave",
    products: [
        .executable(name: "spinweave", targets: ["Command"]),
        .executable(name: "spinweave-cache", targets: ["CacheInspector"]),
        .executable(name: "spinweave-bench", targets: ["Benchmarks"]),
        .executable(name: "spinweave-fuzz", targets: ["FuzzDriver"]),
        .library(name: "SpinWaves", targets: ["SpinWaves"]),
        .library(name: "Dataflow", targets: ["Dataflow"]),
        // Opened by tests in place of NVIDIA's libraries.
        .library(name: "SoftwareCUDA", type: .dynamic, targets: ["CSoftwareCUDA"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.0"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: [
        // 0: C edges
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
        .systemLibrary(name: "CSpglib", providers: [.apt(["libsymspg-dev"])]),
        .target(name: "CGemmi"),
        .target(name: "CLAPACK", cSettings: [.unsafeFlags(["-O3"])], linkerSettings: [.linkedLibrary("openblas")]),
        // -O3 in debug builds too: the tests run whole images through these loops.
        // Kernels for CUDA devices (`cuda`) are compiled where a device is found; the program carries their text.
        .target(
            name: "CKernels", exclude: ["cuda"], cSettings: [.unsafeFlags(["-O3"])],
            linkerSettings: [.linkedLibrary("m")]),
        .target(name: "CCUDA", linkerSettings: [.linkedLibrary("dl")]),
        .target(name: "CPlanes", cSettings: [.unsafeFlags(["-O3"])]),
        // 1: vocabulary
        .target(name: "Diagnostics"),
        .target(name: "Tensors", swiftSettings: fast),
        .target(name: "Quantities"),
        .target(
            name: "Artifacts", dependencies: ["Tensors", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: fast),
        // 2: services
        .target(
            name: "GraphLanguage",
            dependencies: ["Diagnostics", "Quantities", .product(name: "Yams", package: "Yams")]),
        .target(
            name: "CacheStore", dependencies: ["Artifacts", "Diagnostics", "Tensors", "CLMDB", "CPlanes", "CZstd"],
            swiftSettings: fast),
        .target(name: "Compute", dependencies: ["Tensors", "CLAPACK"], swiftSettings: fast),
        .target(name: "Devices", dependencies: ["Artifacts", "CCUDA", "CKernels"]),
        .target(
            name: "Interchange",
            dependencies: ["Artifacts", "Diagnostics", "Tensors", "CHDF5", "CPNG", "CZip", "CZlib"],
            swiftSettings: fast),
        // 3: engine and science, which never see each other
        .target(
            name: "Dataflow",
            dependencies: [
                "Artifacts", "CacheStore", "Compute", "Diagnostics", "GraphLanguage", "Quantities", "Tensors",
            ]),
        .target(
            name: "SpinWaves", dependencies: ["CGemmi", "CKernels", "CSpglib", "Compute", "Devices", "Tensors"],
            swiftSettings: fast),
        .target(name: "Instruments", dependencies: ["CKernels", "Compute", "Devices", "Tensors"], swiftSettings: fast),
        .target(
            name: "Learning",
            dependencies: [
                "CKernels", "COneDNN", "Compute", "Devices", "Tensors",
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            exclude: ["ONNX/onnx.proto"], swiftSettings: fast),
        // 4: meeting and view
        .target(
            name: "Stages",
            dependencies: [
                "Artifacts", "Compute", "Dataflow", "Devices", "Diagnostics", "GraphLanguage", "Instruments",
                "Interchange",
                "Learning", "Quantities", "SpinWaves", "Tensors",
            ]),
        .target(
            name: "Presentation",
            dependencies: ["Interchange", "Tensors"]),
        // 5: faces
        .executableTarget(
            name: "Command",
            dependencies: [
                "Artifacts", "CacheStore", "Compute", "Dataflow", "Devices", "Diagnostics", "GraphLanguage",
                "Instruments",
                "Interchange",
                "Presentation", "Quantities", "SpinWaves", "Stages", "Tensors",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "CacheInspector",
            dependencies: [
                "Artifacts", "CacheStore", "Diagnostics", "Interchange", "Quantities", "Tensors",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "tools/cache-inspector"),
        // Measurements of the program: `tools/bench NAME`.
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "Artifacts", "CCUDA", "CLMDB", "CSolver", "CZstd", "CacheStore", "Compute", "Devices", "Instruments",
                "Learning", "Presentation", "SpinWaves", "Stages", "Tensors",
            ],
            path: "tools/benchmarks",
            exclude: [
                "README.md", "convolution.md", "convolution.svg", "devices.md", "engine.md", "pyspinw_peer.py",
                "solver",
                "spin-waves.md", "store.md", "torch_peer.py", "training.md",
            ]),
        // What the program's kernels are compared with; the program itself needs none of it.
        .target(name: "CSolver", dependencies: ["CCUDA"], path: "tools/benchmarks/solver"),
        // Inputs that no person would write, for what reads files: `tools/run-fuzzers`. The inputs are a library, so that
        // a slice of them runs with the tests.
        .target(
            name: "Fuzz",
            dependencies: [
                "Artifacts", "CacheStore", "Dataflow", "Diagnostics", "GraphLanguage", "Instruments", "Interchange",
                "Stages",
                "Tensors",
            ],
            path: "tools/fuzz/inputs", swiftSettings: fast),
        .executableTarget(name: "FuzzDriver", dependencies: ["Fuzz"], path: "tools/fuzz/driver"),
        // The same kernels, compiled as C++ and run on the host by a device in software; for tests alone.
        .target(
            name: "CHostDevice", dependencies: ["CKernels"], path: "Tests/CHostDevice", exclude: ["README.md"],
            cxxSettings: [
                .headerSearchPath("shim"), .headerSearchPath("../../Sources/CKernels/cuda"),
                .unsafeFlags(["-O2", "-fvisibility=hidden"]),
                // Each access to memory calls races.cpp, which stands in for the sanitizer's runtime.
                .unsafeFlags([
                    "-fsanitize=thread", "-mllvm", "-tsan-instrument-atomics=0", "-mllvm",
                    "-tsan-instrument-func-entry-exit=0",
                ]),
            ]),
        .target(
            name: "CSoftwareCUDA", dependencies: ["CHostDevice"], path: "Tests/CSoftwareCUDA",
            cxxSettings: [.unsafeFlags(["-O2", "-fvisibility=hidden"])]),
        .target(name: "HostDevice", dependencies: ["CHostDevice"], path: "Tests/HostDevice"),
        .testTarget(name: "HostDeviceTests", dependencies: ["HostDevice"]),
        .testTarget(
            name: "KernelAgreementTests",
            dependencies: [
                "CKernels", "Compute", "Devices", "HostDevice", "Instruments", "Learning", "SpinWaves", "Tensors",
            ]),
        .testTarget(name: "DevicesTests", dependencies: ["Artifacts", "CCUDA", "CKernels", "Devices", "HostDevice"]),
        // Tests mirror Sources; ScenarioTests run whole graphs and the programs themselves.
        .testTarget(name: "ArchitectureTests"),
        .testTarget(
            name: "BenchmarksTests", dependencies: ["Benchmarks", "CSolver", "Devices", "HostDevice", "SpinWaves"]),
        .testTarget(name: "DiagnosticsTests", dependencies: ["Diagnostics"]),
        .testTarget(name: "VocabularyTests", dependencies: ["Artifacts", "Diagnostics", "Quantities", "Tensors"]),
        .testTarget(name: "GraphLanguageTests", dependencies: ["Diagnostics", "GraphLanguage"]),
        .testTarget(
            name: "CacheStoreTests",
            dependencies: ["Artifacts", "CPlanes", "CacheStore", "Compute", "Diagnostics", "Tensors"]),
        .testTarget(name: "ComputeTests", dependencies: ["Compute"]),
        .testTarget(
            name: "FuzzTests",
            dependencies: ["Artifacts", "CacheStore", "Diagnostics", "Fuzz", "GraphLanguage", "Interchange", "Tensors"]),
        .testTarget(name: "InterchangeTests", dependencies: ["Artifacts", "Diagnostics", "Interchange", "Tensors"]),
        .testTarget(
            name: "DataflowTests",
            dependencies: [
                "Artifacts", "CacheStore", "Compute", "Dataflow", "Diagnostics", "GraphLanguage", "Quantities",
                "Tensors",
            ]),
        .testTarget(name: "SpinWavesTests", dependencies: ["CKernels", "Compute", "SpinWaves"], exclude: ["Fixtures"]),
        .testTarget(name: "InstrumentsTests", dependencies: ["CKernels", "Compute", "Instruments", "Tensors"]),
        .testTarget(
            name: "LearningTests",
            dependencies: [
                "Compute", "Learning", "Tensors", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]),
        .testTarget(
            name: "StagesTests",
            dependencies: [
                "Artifacts", "CacheStore", "Compute", "Dataflow", "Devices", "Diagnostics", "GraphLanguage",
                "HostDevice", "Instruments", "Interchange",
                "Learning", "SpinWaves", "Stages", "Tensors",
            ]),
        .testTarget(name: "PresentationTests", dependencies: ["Artifacts", "Interchange", "Presentation", "Tensors"]),
        .testTarget(
            name: "CacheInspectorTests",
            dependencies: [
                "Artifacts", "CacheInspector", "CacheStore", "Diagnostics", "Interchange", "Tensors",
            ]),
        .testTarget(
            name: "ScenarioTests",
            dependencies: [
                "Artifacts", "CacheInspector", "CacheStore", "Command", "Compute", "Dataflow", "Diagnostics",
                "GraphLanguage", "HostDevice", "Interchange", "Stages", "Tensors",
            ]),
    ],
    cxxLanguageStandard: .cxx17
)
