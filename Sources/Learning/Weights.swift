import Compute
import Tensors

/// The numbers of a network, array by array.
public struct Weights: Hashable, Sendable {
    public let parameters: [NetworkSpec.Parameter]
    /// All arrays one after the other, each row-major.
    public internal(set) var values: [Float]

    /// The arrays by name (`"1.kernel"`: kernel of the first layer), in order.
    public var tensors: [(name: String, tensor: Tensor<Float>)] {
        parameters.map { ($0.name, Tensor(shape: $0.shape, elements: Array(values[$0.range]))) }
    }

    /// The array called `name`, or nil.
    public subscript(name: String) -> Tensor<Float>? {
        parameters.first { $0.name == name }
            .map { Tensor(shape: $0.shape, elements: Array(values[$0.range])) }
    }

    init(parameters: [NetworkSpec.Parameter], values: [Float]) {
        self.parameters = parameters
        self.values = values
    }

    /// Weights from arrays by name, as `tensors` gave them.
    ///
    /// - Throws: `LearningError.weights` where an array is missing, superfluous, of another shape or not finite, and for
    ///   centroids of no images.
    public init(_ spec: NetworkSpec, tensors: [String: Tensor<Float>]) throws(LearningError) {
        parameters = spec.parameters
        values = []
        values.reserveCapacity(spec.parameterCount)
        for parameter in parameters {
            guard let tensor = tensors[parameter.name] else {
                throw .weights(problem: "array '\(parameter.name)' is missing")
            }
            if tensor.shape != parameter.shape {
                throw .weights(
                    problem: "array '\(parameter.name)' has shape \(tensor.shape), the network needs \(parameter.shape)"
                )
            }
            if !tensor.elements.allSatisfy(\.isFinite) {
                throw .weights(problem: "array '\(parameter.name)' holds values that are not finite numbers")
            }
            if parameter.role == .centroidCount, !tensor.elements.allSatisfy({ $0 > 0 }) {
                throw .weights(problem: "array '\(parameter.name)' holds counts that are not above 0")
            }
            values += tensor.elements
        }
        if let extra = Set(tensors.keys).subtracting(parameters.map(\.name)).sorted().first {
            throw .weights(problem: "array '\(extra)' belongs to no layer of the network")
        }
    }

    /// Random weights to begin with: kernels normal with variance 2/fan-in where a ReLU or GELU follows (He et
    /// al., arXiv:1502.01852) and 1/fan-in elsewhere; biases and shifts 0, scales and variances 1; centroids
    /// near 0.
    public init(initialising spec: NetworkSpec, random: RandomStream) {
        parameters = spec.parameters
        values = []
        values.reserveCapacity(spec.parameterCount)
        for parameter in parameters {
            switch parameter.role {
            case .kernel:
                // Of centroids each class has units of its own: [classes, n, in].
                let outputs = parameter.layer == spec.layers.count && spec.centroids != nil ? 2 : 1
                let fanIn = parameter.shape.dropFirst(outputs).reduce(1, *)
                let gain: Double = spec.isRectified(after: parameter.layer) ? 2 : 1
                let deviation = (gain / Double(fanIn)).squareRoot()
                let stream = random.substream("kernel", parameter.layer)
                for index in 0..<parameter.count { values.append(Float(deviation * stream.normal(at: index))) }
            case .bias, .shift, .mean: values += repeatElement(0, count: parameter.count)
            case .centroidSum:
                let stream = random.substream("centroids", parameter.layer)
                values += (0..<parameter.count).map { Float(Centroids.initialSpread * stream.normal(at: $0)) }
            case .scale, .variance, .centroidCount: values += repeatElement(1, count: parameter.count)
            }
        }
    }

    /// - Throws: `LearningError.weights` when these belong to another network.
    func check(fit spec: NetworkSpec) throws(LearningError) {
        if parameters != spec.parameters {
            throw .weights(problem: "their arrays are not those of the network's layers")
        }
    }
}

extension NetworkSpec {
    /// Whether the values of layer `number` go through a ReLU before the next layer with a kernel.
    fileprivate func isRectified(after number: Int) -> Bool {
        for layer in layers[number...] {
            switch layer {
            case .relu, .gelu: return true
            case .convolution, .dense, .centroids: return false
            default: continue
            }
        }
        return false
    }
}
