import SwiftProtobuf
import Tensors

extension Classifier {
    /// The network as an ONNX model (onnx.ai; opset 13), for onnxruntime and others.
    ///
    /// Its input `images` has shape [images, channels, height, width]; its outputs are `logits` and `probabilities`
    /// [images, classes], the latter by softmax at `temperature`; of a network with centroids also `kernels`, K. Layers
    /// that ONNX does not have are written as several operators.
    ///
    /// - Parameter metadata: text that the model carries.
    /// - Throws: `LearningError.file` for a network beyond the 2 GB of the format.
    public func onnx(
        temperature: Double = 1, metadata: [(String, String)] = []
    ) throws(LearningError) -> [UInt8] {
        // Before the arrays are copied; metadata is met where the file is written.
        if spec.parameterCount > 500_000_000 { throw tooLarge }
        var graph = ONNXGraph()
        var value = "images"
        var marks: [String: String] = [:]
        for number in 1...max(1, spec.layers.count) where number <= spec.layers.count {
            if case .mark(let mark) = spec.layers[number - 1] {
                marks[mark] = value
            } else {
                value = write(number, value, marks, &graph)
            }
        }
        let logits = graph.add("Identity", [value], output: "logits")
        var outputs = [("logits", [spec.classes]), ("probabilities", [spec.classes])]
        if spec.centroids != nil {
            _ = graph.add("Exp", [logits], output: "kernels")
            outputs.append(("kernels", [spec.classes]))
        }
        let scale = graph.constant([1], [Float(1 / temperature)])
        let scaled = graph.add("Mul", [logits, scale])
        _ = graph.add("Softmax", [scaled], [("axis", .int(1))], output: "probabilities")
        let model = graph.model(
            input: ("images", spec.inputShape),
            outputs: outputs,
            about: "a network trained by Spinweave: " + spec.layers.map(\.name).joined(separator: ", "),
            metadata: metadata)
        do { return try model.serializedBytes() } catch { throw tooLarge }
    }

    private var tooLarge: LearningError {
        .file(
            problem: "\(spec.parameterCount) weights do not fit an ONNX file, which ends at 2 GB",
            hint: "write .safetensors instead")
    }

    /// - Returns: the name of the layer's output.
    private func write(
        _ number: Int, _ input: String, _ marks: [String: String], _ graph: inout ONNXGraph
    ) -> String {
        let shape = spec.shapes[number - 1]
        func array(_ role: NetworkSpec.Parameter.Role, _ graph: inout ONNXGraph) -> String {
            let parameter = spec.parameter(number, role)
            return graph.constant(parameter.shape, Array(weights.values[parameter.range]), name: parameter.name)
        }
        switch spec.layers[number - 1] {
        case .convolution:
            return graph.add(
                "Conv", [input, array(.kernel, &graph), array(.bias, &graph)], window(number))
        case .maxPool: return graph.add("MaxPool", [input], window(number))
        case .averagePool: return graph.add("AveragePool", [input], window(number))
        case .relu: return graph.add("Relu", [input])
        case .gelu:
            let scaled = graph.add("Mul", [input, graph.constant([1], [Float(0.5.squareRoot())])])
            let distribution = graph.add("Add", [graph.add("Erf", [scaled]), graph.constant([1], [1])])
            return graph.add("Mul", [graph.add("Mul", [input, distribution]), graph.constant([1], [0.5])])
        case .batchNorm:
            let arrays = [array(.scale, &graph), array(.shift, &graph), array(.mean, &graph), array(.variance, &graph)]
            return graph.add("BatchNormalization", [input] + arrays, [("epsilon", .float(1e-5))])
        case .groupNorm(let groups): return writeGroupNorm(number, input, groups, &graph)
        case .dense:
            let vector = shape.count == 1 ? input : graph.add("Flatten", [input])
            return graph.add("Gemm", [vector, array(.kernel, &graph), array(.bias, &graph)], [("transB", .int(1))])
        case .dropout, .mark: return input
        case .flatten: return graph.add("Flatten", [input])
        case .globalAveragePool: return graph.add("Flatten", [graph.add("GlobalAveragePool", [input])])
        case .log1p:
            let positive = graph.add("Relu", [input])
            return graph.add("Log", [graph.add("Add", [positive, graph.constant([1], [1])])])
        case .panels(let rows, let columns):
            let (height, width) = (shape[1] / rows, shape[2] / columns)
            let parts = graph.constant([-1, shape[0], rows, height, columns, width])
            let apart = graph.add("Reshape", [input, parts])
            let ordered = graph.add("Transpose", [apart], [("perm", .ints([0, 1, 2, 4, 3, 5]))])
            return graph.add("Reshape", [ordered, graph.constant([-1] + spec.shapes[number])])
        case .fold: return writeFold(shape, input, &graph)
        case .unitMean(let groups, let mean):
            let runs = graph.add(
                "Reshape", [input, graph.constant([-1, groups, shape.reduce(1, *) / groups])])
            let means = graph.add("ReduceMean", [runs], [("axes", .ints([2])), ("keepdims", .int(1))])
            let safe = graph.add("Add", [means, graph.constant([1], [Float(UnitMean.epsilon)])])
            let factor = graph.add("Div", [graph.constant([1], [Float(mean)]), safe])
            return graph.add("Reshape", [graph.add("Mul", [runs, factor]), graph.constant([-1] + shape)])
        case .add(let mark):
            guard let marked = marks[mark] else { preconditionFailure("no mark '\(mark)'") }
            return graph.add("Add", [input, marked])
        case .centroids(let centroids): return writeCentroids(number, input, centroids, &graph)
        }
    }

    /// Embeddings less their centroids, then the mean square of each class's.
    private func writeCentroids(
        _ number: Int, _ input: String, _ centroids: Centroids, _ graph: inout ONNXGraph
    ) -> String {
        let kernel = spec.parameter(number, .kernel)
        let size = centroids.classes * centroids.width
        let matrix = graph.constant(
            [size, kernel.count / size], Array(weights.values[kernel.range]), name: kernel.name)
        let span = weights.values.span
        var offsets = [Float](repeating: 0, count: size)
        var result = offsets.mutableSpan
        centroids.offsets(
            sums: span.extracting(spec.parameter(number, .centroidSum).range),
            counts: span.extracting(spec.parameter(number, .centroidCount).range), into: &result)
        let vector = spec.shapes[number - 1].count == 1 ? input : graph.add("Flatten", [input])
        let embeddings = graph.add("Gemm", [vector, matrix, graph.constant([size], offsets)], [("transB", .int(1))])
        let apart = graph.add(
            "Reshape", [embeddings, graph.constant([-1, centroids.classes, centroids.width])])
        let squares = graph.add("Mul", [apart, apart])
        let means = graph.add("ReduceMean", [squares], [("axes", .ints([2])), ("keepdims", .int(0))])
        let factor = -1 / (2 * centroids.lengthScale * centroids.lengthScale)
        return graph.add("Mul", [means, graph.constant([1], [Float(factor)])])
    }

    /// Each run of channels as one channel of instance normalisation, then scale and shift.
    private func writeGroupNorm(_ number: Int, _ input: String, _ groups: Int, _ graph: inout ONNXGraph) -> String {
        let shape = spec.shapes[number]
        let runs = graph.add("Reshape", [input, graph.constant([-1, groups, shape.reduce(1, *) / groups])])
        let ones = graph.constant([groups], Array(repeating: 1, count: groups))
        let zeros = graph.constant([groups], Array(repeating: 0, count: groups))
        let normal = graph.add(
            "InstanceNormalization", [runs, ones, zeros], [("epsilon", .float(Float(GroupNormalization.epsilon)))])
        let maps = graph.add("Reshape", [normal, graph.constant([-1] + shape)])
        let (scale, shift) = (spec.parameter(number, .scale), spec.parameter(number, .shift))
        let factors = graph.constant([shape[0], 1, 1], Array(weights.values[scale.range]), name: scale.name)
        let offsets = graph.constant([shape[0], 1, 1], Array(weights.values[shift.range]), name: shift.name)
        return graph.add("Add", [graph.add("Mul", [maps, factors]), offsets])
    }

    /// Along each axis the second half plus the first half backwards; a quarter of the sum.
    private func writeFold(_ shape: [Int], _ input: String, _ graph: inout ONNXGraph) -> String {
        var value = input
        for axis in [2, 3] {
            let half = shape[axis - 1] / 2
            func slice(_ start: Int, _ end: Int, _ step: Int, _ graph: inout ONNXGraph) -> String {
                let arguments = [start, end, axis, step].map { graph.constant([$0]) }
                return graph.add("Slice", [value] + arguments)
            }
            let outer = slice(half, 2 * half, 1, &graph)
            let mirrored = slice(half - 1, -2 * half - 1, -1, &graph)
            value = graph.add("Add", [outer, mirrored])
        }
        return graph.add("Mul", [value, graph.constant([1], [0.25])])
    }

    private func window(_ number: Int) -> [(String, ONNXGraph.Attribute)] {
        guard let window = spec.layers[number - 1].window(over: spec.shapes[number - 1]) else { return [] }
        return [
            ("kernel_shape", .ints(window.kernel)), ("strides", .ints(window.stride)),
            ("pads", .ints(window.before + window.after)),
        ]
    }
}
