import Compute
import Devices
import HostDevice
import Tensors
import Testing

@testable import Learning

/// Forward passes of trained networks on the device in software, with cuDNN and cuBLAS in software, against the host's.
@Suite("Forward passes of an ensemble: host = CUDA")
struct DeviceEnsembleTests {
    /// Single precision in another order of sums: see `NetworkAgreementTests`.
    private static let tolerance = NetworkAgreementTests.tolerance

    private static func members(_ spec: NetworkSpec) throws -> [Classifier] {
        try (0..<2).map { member in
            var weights = NetworkBench.weights(spec)
            for index in weights.values.indices { weights.values[index] *= 1 + 0.1 * Float(member) }
            return try Classifier(spec, weights)
        }
    }

    /// A layer's memory serves a later layer; that of the features must not.
    @Test("logits and features of every kind of network", arguments: NetworkBench.cases)
    func agrees(_ example: NetworkBench.Case) throws {
        let spec = try example.spec()
        let members = try Self.members(spec)
        let extractors = try members.map { member in try FeatureExtractor(member) }
        let images = try NetworkBench.images(spec.inputShape, 5)
        let ensemble = try DeviceEnsemble(members, features: extractors, on: NetworkBench().device)
        let found = try ensemble.outputs(of: images, threads: 2)
        #expect(found.logits.count == 2 && found.features.count == 2)
        for (index, member) in members.enumerated() {
            let host = try member.logits(of: images)
            #expect(found.logits[index].shape == host.shape)
            let apart = NetworkBench.distance(found.logits[index].elements, host.elements)
            #expect(apart <= Self.tolerance * NetworkBench.length(host.elements))
            let features = try extractors[index].features(of: images)
            #expect(found.features[index].map(\.count) == features.map(\.count))
            let (own, expected) = (found.features[index].flatMap { $0 }, features.flatMap { $0 })
            let distance = zip(own, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
            let length = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
            #expect(length > 0 && distance <= Self.tolerance * length)
        }
        #expect(found.logits[0] != found.logits[1])
    }

    @Test("an image has the bits that it has alone, whatever the order of threads")
    func alone() throws {
        let spec = try NetworkBench.cases[5].spec()
        let members = try Self.members(spec)
        let extractors = try members.map { member in try FeatureExtractor(member) }
        // More than one pass.
        let images = try NetworkBench.images(spec.inputShape, 70)
        let ensemble = try DeviceEnsemble(members, features: extractors, on: NetworkBench().device)
        let all = try ensemble.outputs(of: images)
        for image in [0, 63, 64, 69] {
            let start = image * images.imageSize
            let one = try ensemble.outputs(
                of: Tensor(shape: images.shape, elements: Array(images.values[start..<start + images.imageSize])))
            for member in 0..<2 {
                #expect(one.logits[member].elements == Array(all.logits[member].elements[3 * image..<3 * image + 3]))
                #expect(one.features[member] == [all.features[member][image]])
            }
        }
        let other = try DeviceEnsemble(members, on: NetworkBench(["order": "20261"]).device).outputs(of: images)
        #expect(other.logits == all.logits && other.features.isEmpty)
    }

    @Test("features that are the image itself, over several passes")
    func imageFeatures() throws {
        let spec = try NetworkSpec(inputShape: [1, 3, 4], layers: [.dense(units: 3)], classes: 3)
        let member = try Self.members(spec)[1]
        let extractor = try FeatureExtractor(member)
        let images = try NetworkBench.images(spec.inputShape, 130)
        let found = try DeviceEnsemble([member], features: [extractor], on: NetworkBench().device).outputs(of: images)
        #expect(found.features[0] == (0..<130).map { images.values[$0 * 12..<$0 * 12 + 12].map { Double($0) } })
        let host = try member.logits(of: images).elements
        let apart = NetworkBench.distance(found.logits[0].elements, host)
        #expect(apart <= Self.tolerance * NetworkBench.length(host))
    }

    @Test("how many images a pass takes is decided by the layers")
    func images() throws {
        #expect(try NetworkBench.cases[0].spec().deviceImages == 64)
        // Sixteen maps of 240 × 400 are 6.1 MB: 43 of them are 256 MiB.
        let large = try NetworkSpec(
            inputShape: [1, 240, 400], layers: [.convolution(channels: 16, kernel: [3, 3]), .dense(units: 2)],
            classes: 2)
        #expect(large.deviceImages == 32)
    }

    @Test("images of another network, without a number, and networks that no device computes are refused")
    func refusals() throws {
        let bench = try NetworkBench()
        let spec = try NetworkBench.cases[0].spec()
        let ensemble = try DeviceEnsemble(Self.members(spec), on: bench.device)
        #expect(throws: LearningError.self) { try ensemble.outputs(of: NetworkBench.images([1, 3, 4], 2)) }
        var image = Tensor<Float>(shape: spec.inputShape, repeating: 1)
        image.elements[5] = .nan
        let classifier = try Self.members(spec)[0]
        var messages: [String] = []
        for outputs in [{ _ = try ensemble.outputs(of: image) }, { _ = try classifier.logits(of: image) }] {
            do { try outputs() } catch let error as LearningError { messages.append(error.message) }
        }
        #expect(messages.count == 2 && messages[0] == messages[1])
    }

    private func image(_ spec: NetworkSpec, _ seed: Int) -> Tensor<Float> {
        let random = RandomStream(seed: seed)
        return Tensor(
            shape: spec.inputShape, elements: (0..<spec.imageSize).map { Float(random.normal(at: $0)) + 0.5 })
    }

    /// Whole numbers in a linear network: exact in single precision, so that a wrong pixel would be seen.
    @Test("occlusion and deletion of a linear network are sums over what is exchanged, in all channels")
    func linear() throws {
        let spec = try NetworkSpec(inputShape: [2, 4, 6], layers: [.dense(units: 2)], classes: 2)
        var weights = Weights(initialising: spec, random: RandomStream(seed: 1))
        let evidence = (0..<48).map { ($0 * 7) % 20 - 6 }
        weights.values = [Float](repeating: 0, count: 48) + evidence.map { Float($0) } + [0, 3]
        let classifier = try Classifier(spec, weights)
        let image = Tensor<Float>(shape: spec.inputShape, elements: (0..<48).map { Float($0 % 5) })
        let baseline = Tensor<Float>(shape: spec.inputShape, elements: (0..<48).map { Float($0 % 3) - 1 })
        let parts = (0..<48).map { Double(evidence[$0]) * Double(image.elements[$0] - baseline.elements[$0]) }
        let device = try NetworkBench().device
        // More boxes than one pass takes, of all sizes, overlapping, up to the edges.
        let boxes = (0..<4).flatMap { top in
            (0..<6).flatMap { left in
                (1...4).map {
                    PixelBox(rows: top..<min(4, top + $0), columns: left..<min(6, left + 2 * $0))
                }
            }
        }
        #expect(boxes.count > 64)
        let found = try classifier.occlusion(of: image, baseline: baseline, class: 1, boxes: boxes, on: device)
        for (box, drop) in zip(boxes, found.drops) {
            var sum = 0.0
            for pixel in 0..<48 where box.rows.contains(pixel / 6 % 4) && box.columns.contains(pixel % 6) {
                sum += parts[pixel]
            }
            #expect(drop == sum)
        }
        #expect(found == (try classifier.occlusion(of: image, baseline: baseline, class: 1, boxes: boxes)))
        let falling = fallingOrder(Array(0..<48), by: parts)
        // Some pixels alone, and more steps than one pass takes.
        for (order, steps) in [(falling, 48), (Array(falling[3..<20].reversed()), 17), (falling, 100)] {
            let curves = try classifier.deletionCurves(
                of: image, baseline: baseline, class: 1, orders: [order, order.reversed()], steps: steps,
                score: .logOdds, on: device)
            let host = try classifier.deletionCurve(
                of: image, baseline: baseline, class: 1, order: order, steps: steps, score: .logOdds)
            #expect(curves.count == 2 && curves[0] == host && curves[1] != host)
            let (whole, none) = (host.deletion[0], host.insertion[0])
            for step in 0...steps {
                let moved = order[..<(order.count * step / steps)].reduce(0) { $0 + parts[$1] }
                #expect(curves[0].deletion[step] == whole - moved && curves[0].insertion[step] == none + moved)
            }
        }
    }

    /// Scores are differences of logits, to 1e-5 of these; each drop is a difference of two.
    @Test("occlusion and deletion of other networks are the host's", arguments: [2, 5, 9, 12])
    func exchanged(_ number: Int) throws {
        let spec = try NetworkBench.cases[number].spec()
        let classifier = try Classifier(spec, NetworkBench.weights(spec))
        let (image, device) = (image(spec, 3), try NetworkBench().device)
        let baseline = Tensor<Float>(shape: spec.inputShape, repeating: 0.25)
        let (height, width) = (spec.inputShape[1], spec.inputShape[2])
        let boxes = (0..<4).map {
            PixelBox(rows: $0 / 2 * height / 2..<height, columns: $0 % 2 * width / 2..<width - 1)
        }
        let size = NetworkBench.length(try classifier.logits(of: image).elements)
        let found = try classifier.occlusion(of: image, baseline: baseline, class: 1, boxes: boxes, on: device)
        let host = try classifier.occlusion(of: image, baseline: baseline, class: 1, boxes: boxes)
        #expect(zip(found.drops, host.drops).allSatisfy { abs($0 - $1) <= 2e-5 * size })
        #expect(host.drops.contains { abs($0) > 1e-3 * size })
        var sequence = RandomSequence(RandomStream(seed: 5))
        let orders = (0..<2).map { _ in
            classifier.changeablePixels(of: image, baseline: baseline).shuffled(using: &sequence)
        }
        let curves = try classifier.deletionCurves(
            of: image, baseline: baseline, class: 1, orders: orders, on: device)
        for (curve, order) in zip(curves, orders) {
            let expected = try classifier.deletionCurve(of: image, baseline: baseline, class: 1, order: order)
            // Probabilities change by less than a quarter of the logits' difference each.
            for (a, b) in zip(curve.deletion + curve.insertion, expected.deletion + expected.insertion) {
                #expect(abs(a - b) <= 1e-5 * max(size, 1))
            }
        }
        let outside = [PixelBox(rows: 0..<height + 1, columns: 0..<1)]
        #expect(throws: LearningError.self) {
            try classifier.occlusion(of: image, class: 1, boxes: outside, on: device)
        }
    }
}
