// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "Spinweave",
    products: [
        .executable(name: "spinweave", targets: ["Command"]),
        .executable(name: "spinweave-cache", targets: ["CacheInspector"]),
        .library(name: "SpinWaves", targets: ["SpinWaves"]),
        .library(name: "Dataflow", targets: ["Dataflow"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.0"..<"5.0.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: [
        // 0: C edges
        .systemLibrary(name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CZip", pkgConfig: "libzip", providers: [.apt(["libzip-dev"])]),
        .systemLibrary(name: "COneDNN", providers: [.apt(["libdnnl-dev"])]),
        .target(name: "CLAPACK", cSettings: [.unsafeFlags(["-O3"])], linkerSettings: [.linkedLibrary("openblas")]),
        // -O3 in debug builds too: the tests run whole images through these loops.
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"])], linkerSettings: [.linkedLibrary("m")]),
        // 1: vocabulary
        .target(name: "Diagnostics"),
        .target(name: "Tensors"),
        .target(name: "Quantities"),
        .target(name: "Artifacts", dependencies: ["Tensors", .product(name: "Crypto", package: "swift-crypto")]),
        // 2: services
        .target(
            name: "GraphLanguage",
            dependencies: ["Diagnostics", "Quantities", .product(name: "Yams", package: "Yams")]),
        .target(name: "CacheStore", dependencies: ["Artifacts", "Diagnostics", "Tensors", "CLMDB", "CZstd"]),
        .target(name: "Compute", dependencies: ["Tensors", "CLAPACK"]),
        .target(name: "Interchange", dependencies: ["Artifacts", "Diagnostics", "Tensors", "CPNG", "CZip"]),
        // 3: engine and science, which never see each other
        .target(
            name: "Dataflow",
            dependencies: ["Artifacts", "CacheStore", "Compute", "Diagnostics", "GraphLanguage", "Quantities", "Tensors"]),
        .target(name: "SpinWaves", dependencies: ["Compute", "Quantities", "Tensors"]),
        .target(name: "Instruments", dependencies: ["CKernels", "Compute", "Quantities", "Tensors"]),
        .target(name: "Learning", dependencies: ["COneDNN", "Compute", "Tensors"]),
        // 4: meeting and view
        .target(
            name: "Stages",
            dependencies: [
                "Artifacts", "Compute", "Dataflow", "Diagnostics", "GraphLanguage", "Instruments", "Interchange",
                "Learning", "Quantities", "SpinWaves", "Tensors",
            ]),
        .target(
            name: "Presentation",
            dependencies: ["Artifacts", "CacheStore", "Dataflow", "Diagnostics", "Interchange", "Tensors"]),
        // 5: faces
        .executableTarget(
            name: "Command",
            dependencies: [
                "Artifacts", "CacheStore", "Compute", "Dataflow", "Diagnostics", "GraphLanguage", "Interchange",
                "Presentation", "Quantities", "SpinWaves", "Stages", "Tensors",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "CacheInspector",
            dependencies: [
                "Artifacts", "CacheStore", "Diagnostics", "Tensors",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "tools/cache-inspector"),
    ]
)
