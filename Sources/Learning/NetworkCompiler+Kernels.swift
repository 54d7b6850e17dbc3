import COneDNN

// Layers with kernels: convolution and dense.

extension NetworkCompiler {
    func emitConvolution(
        _ number: Int, _ source: Memory, fusingReLU: Bool
    ) throws(LearningError) -> (Memory, EmitBackward) {
        guard let window = spec.layers[number - 1].window(over: spec.shapes[number - 1]) else {
            preconditionFailure("layer \(number) has no window")
        }
        let kernel = spec.parameter(number, .kernel)
        let bias = try parameterMemory(spec.parameter(number, .bias))
        let anySource = try Layout(any: [batch] + spec.shapes[number - 1], precision)
        let anyDestination = try Layout(any: [batch] + spec.shapes[number], precision)
        let anyKernel = try Layout(any: kernel.shape, precision)
        let anyKernelGradient = try Layout(any: kernel.shape)
        let forward = try describeConvolution(
            engine, training: mode != .inference, source: anySource, weights: anyKernel, bias: bias.layout,
            destination: anyDestination, window: window, fusingReLU: fusingReLU)
        return try emitKernelLayer(
            number, source, forward, fusingReLU: fusingReLU, kernelShape: kernel.shape, bias: bias,
            biasGradient: { [unowned self] () throws(LearningError) in try gradientMemory(spec.parameter(number, .bias))
            },
            backwardData: { [engine] () throws(LearningError) in
                try describeConvolutionBackwardData(
                    engine, source: anySource, weights: anyKernel, destination: anyDestination, window: window,
                    hint: forward)
            },
            backwardWeights: { [engine] () throws(LearningError) in
                try describeConvolutionBackwardWeights(
                    engine, source: anySource, weights: anyKernelGradient, bias: bias.layout,
                    destination: anyDestination,
                    window: window, hint: forward)
            })
    }

    func emitDense(
        _ number: Int, _ source: Memory, fusingReLU: Bool
    ) throws(LearningError) -> (Memory, EmitBackward) {
        let bias = spec.parameter(number, .bias)
        return try emitDense(
            number, source, fusingReLU: fusingReLU, kernelShape: spec.parameter(number, .kernel).shape,
            bias: parameterMemory(bias),
            biasGradient: { [unowned self] () throws(LearningError) in try gradientMemory(bias) }, precision: precision)
    }

    /// - Parameter kernelShape: [out, in], of as many numbers as the layer's kernel.
    func emitDense(
        _ number: Int, _ source: Memory, fusingReLU: Bool, kernelShape: [Int], bias: Memory,
        biasGradient: @escaping () throws(LearningError) -> Memory,
        precision: Precision
    ) throws(LearningError) -> (output: Memory, backward: EmitBackward) {
        let anySource = try Layout(any: [batch, kernelShape[1]], precision)
        let anyDestination = try Layout(any: [batch, kernelShape[0]], precision)
        let anyKernel = try Layout(any: kernelShape, precision)
        let anyKernelGradient = try Layout(any: kernelShape)
        let forward = try describeDense(
            engine, training: mode != .inference, source: anySource, weights: anyKernel, bias: bias.layout,
            destination: anyDestination, fusingReLU: fusingReLU)
        return try emitKernelLayer(
            number, source, forward, fusingReLU: fusingReLU, kernelShape: kernelShape, bias: bias,
            biasGradient: biasGradient,
            backwardData: { [engine] () throws(LearningError) in
                try describeDenseBackwardData(
                    engine, source: anySource, weights: anyKernel, destination: anyDestination, hint: forward)
            },
            backwardWeights: { [engine] () throws(LearningError) in
                try describeDenseBackwardWeights(
                    engine, source: anySource, weights: anyKernelGradient, bias: bias.layout,
                    destination: anyDestination,
                    hint: forward)
            })
    }

    /// What convolution and dense layers have in common: kernel, bias, a fused ReLU, and two backward primitives.
    private func emitKernelLayer(
        _ number: Int, _ source: Memory, _ forward: PrimitiveDescription, fusingReLU: Bool, kernelShape: [Int],
        bias: Memory, biasGradient: @escaping () throws(LearningError) -> Memory,
        backwardData: @escaping () throws(LearningError) -> PrimitiveDescription,
        backwardWeights: @escaping () throws(LearningError) -> PrimitiveDescription
    ) throws(LearningError) -> (Memory, EmitBackward) {
        let offset = spec.parameter(number, .kernel).offset
        let kernel = try Memory(Layout(plain: kernelShape), parameters, offset: offset, engine)
        let input = try reordered(source, to: forward.layout(DNNL_ARG_SRC))
        let weights = try whenWeightsChange { () throws(LearningError) in
            try reordered(kernel, to: forward.layout(DNNL_ARG_WEIGHTS))
        }
        let output = try memory(forward.layout(DNNL_ARG_DST))
        try emit(
            forward,
            [(DNNL_ARG_SRC, input), (DNNL_ARG_WEIGHTS, weights), (DNNL_ARG_BIAS, bias), (DNNL_ARG_DST, output)])
        if input !== source { retire(input) }
        return (
            output,
            { [unowned self] gradient, isWanted throws(LearningError) in
                var incoming = gradient
                if fusingReLU { incoming = try emitReLUBackward(gradient, output: output, inPlace: true) }
                if let size = defersFrom, mode == .training, spec.defersKernel(number, from: size, batch) {
                    try deferKernelGradient(number, input, incoming)
                } else if mode == .training {
                    let kernelGradient = try Memory(Layout(plain: kernelShape), gradients, offset: offset, engine)
                    try emitKernelGradient(input, incoming, try backwardWeights(), into: kernelGradient, biasGradient())
                }
                var result: Memory?
                if isWanted { result = try emitInputGradient(kernel, weights, incoming, try backwardData()) }
                if incoming.buffer !== gradient.buffer { retire(incoming) }
                return result
            }
        )
    }

    private func emitKernelGradient(
        _ input: Memory, _ incoming: Memory, _ description: PrimitiveDescription, into result: Memory,
        _ biasGradient: Memory
    ) throws(LearningError) {
        let source = try reordered(input, to: description.layout(DNNL_ARG_SRC))
        let gradient = try reordered(incoming, to: description.layout(DNNL_ARG_DIFF_DST))
        let layout = description.layout(DNNL_ARG_DIFF_WEIGHTS)
        let own = layout == result.layout ? result : try memory(layout)
        try emit(
            description,
            [
                (DNNL_ARG_SRC, source), (DNNL_ARG_DIFF_DST, gradient), (DNNL_ARG_DIFF_WEIGHTS, own),
                (DNNL_ARG_DIFF_BIAS, biasGradient),
            ])
        if own !== result {
            try emit(
                PrimitiveDescription(reorder: own.layout, to: result.layout, engine),
                [(DNNL_ARG_FROM, own), (DNNL_ARG_TO, result)])
            retire(own)
        }
        if source !== input { retire(source) }
        if gradient !== incoming { retire(gradient) }
    }

    /// Keeps for the end of the update what the kernel's gradient is made of.
    private func deferKernelGradient(_ number: Int, _ input: Memory, _ incoming: Memory) throws(LearningError) {
        let source = try reordered(
            input, to: Layout(plain: [batch, spec.parameter(number, .kernel).shape[1]], precision))
        let layout = try Layout(plain: [batch] + spec.shapes[number], precision)
        // A copy, because later layers reuse the gradient's memory.
        let gradient = try Memory(layout, FloatBuffer(count: layout.floatCount), engine)
        try emit(
            PrimitiveDescription(reorder: incoming.layout, to: layout, engine),
            [(DNNL_ARG_FROM, incoming), (DNNL_ARG_TO, gradient)])
        deferredKernels.append(DeferredKernel(layer: number, input: source, gradient: gradient))
    }

    private func emitInputGradient(
        _ kernel: Memory, _ weights: Memory, _ incoming: Memory, _ description: PrimitiveDescription
    ) throws(LearningError) -> Memory {
        let gradient = try reordered(incoming, to: description.layout(DNNL_ARG_DIFF_DST))
        let layout = description.layout(DNNL_ARG_WEIGHTS)
        let own =
            layout == weights.layout
            ? weights : try whenWeightsChange { () throws(LearningError) in try reordered(kernel, to: layout) }
        let result = try memory(description.layout(DNNL_ARG_DIFF_SRC))
        try emit(
            description, [(DNNL_ARG_DIFF_DST, gradient), (DNNL_ARG_WEIGHTS, own), (DNNL_ARG_DIFF_SRC, result)])
        if gradient !== incoming { retire(gradient) }
        return result
    }

    func parameterMemory(_ parameter: NetworkSpec.Parameter) throws(LearningError) -> Memory {
        try Memory(Layout(plain: parameter.shape), parameters, offset: parameter.offset, engine)
    }

    func gradientMemory(_ parameter: NetworkSpec.Parameter) throws(LearningError) -> Memory {
        try Memory(Layout(plain: parameter.shape), gradients, offset: parameter.offset, engine)
    }
}
