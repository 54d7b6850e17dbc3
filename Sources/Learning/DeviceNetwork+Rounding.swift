import CKernels
import Devices

// What a network in bf16 rounds, on a device as on the host (NetworkCompiler: the layouts that oneDNN is asked for).
//
// Layers with kernels take factors in bf16, add in single precision, and give bf16. ReLU, GELU, pooling, batch normalisation, joins
// and flattening give what they take; the others give singles. The gradient of a value is rounded as the value is. Weights, their
// gradients, statistics and the loss are singles.
//
// Two roundings are cuDNN's own: a convolution is rounded before its bias is added, and a convolution kernel's gradient once, after
// all sums: its interface has no singles beside factors in bf16. Where it offers no way for a convolution in bf16, the same numbers
// go there as singles, and neither is.

extension DeviceNetwork {
    /// What layer `number` makes of values like `source`. Singles that the next layer would round first are rounded at once:
    /// the same numbers, in half the memory.
    func number(_ number: Int, after source: DeviceFloats) -> DeviceNumber {
        if precision == .f32 { return .f32 }
        switch spec.layers[number - 1] {
        case .convolution, .dense: return .bf16
        case .groupNorm, .dropout, .log1p, .panels, .fold, .unitMean:
            return number < spec.layers.count && spec.layers[number].hasKernel ? .bf16 : .f32
        default: return source.number
        }
    }

    /// Room for the output of layer `number`.
    func output(_ number: Int, after source: DeviceFloats) throws -> DeviceFloats {
        try floats(count(number), as: self.number(number, after: source))
    }

    /// `value` itself where it lies as wanted, else a copy.
    func stored(_ value: DeviceFloats, _ count: Int, as number: DeviceNumber) throws -> DeviceFloats {
        if value.number == number { return value }
        let copy = try floats(count, as: number)
        emitCopy(value.values(), count, into: copy.places())
        return copy
    }

    /// As `stored`, of a value that nothing else needs.
    func restored(_ value: DeviceFloats, _ count: Int, as number: DeviceNumber) throws -> DeviceFloats {
        let result = try stored(value, count, as: number)
        if result !== value { retire(value) }
        return result
    }

    /// Where a gradient goes that a kernel makes of `gradient` value by value: over it, where it lies as `source` does.
    func gradientPlace(_ gradient: DeviceFloats, _ count: Int, like source: DeviceFloats) throws -> DeviceFloats {
        try gradient.number == source.number ? gradient : floats(count, as: source.number)
    }

    func emitCopy(_ source: sw_net_source, _ count: Int, into result: sw_net_target) {
        var map = sw_net_map()
        map.count = Int64(count)
        map.kind = Int32(SW_NET_COPY)
        map.source = source
        map.result = result
        emitEach("sw_network_map", .layers, count: count, map)
    }
}
