import COneDNN

/// A dense layer whose kernel's gradient a network leaves to `DeferredKernels`: what came in, and the gradient of what
/// went out, both [images, values] of the last pass.
struct DeferredKernel {
    var layer: Int
    var input: Memory
    var gradient: Memory

    /// From how many weights on a gradient is deferred. Writing and adding it in every micro-batch, a hundred megabytes
    /// each time for the published networks, would take longer than finding it.
    static let size = 1 << 20
}

/// The gradients of large dense layers over all micro-batches of an update, as one product of matrices at its end.
///
/// What the micro-batches leave is much smaller than the gradients. The order of the sums is that of the images, on any
/// number of threads.
final class DeferredKernels {
    private let spec: NetworkSpec
    private let microBatch: Int
    private let precision: Precision
    private let engine: Engine
    private var layers: [Layer] = []

    private struct Layer {
        var kernel: NetworkSpec.Parameter
        var bias: NetworkSpec.Parameter
        /// [parts × micro-batch, inputs] and [parts × micro-batch, units], in `precision`.
        var inputs: FloatBuffer
        var gradients: FloatBuffer
        /// Steps by number of parts.
        var steps: [Int: [Primitive]] = [:]
    }

    /// - Parameter parts: micro-batches in an update, at most.
    init(_ spec: NetworkSpec, microBatch: Int, parts: Int, precision: Precision, from size: Int) throws(LearningError) {
        self.spec = spec
        self.microBatch = microBatch
        self.precision = precision
        engine = try Engine()
        for layer in 1...max(1, spec.layers.count) where spec.defersKernel(layer, from: size, microBatch) {
            let kernel = spec.parameter(layer, .kernel)
            let (units, inputs) = (kernel.shape[0], kernel.shape[1])
            layers.append(
                Layer(
                    kernel: kernel, bias: spec.parameter(layer, .bias),
                    inputs: FloatBuffer(count: try parts * floats(inputs)),
                    gradients: FloatBuffer(count: try parts * floats(units))))
        }
    }

    /// Room for [micro-batch, width].
    private func floats(_ width: Int) throws(LearningError) -> Int {
        try Layout(plain: [microBatch, width], precision).floatCount
    }

    /// Arrays that `finish` writes.
    var ranges: [Range<Int>] { layers.map { $0.kernel.offset..<$0.bias.offset + $0.bias.count } }

    /// Takes over what a pass of `network` left for part `part` of the update.
    func take(_ part: Int, from network: Network) throws(LearningError) {
        for (layer, left) in zip(layers, network.deferredKernels) {
            precondition(layer.kernel.layer == left.layer, "deferred layers of another network")
            layer.inputs.copy(left.input.buffer, to: try part * floats(layer.kernel.shape[1]))
            layer.gradients.copy(left.gradient.buffer, to: try part * floats(layer.kernel.shape[0]))
        }
    }

    /// Writes the gradients of the first `parts` parts into their places of `sum`, which must be the same each time.
    func finish(parts: Int, into sum: FloatBuffer) throws(LearningError) {
        engine.enter()
        for index in layers.indices {
            if layers[index].steps[parts] == nil {
                layers[index].steps[parts] = try steps(layers[index], parts: parts, into: sum)
            }
            for step in layers[index].steps[parts] ?? [] { try engine.run(step) }
        }
    }

    private func steps(_ layer: Layer, parts: Int, into sum: FloatBuffer) throws(LearningError) -> [Primitive] {
        let images = parts * microBatch
        let source = try Layout(plain: [images, layer.kernel.shape[1]], precision)
        let gradient = try Layout(plain: [images, layer.kernel.shape[0]], precision)
        let kernel = try Memory(Layout(plain: layer.kernel.shape), sum, offset: layer.kernel.offset, engine)
        let bias = try Memory(Layout(plain: layer.bias.shape), sum, offset: layer.bias.offset, engine)
        let forward = try describeDense(
            engine, training: true, source: source, weights: Layout(any: layer.kernel.shape, precision),
            bias: bias.layout, destination: gradient, fusingReLU: false)
        let description = try describeDenseBackwardWeights(
            engine, source: source, weights: kernel.layout, bias: bias.layout, destination: gradient, hint: forward)
        return [
            try engine.primitive(
                description,
                [
                    (DNNL_ARG_SRC, try Memory(source, layer.inputs, engine)),
                    (DNNL_ARG_DIFF_DST, try Memory(gradient, layer.gradients, engine)),
                    (DNNL_ARG_DIFF_WEIGHTS, kernel), (DNNL_ARG_DIFF_BIAS, bias),
                ])
        ]
    }
}

extension NetworkSpec {
    /// Whether layer `number` is a dense layer of at least `size` weights. An odd number of values in bf16 would not end
    /// where the next micro-batch's begin.
    func defersKernel(_ number: Int, from size: Int, _ microBatch: Int) -> Bool {
        guard number <= layers.count, case .dense(let units) = layers[number - 1] else { return false }
        let inputs = parameter(number, .kernel).shape[1]
        return units * inputs >= size && microBatch * inputs % 2 == 0 && microBatch * units % 2 == 0
    }
}
