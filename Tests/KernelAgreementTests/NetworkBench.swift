import Compute
import Devices
import Foundation
import HostDevice
import Synchronization
import Testing

@testable import Learning

/// A device in software with cuDNN and cuBLAS in software.
struct NetworkBench {
    let software: SoftwareCUDA
    let device: NetworkDevice

    /// - Parameter settings: of the software; see CSoftwareCUDA's header.
    init(_ settings: [String: String] = [:], usesTF32: Bool = false) throws {
        software = try Self.software(settings)
        let search = LibrarySearch(preferred: software.directory)
        let inventory = DeviceInventory(search, networkLibraries: false)
        let kernels = KernelLibrary(
            try #require(inventory.devices.first), compiler: try #require(inventory.compiler))
        device = try NetworkDevice(
            CUDAKernelDevice(kernels), NetworkLibraries(search), usesTF32: usesTF32)
    }

    /// A copy of the libraries stays in the process with its threads' stacks: whoever does not break its device shares it.
    private static let shared = Mutex<[String: SoftwareCUDA]>([:])

    private static func software(_ settings: [String: String]) throws -> SoftwareCUDA {
        if !settings.keys.allSatisfy({ $0 == "order" }) { return try SoftwareCUDA(settings) }
        return try shared.withLock { shared in
            let order = settings["order"] ?? "0"
            if let known = shared[order] { return known }
            let made = try SoftwareCUDA(settings)
            shared[order] = made
            return made
        }
    }

    /// This machine's own device with its own libraries; nil where there is none.
    static let hardware: (kernels: KernelLibrary, libraries: NetworkLibraries)? = {
        let search = LibrarySearch(preferred: ProcessInfo.processInfo.environment["SPINWEAVE_CUDA_LIBRARIES"])
        let inventory = DeviceInventory(search, networkLibraries: false)
        guard let device = inventory.devices.first, let compiler = inventory.compiler,
            let libraries = try? NetworkLibraries(search, newest: device.driver.version.major)
        else { return nil }
        return (KernelLibrary(device, compiler: compiler), libraries)
    }()

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var input: [Int]
        var layers: [LayerSpec]
        var testDescription: String { name }

        func spec() throws -> NetworkSpec { try NetworkSpec(inputShape: input, layers: layers, classes: 3) }
    }

    /// Those that bf16 is for: a device has no centroids in it.
    static var roundedCases: [Case] {
        cases.filter { example in
            if case .centroids? = example.layers.last { return false }
            return true
        }
    }

    /// Every kind of layer, in each of its forms; and the published layer list on a small image.
    static let cases: [Case] = [
        Case(name: "dense twice", input: [2, 3, 4], layers: [.dense(units: 7), .relu, .dense(units: 3)]),
        Case(
            name: "conv same, odd kernels", input: [2, 7, 9],
            layers: [
                .convolution(channels: 5, kernel: [3, 5]), .relu, .convolution(channels: 4, kernel: [3, 3]), .flatten,
                .dense(units: 3),
            ]),
        Case(
            name: "conv same, even kernel and strides: more zeros on one side", input: [2, 8, 9],
            layers: [
                .convolution(channels: 3, kernel: [4, 2], stride: [2, 3]), .gelu,
                .convolution(channels: 4, kernel: [2, 2]), .relu, .dense(units: 3),
            ]),
        Case(
            name: "conv valid, stride", input: [3, 9, 11],
            layers: [
                .convolution(channels: 6, kernel: [3, 2], stride: [2, 1], padding: .valid), .relu,
                .convolution(channels: 6, kernel: [1, 3], padding: .valid), .dense(units: 3),
            ]),
        Case(
            name: "max-pool, plain and over edges", input: [2, 9, 11],
            layers: [
                .convolution(channels: 4, kernel: [3, 3]), .maxPool([3, 3], stride: [2, 2], padding: .same),
                .convolution(channels: 4, kernel: [1, 1]), .maxPool([2, 3]), .dense(units: 3),
            ]),
        Case(
            name: "average-pool, plain and over edges", input: [2, 9, 11],
            layers: [
                .convolution(channels: 4, kernel: [3, 3]), .averagePool([3, 2], stride: [2, 1], padding: .same),
                .convolution(channels: 4, kernel: [1, 1]), .averagePool([2, 3]), .dense(units: 3),
            ]),
        Case(
            name: "batch-norm of maps and of vectors", input: [2, 6, 8],
            layers: [
                .convolution(channels: 5, kernel: [3, 3]), .batchNorm, .relu, .dense(units: 6), .batchNorm, .gelu,
                .dense(units: 3),
            ]),
        Case(
            name: "group-norm, first and later", input: [4, 6, 8],
            layers: [
                .groupNorm(groups: 2), .convolution(channels: 6, kernel: [3, 3]), .groupNorm(groups: 3), .relu,
                .globalAveragePool, .dense(units: 3),
            ]),
        Case(
            name: "dropout of 30 and of 35 values", input: [1, 6, 5],
            layers: [
                .dropout(rate: 0.25), .convolution(channels: 7, kernel: [3, 3], stride: [2, 1]), .relu,
                .maxPool([3, 1]), .dropout(rate: 0.5), .dense(units: 8), .dropout(rate: 0.3), .dense(units: 3),
            ]),
        Case(
            name: "folded panels of unit mean", input: [1, 12, 24],
            layers: [
                .relu, .panels(rows: 2, columns: 3), .fold, .averagePool([1, 2]), .unitMean(groups: 2, mean: 2.7),
                .log1p, .convolution(channels: 8, kernel: [3, 3]), .batchNorm, .relu, .flatten, .dropout(rate: 0.3),
                .dense(units: 3),
            ]),
        Case(
            name: "unit-mean, log1p, panels and fold behind weights", input: [2, 8, 12],
            layers: [
                .convolution(channels: 6, kernel: [3, 3]), .relu, .unitMean(groups: 3, mean: 2), .log1p,
                .panels(rows: 2, columns: 3), .fold, .convolution(channels: 4, kernel: [1, 1]), .dense(units: 3),
            ]),
        Case(
            name: "joins that share a mark, and one within another", input: [2, 6, 8],
            layers: [
                .mark("image"), .convolution(channels: 2, kernel: [3, 3]), .mark("inner"), .relu,
                .convolution(channels: 2, kernel: [3, 3]), .add("inner"), .add("image"), .dropout(rate: 0.3),
                .add("image"), .dense(units: 4), .mark("vector"), .relu, .dense(units: 4), .add("vector"),
                .dense(units: 3),
            ]),
        Case(
            name: "a residual network", input: [1, 12, 20],
            layers: [
                .convolution(channels: 8, kernel: [3, 3]), .groupNorm(groups: 2), .gelu, .mark("a"),
                .convolution(channels: 8, kernel: [3, 3]), .batchNorm, .relu,
                .convolution(channels: 8, kernel: [3, 3]), .batchNorm, .add("a"), .relu,
                .maxPool([3, 3], stride: [2, 2], padding: .same), .mark("b"),
                .convolution(channels: 8, kernel: [1, 3]), .gelu, .add("b"), .globalAveragePool, .dense(units: 3),
            ]),
        // 12 × 40 → 8 × 36 → 6 × 34 → 17 → 15 → 13 → 3 × 6 → 4 → 2: graphs/networks/cnn-dense.yaml.
        Case(
            name: "the published layer list", input: [1, 12, 40],
            layers: [
                .convolution(channels: 16, kernel: [5, 5], padding: .valid), .relu,
                .convolution(channels: 16, kernel: [3, 3], padding: .valid), .relu, .maxPool([1, 2]), .batchNorm,
                .convolution(channels: 16, kernel: [1, 3], padding: .valid), .relu,
                .convolution(channels: 32, kernel: [1, 3], padding: .valid), .relu, .maxPool([2, 2]), .batchNorm,
                .convolution(channels: 32, kernel: [1, 3], padding: .valid), .relu,
                .convolution(channels: 32, kernel: [1, 3], padding: .valid), .relu, .batchNorm, .flatten,
                .dense(units: 64), .relu, .dense(units: 3),
            ]),
        Case(
            name: "centroids of vectors", input: [2, 3, 4],
            layers: [
                .dense(units: 7), .gelu,
                .centroids(Centroids(classes: 3, width: 5, lengthScale: 0.8, momentum: 0.9, gradientPenalty: 0)),
            ]),
        Case(
            name: "centroids of maps, with a penalty", input: [2, 6, 8],
            layers: [
                .convolution(channels: 5, kernel: [3, 3]), .batchNorm, .gelu, .dropout(rate: 0.3),
                .averagePool([2, 2]), .centroids(Centroids(classes: 3, width: 4, momentum: 0.8, gradientPenalty: 0.5)),
            ]),
    ]

    /// Pixels of both signs, with as many of each label.
    static func images(_ shape: [Int], _ count: Int, seed: Int = 5) throws -> ImageSet {
        var set = try ImageSet(shape: shape)
        let random = RandomStream(seed: seed)
        for image in 0..<count {
            let stream = random.substream("image", image)
            let values = (0..<shape.reduce(1, *)).map { pixel in
                Float(stream.normal(at: pixel)) + 0.3 + (pixel % 3 == image % 3 ? 0.5 : 0)
            }
            try set.append(values, label: image % 3, origin: "\(image)")
        }
        return set
    }

    static func weights(_ spec: NetworkSpec) -> Weights {
        let random = RandomStream(seed: 7)
        var weights = Weights(initialising: spec, random: random.substream("weights"))
        // Biases, scales, shifts and statistics away from their special values.
        for index in weights.values.indices { weights.values[index] += 0.05 * Float(random.normal(at: index)) }
        return weights
    }

    static func length(_ values: [Float]) -> Double {
        values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    static func distance(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0) { $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1) }.squareRoot()
    }
}
