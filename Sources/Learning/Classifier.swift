import Compute
import Tensors

/// A trained network: its layers and its weights.
public struct Classifier: Hashable, Sendable {
    public let spec: NetworkSpec
    public let weights: Weights

    /// Images in one pass; also where short batches are filled up with zeros, so that the answer for an image never
    /// depends on how many others are asked for.
    static let batch = 8

    /// - Throws: `LearningError.weights` when the weights belong to another network.
    public init(_ spec: NetworkSpec, _ weights: Weights) throws(LearningError) {
        try weights.check(fit: spec)
        self.spec = spec
        self.weights = weights
    }

    /// Logits [images, classes] of a set; labels are not looked at.
    ///
    /// - Parameter members: positions in the set; nil: all.
    public func logits(of images: ImageSet, at members: [Int]? = nil, threads: Int = 1) throws -> Tensor<Float> {
        try images.check(fit: spec)
        let members = members ?? Array(0..<images.count)
        let needed = (members.count + Self.batch - 1) / Self.batch
        let pool = try NetworkPool(spec, batch: Self.batch, mode: .inference, count: max(1, min(threads, needed)))
        try pool.load(values: weights.values)
        let logits = try pool.logits(of: images, at: members, threads: threads)
        return Tensor(shape: [members.count, spec.classes], elements: logits)
    }

    /// Logits [classes] of one image [channels, height, width].
    public func logits(of image: Tensor<Float>) throws(LearningError) -> Tensor<Float> {
        try check(image, "the image")
        let network = try Network(spec, batch: 1)
        try network.load(weights)
        network.setImage(0, from: image.elements)
        return Tensor(shape: [spec.classes], elements: try network.forward())
    }

    /// - Throws: `LearningError.images` unless the network can take the image.
    func check(_ image: Tensor<Float>, _ name: String) throws(LearningError) {
        if image.shape != spec.inputShape {
            throw .images(
                problem: "\(name) has shape \(image.shape), the network takes \(spec.inputShape)",
                hint: "it must be on the grid that the network was trained on")
        }
        try requireFinite(image.elements, shape: image.shape, name: name)
    }

    /// - Throws: `LearningError.predictions` for a class that does not exist.
    func check(classIndex: Int) throws(LearningError) {
        if classIndex < 0 || classIndex >= spec.classes {
            throw .predictions(problem: "class \(classIndex) does not exist: there are \(spec.classes), from 0")
        }
    }
}

extension NetworkPool {
    /// Logits [members, classes] row-major, in passes of fixed size.
    func logits(of images: ImageSet, at members: [Int], threads: Int) throws -> [Float] {
        let (pool, size, classes) = (self, batch, spec.classes)
        let passes = (members.count + size - 1) / size
        let parts = try Parallel.map(passes, threads: threads) { pass in
            try pool.withNetwork { network in
                let part = members[pass * size..<min((pass + 1) * size, members.count)]
                for (place, member) in part.enumerated() {
                    network.setImage(place, from: images.values, at: images.start(of: member))
                }
                network.clearImages(from: part.count)
                return Array(try network.forward()[..<(part.count * classes)])
            }
        }
        return parts.flatMap { $0 }
    }
}
