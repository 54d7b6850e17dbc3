import Artifacts
import Dataflow
import Learning

/// A network's layers between graph file, artifact and `Learning`.
enum LayerParameters {
    static let type: ParameterType = .list(.variant(forms), count: 1...200)

    private static let pair: ParameterType = .list(.integer(1...10_000), count: 2...2)
    private static let nothing: ParameterType = .structure([])
    /// `[2, 2]` for windows side by side, or with stride and padding.
    private static let windows: ParameterType = .either(
        pair,
        .structure([
            Parameter("window", pair, about: "height and width in pixels"),
            Parameter("stride", pair, about: "step down and to the right"),
            Parameter(
                "padding", .choice(["same", "valid"]), default: .text("valid"),
                about: "whether windows may reach beyond the edge, where nothing counts"),
        ]))

    private static let forms: [ParameterType.Variant] = [
        .init(
            "conv",
            .structure([
                Parameter("channels", .integer(1...4096), about: "number of learnt kernels"),
                Parameter("kernel", pair, about: "height and width in pixels"),
                Parameter("stride", pair, default: .text("[1, 1]"), about: "step down and to the right"),
                Parameter(
                    "padding", .choice(["same", "valid"]), default: .text("same"),
                    about: "zeros beyond the edge, or only where the kernel fits"),
            ]), about: "convolution with learnt kernels and biases"),
        .init("relu", nothing, about: "max(x, 0)"),
        .init("gelu", nothing, about: "x Φ(x), a smooth relu (arXiv:1606.08415)"),
        .init("max-pool", windows, about: "maximum over windows [height, width]"),
        .init("average-pool", windows, about: "mean over windows [height, width]"),
        .init("batch-norm", nothing, about: "normalisation of each channel (arXiv:1502.03167)"),
        .init(
            "group-norm", .integer(1...4096),
            about: "normalisation of so many equal runs of channels, each image by itself (arXiv:1803.08494)"),
        .init("dense", .integer(1...100_000), about: "all inputs to so many units"),
        .init("dropout", .number(0...0.95), about: "fraction of values set to zero while training"),
        .init("flatten", nothing, about: "image into vector"),
        .init("global-average-pool", nothing, about: "mean of each channel"),
        .init("log1p", nothing, about: "log(1 + max(x, 0)): tames the range of intensities"),
        .init(
            "panels",
            .structure([
                Parameter("rows", .integer(1...1000), about: "blocks of rows (incident energies)"),
                Parameter("columns", .integer(1...1000), about: "blocks of columns (energy bins)"),
            ]), about: "takes a tiled image apart: each panel becomes a channel"),
        .init(
            "fold", nothing,
            about: "mean over the mirror images of a map's quadrants, the centre first; after panels"),
        .init(
            "unit-mean",
            .structure([
                Parameter(
                    "groups", .integer(1...100_000),
                    about: "equal runs of channels; after panels: as many as incident energies"),
                Parameter("mean", .number(1e-6...1e6), default: .text("1"), about: "what each run's mean becomes"),
            ]), about: "divides each run of channels by its mean: removes its unknown scale"),
        .init("mark", .text, about: "names the value here, for add"),
        .init("add", .text, about: "adds the value at the mark of this name: a residual join (arXiv:1512.03385)"),
        .init(
            "centroids",
            .structure([
                Parameter("classes", .integer(2...1000), about: "how many there are"),
                Parameter(
                    "width", .integer(1...4096), default: .text("64"), about: "numbers of each class's embedding"),
                Parameter(
                    "length-scale", .number(1e-3...1e3), default: .text("1"),
                    about:
                        "root mean square of an embedding's distance from its centroid at which the kernel is e^(−1/2)"),
                Parameter(
                    "momentum", .number(0...0.99999), default: .text("0.99"),
                    about: "what an update leaves of a centroid; the rest is the mean of its class's embeddings"),
                Parameter(
                    "gradient-penalty", .number(0...100), default: .text("0.1"),
                    about: "weight of (|∂ΣK/∂image| − 1)², behind the layers that hold no weights at the front; 0: none"
                ),
            ]),
            about: "last, in place of dense: distances to one centroid for each class, so that the network says how "
                + "certain it is (deterministic uncertainty quantification, arXiv:2003.02037)"),
    ]

    /// Layers from a bound parameter or an artifact: both are lists of `{form, value}` records.
    static func layers(_ value: Value) throws -> [LayerSpec] { try value.asList().map(layer) }

    private static func layer(_ value: Value) throws -> LayerSpec {
        let content = try value.field("value")
        let form = try value.string("form")
        switch form {
        case "conv":
            return .convolution(
                channels: try content.int("channels"), kernel: try ints(content.field("kernel")),
                stride: try ints(content.field("stride")),
                padding: try content.string("padding") == "valid" ? .valid : .same)
        case "relu": return .relu
        case "gelu": return .gelu
        case "max-pool":
            let (size, stride, padding) = try windows(content)
            return .maxPool(size, stride: stride, padding: padding)
        case "average-pool":
            let (size, stride, padding) = try windows(content)
            return .averagePool(size, stride: stride, padding: padding)
        case "batch-norm": return .batchNorm
        case "group-norm": return .groupNorm(groups: try content.asInt())
        case "dense": return .dense(units: try content.asInt())
        case "dropout": return .dropout(rate: try content.asDouble())
        case "flatten": return .flatten
        case "global-average-pool": return .globalAveragePool
        case "log1p": return .log1p
        case "panels": return .panels(rows: try content.int("rows"), columns: try content.int("columns"))
        case "fold": return .fold
        case "unit-mean": return .unitMean(groups: try content.int("groups"), mean: try content.double("mean"))
        case "mark": return .mark(try content.asString())
        case "add": return .add(try content.asString())
        case "centroids":
            return .centroids(
                Centroids(
                    classes: try content.int("classes"), width: try content.int("width"),
                    lengthScale: try content.double("length-scale"), momentum: try content.double("momentum"),
                    gradientPenalty: try content.double("gradient-penalty")))
        default: throw ValueError(expected: "a layer", field: "form", found: form)
        }
    }

    private static func ints(_ value: Value) throws -> [Int] { try value.asList().map { try $0.asInt() } }

    private static func windows(_ value: Value) throws -> (size: [Int], stride: [Int]?, padding: LayerSpec.Padding) {
        if case .list = value { return (try ints(value), nil, .valid) }
        return (
            try ints(value.field("window")), try ints(value.field("stride")),
            try value.string("padding") == "same" ? .same : .valid
        )
    }
}
