/// One layer of a network, as a graph file declares it. Shapes of images are [channels, height, width].
public enum LayerSpec: Hashable, Sendable {
    /// What lies beyond the edge of the map of a convolution.
    public enum Padding: String, Hashable, Sendable, CaseIterable {
        /// Zeros, so many that stride 1 keeps the size; an odd one goes below and to the right.
        case same
        /// Nothing: the kernel stays inside.
        case valid
    }

    /// Cross-correlation with learnt kernels [height, width], plus a bias for each channel.
    case convolution(channels: Int, kernel: [Int], stride: [Int] = [1, 1], padding: Padding = .same)
    /// max(x, 0)
    case relu
    /// x·Φ(x) with Φ the normal distribution function (Hendrycks and Gimpel, arXiv:1606.08415), not an approximation.
    case gelu
    /// Maximum over windows [height, width], `stride` apart; nil: as far as they are large, so that they do not overlap.
    /// Rows and columns that fill no window are dropped; with padding `same` none are, and what lies beyond the edge
    /// does not count.
    case maxPool([Int], stride: [Int]? = nil, padding: Padding = .valid)
    /// Mean over such windows, of what lies within the map.
    case averagePool([Int], stride: [Int]? = nil, padding: Padding = .valid)
    /// Normalisation of each channel by its mean and variance over the micro-batch (in training) or over the training
    /// so far, with learnt scale and shift (Ioffe and Szegedy, arXiv:1502.03167). Images or vectors.
    case batchNorm
    /// Normalisation of each of `groups` equal runs of channels by mean and variance over all its pixels in one image,
    /// with learnt scale and shift of each channel (Wu and He, arXiv:1803.08494). The same in training and afterwards.
    case groupNorm(groups: Int)
    /// All inputs to all `units`, with bias; images are flattened.
    case dense(units: Int)
    /// In training, each value is zero with probability `rate`, the others are divided by 1 − rate.
    case dropout(rate: Double)
    /// An image into a vector, row-major.
    case flatten
    /// Mean of each channel: an image into a vector.
    case globalAveragePool
    /// log(1 + max(x, 0))
    case log1p
    /// An image that is tiled of rows × columns panels, taken apart: [c, R·h, C·w] → [c·R·C, h, w], where the channel
    /// is (c·R + row)·C + column.
    case panels(rows: Int, columns: Int)
    /// The mean of a map's four mirrored quadrants, index 0 nearest the centre: [c, h, w] → [c, h/2, w/2], h and w
    /// even. For maps that are known to be symmetric about their centre; a tiled image is taken apart by `panels`
    /// first.
    case fold
    /// Divides each of `groups` equal runs of channels by its mean over all its pixels (plus 1e-6) and multiplies by
    /// `mean`: removes an unknown scale of each run. After `panels` of R rows, R groups are the rows of an image of one
    /// channel.
    case unitMean(groups: Int, mean: Double = 1)
    /// Changes nothing: names the value here, for `add` layers to come.
    case mark(String)
    /// Adds the value at the mark of this name, which has the same shape: a residual join (He et al.,
    /// arXiv:1512.03385).
    case add(String)
    /// The last layer of a network that says how far an image is from what it learnt.
    case centroids(Centroids)
}

extension LayerSpec {
    /// The name of the layer in graph files and messages.
    public var name: String {
        switch self {
        case .convolution: "conv"
        case .relu: "relu"
        case .gelu: "gelu"
        case .maxPool: "max-pool"
        case .averagePool: "average-pool"
        case .batchNorm: "batch-norm"
        case .groupNorm: "group-norm"
        case .dense: "dense"
        case .dropout: "dropout"
        case .flatten: "flatten"
        case .globalAveragePool: "global-average-pool"
        case .log1p: "log1p"
        case .panels: "panels"
        case .fold: "fold"
        case .unitMean: "unit-mean"
        case .mark: "mark"
        case .add: "add"
        case .centroids: "centroids"
        }
    }

    /// Names of all layers.
    public static let names = [
        "conv", "relu", "gelu", "max-pool", "average-pool", "batch-norm", "group-norm", "dense", "dropout", "flatten",
        "global-average-pool", "log1p", "panels", "fold", "unit-mean", "mark", "add", "centroids",
    ]

    /// The shape that this layer makes of `shape`.
    ///
    /// - Parameter number: of this layer, from 1, for messages.
    func outputShape(of shape: [Int], number: Int) throws(LearningError) -> [Int] {
        func fail(_ problem: String, _ hint: String) -> LearningError {
            .layer(number: number, problem: problem, hint: hint)
        }
        func requireMap() throws(LearningError) {
            if shape.count != 3 {
                throw fail(
                    "\(name) needs an image but gets a vector of \(shape[0])",
                    "put it before the first dense, flatten or global-average-pool")
            }
        }
        switch self {
        case .convolution(let channels, let kernel, let stride, let padding):
            try requireMap()
            if channels < 1 { throw fail("conv with \(channels) channels", "give 1 channel or more") }
            try Self.requirePair(kernel, "kernel", number)
            try Self.requirePair(stride, "stride", number)
            // Twice the size at most, so that every output sees some of the image.
            let room = padding == .valid ? (shape[1], shape[2]) : (2 * shape[1], 2 * shape[2])
            if kernel[0] > room.0 || kernel[1] > room.1 {
                throw fail(
                    "kernel \(kernel[0])×\(kernel[1]) does not fit a \(shape[1])×\(shape[2]) map",
                    padding == .valid
                        ? "use padding same, a smaller kernel or less pooling before"
                        : "use a smaller kernel or less pooling before")
            }
            return [channels] + Window(kernel: kernel, stride: stride, padding: padding, over: shape).outputs
        case .maxPool(let size, let stride, let padding), .averagePool(let size, let stride, let padding):
            try requireMap()
            try Self.requirePair(size, "window", number)
            if let stride { try Self.requirePair(stride, "stride", number) }
            if size[0] > shape[1] || size[1] > shape[2] {
                throw fail(
                    "window \(size[0])×\(size[1]) does not fit a \(shape[1])×\(shape[2]) map",
                    "pool less, here or before")
            }
            return [shape[0]] + Window(kernel: size, stride: stride ?? size, padding: padding, over: shape).outputs
        case .dense(let units):
            if units < 1 { throw fail("dense with \(units) units", "give 1 unit or more") }
            return [units]
        case .centroids(let centroids):
            try centroids.validate(number: number)
            return [centroids.classes]
        case .dropout(let rate):
            if !(rate >= 0 && rate < 1) {
                throw fail("dropout rate \(rate) is outside 0 ≤ rate < 1", "0.2 to 0.5 are usual")
            }
            return shape
        case .flatten:
            return [shape.reduce(1, *)]
        case .globalAveragePool:
            try requireMap()
            return [shape[0]]
        case .panels(let rows, let columns):
            try requireMap()
            if rows < 1 || columns < 1 { throw fail("\(rows)×\(columns) panels", "give 1 or more of each") }
            if shape[1] % rows != 0 || shape[2] % columns != 0 {
                throw fail(
                    "a \(shape[1])×\(shape[2]) image cannot be cut into \(rows)×\(columns) equal panels",
                    "the height must be a multiple of the rows, the width of the columns")
            }
            return [shape[0] * rows * columns, shape[1] / rows, shape[2] / columns]
        case .fold:
            try requireMap()
            if shape[1] % 2 != 0 || shape[2] % 2 != 0 {
                throw fail(
                    "a \(shape[1])×\(shape[2]) map cannot be folded: it has no four equal quadrants",
                    "height and width must be even; fold before pooling")
            }
            return [shape[0], shape[1] / 2, shape[2] / 2]
        case .unitMean(let groups, let mean):
            try requireMap()
            if groups < 1 { throw fail("unit-mean of \(groups) groups", "give 1 group or more") }
            if shape[0] % groups != 0 {
                throw fail(
                    "\(shape[0]) channels cannot be split into \(groups) equal groups",
                    "the channels must be a multiple of the groups; panels makes rows × columns channels")
            }
            if !(mean > 0 && mean.isFinite) {
                throw fail("unit-mean of mean \(mean)", "give a mean above 0; 1 is usual")
            }
            return shape
        case .groupNorm(let groups):
            try requireMap()
            if groups < 1 { throw fail("group-norm of \(groups) groups", "give 1 group or more") }
            if shape[0] % groups != 0 {
                throw fail(
                    "\(shape[0]) channels cannot be split into \(groups) equal groups",
                    "the channels must be a multiple of the groups")
            }
            return shape
        case .relu, .gelu, .batchNorm, .log1p, .mark, .add:
            return shape
        }
    }

    private static func requirePair(_ values: [Int], _ what: String, _ number: Int) throws(LearningError) {
        if values.count != 2 || values.contains(where: { $0 < 1 }) {
            throw .layer(
                number: number, problem: "\(what) \(values) is not a height and a width",
                hint: "give two whole numbers of 1 or more, such as [3, 3]")
        }
    }

    /// The window of a convolution or pooling layer over an image of `shape`.
    func window(over shape: [Int]) -> Window? {
        switch self {
        case .convolution(_, let kernel, let stride, let padding):
            Window(kernel: kernel, stride: stride, padding: padding, over: shape)
        case .maxPool(let size, let stride, let padding), .averagePool(let size, let stride, let padding):
            Window(kernel: size, stride: stride ?? size, padding: padding, over: shape)
        case .globalAveragePool:
            Window(kernel: [shape[1], shape[2]], stride: [1, 1], padding: .valid, over: shape)
        default: nil
        }
    }
}
