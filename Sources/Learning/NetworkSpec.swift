/// A network as a list of layers, checked: every layer fits the one before it, and the last gives one logit per class.
public struct NetworkSpec: Hashable, Sendable {
    /// [channels, height, width]
    public let inputShape: [Int]
    public let layers: [LayerSpec]
    public let classes: Int
    /// The shape after each layer (of one image), the input's first: `shapes[n]` is after layer n.
    public let shapes: [[Int]]
    /// All arrays that training finds, in the order in which `Weights` keeps them.
    public let parameters: [Parameter]

    /// One array of weights.
    public struct Parameter: Hashable, Sendable {
        public enum Role: String, Hashable, Sendable {
            /// [out, in, height, width] of a convolution, [out, in] of a dense layer, [classes, n, in] of centroids.
            case kernel
            case bias
            /// Of batch-norm, per channel.
            case scale, shift
            /// Running statistics of batch-norm: averaged, not learnt by gradient.
            case mean, variance
            /// m_c and N_c of centroids, [classes, n] and [classes]: averaged too.
            case centroidSum = "centroid-sum"
            case centroidCount = "centroid-count"

            public var isTrained: Bool {
                switch self {
                case .kernel, .bias, .scale, .shift: true
                case .mean, .variance, .centroidSum, .centroidCount: false
                }
            }
        }

        /// Number of the layer, from 1.
        public var layer: Int
        public var role: Role
        public var shape: [Int]
        /// Where the array begins among all values.
        public var offset: Int

        public var name: String { "\(layer).\(role.rawValue)" }
        public var count: Int { shape.reduce(1, *) }
        var range: Range<Int> { offset..<offset + count }
    }

    public init(inputShape: [Int], layers: [LayerSpec], classes: Int) throws(LearningError) {
        if inputShape.count != 3 || inputShape.contains(where: { $0 < 1 }) {
            throw .network(
                problem: "the input shape \(inputShape) is not [channels, height, width]",
                hint: "an image of one channel has shape [1, height, width]")
        }
        if classes < 2 {
            throw .network(problem: "\(classes) classes to tell apart", hint: "give samples of two classes or more")
        }
        var shapes = [inputShape]
        var parameters: [Parameter] = []
        var offset = 0
        var marks: [String: [Int]] = [:]
        for (index, layer) in layers.enumerated() {
            let input = shapes[index]
            if case .centroids = layer, index < layers.count - 1 {
                throw .layer(
                    number: index + 1, problem: "centroids before the last layer",
                    hint: "end the list of layers with them")
            }
            let output = try layer.outputShape(of: input, number: index + 1)
            try layer.checkJoin(of: input, number: index + 1, &marks)
            for (role, shape) in layer.arrays(input: input, output: output) {
                parameters.append(Parameter(layer: index + 1, role: role, shape: shape, offset: offset))
                offset += shape.reduce(1, *)
            }
            shapes.append(output)
        }
        let last = shapes[layers.count]
        if last != [classes] {
            throw .network(
                problem: "the last layer gives shape \(last), but there are \(classes) classes",
                hint: "end the list of layers with dense of \(classes) units, or centroids of \(classes) classes")
        }
        self.inputShape = inputShape
        self.layers = layers
        self.classes = classes
        self.shapes = shapes
        self.parameters = parameters
    }

    /// Numbers in all arrays together.
    public var parameterCount: Int { parameters.last.map { $0.offset + $0.count } ?? 0 }

    /// Numbers in one image.
    public var imageSize: Int { inputShape.reduce(1, *) }

    func parameter(_ layer: Int, _ role: Parameter.Role) -> Parameter {
        guard let found = parameters.first(where: { $0.layer == layer && $0.role == role }) else {
            preconditionFailure("layer \(layer) has no \(role.rawValue)")
        }
        return found
    }
}

extension LayerSpec {
    /// Notes the shape at a mark, and checks that what an `add` names is there and fits.
    fileprivate func checkJoin(
        of shape: [Int], number: Int, _ marks: inout [String: [Int]]
    ) throws(LearningError) {
        switch self {
        case .mark(let mark):
            if marks[mark] != nil {
                throw .layer(number: number, problem: "a second mark '\(mark)'", hint: "give each mark its own name")
            }
            marks[mark] = shape
        case .add(let mark):
            guard let marked = marks[mark] else {
                let known = marks.keys.sorted().map { "'\($0)'" }.joined(separator: ", ")
                throw .layer(
                    number: number, problem: "there is no mark '\(mark)' before it",
                    hint: known.isEmpty ? "put mark: \(mark) where the value is to be taken" : "there are \(known)")
            }
            if marked != shape {
                throw .layer(
                    number: number, problem: "shape \(shape) cannot be added to shape \(marked) at mark '\(mark)'",
                    hint: "stride 1, padding same and as many channels keep the shape")
            }
        default: break
        }
    }

    /// The arrays that this layer owns.
    fileprivate func arrays(input: [Int], output: [Int]) -> [(NetworkSpec.Parameter.Role, [Int])] {
        switch self {
        case .convolution(let channels, let kernel, _, _):
            [(.kernel, [channels, input[0], kernel[0], kernel[1]]), (.bias, [channels])]
        case .dense(let units):
            [(.kernel, [units, input.reduce(1, *)]), (.bias, [units])]
        case .centroids(let centroids):
            [
                (.kernel, [centroids.classes, centroids.width, input.reduce(1, *)]),
                (.centroidSum, [centroids.classes, centroids.width]), (.centroidCount, [centroids.classes]),
            ]
        case .groupNorm: [(.scale, [input[0]]), (.shift, [input[0]])]
        case .batchNorm:
            // Scale directly before shift: oneDNN takes both as one array.
            [(.scale, [input[0]]), (.shift, [input[0]]), (.mean, [input[0]]), (.variance, [input[0]])]
        default: []
        }
    }
}
