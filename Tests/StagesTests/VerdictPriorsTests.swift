import Artifacts
import Compute
import Dataflow
import Foundation
import Instruments
import Learning
import Tensors
import Testing

@testable import Stages

/// Verdicts of networks that weigh one pixel or two: which draws change them follows from the priors by arithmetic.
@Suite("verdicts under the augmentations' priors")
struct VerdictPriorsTests {
    /// Two settings, three energy bins, 8 × 8 pixels.
    private static let geometry = TrainNetworkTests.geometry
    private static let columns = geometry.columns
    /// A pixel of the first panel, and the one with h and k exchanged: h falls along rows.
    private static let (pixel, partner) = (1 * columns + 2, 5 * columns + 6)

    /// Parameters of the stage with priors of which nothing varies but what is given.
    static func stability(
        draws: Int, twinFraction: [Double] = [0.5, 0.5], background: [Double] = [0, 0], jitter: Double = 0
    ) -> Value {
        .record([
            "draws": .int(draws), "twin-fraction": .list(twinFraction.map { .double($0) }),
            "background": .list(background.map { .double($0) }), "mean": .double(2.7),
            "misorientation": .double(jitter), "tilt": .double(jitter), "lattice-jitter": .double(jitter / 100),
            "energy-offset": .double(jitter / 100), "energy-scale": .double(jitter / 100),
        ])
    }

    /// What `judge` has unless told otherwise, with fewer draws.
    static let usual: Value = .record([
        "draws": .int(4), "twin-fraction": .list([.double(0.4), .double(0.6)]),
        "background": .list([.double(-0.6), .double(0)]), "mean": .double(2.7), "misorientation": .double(0.5),
        "tilt": .double(0.5), "lattice-jitter": .double(0.003), "energy-offset": .double(0.005),
        "energy-scale": .double(0.005),
    ])

    /// The logit of "b" less that of "a" is Σ weight · intensity + bias.
    private func network(_ weights: [Int: Float], bias: Float = 0) throws -> Step.Member {
        let geometry = Self.geometry
        let layers: Value = .list([
            .record(["form": .string("flatten"), "value": .record([:])]),
            .record(["form": .string("dense"), "value": .int(2)]),
        ])
        let pixels = geometry.rows * geometry.columns
        let spec = try NetworkSpec(
            inputShape: [1, geometry.rows, geometry.columns], layers: LayerParameters.layers(layers), classes: 2)
        var kernel = [Float](repeating: 0, count: 2 * pixels)
        for (pixel, weight) in weights { kernel[pixels + pixel] = weight }
        let network = TrainedNetwork(
            classifier: try Classifier(
                spec,
                Weights(
                    spec,
                    tensors: [
                        "2.kernel": Tensor(shape: [2, pixels], elements: kernel),
                        "2.bias": Tensor(shape: [2], elements: [0, bias]),
                    ])), layers: layers, classes: ["a", "b"], temperature: 1, history: [], bestEpoch: 1, keptEpoch: 1,
            domain: TrainingDomain(
                features: (0..<200).map { [Double](repeating: log1p(1 + Double($0) / 50), count: 6) },
                geometry: geometry), geometry: geometry.value)
        let value = network.value
        return Step.Member(className: nil, sample: 0, digest: value.digest) { value }
    }

    /// 2.7 everywhere but where it is said otherwise.
    private func measurement(
        _ bright: [Int: Float] = [:], geometry: ImageGeometry = geometry, missing: [UInt8]? = nil
    ) -> Stages.Measurement {
        var image = Tensor<Float>(shape: geometry.shape, repeating: 2.7)
        for (pixel, value) in bright { image.elements[pixel] = value }
        let missing = Tensor(
            shape: geometry.shape, elements: missing ?? [UInt8](repeating: 0, count: image.count))
        for pixel in image.elements.indices where missing.elements[pixel] != 0 { image.elements[pixel] = 0 }
        return Stages.Measurement(
            image: image, missing: missing, geometry: geometry.value, isSimulated: false, zeroPixels: 0,
            negativePixels: 0)
    }

    private func verdict(
        _ network: Step.Member, _ measurement: Stages.Measurement, _ stability: Value, threads: Int = 2
    ) throws -> Value {
        let judge = try Judge(
            parameters: .record([
                "certainty": .double(0.9), "coverage": .double(0.9), "domain-level": .double(0),
                "stability": stability,
            ]))
        return try judge.run(
            Step(
                node: "verdict", inputs: ["measurement": measurement.value], collections: ["network": [network]],
                random: RandomStream(seed: 1), threads: threads)
        ).value
    }

    private func row(_ verdict: Value, _ name: String) throws -> Value {
        try #require(try verdict.list("stability").first { try $0.string("variation") == name })
    }

    private func flags(_ verdict: Value) throws -> [String] { try verdict.list("flags").map { try $0.asString() } }

    /// Of two independent fractions from 0.4 to 0.6, the second lies beyond the mirror image of the first in a quarter of
    /// cases (w = 1) and between the two in half of them (w even in 0…1): w > 1/2 in half. Of 400, 200 ± 10; five of these.
    @Test("evidence on one side of h = k does not survive the exchange of domains of unknown size")
    func oneSided() throws {
        let onesided = try network([Self.pixel: 4, Self.partner: -4])
        let measured = measurement([Self.pixel: 3.7])
        let prior = Self.stability(draws: 400, twinFraction: [0.4, 0.6])
        let verdict = try verdict(onesided, measured, prior)
        // The intensities differ by 1.
        #expect(abs(try verdict.field("probabilities").double("b") - 1 / (1 + exp(-4))) < 1e-5)
        let row = try row(verdict, "other twin fraction")
        let changed = try row.int("changed")
        #expect(abs(changed - 200) <= 50)
        #expect(try row.int("draws") == 400)
        // Deviation of p = 1/(1 + exp(−4 (1 − 2w))): half of the cases have p(4) or p(−4), ± 0.482 about 1/2; in the others, with t even
        // in 0…1, the mean of (p(4t) − 1/2)² is ∫ tanh²(2t)/4 dt = (4 − 2 tanh 2)/16 = 0.1295. Together √(0.1162 + 0.0648) = 0.4254,
        // to 0.0044 for 400; five of these. Wholly exchanged or not at all would have 0.482.
        #expect(abs(try row.double("deviation") - 0.4254) < 0.022)
        // At w = 1 the evidence is the other way round.
        #expect(abs(try row.double("least") - 1 / (1 + exp(4))) < 1e-5)
        // Without the panel's incident energy there is no evidence either.
        let unstable = try #require(try flags(verdict).first { $0.hasPrefix("unstable: ") })
        #expect(unstable.contains("; other twin fraction, \(changed) of 400 draws)"), "\(unstable)")
        #expect(try verdict.list("stability").count == 8)
    }

    @Test("the same evidence stands where one domain is known to be the larger, and evidence on both sides anyhow")
    func stable() throws {
        let onesided = try network([Self.pixel: 4, Self.partner: -4])
        let measured = measurement([Self.pixel: 3.7])
        // From 0.7 to 0.9, w is (0.9 − 0.7)/(2 · 0.9 − 1) = 1/4 at most: half of the evidence is left.
        let larger = try verdict(onesided, measured, Self.stability(draws: 100, twinFraction: [0.7, 0.9]))
        let row = try row(larger, "other twin fraction")
        #expect(try row.int("changed") == 0 && row.double("least") > 1 / (1 + exp(-2)) - 1e-5)
        #expect(try row.double("least") < 0.98 && row.double("deviation") > 0)
        // The sum of both is what it was, and twice the mean of the others beside them is subtracted by the bias.
        let both = try network([Self.pixel: 4, Self.partner: 4], bias: -4 * 5.4)
        let even = try verdict(both, measured, Self.stability(draws: 100, twinFraction: [0.4, 0.6]))
        let still = try self.row(even, "other twin fraction")
        #expect(try still.int("changed") == 0)
        #expect(try still.double("deviation") < 1e-5)
        #expect(try !flags(even).contains { $0.contains("twin fraction") })
        // No width, no variation.
        let known = try verdict(onesided, measured, Self.stability(draws: 10, twinFraction: [0.6, 0.6]))
        #expect(try known.list("stability").count == 7 && known.list("not-varied").isEmpty)
        #expect(try verdict(onesided, measured, Self.stability(draws: 0, jitter: 1)).list("stability").count == 7)
    }

    /// B′ − B of two even numbers in a range of 0.6 lies below −0.3 in 0.3²/(2 · 0.6²) = 1/8 of cases: of 400, 50 ± 6.6; five of these.
    /// The measurement's mean is that of the priors.
    @Test("evidence that lies as far above a level as half the background's range falls below it in one of eight draws")
    func background() throws {
        let level = try network([Self.pixel: 10], bias: -24)
        let verdict = try verdict(level, measurement(), Self.stability(draws: 400, background: [-0.6, 0]))
        #expect(try verdict.string("most-likely") == "b")
        let changed = try row(verdict, "other background").int("changed")
        #expect(abs(changed - 50) <= 33)
        // In twice the units, of a measurement of twice the mean, it is the same: the prior counts in units of the mean.
        let double = try network([Self.pixel: 5], bias: -24)
        let bright = measurement(
            Dictionary(uniqueKeysWithValues: (0..<Self.geometry.rows * Self.columns).map { ($0, 5.4) }))
        let same = try self.verdict(double, bright, Self.stability(draws: 400, background: [-0.6, 0]))
        #expect(try row(same, "other background").int("changed") == changed)
    }

    @Test("another alignment moves what is narrow, and nothing where the image is even")
    func alignment() throws {
        // Bright in the pixel, dark beyond: whatever moves it lowers it.
        let narrow = try network([Self.pixel: 4], bias: -40)
        let jitter = Self.stability(draws: 16, jitter: 2)
        let spot = try row(verdict(narrow, measurement([Self.pixel: 11]), jitter), "other alignment")
        #expect(try spot.double("least") < 0.5 && spot.int("changed") > 0)
        let flat = try network([Self.pixel: 4], bias: -8)
        // A third of the pixels without data, at random.
        let stream = RandomStream(seed: 3)
        var missing = (0..<Self.geometry.rows * Self.columns).map { UInt8(stream.uniform(at: $0) < 0.33 ? 1 : 0) }
        missing[Self.pixel] = 0
        let even = try row(verdict(flat, measurement(missing: missing), jitter), "other alignment")
        #expect(try even.int("changed") == 0 && even.double("deviation") < 1e-5)
    }

    @Test("draws are addressed: the same on any number of threads, and the first of more draws are those of fewer")
    func addressed() throws {
        let network = try network([Self.pixel: 4, Self.partner: -4])
        let random = RandomStream(seed: 7)
        var elements: [Int: Float] = [:]
        for pixel in 0..<Self.geometry.rows * Self.columns { elements[pixel] = Float(4 * random.uniform(at: pixel)) }
        let measured = measurement(elements)
        let all = Self.stability(draws: 9, twinFraction: [0.4, 0.6], background: [-0.6, 0], jitter: 1)
        let one = try verdict(network, measured, all, threads: 1)
        #expect(try one == verdict(network, measured, all, threads: 3))
        #expect(try one.list("stability").count == 10)
        func images(_ draws: Int) throws -> [[Tensor<Float>]] {
            var priors = try VerdictPriors(parameters: .record(["stability": all]))
            priors.draws = draws
            return try priors.kinds(of: measured, Self.geometry, random: random).varied.map { kind in
                try (0..<draws).map { try kind.image($0) }
            }
        }
        let (few, many) = (try images(4), try images(8))
        #expect(few.count == 3)
        // Many twin fractions lie at or beyond one of the two ends, and show the same image.
        #expect(many.map { kind in Set(kind.map { $0.elements }).count >= 2 } == [true, true, true])
        #expect(many[1...].allSatisfy { kind in Set(kind.map { $0.elements }).count == 8 })
        for (kind, longer) in zip(few, many) {
            #expect(kind == Array(longer[..<4]))
        }
    }

    @Test("what the geometry does not allow is left out, and said")
    func leftOut() throws {
        let priors = try VerdictPriors(parameters: .record(["stability": Self.usual]))
        func kinds(_ change: (inout ImageGeometry) -> Void) -> (varied: [String], left: [String]) {
            var geometry = Self.geometry
            change(&geometry)
            let found = priors.kinds(of: measurement(geometry: geometry), geometry, random: RandomStream(seed: 1))
            return (found.varied.map(\.name), found.left)
        }
        let oblong = kinds { $0.k.count = 10 }
        #expect(oblong.varied == ["other background", "other alignment"])
        #expect(oblong.left == ["other twin fraction: h and k of this image cannot be exchanged pixel by pixel"])
        let turning = kinds { $0.scan = .rotation(l: 0...1, layers: 2) }
        #expect(turning.varied == ["other twin fraction", "other background"])
        #expect(turning.left == ["other alignment: known only for a crystal at rest with axes along a* and b*"])
        #expect(kinds { _ in }.left.isEmpty)
    }
}
