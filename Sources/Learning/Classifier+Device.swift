import CKernels
import Compute
import Devices
import Tensors

extension DeviceNetwork {
    /// Logits [members, classes] row-major, in passes of `images`; a network for inference.
    func logits(of set: ImageSet, at members: [Int]) throws -> [Float] {
        var result: [Float] = []
        result.reserveCapacity(members.count * spec.classes)
        for start in stride(from: 0, to: members.count, by: images) {
            let part = members[start..<min(start + images, members.count)]
            var values: [Float] = []
            values.reserveCapacity(images * spec.imageSize)
            for member in part { values += set.values[set.start(of: member)..<set.start(of: member) + spec.imageSize] }
            // Places that are left over: what they give is not used.
            values += [Float](repeating: 0, count: (images - part.count) * spec.imageSize)
            try device.device.write(values, to: input.memory)
            try forward()
            result += try device.device.read(Float.self, count: part.count * spec.classes, from: logits.memory)
        }
        return result
    }
}

extension Classifier {
    /// Images in one pass of a device.
    static let deviceBatch = 64

    /// Logits [images, classes] of a set on a CUDA device; those of `logits(of:at:threads:)` to single precision.
    ///
    /// - Parameter members: positions in the set.
    /// - Throws: `LearningError` for images of another network; what the device throws.
    public func logits(of images: ImageSet, at members: [Int], on device: NetworkDevice) throws -> Tensor<Float> {
        try images.check(fit: spec)
        if members.isEmpty { return Tensor(shape: [0, spec.classes], elements: []) }
        let network = try network(
            images: min(Self.deviceBatch, members.count), mode: .inference, on: device)
        return Tensor(
            shape: [members.count, spec.classes], elements: try network.logits(of: images, at: members))
    }

    /// The network with its weights on a device.
    func network(
        images: Int, mode: Network.Mode, keptLayer: Int? = nil, on device: NetworkDevice
    ) throws -> DeviceNetwork {
        let layout = DeviceLayout(spec)
        let parameters = try DeviceFloats(count: layout.count, on: device.device)
        try device.device.write(layout.spread(weights.values), to: parameters.memory)
        return try DeviceNetwork(
            spec, microBatch: images, mode: mode, parameters: parameters, keptLayer: keptLayer, on: device)
    }

    /// `attribution(by:of:class:settings:random:)` on a device, to single precision; nil for methods that the CPU computes.
    public func attribution(
        by method: AttributionMethod, of image: Tensor<Float>, class index: Int, settings: AttributionSettings,
        random: RandomStream, on device: NetworkDevice
    ) throws -> Attribution? {
        switch method {
        case .integratedGradients:
            let found = try integratedGradients(
                of: image, baseline: settings.baseline, class: index, steps: settings.steps, on: device)
            return Attribution(
                map: flat(found.attribution),
                sumRule: .init(difference: found.score - found.baselineScore, residual: found.residual))
        case .smoothGradients:
            let found = try smoothGradients(
                of: image, baseline: settings.baseline, class: index, noise: settings.noise, draws: settings.draws,
                random: random, on: device)
            return Attribution(map: flat(found.attribution))
        case .occlusion:
            return Attribution(
                map: flat(
                    try occlusion(
                        of: image, baseline: settings.baseline, class: index, boxes: settings.boxes, on: device
                    ).attribution))
        case .activationMap, .activationMapPlusPlus: return nil
        }
    }

    /// `integratedGradients` on a CUDA device.
    public func integratedGradients(
        of image: Tensor<Float>, baseline: Tensor<Float>? = nil, class index: Int, score: ClassScore = .logOdds,
        steps: Int = 64, on device: NetworkDevice
    ) throws -> IntegratedGradients {
        let baseline = try checked(image, baseline, index)
        if steps < 1 { throw LearningError.setting(name: "steps", problem: "\(steps) is less than 1") }
        let size = spec.imageSize
        // Two at least, for the image and the baseline themselves.
        let batch = max(2, min(Self.deviceBatch, steps))
        let network = try network(images: batch, mode: .attribution, on: device)
        let image32 = try DeviceValues(image.elements, on: device.device)
        let baseline32 = try DeviceValues(baseline.elements, on: device.device)
        let rest = [Float](repeating: 0, count: (batch - 2) * size)
        try device.device.write(image.elements + baseline.elements + rest, to: network.input.memory)
        try network.forward()
        let ends = try device.device.read(Float.self, count: 2 * spec.classes, from: network.logits.memory)
        let scores = (0..<2).map { row in
            score.value(ends[row * spec.classes..<(row + 1) * spec.classes].map { Double($0) }, index)
        }
        var points = sw_net_points()
        (points.places, points.size, points.steps) = (Int64(batch), Int64(size), Int64(steps))
        points.image = image32.source()
        points.baseline = baseline32.source()
        points.result = network.input.target()
        let description = points
        let mean = try meanGradient(network, of: steps, index, score) { start, _ in
            var points = description
            points.first = Int64(start)
            try device.each("sw_network_path", .updates, count: batch * size, points)
        }
        withExtendedLifetime((image32, baseline32)) {}
        let parts = (0..<size).map { mean[$0] * Double(image.elements[$0] - baseline.elements[$0]) }
        return IntegratedGradients(
            attribution: Tensor(shape: image.shape, elements: parts.map { Float($0) }), score: scores[0],
            baselineScore: scores[1], residual: parts.reduce(0, +) - (scores[0] - scores[1]))
    }

    /// `smoothGradients` on a CUDA device, with the same noise.
    public func smoothGradients(
        of image: Tensor<Float>, baseline: Tensor<Float>? = nil, class index: Int, score: ClassScore = .logOdds,
        noise: Double = 0.1, draws: Int = 32, random: RandomStream, on device: NetworkDevice
    ) throws -> SmoothGradients {
        let baseline = try checked(image, baseline, index)
        if draws < 1 { throw LearningError.setting(name: "draws", problem: "\(draws) is less than 1") }
        if !(noise >= 0 && noise.isFinite) {
            throw LearningError.setting(name: "noise", problem: "\(noise) is not 0 or more")
        }
        let seen = image.elements.filter { $0 != 0 }
        let deviation = noise * Double((seen.max() ?? 0) - (seen.min() ?? 0))
        let batch = min(Self.deviceBatch, draws)
        let network = try network(images: batch, mode: .attribution, on: device)
        let image32 = try DeviceValues(image.elements, on: device.device)
        let streams = try DeviceValues<sw_noise_stream>(count: batch, on: device.device)
        var points = sw_net_points()
        (points.places, points.size) = (Int64(batch), Int64(spec.imageSize))
        points.deviation = deviation
        points.image = image32.source()
        points.streams = streams.source()
        points.result = network.input.target()
        let (description, size) = (points, spec.imageSize)
        let mean = try meanGradient(network, of: draws, index, score) { start, _ in
            let words = (start..<start + batch).map { random.substream("draw", $0).words }
            try device.device.write(words.map { sw_noise_stream(key: $0.x, lane: $0.y) }, to: streams.memory)
            try device.each("sw_network_noisy", .updates, count: batch * size, description)
        }
        withExtendedLifetime(image32) {}
        let parts = mean.indices.map { Float(mean[$0] * Double(image.elements[$0] - baseline.elements[$0])) }
        return SmoothGradients(
            gradient: Tensor(shape: image.shape, elements: mean.map { Float($0) }),
            attribution: Tensor(shape: image.shape, elements: parts), deviation: deviation)
    }

    /// The mean gradient of a score over `count` points, which `prepare` puts into the network's input from one on.
    private func meanGradient(
        _ network: DeviceNetwork, of count: Int, _ index: Int, _ score: ClassScore,
        prepare: (_ start: Int, _ used: Int) throws -> Void
    ) throws -> [Double] {
        let device = network.device
        let size = spec.imageSize
        let sum = try DeviceValues([Double](repeating: 0, count: size), on: device.device)
        for start in stride(from: 0, to: count, by: network.images) {
            let used = min(network.images, count - start)
            try prepare(start, used)
            try network.forward()
            let logits = try device.device.read(
                Float.self, count: network.images * spec.classes, from: network.logits.memory)
            var gradient = [Float](repeating: 0, count: network.images * spec.classes)
            for place in 0..<used {
                let row = logits[place * spec.classes..<(place + 1) * spec.classes].map { Double($0) }
                for (offset, value) in score.gradient(row, index).enumerated() {
                    gradient[place * spec.classes + offset] = Float(value)
                }
            }
            guard let target = network.logitGradient, let found = network.inputGradient else {
                preconditionFailure("a network for attribution has gradients")
            }
            try device.device.write(gradient, to: target.memory)
            try network.backward()
            var mean = sw_net_mean()
            (mean.places, mean.size, mean.count) = (Int64(used), Int64(size), Double(count))
            mean.gradient = found.source()
            mean.sum = sum.target()
            try device.each("sw_network_mean", .updates, count: size, mean)
        }
        return try device.device.read(Double.self, count: size, from: sum.memory)
    }

    /// - Returns: the baseline that was given, or the neutral one.
    func checked(_ image: Tensor<Float>, _ baseline: Tensor<Float>?, _ index: Int) throws -> Tensor<Float> {
        try check(image, "the image")
        let baseline = baseline ?? spec.neutralBaseline(for: image)
        try check(baseline, "the baseline")
        try check(classIndex: index)
        return baseline
    }
}
