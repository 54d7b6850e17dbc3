import Compute
import Devices
import Tensors

extension NetworkSpec {
    /// Images in one pass of a device after training: 64, or fewer where the largest layer would fill more than 256 MiB. The layers alone
    /// decide, so that an image's answer depends neither on how many others are asked for nor on what memory is free.
    var deviceImages: Int {
        let largest = shapes.map { $0.reduce(1, *) }.max() ?? 1
        var images = Classifier.deviceBatch
        while images > 1, 4 * images * largest > 256 << 20 { images /= 2 }
        return images
    }
}

/// Networks of the same input on a CUDA device: forward passes of many images through each of them.
///
/// Logits and what features are made of agree with the host's to 1e-5 of their length (sums in single precision, in another order),
/// and are the same bits every time. Weights are brought there once, images once for all members. Not for several threads at once.
public final class DeviceEnsemble {
    /// What the members make of each image.
    public struct Outputs: Sendable {
        /// Of each member, [images, classes].
        public var logits: [Tensor<Float>]
        /// Of each member and image, as `FeatureExtractor` gives them; empty where they are not wanted.
        public var features: [[[Double]]]

        public init(logits: [Tensor<Float>], features: [[[Double]]]) {
            self.logits = logits
            self.features = features
        }
    }

    private let members: [Classifier]
    private let networks: [DeviceNetwork]
    private let extractors: [FeatureExtractor]
    private let device: CUDAKernelDevice
    private let images: Int

    /// - Parameter members: one or more, of one input shape.
    /// - Parameter extractors: of each member, for features; none where these are not wanted.
    /// - Throws: what the device throws.
    public init(_ members: [Classifier], features extractors: [FeatureExtractor] = [], on device: NetworkDevice) throws
    {
        precondition(!members.isEmpty, "an ensemble has members")
        precondition(extractors.isEmpty || extractors.count == members.count, "an extractor for each member or none")
        let images = members.map(\.spec.deviceImages).min() ?? 1
        self.members = members
        self.extractors = extractors
        self.device = device.device
        self.images = images
        networks = try members.indices.map { index in
            try members[index].network(
                images: images, mode: .inference, keptLayer: extractors.isEmpty ? nil : extractors[index].layer,
                on: device)
        }
    }

    /// What the members make of all images of a set; labels are not looked at.
    ///
    /// - Parameter threads: of the host, for features.
    /// - Throws: `LearningError` for images of another network; what the device throws.
    public func outputs(of set: ImageSet, threads: Int = 1) throws -> Outputs {
        for member in members { try set.check(fit: member.spec) }
        // The next images go there while these are computed, unless features are the images themselves.
        let isAhead = !networks.contains { $0.keptOutput === $0.input }
        if isAhead, !set.isEmpty { try place(set, from: 0) }
        var logits = [[Float]](repeating: [], count: members.count)
        var features = [[[Double]]](repeating: [], count: extractors.count)
        for start in stride(from: 0, to: set.count, by: images) {
            let used = min(images, set.count - start)
            if !isAhead { try place(set, from: start) }
            for network in networks { try network.forward() }
            if isAhead, start + images < set.count { try place(set, from: start + images) }
            for (index, network) in networks.enumerated() {
                logits[index] += try device.read(
                    Float.self, count: used * members[index].spec.classes, from: network.logits.memory)
                if extractors.isEmpty { continue }
                guard let kept = network.keptOutput else { preconditionFailure("the layer of the features is kept") }
                let extractor = extractors[index]
                let numbers = try device.read(Float.self, count: used * extractor.size, from: kept.memory)
                features[index] += try Parallel.map(used, threads: threads) { image in
                    extractor.features(numbers[image * extractor.size..<(image + 1) * extractor.size])
                }
            }
        }
        return Outputs(
            logits: zip(members, logits).map { Tensor(shape: [set.count, $0.spec.classes], elements: $1) },
            features: features)
    }

    /// Brings the images of one pass to the inputs of all members, after whatever they were asked for before.
    private func place(_ set: ImageSet, from start: Int) throws {
        let size = set.imageSize
        let used = min(images, set.count - start)
        let first = networks[0].input.memory
        try device.write(Array(set.values[start * size..<(start + used) * size]), to: first)
        if used < images {
            // Places that are left over: what they give is not used.
            try device.write([Float](repeating: 0, count: (images - used) * size), to: first, at: 4 * used * size)
        }
        for network in networks.dropFirst() {
            try device.copy(4 * images * size, from: first, to: network.input.memory, at: 0)
        }
    }

    /// The same of one image [channels, height, width], which has the answer that it has among others.
    public func outputs(of image: Tensor<Float>) throws -> Outputs {
        var set = try ImageSet(shape: image.shape)
        for member in members { try member.check(image, "the image") }
        try set.append(image.elements, label: 0, origin: "the image")
        return try outputs(of: set)
    }
}
