import CKernels
import Compute
import Devices
import HostDevice
import Testing

@testable import Learning

/// Numbers in bf16 on a device, whatever this machine's processor can do.
@Suite("bf16 on a device")
struct RoundedNumberTests {
    private static func float(_ upper: UInt16) -> Float { Float(bitPattern: UInt32(upper) << 16) }

    /// IEEE 754's rounding to the nearest, in words: the nearest of the numbers, of two as near the even one.
    @Test("every number of bf16 stays, and what is between two goes to the nearest, ties to even")
    func rounding() throws {
        let device = try NetworkBench().device
        var (values, expected): ([Float], [UInt16]) = ([], [])
        // All that are finite, and between each and the next larger in size three places: before, at and behind the middle.
        for upper in 0..<UInt16(0xFF80) where Self.float(upper).isFinite {
            let bits = UInt32(upper) << 16
            for (below, goesUp) in [(0, false), (0x7FFF, false), (0x8000, upper % 2 == 1), (0x8001, true)] {
                values.append(Float(bitPattern: bits + UInt32(below)))
                expected.append(goesUp ? upper + 1 : upper)
            }
        }
        values += [.infinity, -.infinity, .greatestFiniteMagnitude]
        expected += [0x7F80, 0xFF80, 0x7F80]
        #expect(try rounded(values, on: device) == expected)
        let nothing: [Float] = [.nan, -.nan, Float(bitPattern: 0x7F80_0001)]
        #expect(try rounded(nothing, on: device).allSatisfy { Self.float($0).isNaN })
        // And back: nothing changes.
        let kept = try DeviceFloats(count: expected.count, as: .bf16, on: device.device)
        try device.device.write(expected, to: kept.memory)
        let singles = try DeviceFloats(count: expected.count, on: device.device)
        try copy(kept, to: singles, on: device)
        let found = try device.device.read(Float.self, count: expected.count, from: singles.memory)
        #expect(found.map(\.bitPattern) == expected.map { UInt32($0) << 16 })
    }

    private func rounded(_ values: [Float], on device: NetworkDevice) throws -> [UInt16] {
        let singles = try DeviceFloats(count: values.count, on: device.device)
        try device.device.write(values, to: singles.memory)
        let result = try DeviceFloats(count: values.count, as: .bf16, on: device.device)
        try copy(singles, to: result, on: device)
        return try device.device.read(UInt16.self, count: values.count, from: result.memory)
    }

    private func copy(_ source: DeviceFloats, to result: DeviceFloats, on device: NetworkDevice) throws {
        var map = sw_net_map()
        map.count = Int64(source.count)
        map.kind = Int32(SW_NET_COPY)
        map.source = source.values()
        map.result = result.places()
        try device.each("sw_network_map", .layers, count: source.count, map)
    }

    /// 300 ones: from 256 on bf16 counts in twos, and a sum that is rounded on the way stays there. As single it is 300 in either case.
    @Test("sums of products are not rounded before their end", arguments: [DeviceNumber.f32, .bf16])
    func sums(number: DeviceNumber) throws {
        let device = try NetworkBench().device
        let ones = try DeviceFloats(count: 300, as: .bf16, on: device.device)
        try device.device.write([UInt16](repeating: 0x3F80, count: 300), to: ones.memory)
        let sum = try DeviceFloats(count: 1, as: number, on: device.device)
        // Between products in single precision, which want another mode of the library.
        let (a, b) = (try DeviceFloats(count: 4, on: device.device), try DeviceFloats(count: 4, on: device.device))
        try device.device.write([1 + 0x1p-20, 0, 0, 1] as [Float], to: a.memory)
        for _ in 0..<2 {
            try device.multiply(
                .init(a.address(), stride: 2), .init(a.address(), stride: 2), rows: 2, columns: 2, inner: 2,
                into: b.address())
            #expect(try device.device.read(Float.self, count: 4, from: b.memory)[0] == 1 + 0x1p-19)
            try device.multiply(
                .init(ones.address(), stride: 300), .init(ones.address(), stride: 1), rows: 1, columns: 1, inner: 300,
                of: .bf16, into: sum.address(), as: number)
            let found =
                try number == .f32
                ? device.device.read(Float.self, count: 1, from: sum.memory)[0]
                : Self.float(device.device.read(UInt16.self, count: 1, from: sum.memory)[0])
            #expect(found == 300)
        }
    }

    @Test("what goes through a network takes half the room")
    func room() throws {
        let spec = try NetworkSpec(
            inputShape: [1, 40, 60],
            layers: [
                .convolution(channels: 16, kernel: [3, 3]), .relu, .batchNorm,
                .convolution(channels: 16, kernel: [3, 3]),
                .gelu, .groupNorm(groups: 4), .convolution(channels: 8, kernel: [3, 3]), .relu, .dropout(rate: 0.2),
                .dense(units: 3),
            ], classes: 3)
        // Without a pool memory is what is asked for, no more.
        let bench = try NetworkBench(["pools": "0"])
        let device = bench.device.device
        let layout = DeviceLayout(spec)
        let weights = try DeviceFloats(count: layout.count, on: device)
        let gradients = try DeviceFloats(count: layout.count, on: device)
        func bytes(_ precision: Precision) throws -> Int {
            let before = try device.freeBytes()
            let network = try DeviceNetwork(
                spec, parts: 1, microBatch: 8, mode: .training, precision: precision, parameters: weights,
                gradients: gradients, on: bench.device)
            // The image itself is single, and so are the weights.
            let own = before - (try device.freeBytes()) - 4 * network.input.count
            return precision == .bf16 ? own - 2 * layout.count : own
        }
        // A hundredth for what is double or an index in either: sums of channels and addresses.
        let (single, rounded) = (try bytes(.f32), try bytes(.bf16))
        #expect(Double(rounded) < 0.53 * Double(single))
    }

    @Test("cuDNN and cuBLAS are tried in bf16 where it is wanted")
    func check() throws {
        #expect(try NetworkCheck.problem(of: NetworkBench().device, bf16: true) == nil)
        let expected = [
            "bf16-forward": "a convolution in bf16 by cuDNN is wrong",
            "bf16-data": "its gradient in bf16 by cuDNN is wrong",
            "bf16-filter": "its kernel's gradient in bf16 by cuDNN is wrong",
            "bf16-product": "a product of matrices in bf16 by cuBLAS is wrong",
        ]
        for (which, words) in expected {
            let device = try NetworkBench(["wrong": which]).device
            #expect(try NetworkCheck.problem(of: device) == nil)
            #expect(try NetworkCheck.problem(of: device, bf16: true) == words)
        }
    }

    @Test("a device that has no bf16 says so, and learns in single precision")
    func refused() throws {
        let images = try NetworkBench.images([1, 4, 6], 6)
        var settings = TrainingSettings()
        settings.precision = .bf16
        func training(_ layers: [LayerSpec], on device: NetworkDevice) throws {
            _ = try train(
                NetworkSpec(inputShape: [1, 4, 6], layers: layers, classes: 3), on: images,
                split: Split(training: Array(0..<6), validation: []), settings: settings, random: RandomStream(seed: 1),
                on: device)
        }
        let old = try NetworkBench(["architecture": "75"]).device
        #expect {
            try training([.dense(units: 3)], on: old)
        } throws: { error in
            (error as? LearningError)?.message == "Software device (device 0) has no arithmetic for precision bf16"
        }
        (settings.precision, settings.epochs) = (.f32, 1)
        try training([.dense(units: 3)], on: old)
    }
}
