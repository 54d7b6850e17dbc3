// Layers that oneDNN does not have: loops of ours over row-major maps.

extension NetworkCompiler {
    func emitFold(_ number: Int, _ source: Memory) throws(LearningError) -> (Memory, EmitBackward) {
        let shape = spec.shapes[number - 1]
        let fold = Fold(maps: batch * shape[0], height: shape[1], width: shape[2])
        return try emitLoops(
            number, source, forward: { fold.forward($0, into: &$1) }, backward: { fold.backward($1, into: &$2) })
    }

    func emitUnitMean(
        _ number: Int, _ source: Memory, groups: Int, mean: Double
    ) throws(LearningError) -> (Memory, EmitBackward) {
        let size = spec.shapes[number].reduce(1, *) / groups
        let division = UnitMean(groups: batch * groups, size: size, mean: mean)
        return try emitLoops(
            number, source, forward: { division.forward($0, into: &$1) },
            backward: { division.backward(source: $0, $1, into: &$2) })
    }

    func emitGroupNormalization(
        _ number: Int, _ source: Memory, groups: Int
    ) throws(LearningError) -> (Memory, EmitBackward) {
        let shape = spec.shapes[number]
        let (scale, shift) = (spec.parameter(number, .scale), spec.parameter(number, .shift))
        let norm = GroupNormalization(
            images: batch, groups: groups, channels: shape[0] / groups, pixels: shape[1] * shape[2])
        let (parameters, gradients, keepsGradients) = (parameters, gradients, mode == .training)
        return try emitLoops(
            number, source,
            forward: { source, result in
                parameters.withSpan {
                    norm.forward(
                        source, scale: $0.extracting(scale.range), shift: $0.extracting(shift.range), into: &result)
                }
            },
            backward: { source, gradient, result in
                var (scaleGradient, shiftGradient): ([Float], [Float]) = ([], [])
                parameters.withSpan {
                    norm.backward(
                        source: source, scale: $0.extracting(scale.range), gradient, into: &result,
                        scaleGradient: &scaleGradient, shiftGradient: &shiftGradient)
                }
                if keepsGradients {
                    gradients.copy(scaleGradient, 0..<scale.count, to: scale.offset)
                    gradients.copy(shiftGradient, 0..<shift.count, to: shift.offset)
                }
            }, ownsWeights: true)
    }

    /// - Parameter forward: from the layer's input to its output.
    /// - Parameter backward: from the input and the gradient of the output to the gradient of the input.
    /// - Parameter ownsWeights: `backward` finds gradients of weights too, and is needed for them.
    private func emitLoops(
        _ number: Int, _ source: Memory, forward: @escaping (Span<Float>, inout MutableSpan<Float>) -> Void,
        backward: @escaping (Span<Float>, Span<Float>, inout MutableSpan<Float>) -> Void, ownsWeights: Bool = false
    ) throws(LearningError) -> (Memory, EmitBackward) {
        let inputLayout = try Layout(plain: [batch] + spec.shapes[number - 1])
        let outputLayout = try Layout(plain: [batch] + spec.shapes[number])
        let input = try reordered(source, to: inputLayout)
        let output = try memory(outputLayout)
        emit {
            input.buffer.withSpan { input in output.buffer.withMutableSpan { output in forward(input, &output) } }
        }
        if input !== source { retire(input) }
        return (
            output,
            { [unowned self] gradient, isWanted throws(LearningError) in
                if !isWanted && !ownsWeights { return nil }
                let incoming = try reordered(gradient, to: outputLayout)
                let result = try memory(inputLayout)
                emit {
                    input.buffer.withSpan { input in
                        incoming.buffer.withSpan { incoming in
                            result.buffer.withMutableSpan { result in backward(input, incoming, &result) }
                        }
                    }
                }
                if incoming !== gradient { retire(incoming) }
                return result
            }
        )
    }
}
