import COneDNN

// Layers that only transform values and shapes: ReLU, pooling, flatten, log1p, panels, dropout, batch normalisation.

extension NetworkCompiler {
    func emitReLU(_ source: Memory) throws(LearningError) -> (Memory, EmitBackward) {
        let output = try memory(source.layout)
        let forward = try describeElementwise(engine, .relu, layout: source.layout)
        try emit(forward, [(DNNL_ARG_SRC, source), (DNNL_ARG_DST, output)])
        return (
            output,
            { [unowned self] gradient, isWanted throws(LearningError) in
                isWanted ? try emitReLUBackward(gradient, output: output, inPlace: mode == .training) : nil
            }
        )
    }

    func emitGELU(_ source: Memory) throws(LearningError) -> (Memory, EmitBackward) {
        let output = try memory(source.layout)
        let forward = try describeElementwise(engine, .gelu, layout: source.layout)
        try emit(forward, [(DNNL_ARG_SRC, source), (DNNL_ARG_DST, output)])
        return (
            output,
            { [unowned self] gradient, isWanted throws(LearningError) in
                if !isWanted { return nil }
                let incoming = try reordered(gradient, to: source.layout)
                let result = try memory(source.layout)
                let backward = try describeElementwiseBackward(engine, .gelu, layout: source.layout, hint: forward)
                try emit(
                    backward, [(DNNL_ARG_SRC, source), (DNNL_ARG_DIFF_DST, incoming), (DNNL_ARG_DIFF_SRC, result)])
                if incoming !== gradient { retire(incoming) }
                return result
            }
        )
    }

    /// - Parameter inPlace: `gradient` is not needed any more and may be overwritten.
    func emitReLUBackward(_ gradient: Memory, output: Memory, inPlace: Bool) throws(LearningError) -> Memory {
        let incoming = try reordered(gradient, to: output.layout)
        let result = inPlace ? incoming : try memory(output.layout)
        let forward = try describeElementwise(engine, .relu, layout: output.layout)
        let backward = try describeElementwiseBackward(engine, .relu, layout: output.layout, hint: forward)
        try emit(
            backward, [(DNNL_ARG_DST, output), (DNNL_ARG_DIFF_DST, incoming), (DNNL_ARG_DIFF_SRC, result)])
        return result
    }

    func emitPooling(_ number: Int, _ source: Memory) throws(LearningError) -> (Memory, EmitBackward) {
        let layer = spec.layers[number - 1]
        let input = spec.shapes[number - 1]
        guard let window = layer.window(over: input) else { preconditionFailure("layer \(number) has no window") }
        let kind: Pooling = if case .maxPool = layer { .maximum } else { .average }
        let outputShape = [input[0]] + window.outputs
        let forward = try describePooling(
            engine, kind, training: mode != .inference, source: source.layout,
            destination: Layout(any: [batch] + outputShape, source.layout.precision), window: window)
        let output = try memory(forward.layout(DNNL_ARG_DST))
        var arguments = [(DNNL_ARG_SRC, source), (DNNL_ARG_DST, output)]
        // Which element of each window was the largest.
        var choice: Memory?
        let choiceLayout = forward.layout(DNNL_ARG_WORKSPACE)
        if choiceLayout.floatCount > 0 {
            let found = try memory(choiceLayout)
            arguments.append((DNNL_ARG_WORKSPACE, found))
            choice = found
        }
        try emit(forward, arguments)
        return (
            output,
            { [unowned self] gradient, isWanted throws(LearningError) in
                if !isWanted { return nil }
                let incoming = try reordered(gradient, to: output.layout)
                let backward = try describePoolingBackward(
                    engine, kind, source: source.layout, destination: output.layout, window: window, hint: forward)
                let result = try memory(source.layout)
                var arguments = [(DNNL_ARG_DIFF_DST, incoming), (DNNL_ARG_DIFF_SRC, result)]
                if let choice { arguments.append((DNNL_ARG_WORKSPACE, choice)) }
                try emit(backward, arguments)
                if incoming !== gradient { retire(incoming) }
                return result
            }
        )
    }

    func emitFlatten(_ shape: [Int], _ source: Memory) throws(LearningError) -> (Memory, EmitBackward) {
        let imageLayout = try Layout(plain: [batch] + shape, source.layout.precision)
        let vectorLayout = try Layout(plain: [batch, shape.reduce(1, *)], source.layout.precision)
        let plain = try reordered(source, to: imageLayout)
        return (
            try view(plain, as: vectorLayout),
            { [unowned self] gradient, isWanted throws(LearningError) in
                isWanted ? try view(reordered(gradient, to: vectorLayout), as: imageLayout) : nil
            }
        )
    }

    /// log(1 + max(x, 0)) in three passes of vectorised primitives; absolute error below 4e-6 for x below 1000
    /// (oneDNN's logarithm of 1 is 1.4e-6).
    func emitLog1p(_ shape: [Int], _ source: Memory) throws(LearningError) -> (Memory, EmitBackward) {
        let layout = try Layout(plain: [batch] + shape)
        let input = try reordered(source, to: layout)
        let output = try memory(layout)
        try emit(
            describeElementwise(engine, .relu, layout: layout), [(DNNL_ARG_SRC, input), (DNNL_ARG_DST, output)])
        for kind in [Elementwise.linear(1, 1), .log] {
            try emit(
                describeElementwise(engine, kind, layout: layout), [(DNNL_ARG_SRC, output), (DNNL_ARG_DST, output)])
        }
        if input !== source { retire(input) }
        return (
            output,
            { [unowned self] gradient, isWanted throws(LearningError) in
                if !isWanted { return nil }
                let incoming = try reordered(gradient, to: layout)
                let result = try memory(layout)
                // 1/(1 + x) for x > 0, zero elsewhere.
                emit {
                    input.buffer.withSpan { x in
                        incoming.buffer.withSpan { incoming in
                            result.buffer.withMutableSpan { result in
                                for index in 0..<layout.floatCount {
                                    result[index] = x[index] > 0 ? incoming[index] / (1 + x[index]) : 0
                                }
                            }
                        }
                    }
                }
                if incoming !== gradient { retire(incoming) }
                return result
            }
        )
    }

    func emitPanels(
        _ shape: [Int], _ source: Memory, rows: Int, columns: Int
    ) throws(LearningError) -> (Memory, EmitBackward) {
        let (channels, height, width) = (shape[0], shape[1] / rows, shape[2] / columns)
        let tiled = try Layout(plain: [batch] + shape)
        let stacked = try Layout(plain: [batch, channels * rows * columns, height, width])
        // Both sides seen as [image, channel, row, column, y, x]: taking apart is a copy between two layouts.
        let parts = [batch, channels, rows, columns, height, width]
        let image = shape[1] * shape[2]
        let tiledParts = try Layout(
            parts, strides: [channels * image, image, height * shape[2], width, shape[2], 1])
        let stackedParts = try Layout(plain: parts)
        let input = try reordered(source, to: tiled)
        let output = try memory(stacked)
        try emit(
            PrimitiveDescription(reorder: tiledParts, to: stackedParts, engine),
            [(DNNL_ARG_FROM, try view(input, as: tiledParts)), (DNNL_ARG_TO, try view(output, as: stackedParts))])
        if input !== source { retire(input) }
        return (
            output,
            { [unowned self] gradient, isWanted throws(LearningError) in
                if !isWanted { return nil }
                let incoming = try reordered(gradient, to: stacked)
                let result = try memory(tiled)
                try emit(
                    PrimitiveDescription(reorder: stackedParts, to: tiledParts, engine),
                    [
                        (DNNL_ARG_FROM, try view(incoming, as: stackedParts)),
                        (DNNL_ARG_TO, try view(result, as: tiledParts)),
                    ])
                if incoming !== gradient { retire(incoming) }
                return result
            }
        )
    }

    func emitDropout(_ number: Int, _ source: Memory, rate: Double) throws(LearningError) -> (Memory, EmitBackward) {
        if mode != .training || rate == 0 { return (source, { gradient, isWanted in isWanted ? gradient : nil }) }
        let layout = try Layout(plain: [batch] + spec.shapes[number])
        let input = try reordered(source, to: layout)
        let output = try memory(layout)
        let mask = FloatBuffer(count: layout.floatCount)
        emit { [dropoutAddress] in
            dropoutAddress.fill(mask, rate: rate, layer: number)
            multiply(input.buffer, by: mask, into: output.buffer, count: mask.count)
        }
        return (
            output,
            { [unowned self] gradient, isWanted throws(LearningError) in
                if !isWanted { return nil }
                let incoming = try reordered(gradient, to: layout)
                let result = try memory(layout)
                emit { multiply(incoming.buffer, by: mask, into: result.buffer, count: mask.count) }
                if incoming !== gradient { retire(incoming) }
                return result
            }
        )
    }

    func emitBatchNormalization(_ number: Int, _ source: Memory) throws(LearningError) -> (Memory, EmitBackward) {
        let epsilon: Float = 1e-5
        let statistics: BatchStatistics = mode == .training ? .computed : .given
        let scale = spec.parameter(number, .scale)
        let scaleAndShift = try Layout(plain: [2] + scale.shape)
        let learnt = try Memory(scaleAndShift, parameters, offset: scale.offset, engine)
        // In training the statistics of this micro-batch go where gradients go, to be averaged like them.
        let (meanPlace, variancePlace) = (spec.parameter(number, .mean), spec.parameter(number, .variance))
        let mean = try mode == .training ? gradientMemory(meanPlace) : parameterMemory(meanPlace)
        let variance = try mode == .training ? gradientMemory(variancePlace) : parameterMemory(variancePlace)
        let forward = try describeBatchNormalization(
            engine, statistics, training: mode != .inference, layout: source.layout, epsilon: epsilon)
        let output = try memory(source.layout)
        try emit(
            forward,
            [
                (DNNL_ARG_SRC, source), (DNNL_ARG_SCALE_SHIFT, learnt), (DNNL_ARG_MEAN, mean),
                (DNNL_ARG_VARIANCE, variance), (DNNL_ARG_DST, output),
            ])
        return (
            output,
            { [unowned self] gradient, _ throws(LearningError) in
                let incoming = try reordered(gradient, to: source.layout)
                let backward = try describeBatchNormalizationBackward(
                    engine, statistics, layout: source.layout, epsilon: epsilon, hint: forward)
                let result = try memory(source.layout)
                try emit(
                    backward,
                    [
                        (DNNL_ARG_SRC, source), (DNNL_ARG_MEAN, mean), (DNNL_ARG_VARIANCE, variance),
                        (DNNL_ARG_DIFF_DST, incoming), (DNNL_ARG_SCALE_SHIFT, learnt), (DNNL_ARG_DIFF_SRC, result),
                        (DNNL_ARG_DIFF_SCALE_SHIFT, try Memory(scaleAndShift, gradients, offset: scale.offset, engine)),
                    ])
                if incoming !== gradient { retire(incoming) }
                return result
            }
        )
    }
}

extension DropoutAddress {
    /// Zero with probability `rate`, else 1/(1 − rate).
    fileprivate func fill(_ mask: FloatBuffer, rate: Double, layer: Int) {
        guard let random else { preconditionFailure("a training pass with dropout needs a random stream") }
        let stream = random.substream("dropout", layer)
        let limit = UInt32(rate * 0x1p32)
        let kept = Float(1 / (1 - rate))
        mask.withMutableSpan { mask in
            for block in 0..<(mask.count + 3) / 4 {
                let bits = stream.bits(at: block)
                for index in 4 * block..<min(4 * block + 4, mask.count) {
                    mask[index] = bits[index - 4 * block] < limit ? 0 : kept
                }
            }
        }
    }
}

private func multiply(_ a: FloatBuffer, by b: FloatBuffer, into result: FloatBuffer, count: Int) {
    a.withSpan { a in
        b.withSpan { b in
            result.withMutableSpan { result in
                for index in 0..<count { result[index] = a[index] * b[index] }
            }
        }
    }
}
