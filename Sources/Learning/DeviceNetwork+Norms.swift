import CKernels
import Devices

// Layers that normalise.

extension DeviceNetwork {
    func emitUnitMean(
        _ number: Int, _ source: DeviceFloats, groups: Int, mean: Double
    ) throws -> (DeviceFloats, EmitBackward) {
        var unit = sw_net_unit()
        unit.groups = Int64(images * groups)
        unit.size = Int64(count(number)) / unit.groups
        unit.mean = mean
        unit.epsilon = UnitMean.epsilon
        unit.source = source.values()
        let output = try output(number, after: source)
        var forward = unit
        forward.result = output.places()
        emitEachBlock("sw_network_unit_mean", .norms, count: images * groups, forward)
        let description = unit
        return (
            output,
            { [unowned self] gradient, isWanted in
                if !isWanted { return nil }
                let result = try floats(count(number), as: source.number)
                var back = description
                back.gradient = gradient.values()
                back.result = result.places()
                emitEachBlock("sw_network_unit_mean", .norms, count: images * groups, back)
                return result
            }
        )
    }

    func emitGroupNormalization(
        _ number: Int, _ source: DeviceFloats, groups: Int
    ) throws -> (DeviceFloats, EmitBackward) {
        var norm = normalization(number, source)
        (norm.parts, norm.images, norm.groups) = (Int64(images), 1, Int64(groups))
        norm.epsilon = GroupNormalization.epsilon
        let output = try output(number, after: source)
        var forward = norm
        forward.result = output.places()
        emitEachBlock("sw_network_group_norm", .norms, count: images * groups, forward)
        let description = norm
        return (
            output,
            { [unowned self] gradient, isWanted in
                if !isWanted && mode != .training { return nil }
                let result = try floats(count(number), as: source.number)
                let partial = try values(Double.self, 2 * images * spec.shapes[number][0])
                var back = description
                back.gradient = gradient.values()
                back.result = result.places()
                back.partial = partial.target()
                emitEachBlock("sw_network_group_norm_back", .norms, count: images * groups, back)
                emitPairSums(partial, rows: images, number, .scale, .shift)
                return result
            }
        )
    }

    func emitBatchNormalization(_ number: Int, _ source: DeviceFloats) throws -> (DeviceFloats, EmitBackward) {
        var norm = normalization(number, source)
        (norm.parts, norm.images) = (Int64(parts), Int64(microBatch))
        // As on the host (NetworkCompiler+Maps.swift).
        norm.epsilon = Double(Float(1e-5))
        let channels = spec.shapes[number][0]
        let (runs, maps) = (parts * channels, images * channels)
        let output = try output(number, after: source)
        if mode == .training {
            let statistics = try values(Double.self, 2 * runs)
            norm.maps = try values(Double.self, 2 * maps).target()
            norm.statistics = statistics.target()
            emitEachBlock("sw_network_moments", .norms, count: maps, norm)
            emitEach("sw_network_statistics", .norms, count: runs, norm)
            emitPairSums(statistics, rows: parts, number, .mean, .variance)
        } else {
            norm.mean = parameters.source(layout.offset(number, .mean))
            norm.variance = parameters.source(layout.offset(number, .variance))
        }
        var forward = norm
        forward.result = output.places()
        emitEachBlock("sw_network_batch_norm", .norms, count: maps, forward)
        let description = norm
        return (
            output,
            { [unowned self] gradient, _ in
                let result = try floats(count(number), as: source.number)
                var back = description
                back.gradient = gradient.values()
                back.result = result.places()
                if mode == .training {
                    let partial = try values(Double.self, 2 * runs)
                    back.partial = partial.target()
                    emitEachBlock("sw_network_pulls", .norms, count: maps, back)
                    emitEach("sw_network_part_pulls", .norms, count: runs, back)
                    emitPairSums(partial, rows: parts, number, .scale, .shift)
                }
                emitEachBlock("sw_network_batch_norm_back", .norms, count: maps, back)
                return result
            }
        )
    }

    private func normalization(_ number: Int, _ source: DeviceFloats) -> sw_net_norm {
        let shape = spec.shapes[number]
        var norm = sw_net_norm()
        norm.channels = Int64(shape[0])
        norm.pixels = Int64(shape.dropFirst().reduce(1, *))
        norm.groups = 1
        norm.scale = parameters.source(layout.offset(number, .scale))
        norm.shift = parameters.source(layout.offset(number, .shift))
        norm.source = source.values()
        return norm
    }

    /// Sums pairs [rows, channels, 2] into the places of two arrays among the gradients.
    private func emitPairSums(
        _ values: DeviceValues<Double>, rows: Int, _ number: Int, _ first: NetworkSpec.Parameter.Role,
        _ second: NetworkSpec.Parameter.Role
    ) {
        guard mode == .training, let gradients else { return }
        var pairs = sw_net_pairs()
        (pairs.rows, pairs.channels) = (Int64(rows), Int64(spec.shapes[number][0]))
        pairs.values = values.source()
        pairs.first = gradients.target(layout.offset(number, first))
        pairs.second = gradients.target(layout.offset(number, second))
        emitEach("sw_network_pair_sums", .norms, count: spec.shapes[number][0], pairs)
    }
}
