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
        let convolution = try convolution(
            .init(
                images: images, inputs: inputShape[0], height: height, width: width, outputs: outputShape[0],
                rows: window.kernel[0], columns: window.kernel[1], stride: window.stride,
                padding: isEven ? window.before : [0, 0]))
        var move = sw_net_move()
        move.maps = Int64(images * inputShape[0])
        (move.height, move.width) = (Int32(height), Int32(width))
        (move.inner_height, move.inner_width) = (Int32(inputShape[1]), Int32(inputShape[2]))
        (move.top, move.left) = (Int32(window.before[0]), Int32(window.before[1]))
        let padded = images * inputShape[0] * height * width
        var x: DeviceFloats
        if isEven {
            x = try stored(source, padded, as: factors.number)
        } else {
            x = try floats(padded, as: factors.number)
            var out = move
            out.count = Int64(padded)
            out.source = source.values()
            out.result = x.places()
            emitEach("sw_network_pad", .layers, count: padded, out)
        }
        x = try stored(x, padded, as: convolution.number)
        let kernel = try kernel(number, as: convolution.number)
        let output = try output(number, after: source)
        let sums = try convolution.number == output.number ? output : floats(count(number), as: convolution.number)
        emit { [from = x.address(), to = sums.address()] in try convolution.forward(from, kernel: kernel, into: to) }
        if x !== source { retire(x) }
        emitBias(number, sums, into: output, fusingReLU: fusingReLU)
        if sums !== output { retire(sums) }
        let (inner, taken) = (count(number - 1), x)
        return (
            output,
            { [unowned self] gradient, isWanted in
                if fusingReLU { emitReLUBackward(gradient, output, count(number)) }
                let g = try stored(gradient, count(number), as: convolution.number)
                if mode == .training {
                    try emitKernelGradient(number, convolution, taken, g)
                    try emitBiasGradient(number, gradient)
                }
                if !isWanted { return nil }
                let found = try floats(padded, as: convolution.number)
                emit { [g = g.address(), to = found.address()] in
                    try convolution.backward(g, kernel: kernel, into: to)
                }
                if g !== gradient { retire(g) }
                let result = try restored(found, padded, as: factors.number)
                if isEven { return try restored(result, inner, as: source.number) }
                let cropped = try floats(inner, as: source.number)
                var back = move
                back.count = Int64(inner)
                back.is_back = 1
                back.source = result.values()
                back.result = cropped.places()
                emitEach("sw_network_pad", .layers, count: inner, back)
                retire(result)
                return cropped
            }
        )
    }

    /// In the numbers of factors; where cuDNN has no way for those in bf16, in singles, which hold them.
    private func convolution(_ shape: DeviceConvolution.Shape) throws -> DeviceConvolution {
        let made: DeviceConvolution
        do throws(DeviceError) {
            made = try DeviceConvolution(shape, of: factors.number, on: device)
        } catch {
            // Only where cuDNN has no way: for lack of memory it would be other numbers.
            guard case .unsupported = error, factors.number != .f32 else { throw error }
            made = try DeviceConvolution(shape, isShort: true, on: device)
        }
        keep(made)
        return made
    }

    /// Address of a layer's kernel as factor, in numbers of another kind if need be.
    private func kernel(_ number: Int, as kind: DeviceNumber) throws -> UInt64 {
        let offset = layout.offset(number, .kernel)
        if factors.number == kind { return factors.address(offset) }
        let count = spec.parameter(number, .kernel).count
        let copy = try floats(count, as: kind)
        emitCopy(factors.values(offset), count, into: copy.places())
        return copy.address()
    }

    private func emitKernelGradient(
        _ number: Int, _ convolution: DeviceConvolution, _ x: DeviceFloats, _ gradient: DeviceFloats
    ) throws {
        guard let gradients else { return }
        let count = spec.parameter(number, .kernel).count
        let kernel = layout.offset(number, .kernel)
        // As cuDNN gives it, then where gradients are.
        let isRounded = convolution.number != gradients.number
        let own = try isRounded ? floats(count, as: convolution.number) : gradients
        emit { [from = x.address(), g = gradient.address(), to = own.address(isRounded ? 0 : kernel)] in
            try convolution.backward(source: from, g, intoKernel: to)
        }
        if isRounded {
            emitCopy(own.values(), count, into: gradients.places(kernel))
            retire(own)
        }
    }

    func emitDense(
        _ number: Int, _ source: DeviceFloats, fusingReLU: Bool
    ) throws -> (DeviceFloats, EmitBackward) {
        let inputs = spec.shapes[number - 1].reduce(1, *)
        let units = spec.shapes[number][0]
        let images = images
        let kernel = layout.offset(number, .kernel)
        let kind = factors.number
        let x = try stored(source, images * inputs, as: kind)
        let output = try output(number, after: source)
        // Rounded once, after the bias.
        let product = try kind == .f32 ? output : floats(images * units)
        emit { [device, x = x.address(), w = factors.address(kernel), to = product.address()] in
            try device.multiply(
                .init(x, stride: inputs), .init(w, stride: inputs, isTransposed: true), rows: images, columns: units,
                inner: inputs, of: kind, into: to)
        }
        emitBias(number, product, into: output, fusingReLU: fusingReLU)
        if product !== output { retire(product) }
        if x !== source { retire(x) }
        return (
            output,
            { [unowned self] gradient, isWanted in
                if fusingReLU { emitReLUBackward(gradient, output, images * units) }
                if mode == .training, let gradients {
                    emit { [device, x = x.address(), g = gradient.address(), to = gradients.address(kernel)] in
                        try device.multiply(
                            .init(g, stride: units, isTransposed: true), .init(x, stride: inputs), rows: units,
                            columns: inputs, inner: images, of: kind, into: to)
                    }
                    try emitBiasGradient(number, gradient)
                }
                if !isWanted { return nil }
                let result = try floats(images * inputs, as: kind)
                emit { [device, g = gradient.address(), w = factors.address(kernel), to = result.address()] in
                    try device.multiply(
                        .init(g, stride: units), .init(w, stride: inputs), rows: images, columns: inputs, inner: units,
                        of: kind, into: to, as: kind)
                }
                return try restored(result, images * inputs, as: source.number)
            }
        )
    }

    private func emitBias(_ number: Int, _ source: DeviceFloats, into result: DeviceFloats, fusingReLU: Bool) {
        let shape = spec.shapes[number]
        var bias = sw_net_bias()
        (bias.images, bias.channels) = (Int64(images), Int64(shape[0]))
        bias.pixels = Int64(shape.dropFirst().reduce(1, *))
        bias.is_rectified = fusingReLU ? 1 : 0
        bias.bias = parameters.source(layout.offset(number, .bias))
        bias.source = source.values()
        bias.result = result.places()
        emitEachBlock("sw_network_bias", .layers, count: images * shape[0], bias)
    }

    private func emitBiasGradient(_ number: Int, _ gradient: DeviceFloats) throws {
        guard let gradients else { return }
        let shape = spec.shapes[number]
        var sums = sw_net_sums()
        (sums.images, sums.channels) = (Int64(images), Int64(shape[0]))
        sums.pixels = Int64(shape.dropFirst().reduce(1, *))
        sums.source = gradient.values()
        sums.result = gradients.places(layout.offset(number, .bias))
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
        map.source = output.values()
        map.gradient = gradient.values()
        map.result = gradient.places()
        emitEach("sw_network_map", .layers, count: count, map)
    }
}
