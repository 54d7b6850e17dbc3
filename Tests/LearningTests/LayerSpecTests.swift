import Compute
import Testing

@testable import Learning

@Suite("layers")
struct LayerSpecTests {
    @Test("shapes follow from the layers")
    func shapes() throws {
        let spec = try NetworkSpec(
            inputShape: [1, 240, 400],
            layers: [
                .log1p, .panels(rows: 6, columns: 10), .convolution(channels: 64, kernel: [3, 3]), .relu,
                .maxPool([2, 3]), .convolution(channels: 8, kernel: [5, 3], stride: [2, 1], padding: .valid),
                .globalAveragePool, .dense(units: 2),
            ], classes: 2)
        #expect(
            spec.shapes == [
                [1, 240, 400], [1, 240, 400], [60, 40, 40], [64, 40, 40], [64, 40, 40], [64, 20, 13], [8, 8, 11], [8],
                [2],
            ])
        #expect(spec.parameters.map(\.name) == ["3.kernel", "3.bias", "6.kernel", "6.bias", "8.kernel", "8.bias"])
        #expect(spec.parameterCount == 64 * 60 * 9 + 64 + 8 * 64 * 15 + 8 + 2 * 8 + 2)
    }

    struct Mistake: Sendable, CustomTestStringConvertible {
        var layers: [LayerSpec]
        var message: String
        var testDescription: String { message }
    }

    static let mistakes = [
        Mistake(
            layers: [.relu, .maxPool([4, 1]), .convolution(channels: 2, kernel: [5, 5], padding: .valid)],
            message: "layer 3: kernel 5×5 does not fit a 3×40 map"),
        Mistake(layers: [.maxPool([13, 1])], message: "layer 1: window 13×1 does not fit a 12×40 map"),
        Mistake(
            layers: [.dense(units: 4), .convolution(channels: 2, kernel: [3, 3])],
            message: "layer 2: conv needs an image but gets a vector of 4"),
        Mistake(
            layers: [.globalAveragePool, .maxPool([2, 2])],
            message: "layer 2: max-pool needs an image but gets a vector of 1"),
        Mistake(
            layers: [.panels(rows: 5, columns: 2)],
            message: "layer 1: a 12×40 image cannot be cut into 5×2 equal panels"),
        Mistake(
            layers: [.averagePool([4, 1]), .fold],
            message: "layer 2: a 3×40 map cannot be folded: it has no four equal quadrants"),
        Mistake(
            layers: [.flatten, .fold], message: "layer 2: fold needs an image but gets a vector of 480"),
        Mistake(
            layers: [.panels(rows: 2, columns: 5), .unitMean(groups: 4)],
            message: "layer 2: 10 channels cannot be split into 4 equal groups"),
        Mistake(layers: [.unitMean(groups: 0)], message: "layer 1: unit-mean of 0 groups"),
        Mistake(layers: [.unitMean(groups: 1, mean: 0)], message: "layer 1: unit-mean of mean 0.0"),
        Mistake(layers: [.groupNorm(groups: 2)], message: "layer 1: 1 channels cannot be split into 2 equal groups"),
        Mistake(layers: [.groupNorm(groups: 0)], message: "layer 1: group-norm of 0 groups"),
        Mistake(
            layers: [.maxPool([2, 2], stride: [0, 1])], message: "layer 1: stride [0, 1] is not a height and a width"),
        Mistake(layers: [.mark("a"), .mark("a")], message: "layer 2: a second mark 'a'"),
        Mistake(layers: [.add("a"), .mark("a")], message: "layer 1: there is no mark 'a' before it"),
        Mistake(
            layers: [.mark("a"), .convolution(channels: 2, kernel: [3, 3]), .add("a")],
            message: "layer 3: shape [2, 12, 40] cannot be added to shape [1, 12, 40] at mark 'a'"),
        Mistake(layers: [.relu, .dropout(rate: 1)], message: "layer 2: dropout rate 1.0 is outside 0 ≤ rate < 1"),
        Mistake(layers: [.dense(units: 0)], message: "layer 1: dense with 0 units"),
        Mistake(
            layers: [.convolution(channels: 0, kernel: [3, 3])], message: "layer 1: conv with 0 channels"),
        Mistake(
            layers: [.convolution(channels: 1, kernel: [3])],
            message: "layer 1: kernel [3] is not a height and a width"),
        Mistake(
            layers: [.convolution(channels: 1, kernel: [3, 3], stride: [0, 1])],
            message: "layer 1: stride [0, 1] is not a height and a width"),
        Mistake(
            layers: [.dense(units: 64), .relu],
            message: "network: the last layer gives shape [64], but there are 2 classes"),
        Mistake(layers: [], message: "network: the last layer gives shape [1, 12, 40], but there are 2 classes"),
    ]

    @Test("that do not fit are named", arguments: mistakes)
    func namesMistakes(_ mistake: Mistake) {
        let error = #expect(throws: LearningError.self) {
            try NetworkSpec(inputShape: [1, 12, 40], layers: mistake.layers, classes: 2)
        }
        #expect(error?.message == mistake.message)
        #expect(error?.hint != nil)
    }

    @Test("impossible inputs and classes are named")
    func inputs() {
        #expect(throws: LearningError.self) { try NetworkSpec(inputShape: [12, 40], layers: [], classes: 2) }
        let error = #expect(throws: LearningError.self) {
            try NetworkSpec(inputShape: [1, 2, 2], layers: [.dense(units: 1)], classes: 1)
        }
        #expect(error?.message == "network: 1 classes to tell apart")
    }

    @Test("panels become channels, row by row")
    func panels() throws {
        let spec = try NetworkSpec(
            inputShape: [2, 4, 6], layers: [.panels(rows: 2, columns: 3), .dense(units: 2)], classes: 2)
        let network = try Network(spec, batch: 1, mode: .attribution)
        // The value of a pixel says where it is: channel, row, column.
        let image = (0..<48).map { index -> Float in
            let (channel, row, column) = (index / 24, index / 6 % 4, index % 6)
            return Float(channel * 100 + row * 10 + column)
        }
        network.setImage(0, from: image)
        _ = try network.forward()
        let stacked = try network.activation(1)
        for channel in 0..<2 {
            for row in 0..<2 {
                for column in 0..<3 {
                    for y in 0..<2 {
                        for x in 0..<2 {
                            let index = (((channel * 2 + row) * 3 + column) * 2 + y) * 2 + x
                            #expect(stacked[index] == Float(channel * 100 + (row * 2 + y) * 10 + column * 2 + x))
                        }
                    }
                }
            }
        }
    }

    @Test("fold averages a map with its mirror images, from the centre outwards")
    func fold() throws {
        let spec = try NetworkSpec(inputShape: [1, 4, 6], layers: [.fold, .flatten], classes: 6)
        let network = try Network(spec, batch: 2)
        // 2^place is exact, so that each sum names the four pixels that it is made of.
        network.setImage(0, from: (0..<24).map { Float(1 << $0) })
        // A map that equals its mirror images: folding is cutting out a quadrant.
        network.setImage(1, from: [3, 2, 1, 1, 2, 3, 6, 5, 4, 4, 5, 6, 6, 5, 4, 4, 5, 6, 3, 2, 1, 1, 2, 3])
        func sum(_ places: Int...) -> Float { Float(places.reduce(0) { $0 + 1 << $1 }) / 4 }
        let expected: [Float] = [
            sum(8, 9, 14, 15), sum(7, 10, 13, 16), sum(6, 11, 12, 17),
            sum(2, 3, 20, 21), sum(1, 4, 19, 22), sum(0, 5, 18, 23),
        ]
        #expect(try network.forward() == expected + [4, 5, 6, 1, 2, 3])
    }

    @Test("unit-mean gives each group of channels the mean asked for, whatever their scales")
    func unitMean() throws {
        let spec = try NetworkSpec(
            inputShape: [4, 2, 3], layers: [.unitMean(groups: 2, mean: 2.5), .flatten], classes: 24)
        let network = try Network(spec, batch: 3)
        let random = RandomStream(seed: 5)
        let image = (0..<24).map { Float(random.uniform(at: $0)) }
        network.setImage(0, from: image)
        network.setImage(1, from: image.enumerated().map { $0.offset < 12 ? 7 * $0.element : 300 * $0.element })
        network.setImage(2, from: image.enumerated().map { $0.offset < 12 ? 0 : $0.element })
        let values = try network.forward()
        for group in 0..<2 {
            let mean = values[group * 12..<group * 12 + 12].reduce(0) { $0 + Double($1) } / 12
            // Means of order 1 with an ε of 1e-6 beside them.
            #expect(abs(mean - 2.5) < 1e-5)
        }
        for index in 0..<24 {
            #expect(abs(values[24 + index] - values[index]) < 2e-5)
            // An empty group stays empty, and the other does not feel it.
            #expect(values[48 + index] == (index < 12 ? 0 : values[index]))
        }
    }

    @Test("gelu is x Φ(x)")
    func gelu() throws {
        let points: [Float] = [-3, -1, -0.5, 0, 0.5, 1, 3]
        // From tables of the normal distribution: Φ(0.5) = 0.691462, Φ(1) = 0.841345, Φ(3) = 0.998650.
        let expected: [Double] = [-0.004050, -0.158655, -0.154269, 0, 0.345731, 0.841345, 2.995950]
        let spec = try NetworkSpec(inputShape: [1, 1, 7], layers: [.gelu, .dense(units: 2)], classes: 2)
        let network = try Network(spec, batch: 1, mode: .attribution)
        network.setImage(0, from: points)
        _ = try network.forward()
        for (value, expected) in zip(try network.activation(1), expected) {
            // Six digits of the table.
            #expect(abs(Double(value) - expected) < 3e-6)
        }
    }

    @Test("group-norm gives each run of channels mean 0 and variance 1 in each image by itself")
    func groupNorm() throws {
        let spec = try NetworkSpec(
            inputShape: [4, 5, 6], layers: [.groupNorm(groups: 2), .dense(units: 2)], classes: 2)
        let random = RandomStream(seed: 3)
        let network = try Network(spec, batch: 2, mode: .attribution)
        try network.load(Weights(initialising: spec, random: random))
        let images = (0..<240).map { Float(5 + 3 * random.normal(at: $0)) * ($0 < 120 ? 1 : 10) }
        for place in 0..<2 { network.setImage(place, from: images, at: 120 * place) }
        _ = try network.forward()
        let output = try network.activation(1)
        for run in 0..<4 {
            let values = output[60 * run..<60 * (run + 1)].map { Double($0) }
            let mean = values.reduce(0, +) / 60
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 60
            // ε = 1e-5 in the denominator beside variances of about 9.
            #expect(abs(mean) < 1e-5 && abs(variance - 1) < 1e-4)
        }
    }

    @Test("log1p is log(1 + max(x, 0))")
    func log1p() throws {
        let spec = try NetworkSpec(inputShape: [1, 1, 4], layers: [.log1p, .flatten], classes: 4)
        let network = try Network(spec, batch: 1)
        network.setImage(0, from: [-3, 0, 1, 120])
        let values = try network.forward()
        // The accuracy that the layer states.
        for (value, expected) in zip(values, [0, 0, 0.693_147_18, 4.795_790_5]) {
            #expect(abs(Double(value) - expected) < 4e-6)
        }
    }

    @Test("a convolution is the sum that it says")
    func convolution() throws {
        let spec = try NetworkSpec(
            inputShape: [1, 3, 3], layers: [.convolution(channels: 1, kernel: [3, 3]), .flatten], classes: 9)
        var weights = Weights(initialising: spec, random: .init(seed: 1))
        weights.values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0.5]
        let network = try Network(spec, batch: 1)
        try network.load(weights)
        network.setImage(0, from: [1, 0, 0, 0, 0, 0, 0, 0, 2])
        // Cross-correlation: the unit at the top left meets the kernel turned round, so does the 2 at the bottom right.
        let expected: [Float] = [5, 4, 0, 2, 1 + 18, 16, 0, 12, 10].map { $0 + 0.5 }
        #expect(try network.forward() == expected)
    }
}
