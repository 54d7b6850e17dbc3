import Compute
import Devices
import Foundation
import Learning

/// A training step of the published network on a device, beside PyTorch's with cuDNN.
struct TrainingRows {
    let kernels: KernelLibrary
    let libraries: Result<NetworkLibraries, DeviceError>
    let isSmall: Bool

    /// How products are taken.
    private enum Arithmetic: String, CaseIterable {
        case f32, tf32, bf16

        /// Decision notes 34 and 44, for an H100.
        var predictedMilliseconds: Double {
            switch self {
            case .f32: 8
            case .tf32: 5
            case .bf16: 4.5
            }
        }
    }

    private struct Step {
        var seconds: Double
        /// What an epoch takes besides its steps: weights that go to the device and come back.
        var epochSeconds: Double
        var bytes: Int
    }

    private static let batch = 32

    func measure(_ figures: inout Figures) throws {
        let opened: NetworkLibraries
        switch libraries {
        case .success(let found): opened = found
        case .failure(let error):
            for arithmetic in Arithmetic.allCases {
                figures.leaveOut("step_ms_\(arithmetic.rawValue)", because: error.message)
            }
            return
        }
        figures.remarks.append("training: cuDNN \(opened.dnnVersion), cuBLAS \(opened.blasVersion)")
        let images = try TrainingBenchmark.images(
            shape: isSmall ? [1, 12, 40] : [1, 240, 400], count: Self.batch * (isSmall ? 2 : 60))
        for arithmetic in Arithmetic.allCases {
            let name = arithmetic.rawValue
            if arithmetic == .bf16, !kernels.device.multipliesBF16 {
                figures.leaveOut("step_ms_bf16", because: "\(kernels.device.name) has no products in bf16")
                continue
            }
            let mine = try step(images, arithmetic, opened)
            figures.add(
                "step_ms_\(name)", mine.seconds * 1e3,
                "forward, backward and Adam on \(Self.batch) images, images on the device",
                prediction: arithmetic.predictedMilliseconds)
            figures.add("epoch_ms_\(name)", mine.epochSeconds * 1e3, "what an epoch takes besides its steps")
            figures.add(
                "step_mb_\(name)", Double(mine.bytes) / 1e6, "of the device's memory meanwhile, images included")
            guard let peer = try TorchPeer.onDevice(name, isSmall: isSmall) else {
                figures.leaveOut("step_ratio_\(name)", because: "PyTorch with CUDA is not here")
                continue
            }
            figures.add(
                "torch_ms_\(name)", peer.seconds * 1e3,
                "peer: PyTorch \(peer.version), cuDNN \(peer.libraries ?? "?"), \(peer.variant ?? "?"), one batch that stays"
            )
            figures.add(
                "step_ratio_\(name)", peer.seconds / mine.seconds, "how many times as fast as that", aim: .atLeast(1))
            figures.add("torch_mb_\(name)", Double(peer.peakBytes) / 1e6, "the peer's memory of the device")
            for (variant, milliseconds) in (peer.variants ?? [:]).sorted(by: { $0.key < $1.key }) {
                figures.remarks.append("PyTorch \(name), \(variant): \(milliseconds)")
            }
        }
    }

    /// From epochs of few and of many steps.
    private func step(_ images: ImageSet, _ arithmetic: Arithmetic, _ libraries: NetworkLibraries) throws -> Step {
        let (few, many) = isSmall ? (1, 2) : (10, 60)
        let device = try NetworkDevice(
            CUDAKernelDevice(kernels), libraries, usesTF32: arithmetic == .tf32)
        let precision: Precision = arithmetic == .bf16 ? .bf16 : .f32
        let short = try epoch(Array(0..<few * Self.batch), images, precision, device)
        let long = try epoch(Array(0..<many * Self.batch), images, precision, device)
        let each = max(1e-9, (long.seconds - short.seconds) / Double(many - few))
        return Step(seconds: each, epochSeconds: max(0, short.seconds - Double(few) * each), bytes: long.bytes)
    }

    /// The best of several epochs after the first, which asks cuDNN for its ways and takes memory.
    private func epoch(
        _ members: [Int], _ images: ImageSet, _ precision: Precision, _ device: NetworkDevice
    ) throws -> (seconds: Double, bytes: Int) {
        let spec = try NetworkSpec(inputShape: images.shape, layers: TrainingBenchmark.layers, classes: 2)
        var settings = TrainingSettings()
        settings.precision = precision
        settings.epochs = isSmall ? 2 : 5
        settings.batchSize = Self.batch
        // As PyTorch: statistics over the whole batch.
        settings.microBatchSize = Self.batch
        let place = kernels.device
        let before = try place.freeMemory()
        var lowest = before
        let clock = ContinuousClock()
        var times = [clock.now]
        _ = try train(
            spec, on: images, split: Split(training: members, validation: []), settings: settings,
            random: RandomStream(seed: 2), on: device,
            progress: { _ in
                lowest = min(lowest, (try? place.freeMemory()) ?? lowest)
                times.append(clock.now)
            })
        let seconds = zip(times.dropFirst(), times).map { $1.duration(to: $0) / .seconds(1) }
        return (seconds.dropFirst().min() ?? .infinity, before - lowest)
    }
}
