import CKernels
import Compute
import Devices

// Layers that only transform values and shapes.

extension DeviceNetwork {
    /// - Parameter backFromResult: the way back needs what came out rather than what went in.
    func emitMap(
        _ number: Int, _ kind: Int, back: Int, _ source: DeviceFloats, backFromResult: Bool
    ) throws -> (DeviceFloats, EmitBackward) {
        let count = count(number)
        let output = try output(number, after: source)
        var map = sw_net_map()
        map.count = Int64(count)
        map.kind = Int32(kind)
        map.source = source.values()
        map.result = output.places()
        emitEach("sw_network_map", .layers, count: count, map)
        return (
            output,
            { [unowned self] gradient, isWanted in
                if !isWanted { return nil }
                var map = sw_net_map()
                map.count = Int64(count)
                map.kind = Int32(back)
                let result = try gradientPlace(gradient, count, like: source)
                map.source = (backFromResult ? output : source).values()
                map.gradient = gradient.values()
                map.result = result.places()
                emitEach("sw_network_map", .layers, count: count, map)
                return result
            }
        )
    }

    func emitPooling(_ number: Int, _ source: DeviceFloats) throws -> (DeviceFloats, EmitBackward) {
        let layer = spec.layers[number - 1]
        let shape = spec.shapes[number - 1]
        guard let window = layer.window(over: shape) else { preconditionFailure("layer \(number) has no window") }
        var pool = sw_net_pool()
        pool.maps = Int64(images * shape[0])
        (pool.height, pool.width) = (Int32(shape[1]), Int32(shape[2]))
        (pool.rows, pool.columns) = (Int32(window.outputs[0]), Int32(window.outputs[1]))
        (pool.kernel_height, pool.kernel_width) = (Int32(window.kernel[0]), Int32(window.kernel[1]))
        (pool.stride_height, pool.stride_width) = (Int32(window.stride[0]), Int32(window.stride[1]))
        (pool.top, pool.left) = (Int32(window.before[0]), Int32(window.before[1]))
        let output = try output(number, after: source)
        if layer == .globalAveragePool {
            // One number a map: too few threads for a thread each.
            var sums = sw_net_sums()
            (sums.images, sums.channels) = (Int64(images), Int64(shape[0]))
            sums.pixels = Int64(shape[1] * shape[2])
            sums.source = source.values()
            sums.result = output.places()
            emitEachBlock("sw_network_map_means", .layers, count: images * shape[0], sums)
        } else {
            if case .maxPool = layer {
                pool.is_maximum = 1
                pool.choice = try values(Int32.self, count(number)).target()
            }
            var forward = pool
            forward.source = source.values()
            forward.result = output.places()
            emitEachBlock("sw_network_pool", .layers, count: images * shape[0], forward)
        }
        let description = pool
        return (
            output,
            { [unowned self] gradient, isWanted in
                if !isWanted { return nil }
                let result = try floats(count(number - 1), as: source.number)
                var back = description
                back.source = gradient.values()
                back.result = result.places()
                emitEachBlock("sw_network_pool_back", .layers, count: images * shape[0], back)
                return result
            }
        )
    }

    func emitPanels(
        _ number: Int, _ source: DeviceFloats, rows: Int, columns: Int
    ) throws -> (DeviceFloats, EmitBackward) {
        let shape = spec.shapes[number - 1]
        var move = sw_net_move()
        move.maps = Int64(images * shape[0])
        (move.height, move.width) = (Int32(shape[1]), Int32(shape[2]))
        (move.rows, move.columns) = (Int32(rows), Int32(columns))
        return try emitMove("sw_network_panels", number, source, move)
    }

    func emitFold(_ number: Int, _ source: DeviceFloats) throws -> (DeviceFloats, EmitBackward) {
        let shape = spec.shapes[number - 1]
        var move = sw_net_move()
        move.maps = Int64(images * shape[0])
        (move.height, move.width) = (Int32(shape[1]), Int32(shape[2]))
        return try emitMove("sw_network_fold", number, source, move)
    }

    private func emitMove(
        _ kernel: String, _ number: Int, _ source: DeviceFloats, _ move: sw_net_move
    ) throws -> (DeviceFloats, EmitBackward) {
        let output = try output(number, after: source)
        var forward = move
        forward.count = Int64(count(number))
        forward.source = source.values()
        forward.result = output.places()
        emitEach(kernel, .layers, count: count(number), forward)
        return (
            output,
            { [unowned self] gradient, isWanted in
                if !isWanted { return nil }
                let result = try floats(count(number - 1), as: source.number)
                var back = move
                back.count = Int64(count(number - 1))
                back.is_back = 1
                back.source = gradient.values()
                back.result = result.places()
                emitEach(kernel, .layers, count: count(number - 1), back)
                return result
            }
        )
    }

    func emitDropout(_ number: Int, _ source: DeviceFloats, rate: Double) throws -> (DeviceFloats, EmitBackward) {
        if mode != .training || rate == 0 { return (source, { gradient, isWanted in isWanted ? gradient : nil }) }
        let streams = try values(sw_noise_stream.self, parts)
        addDropout(number, streams)
        var dropout = sw_net_dropout()
        dropout.parts = Int64(parts)
        dropout.size = Int64(count(number) / parts)
        dropout.limit = UInt32(rate * 0x1p32)
        dropout.kept = Float(1 / (1 - rate))
        dropout.streams = streams.source()
        let output = try output(number, after: source)
        var forward = dropout
        forward.source = source.values()
        forward.result = output.places()
        emitEach("sw_network_dropout", .layers, count: count(number), forward)
        let description = dropout
        return (
            output,
            { [unowned self] gradient, isWanted in
                if !isWanted { return nil }
                var back = description
                let result = try gradientPlace(gradient, count(number), like: source)
                back.source = gradient.values()
                back.result = result.places()
                emitEach("sw_network_dropout", .layers, count: count(number), back)
                return result
            }
        )
    }
}
