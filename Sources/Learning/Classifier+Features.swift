import Compute
import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a classifier makes of an image before its last layer with a kernel, as a short list of numbers.
///
/// More than `limit` numbers are projected on `limit` random directions, always the same: lengths stay about as they are
/// (W. B. Johnson and J. Lindenstrauss, Contemp. Math. 26 (1984) 189).
public struct FeatureExtractor: Sendable {
    /// Longest list of features.
    public static let limit = 128

    /// Number of the layer whose output is what they are made of; 0: the image.
    let layer: Int
    /// How many numbers that output has.
    var size: Int { network.spec.classes }
    private let network: Classifier
    /// [limit][numbers] where there are too many; else nil.
    private let directions: [[Float]]?

    /// - Throws: `LearningError.network` for a network without kernels, or with a single number before the last.
    public init(_ classifier: Classifier) throws(LearningError) {
        let spec = classifier.spec
        guard let last = spec.parameters.filter({ $0.role == .kernel }).map(\.layer).max() else {
            throw .network(problem: "no layer has a kernel, so there are no features", hint: "end with a dense layer")
        }
        layer = last - 1
        var layers = Array(spec.layers[..<(last - 1)])
        let shape = spec.shapes[last - 1]
        if shape.count > 1 { layers.append(.flatten) }
        let count = shape.reduce(1, *)
        let parameters = spec.parameters.filter { $0.layer < last }
        let size = parameters.last.map { $0.offset + $0.count } ?? 0
        // Its "logits" are the features.
        let prefix = try NetworkSpec(inputShape: spec.inputShape, layers: layers, classes: count)
        network = try Classifier(
            prefix, Weights(parameters: parameters, values: Array(classifier.weights.values[..<size])))
        directions =
            count <= Self.limit
            ? nil
            : (0..<Self.limit).map { direction in
                let random = RandomStream(seed: 0).substream("feature-projection", direction)
                return (0..<count).map { Float(random.normal(at: $0) / Double(Self.limit).squareRoot()) }
            }
    }

    /// Features of the images of a set, one row an image.
    public func features(of images: ImageSet, at members: [Int]? = nil, threads: Int = 1) throws -> [[Double]] {
        let values = try network.logits(of: images, at: members, threads: threads)
        let size = network.spec.classes
        return (0..<values.shape[0]).map { features(values.elements[$0 * size..<($0 + 1) * size]) }
    }

    /// Features of one image [channels, height, width].
    public func features(of image: Tensor<Float>) throws(LearningError) -> [Double] {
        features(try network.logits(of: image).elements[...])
    }

    /// Features of what the layer gives of one image.
    func features(_ values: ArraySlice<Float>) -> [Double] {
        guard let directions else { return values.map { Double($0) } }
        return directions.map { direction in
            zip(direction, values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
    }
}
