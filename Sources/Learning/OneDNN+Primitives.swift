import COneDNN

// The operations that networks are made of, described to oneDNN. Layouts made with `Layout(any:)` are chosen by it.

extension Window {
    fileprivate var strides: [Int64] { stride.map(Int64.init) }
    fileprivate var kernels: [Int64] { kernel.map(Int64.init) }
    fileprivate var paddingBefore: [Int64] { before.map(Int64.init) }
    fileprivate var paddingAfter: [Int64] { after.map(Int64.init) }
}

/// Direct, never Winograd: its rounding errors are larger.
func describeConvolution(
    _ engine: Engine, training: Bool, source: Layout, weights: Layout, bias: Layout, destination: Layout,
    window: Window, fusingReLU: Bool
) throws(LearningError) -> PrimitiveDescription {
    var operation = dnnl_convolution_desc_t()
    var (s, w, b, d) = (source.raw, weights.raw, bias.raw, destination.raw)
    try check(
        dnnl_convolution_forward_desc_init(
            &operation, training ? dnnl_forward_training : dnnl_forward_inference, dnnl_convolution_direct, &s, &w, &b,
            &d, window.strides, window.paddingBefore, window.paddingAfter), "dnnl_convolution_forward_desc_init")
    return try PrimitiveDescription(operation, engine, fusingReLU: fusingReLU)
}

func describeConvolutionBackwardData(
    _ engine: Engine, source: Layout, weights: Layout, destination: Layout, window: Window, hint: PrimitiveDescription
) throws(LearningError) -> PrimitiveDescription {
    var operation = dnnl_convolution_desc_t()
    var (s, w, d) = (source.raw, weights.raw, destination.raw)
    try check(
        dnnl_convolution_backward_data_desc_init(
            &operation, dnnl_convolution_direct, &s, &w, &d, window.strides, window.paddingBefore,
            window.paddingAfter), "dnnl_convolution_backward_data_desc_init")
    return try PrimitiveDescription(operation, engine, hint: hint)
}

func describeConvolutionBackwardWeights(
    _ engine: Engine, source: Layout, weights: Layout, bias: Layout, destination: Layout, window: Window,
    hint: PrimitiveDescription
) throws(LearningError) -> PrimitiveDescription {
    var operation = dnnl_convolution_desc_t()
    var (s, w, b, d) = (source.raw, weights.raw, bias.raw, destination.raw)
    try check(
        dnnl_convolution_backward_weights_desc_init(
            &operation, dnnl_convolution_direct, &s, &w, &b, &d, window.strides, window.paddingBefore,
            window.paddingAfter), "dnnl_convolution_backward_weights_desc_init")
    return try PrimitiveDescription(operation, engine, hint: hint)
}

enum Pooling {
    case maximum, average

    fileprivate var algorithm: dnnl_alg_kind_t {
        self == .maximum ? dnnl_pooling_max : dnnl_pooling_avg_exclude_padding
    }
}

func describePooling(
    _ engine: Engine, _ kind: Pooling, training: Bool, source: Layout, destination: Layout, window: Window
) throws(LearningError) -> PrimitiveDescription {
    var operation = dnnl_pooling_desc_t()
    var (s, d) = (source.raw, destination.raw)
    try check(
        dnnl_pooling_forward_desc_init(
            &operation, training ? dnnl_forward_training : dnnl_forward_inference, kind.algorithm, &s, &d,
            window.strides, window.kernels, window.paddingBefore, window.paddingAfter),
        "dnnl_pooling_forward_desc_init")
    return try PrimitiveDescription(operation, engine)
}

func describePoolingBackward(
    _ engine: Engine, _ kind: Pooling, source: Layout, destination: Layout, window: Window, hint: PrimitiveDescription
) throws(LearningError) -> PrimitiveDescription {
    var operation = dnnl_pooling_desc_t()
    var (s, d) = (source.raw, destination.raw)
    try check(
        dnnl_pooling_backward_desc_init(
            &operation, kind.algorithm, &s, &d, window.strides, window.kernels, window.paddingBefore,
            window.paddingAfter), "dnnl_pooling_backward_desc_init")
    return try PrimitiveDescription(operation, engine, hint: hint)
}

enum Elementwise {
    /// max(x, 0); its gradient is taken from the result, so that the source may be overwritten.
    case relu
    /// Its gradient is taken from the source.
    case gelu
    case log
    /// αx + β
    case linear(Float, Float)

    fileprivate var algorithm: dnnl_alg_kind_t {
        switch self {
        case .relu: dnnl_eltwise_relu_use_dst_for_bwd
        case .gelu: dnnl_eltwise_gelu_erf
        case .log: dnnl_eltwise_log
        case .linear: dnnl_eltwise_linear
        }
    }

    fileprivate var constants: (Float, Float) {
        if case .linear(let alpha, let beta) = self { return (alpha, beta) }
        return (0, 0)
    }
}

func describeElementwise(
    _ engine: Engine, _ kind: Elementwise, layout: Layout
) throws(LearningError) -> PrimitiveDescription {
    var operation = dnnl_eltwise_desc_t()
    var data = layout.raw
    let (alpha, beta) = kind.constants
    try check(
        dnnl_eltwise_forward_desc_init(&operation, dnnl_forward_training, kind.algorithm, &data, alpha, beta),
        "dnnl_eltwise_forward_desc_init")
    return try PrimitiveDescription(operation, engine)
}

func describeElementwiseBackward(
    _ engine: Engine, _ kind: Elementwise, layout: Layout, hint: PrimitiveDescription
) throws(LearningError) -> PrimitiveDescription {
    var operation = dnnl_eltwise_desc_t()
    var (gradient, data) = (layout.raw, layout.raw)
    let (alpha, beta) = kind.constants
    try check(
        dnnl_eltwise_backward_desc_init(&operation, kind.algorithm, &gradient, &data, alpha, beta),
        "dnnl_eltwise_backward_desc_init")
    return try PrimitiveDescription(operation, engine, hint: hint)
}

/// The sum of two tensors; the first may be overwritten with it.
func describeSum(
    _ engine: Engine, _ first: Layout, _ second: Layout, _ result: Layout
) throws(LearningError) -> PrimitiveDescription {
    var operation = dnnl_binary_desc_t()
    var (a, b, d) = (first.raw, second.raw, result.raw)
    try check(dnnl_binary_desc_init(&operation, dnnl_binary_add, &a, &b, &d), "dnnl_binary_desc_init")
    return try PrimitiveDescription(operation, engine)
}

/// Where batch normalisation takes mean and variance from.
enum BatchStatistics {
    /// From this batch; they are results too.
    case computed
    /// Given, and constant in the gradient.
    case given

    fileprivate var flags: UInt32 {
        switch self {
        case .computed: dnnl_use_scaleshift.rawValue
        case .given: dnnl_use_scaleshift.rawValue | dnnl_use_global_stats.rawValue
        }
    }
}

func describeBatchNormalization(
    _ engine: Engine, _ statistics: BatchStatistics, training: Bool, layout: Layout, epsilon: Float
) throws(LearningError) -> PrimitiveDescription {
    var operation = dnnl_batch_normalization_desc_t()
    var data = layout.raw
    try check(
        dnnl_batch_normalization_forward_desc_init(
            &operation, training ? dnnl_forward_training : dnnl_forward_inference, &data, epsilon, statistics.flags),
        "dnnl_batch_normalization_forward_desc_init")
    return try PrimitiveDescription(operation, engine)
}

func describeBatchNormalizationBackward(
    _ engine: Engine, _ statistics: BatchStatistics, layout: Layout, epsilon: Float, hint: PrimitiveDescription
) throws(LearningError) -> PrimitiveDescription {
    var operation = dnnl_batch_normalization_desc_t()
    var (gradient, data) = (layout.raw, layout.raw)
    try check(
        dnnl_batch_normalization_backward_desc_init(
            &operation, dnnl_backward, &gradient, &data, epsilon, statistics.flags),
        "dnnl_batch_normalization_backward_desc_init")
    return try PrimitiveDescription(operation, engine, hint: hint)
}

func describeDense(
    _ engine: Engine, training: Bool, source: Layout, weights: Layout, bias: Layout, destination: Layout,
    fusingReLU: Bool
) throws(LearningError) -> PrimitiveDescription {
    var operation = dnnl_inner_product_desc_t()
    var (s, w, b, d) = (source.raw, weights.raw, bias.raw, destination.raw)
    try check(
        dnnl_inner_product_forward_desc_init(
            &operation, training ? dnnl_forward_training : dnnl_forward_inference, &s, &w, &b, &d),
        "dnnl_inner_product_forward_desc_init")
    return try PrimitiveDescription(operation, engine, fusingReLU: fusingReLU)
}

func describeDenseBackwardData(
    _ engine: Engine, source: Layout, weights: Layout, destination: Layout, hint: PrimitiveDescription
) throws(LearningError) -> PrimitiveDescription {
    var operation = dnnl_inner_product_desc_t()
    var (s, w, d) = (source.raw, weights.raw, destination.raw)
    try check(
        dnnl_inner_product_backward_data_desc_init(&operation, &s, &w, &d),
        "dnnl_inner_product_backward_data_desc_init")
    return try PrimitiveDescription(operation, engine, hint: hint)
}

func describeDenseBackwardWeights(
    _ engine: Engine, source: Layout, weights: Layout, bias: Layout, destination: Layout, hint: PrimitiveDescription
) throws(LearningError) -> PrimitiveDescription {
    var operation = dnnl_inner_product_desc_t()
    var (s, w, b, d) = (source.raw, weights.raw, bias.raw, destination.raw)
    try check(
        dnnl_inner_product_backward_weights_desc_init(&operation, &s, &w, &b, &d),
        "dnnl_inner_product_backward_weights_desc_init")
    return try PrimitiveDescription(operation, engine, hint: hint)
}
