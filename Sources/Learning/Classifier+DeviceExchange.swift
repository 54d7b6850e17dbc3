import CKernels
import Devices
import Tensors

// Scores of images in which some pixels are those of an image without evidence, made where the network is: occlusion and deletion.

/// Forward passes through one network of an image in parts exchanged for another.
private final class DeviceExchange {
    private let spec: NetworkSpec
    private let network: DeviceNetwork
    private let device: NetworkDevice
    private let image: DeviceValues<Float>
    private let other: DeviceValues<Float>
    private let boxes: DeviceValues<Int32>
    private let ranks: DeviceValues<Int32>
    private let limits: DeviceValues<Int32>

    /// - Parameter images: in one pass.
    init(
        _ classifier: Classifier, images: Int, image: Tensor<Float>, other: Tensor<Float>, on device: NetworkDevice
    ) throws {
        spec = classifier.spec
        network = try classifier.network(images: images, mode: .inference, on: device)
        self.device = device
        self.image = try DeviceValues(image.elements, on: device.device)
        self.other = try DeviceValues(other.elements, on: device.device)
        boxes = try DeviceValues(count: 4 * images, on: device.device)
        ranks = try DeviceValues(count: spec.imageSize, on: device.device)
        limits = try DeviceValues(count: images, on: device.device)
    }

    private func description(of image: DeviceValues<Float>, _ other: DeviceValues<Float>) -> sw_net_exchange {
        var exchange = sw_net_exchange()
        (exchange.places, exchange.size) = (Int64(network.images), Int64(spec.imageSize))
        (exchange.height, exchange.width) = (Int64(spec.inputShape[1]), Int64(spec.inputShape[2]))
        (exchange.image, exchange.other) = (image.source(), other.source())
        exchange.result = network.input.target()
        return exchange
    }

    /// - Parameter corners: of each image, four numbers, as the kernel takes them.
    func logits(corners: [Int32]) throws -> [Float] {
        var exchange = description(of: image, other)
        exchange.boxes = boxes.source()
        return try logits(corners, each: 4, into: boxes, exchange)
    }

    /// - Parameter order: which pixels are exchanged, the first first.
    /// - Parameter counts: how many, of each image.
    /// - Parameter isBack: of the other image for those of this one.
    func logits(order: [Int], counts: [Int32], isBack: Bool) throws -> [Float] {
        // What is not in the order never moves.
        var places = [Int32](repeating: .max, count: spec.imageSize)
        for (rank, pixel) in order.enumerated() { places[pixel] = Int32(rank) }
        try device.device.write(places, to: ranks.memory)
        var exchange = isBack ? description(of: other, image) : description(of: image, other)
        exchange.ranks = ranks.source()
        exchange.limits = limits.source()
        return try logits(counts, each: 1, into: limits, exchange)
    }

    private func logits(
        _ values: [Int32], each: Int, into memory: DeviceValues<Int32>, _ exchange: sw_net_exchange
    ) throws -> [Float] {
        let (images, count) = (network.images, values.count / each)
        var result: [Float] = []
        for start in stride(from: 0, to: count, by: images) {
            let used = min(images, count - start)
            // Places that are left over: nothing is exchanged there, and what they give is not used.
            let rest = [Int32](repeating: 0, count: (images - used) * each)
            try device.device.write(Array(values[start * each..<(start + used) * each]) + rest, to: memory.memory)
            try device.each("sw_network_exchange", .updates, count: images * spec.imageSize, exchange)
            try network.forward()
            result += try device.device.read(Float.self, count: used * spec.classes, from: network.logits.memory)
        }
        return result
    }
}

extension Classifier {
    /// `occlusion` on a CUDA device.
    public func occlusion(
        of image: Tensor<Float>, baseline: Tensor<Float>? = nil, class index: Int, boxes: [PixelBox],
        score: ClassScore = .logOdds, on device: NetworkDevice
    ) throws -> Occlusion {
        let baseline = try checked(image, baseline, index)
        try check(boxes)
        let exchange = try DeviceExchange(
            self, images: spec.deviceImages, image: image, other: baseline, on: device)
        // The image itself first: with nothing exchanged.
        let corners = boxes.flatMap { box in
            [box.rows.lowerBound, box.rows.upperBound, box.columns.lowerBound, box.columns.upperBound].map(Int32.init)
        }
        let values = scores(try exchange.logits(corners: [0, 0, 0, 0] + corners), index, score)
        return occlusion(whole: values[0], without: Array(values.dropFirst()), boxes)
    }

    /// `deletionCurve` on a CUDA device, of several orders.
    public func deletionCurves(
        of image: Tensor<Float>, baseline: Tensor<Float>? = nil, class index: Int, orders: [[Int]], steps: Int = 32,
        score: ClassScore = .probability, on device: NetworkDevice
    ) throws -> [DeletionCurve] {
        let baseline = try checked(image, baseline, index)
        if steps < 1 { throw LearningError.setting(name: "steps", problem: "\(steps) is less than 1") }
        let exchange = try DeviceExchange(
            self, images: min(spec.deviceImages, steps + 1), image: image, other: baseline, on: device)
        return try orders.map { order in
            let counts = (0...steps).map { Int32(order.count * $0 / steps) }
            let curves = try [false, true].map { isBack in
                scores(try exchange.logits(order: order, counts: counts, isBack: isBack), index, score)
            }
            return DeletionCurve(deletion: curves[0], insertion: curves[1])
        }
    }

    /// Of each row of logits.
    private func scores(_ logits: [Float], _ index: Int, _ score: ClassScore) -> [Double] {
        stride(from: 0, to: logits.count, by: spec.classes).map { start in
            score.value(logits[start..<start + spec.classes].map { Double($0) }, index)
        }
    }
}
