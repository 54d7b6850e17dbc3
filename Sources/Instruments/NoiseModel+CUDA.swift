import CKernels
import Compute
import Devices
import Tensors

/// Counting on a CUDA device: `noise.cu`, which draws the same random numbers.
extension NoiseModel {
    /// An image to be measured, and the stream that its randomness comes from.
    public struct Exposure: Sendable {
        /// Computed images [domains, rows, columns].
        public var domains: Tensor<Float>
        public var stream: RandomStream

        public init(_ domains: Tensor<Float>, stream: RandomStream) {
            self.domains = domains
            self.stream = stream
        }
    }

    /// Measured images, each as `measured` makes it, to 1e-6 of the brightest pixel; whole counts are the same ones.
    ///
    /// Levels are drawn on the host. Mixtures, misalignment and most backgrounds of Gaussian images are made on the device, of whole counts on
    /// the host. Pixels are counted on the device, but for the few whose whole count hangs on the last places of a logarithm: those
    /// the host draws.
    ///
    /// - Parameter threads: of the host.
    /// - Returns: [rows, columns] of each.
    /// - Throws: `InstrumentError` as `measured`, and what the device throws.
    public func measured<Device: KernelDevice>(
        _ exposures: [Exposure], geometry: ImageGeometry, mask: CoverageMask?, on device: Device,
        threads: Int = 1
    ) throws -> [Tensor<Float>] {
        // An image once, whatever the number of its exposures.
        var sources: [PlacedDomains<Device.Memory>] = []
        var places: [(source: Int, stream: RandomStream)] = []
        for exposure in exposures {
            if case .host(let last)? = sources.last, last == exposure.domains {
            } else {
                sources.append(.host(exposure.domains))
            }
            places.append((sources.count - 1, exposure.stream))
        }
        return try measured(places, of: sources, geometry: geometry, mask: mask, on: device, threads: threads)
    }

    /// The same of images some of which the device has already, where it mixes them (`mixesOnDevice`).
    ///
    /// - Parameter exposures: of which source, and where their randomness comes from.
    public func measured<Device: KernelDevice>(
        _ exposures: [(source: Int, stream: RandomStream)], of sources: [PlacedDomains<Device.Memory>],
        geometry: ImageGeometry, mask: CoverageMask?, on device: Device, threads: Int = 1,
        angles: DetectorAngles? = nil
    ) throws -> [Tensor<Float>] {
        guard sources.allSatisfy({ $0.shape == sources[0].shape }) else {
            throw InstrumentError.invalid("the images", problem: "have different numbers of domains")
        }
        let pixels = geometry.rows * geometry.columns
        let free = try device.freeBytes() / 2
        // Mixed, expected, holder and additions in doubles; the image itself.
        let batch = max(1, min(1024, free / (pixels * 36)))
        var images: [Tensor<Float>] = []
        while images.count < exposures.count {
            let part = exposures[images.count..<min(exposures.count, images.count + batch)]
            images += try counted(
                Array(part), of: sources, geometry: geometry, mask: mask, on: device, threads: threads,
                angles: angles ?? DetectorAngles(geometry))
        }
        return images
    }

    private func counted<Device: KernelDevice>(
        _ exposures: [(source: Int, stream: RandomStream)], of sources: [PlacedDomains<Device.Memory>],
        geometry: ImageGeometry, mask: CoverageMask?, on device: Device, threads: Int, angles: DetectorAngles
    ) throws -> [Tensor<Float>] {
        let pixels = geometry.rows * geometry.columns
        let mixes = mixesOnDevice
        // What the host needs of the sources.
        let shapes = sources.map(\.shape)
        let domains = sources.map { source -> Tensor<Float>? in
            if case .host(let domains) = source { return domains }
            precondition(mixes, "images on the device are mixed there")
            return nil
        }
        let partly = try Parallel.map(exposures.count, threads: threads) { index in
            let (source, stream) = exposures[index]
            if mixes {
                return try preparedForMixing(shapes[source], geometry: geometry, mask: mask, stream: stream)
            }
            return (try self.prepared(domains[source]!, geometry: geometry, mask: mask, stream: stream), nil)
        }
        let prepared = partly.map(\.prepared)
        var settings: [sw_noise_setting] = []
        var streams: [sw_noise_stream] = []
        for (exposure, image) in zip(exposures, prepared) {
            for setting in geometry.settings.indices {
                let (sample, empty) = counters(image.draw, setting: setting)
                settings.append(
                    sw_noise_setting(
                        gain: sample.gain, floor: sample.floor, noise: sample.noise, empty_noise: empty.noise))
            }
            for name in ["counting", "empty holder", "dead pixels"] {
                let words = exposure.stream.substream(name).words
                streams.append(sw_noise_stream(key: words.x, lane: words.y))
            }
        }
        func place<T: BitwiseCopyable>(_ values: [T]?) throws -> Device.Memory? {
            try values.map { try device.memory(of: $0) }
        }
        // A holder is subtracted from all images or from none, unless the draw is of nothing.
        let subtracts = prepared.contains { $0.holder != nil }
        let nothing = [Double](repeating: 0, count: subtracts ? pixels : 0)
        let maskMemory = try place(mask?.masked.elements)
        // Those of this batch alone.
        var (placed, addresses): ([Int: Device.Memory], [Int: UInt64]) = ([:], [:])
        if mixes {
            for (source, _) in exposures where addresses[source] == nil {
                switch sources[source] {
                case .host(let domains):
                    let memory = try device.memory(of: domains.elements)
                    (placed[source], addresses[source]) = (memory, memory.address)
                case .onDevice(let memory, let offset, _):
                    (placed[source], addresses[source]) = (memory, memory.address + UInt64(offset))
                }
            }
        }
        let expected =
            try mixes
            ? mix(
                partly, sources: exposures.map { addresses[$0.source]! }, geometry: geometry, mask: mask,
                maskMemory: maskMemory, on: device)
            : place(prepared.flatMap(\.expected))
        let memory = try [
            expected, place(subtracts ? prepared.flatMap { $0.holder ?? nothing } : nil),
            place(prepared.map { $0.holder == nil ? 0 : $0.draw.backgrounds.subtraction }),
            maskMemory, place(settings), place(streams),
        ]
        let responses = try PlacedResponses(
            prepared.map(\.draw.detectors), of: detectors, tubeWidth: tubeWidth, angles: angles, geometry: geometry,
            on: device)
        let images = try device.memory(bytes: 4 * pixels * exposures.count)
        var problem = sw_noise_problem()
        problem.image_count = Int64(exposures.count)
        problem.setting_count = Int64(geometry.settings.count)
        problem.setting_pixels = Int64(geometry.h.count * geometry.columns)
        (problem.bin_count, problem.bin_columns) = (Int64(geometry.energyBins.count), Int64(geometry.k.count))
        problem.is_poisson = statistics == .poisson ? 1 : 0
        problem.dead_probability = deadPixels
        (problem.clip_low, problem.clip_high) = (clip.lowerBound, clip.upperBound)
        problem.expected = pointer(memory[0])
        problem.holder = pointer(memory[1])
        problem.subtraction = pointer(memory[2])
        problem.mask = pointer(memory[3])
        problem.settings = pointer(memory[4])
        problem.streams = pointer(memory[5])
        responses.describe(in: &problem)
        problem.images = UnsafeMutablePointer(bitPattern: UInt(images.address))
        try device.launch(
            KernelLaunch(
                text: "noise.cu", kernel: "sw_noise_count", columns: (pixels + 255) / 256, rows: exposures.count,
                threads: 256), problem)
        let counted = try device.read(Float.self, count: pixels * exposures.count, from: images)
        withExtendedLifetime((memory, placed, responses)) {}
        return try Parallel.map(exposures.count, threads: threads) { index in
            var elements = Array(counted[index * pixels..<(index + 1) * pixels])
            if !mixes {
                decide(
                    &elements, prepared[index], geometry: geometry, stream: exposures[index].stream, angles: angles)
            }
            silence(&elements, prepared[index].draw, geometry: geometry, angles: angles)
            return Tensor(shape: geometry.shape, elements: elements)
        }
    }

    /// Draws what the device left undecided.
    private func decide(
        _ elements: inout [Float], _ known: Prepared, geometry: ImageGeometry, stream: RandomStream,
        angles: DetectorAngles
    ) {
        guard elements.contains(where: \.isNaN) else { return }
        var prepared = known
        if !detectors.isOff { prepared.responses = responses(known.draw, geometry: geometry, angles: angles) }
        let size = geometry.h.count * geometry.columns
        for pixel in elements.indices where elements[pixel].isNaN {
            elements[pixel] = count(
                pixel, of: prepared, counters(prepared.draw, setting: pixel / size), stream.substream("counting"),
                stream.substream("empty holder"))
        }
    }
}

// An address of the device, which nobody follows here.
private func pointer<T>(_ memory: (any KernelMemory)?) -> UnsafePointer<T>? {
    memory.flatMap { UnsafePointer(bitPattern: UInt($0.address)) }
}
