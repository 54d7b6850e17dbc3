import COneDNN

/// What the images of the pass under way are; centroids follow those of their class.
final class LabelAddress {
    var labels: [Int] = []
}

extension NetworkCompiler {
    /// A dense layer whose biases are the centroids' negatives, then a distance for each class.
    func emitCentroids(
        _ number: Int, _ source: Memory, _ centroids: Centroids
    ) throws(LearningError) -> (Memory, EmitBackward) {
        let size = centroids.classes * centroids.width
        let kernel = spec.parameter(number, .kernel)
        let (sums, counts) = (spec.parameter(number, .centroidSum), spec.parameter(number, .centroidCount))
        let offsets = try Memory(Layout(plain: [size]), FloatBuffer(count: size), engine)
        let parameters = parameters
        try whenWeightsChange { () throws(LearningError) in
            emit {
                parameters.withSpan { values in
                    offsets.buffer.withMutableSpan {
                        centroids.offsets(
                            sums: values.extracting(sums.range), counts: values.extracting(counts.range), into: &$0)
                    }
                }
            }
        }
        let inputs = kernel.count / size
        // Distances are small differences of large numbers: single precision also where the other layers have less.
        let dense = try emitDense(
            number, source, fusingReLU: false, kernelShape: [size, inputs], bias: offsets,
            biasGradient: { [engine] () throws(LearningError) in
                try Memory(Layout(plain: [size]), FloatBuffer(count: size), engine)
            }, precision: .f32)
        let embeddings = try reordered(dense.output, to: Layout(plain: [batch, size]))
        let output = try memory(Layout(plain: [batch, centroids.classes]))
        let batch = batch
        emit {
            embeddings.buffer.withSpan { embeddings in
                output.buffer.withMutableSpan { centroids.logKernels(embeddings, images: batch, into: &$0) }
            }
        }
        let (labelAddress, gradients, keepsGradients) = (labelAddress, gradients, mode == .training)
        return (
            output,
            { [unowned self] gradient, isWanted throws(LearningError) in
                let incoming = try reordered(gradient, to: Layout(plain: [batch, centroids.classes]))
                let slopes = try memory(Layout(plain: [batch, size]))
                emit {
                    embeddings.buffer.withSpan { embeddings in
                        incoming.buffer.withSpan { incoming in
                            slopes.buffer.withMutableSpan {
                                centroids.backward(embeddings, incoming, images: batch, into: &$0)
                            }
                        }
                        guard keepsGradients else { return }
                        let found = offsets.buffer.withSpan {
                            centroids.statistics(embeddings, offsets: $0, labels: labelAddress.labels)
                        }
                        gradients.copy(found.sums, 0..<sums.count, to: sums.offset)
                        gradients.copy(found.counts, 0..<counts.count, to: counts.offset)
                    }
                }
                if incoming !== gradient { retire(incoming) }
                let result = try dense.backward(slopes, isWanted)
                retire(slopes, unlessSharedWith: result)
                return result
            }
        )
    }
}
