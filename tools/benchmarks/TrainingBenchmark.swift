import Compute
import Foundation
import Learning
import Tensors

/// A training step of the published six-layer network, beside PyTorch's.
struct TrainingBenchmark: Benchmark {
    static let name = "training"
    static let about = "one training step of the published network, 32 images of 240 × 400, beside PyTorch"

    private static let rounds = 5
    private static let jemalloc = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"

    func run() throws -> Figures {
        var figures = Figures()
        let images = try Self.images()
        for precision in Precision.allCases {
            guard precision.isSupported else { continue }
            let name = precision.rawValue
            // Forgets the peak so far.
            try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
            let mine = try Self.seconds(images, precision, microBatch: 8)
            let peak = try Self.peakMegabytes()
            figures.add("step_cpu_s_\(name)", mine, "user and system time of one thread, micro-batches of 8")
            figures.add("peak_mb_\(name)", peak, "peak memory meanwhile, images included")
            figures.add(
                "step_cpu_s_\(name)_whole_batch", try Self.seconds(images, precision, microBatch: 32),
                "batch-norm over all 32 images, as the peer has it")
            guard let peer = try TorchPeer.measure(name, rounds: Self.rounds) else { continue }
            figures.add("torch_cpu_s_\(name)", peer.seconds, "peer: PyTorch \(peer.version), channels_last, fused Adam")
            figures.add("ratio_\(name)", mine / peer.seconds, "(target 0.33)")
            figures.add("torch_peak_mb_\(name)", Double(peer.peakBytes) / 1e6, "the peer's peak memory")
            guard FileManager.default.fileExists(atPath: Self.jemalloc),
                let best = try TorchPeer.measure(name, rounds: Self.rounds, jemalloc: Self.jemalloc)
            else { continue }
            figures.add("torch_jemalloc_cpu_s_\(name)", best.seconds, "the same with jemalloc that keeps its memory")
            figures.add("ratio_jemalloc_\(name)", mine / best.seconds, "(target 0.75)")
        }
        return figures
    }

    /// As in graphs/networks/cnn-dense.yaml.
    static let layers: [LayerSpec] = [
        .convolution(channels: 16, kernel: [5, 5], padding: .valid), .relu,
        .convolution(channels: 16, kernel: [3, 3], padding: .valid), .relu, .maxPool([1, 2]), .batchNorm,
        .convolution(channels: 16, kernel: [1, 3], padding: .valid), .relu,
        .convolution(channels: 32, kernel: [1, 3], padding: .valid), .relu, .maxPool([2, 2]), .batchNorm,
        .convolution(channels: 32, kernel: [1, 3], padding: .valid), .relu,
        .convolution(channels: 32, kernel: [1, 3], padding: .valid), .relu, .batchNorm, .flatten, .dense(units: 64),
        .relu, .dense(units: 2),
    ]

    static func images(shape: [Int] = [1, 240, 400], count: Int = 32) throws -> ImageSet {
        var set = try ImageSet(shape: shape)
        for image in 0..<count {
            let random = RandomStream(seed: 1).substream("image", image)
            let pixels = (0..<set.imageSize).map { Float(random.uniform(at: $0)) }
            try set.append(pixels, label: image % 2, origin: "\(image)")
        }
        return set
    }

    /// The best of several epochs of one step each; the first, which takes memory from the system, does not count.
    private static func seconds(_ images: ImageSet, _ precision: Precision, microBatch: Int) throws -> Double {
        var settings = TrainingSettings()
        settings.epochs = rounds + 1
        settings.batchSize = images.count
        settings.microBatchSize = microBatch
        settings.precision = precision
        let spec = try NetworkSpec(inputShape: images.shape, layers: layers, classes: 2)
        var times: [Double] = [processorTime()]
        _ = try train(
            spec, on: images, split: Split(training: Array(0..<images.count), validation: []), settings: settings,
            random: RandomStream(seed: 2), progress: { _ in times.append(processorTime()) })
        let steps = zip(times.dropFirst(), times).map { $0 - $1 }
        return steps.dropFirst().min() ?? .infinity
    }

    private static func peakMegabytes() throws -> Double {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return (Double(line.filter(\.isNumber)) ?? 0) * 1024 / 1e6
    }
}
