import CKernels
import Devices

// Layers with kernels: cuDNN's convolutions, cuBLAS's products; biases and ReLU in one pass after them.

extension DeviceNetwork {
    func emitConvolution(
        _ number: Int, _ source: DeviceFloats, fusingReLU: Bool
    ) throws -> (DeviceFloats, EmitBackward) {
        let (inputShape, outputShape) = (spec.shapes[number - 1], spec.shapes[number])
        guard let window = spec.layers[number - 1].window(over: inputShape) else {
            preconditionFailure("layer \(number) has no window")
        }
        // cuDNN puts as many zeros on one side as on the other; more on one side are put there before.
        let isEven = window.before == window.after
        let height = isEven ? inputShape[1] : inputShape[1] + window.before[0] + window.after[0]
        let width = isEven ? inputShape[2] : inputShape[2] + window.before[1] + window.after[1]
        let convolution = try DeviceConvolution(
            .init(
                images: images, inputs: inputShape[0], height: height, width: width, outputs: outputShape[0],
                rows: window.kernel[0], columns: window.kernel[1], stride: window.stride,
                padding: isEven ? window.before : [0, 0]), on: device)
        keep(convolution)
        var move = sw_net_move()
        move.maps = Int64(images * inputShape[0])
        (move.height, move.width) = (Int32(height), Int32(width))
        (move.inner_height, move.inner_width) = (Int32(inputShape[1]), Int32(inputShape[2]))
        (move.top, move.left) = (Int32(window.before[0]), Int32(window.before[1]))
        let padded = images * inputShape[0] * height * width
        var x = source
        if !isEven {
            x = try floats(padded)
            var out = move
            out.count = Int64(padded)
            out.source = source.source()
            out.result = x.target()
            emitEach("sw_network_pad", .layers, count: padded, out)
        }
        let output = try floats(count(number))
        let kernel = layout.offset(number, .kernel)
        emit { [from = x.address(), w = parameters.address(kernel), to = output.address()] in
            try convolution.forward(from, kernel: w, into: to)
        }
        if !isEven { retire(x) }
        emitBias(number, output, fusingReLU: fusingReLU)
        let inner = count(number - 1)
        return (
            output,
            { [unowned self] gradient, isWanted in
                if fusingReLU { emitReLUBackward(gradient, output, count(number)) }
                if mode == .training, let gradients {
                    emit { [from = x.address(), g = gradient.address(), to = gradients.address(kernel)] in
                        try convolution.backward(source: from, g, intoKernel: to)
                    }
                    try emitBiasGradient(number, gradient)
                }
                if !isWanted { return nil }
                let result = try floats(padded)
                emit { [g = gradient.address(), w = parameters.address(kernel), to = result.address()] in
                    try convolution.backward(g, kernel: w, into: to)
                }
                if isEven { return result }
                let cropped = try floats(inner)
                var back = move
                back.count = Int64(inner)
                back.is_back = 1
                back.source = result.source()
                back.result = cropped.target()
                emitEach("sw_network_pad", .layers, count: inner, back)
                retire(result)
                return cropped
            }
        )
    }

    func emitDense(
        _ number: Int, _ source: DeviceFloats, fusingReLU: Bool
    ) throws -> (DeviceFloats, EmitBackward) {
        let inputs = spec.shapes[number - 1].reduce(1, *)
        let units = spec.shapes[number][0]
        let images = images
        let kernel = layout.offset(number, .kernel)
        let output = try floats(images * units)
        emit { [device, x = source.address(), w = parameters.address(kernel), to = output.address()] in
            try device.multiply(
                .init(x, stride: inputs), .init(w, stride: inputs, isTransposed: true), rows: images, columns: units,
                inner: inputs, into: to)
        }
        emitBias(number, output, fusingReLU: fusingReLU)
        return (
            output,
            { [unowned self] gradient, isWanted in
                if fusingReLU { emitReLUBackward(gradient, output, images * units) }
                if mode == .training, let gradients {
                    emit { [device, x = source.address(), g = gradient.address(), to = gradients.address(kernel)] in
                        try device.multiply(
                            .init(g, stride: units, isTransposed: true), .init(x, stride: inputs), rows: units,
                            columns: inputs, inner: images, into: to)
                    }
                    try emitBiasGradient(number, gradient)
                }
                if !isWanted { return nil }
                let result = try floats(images * inputs)
                emit { [device, g = gradient.address(), w = parameters.address(kernel), to = result.address()] in
                    try device.multiply(
                        .init(g, stride: units), .init(w, stride: inputs), rows: images, columns: inputs, inner: units,
                        into: to)
                }
                return result
            }
        )
    }

    private func emitBias(_ number: Int, _ values: DeviceFloats, fusingReLU: Bool) {
        let shape = spec.shapes[number]
        var bias = sw_net_bias()
        (bias.images, bias.channels) = (Int64(images), Int64(shape[0]))
        bias.pixels = Int64(shape.dropFirst().reduce(1, *))
        bias.is_rectified = fusingReLU ? 1 : 0
        bias.bias = parameters.source(layout.offset(number, .bias))
        bias.values = values.target()
        emitEachBlock("sw_network_bias", .layers, count: images * shape[0], bias)
    }

    private func emitBiasGradient(_ number: Int, _ gradient: DeviceFloats) throws {
        guard let gradients else { return }
        let shape = spec.shapes[number]
        var sums = sw_net_sums()
        (sums.images, sums.channels) = (Int64(images), Int64(shape[0]))
        sums.pixels = Int64(shape.dropFirst().reduce(1, *))
        sums.source = gradient.source()
        sums.result = gradients.target(layout.offset(number, .bias))
        if sums.pixels > 1 {
            let maps = images * shape[0]
            sums.partial = try values(Double.self, maps).target()
            emitEachBlock("sw_network_map_sums", .layers, count: maps, sums)
        }
        emitEach("sw_network_channel_sums", .layers, count: shape[0], sums)
    }

    /// Over the gradient itself.
    private func emitReLUBackward(_ gradient: DeviceFloats, _ output: DeviceFloats, _ count: Int) {
        var map = sw_net_map()
        map.count = Int64(count)
        map.kind = Int32(SW_NET_RELU_BACK)
        map.source = output.source()
        map.gradient = gradient.source()
        map.result = gradient.target()
        emitEach("sw_network_map", .layers, count: count, map)
    }
}
