import Compute
import Foundation
import Tensors
import Testing

@testable import Learning

@Suite("methods of attribution")
struct AttributionMethodTests {
    /// One dense layer on 1×4×6: every answer has a closed form.
    private static let linearSpec: NetworkSpec = {
        guard let spec = try? NetworkSpec(inputShape: [1, 4, 6], layers: [.dense(units: 2)], classes: 2) else {
            preconditionFailure("a dense layer fits")
        }
        return spec
    }()

    private func linear() throws -> (classifier: Classifier, weight: [Float]) {
        let weights = Weights(initialising: Self.linearSpec, random: RandomStream(seed: 1))
        // Log-odds of two classes are the difference of the logits.
        let weight = (0..<24).map { weights.values[24 + $0] - weights.values[$0] }
        return (try Classifier(Self.linearSpec, weights), weight)
    }

    private let image = Tensor<Float>(shape: [1, 4, 6], elements: (0..<24).map { Float(($0 * 7) % 11) - 3 })
    private let baseline = Tensor<Float>(shape: [1, 4, 6], elements: (0..<24).map { Float($0 % 5) - 1 })

    @Test("smooth gradients of a linear network are its weights, whatever the noise")
    func smoothLinear() throws {
        let (classifier, weight) = try linear()
        let found = try classifier.smoothGradients(
            of: image, baseline: baseline, class: 1, noise: 0.5, draws: 11, random: RandomStream(seed: 4))
        #expect(found.deviation == 0.5 * 10)  // from −3 to 7
        for pixel in 0..<24 {
            #expect(abs(found.gradient.elements[pixel] - weight[pixel]) < 1e-5)  // single precision
            let change = image.elements[pixel] - baseline.elements[pixel]
            #expect(abs(found.attribution.elements[pixel] - weight[pixel] * change) < 1e-4)
        }
    }

    /// Logits (0, max(0, x₀ − b)) of an image of two pixels.
    private func kink(at b: Float) throws -> Classifier {
        let spec = try NetworkSpec(
            inputShape: [1, 1, 2], layers: [.dense(units: 1), .relu, .dense(units: 2)], classes: 2)
        var weights = Weights(initialising: spec, random: RandomStream(seed: 1))
        weights.values = [1, 0, -b, 0, 1, 0, 0]
        return try Classifier(spec, weights)
    }

    @Test("behind a kink, the smooth gradient is the chance that noise crosses it", arguments: [Float(2.5), 3, 3.4])
    func smoothKink(b: Float) throws {
        let image = Tensor<Float>(shape: [1, 1, 2], elements: [3, 1])
        let draws = 4000
        let found = try kink(at: b).smoothGradients(
            of: image, class: 1, noise: 0.25, draws: draws, random: RandomStream(seed: 8))
        let sigma = 0.25 * 2
        let chance = 0.5 * erfc(-(3 - Double(b)) / sigma / 2.0.squareRoot())
        // Binomial, five deviations.
        let error = (chance * (1 - chance) / Double(draws)).squareRoot()
        #expect(abs(Double(found.gradient.elements[0]) - chance) < 5 * error)
        #expect(found.gradient.elements[1] == 0)
    }

    @Test("smooth gradients are addressed: same stream, same bits; pixels of exactly 0 get no noise")
    func smoothAddresses() throws {
        let image = Tensor<Float>(shape: [1, 1, 2], elements: [3, 1])
        func gradient(_ image: Tensor<Float>, _ seed: Int, draws: Int = 50) throws -> Float {
            try kink(at: 3.1).smoothGradients(
                of: image, class: 1, draws: draws, random: RandomStream(seed: seed)
            ).gradient.elements[0]
        }
        #expect(try gradient(image, 1) == gradient(image, 1))
        #expect(try Set((1...6).map { try gradient(image, $0) }).count > 1)
        // Without noise, 0 lies above a kink at −0.001 in every draw, and below one at 0.001.
        let masked = Tensor<Float>(shape: [1, 1, 2], elements: [0, 5])
        let passes = try [-0.001, 0.001].map { b in
            try kink(at: b).smoothGradients(of: masked, class: 1, noise: 1, draws: 40, random: RandomStream(seed: 1))
                .gradient.elements[0]
        }
        #expect(passes == [1, 0])
    }

    @Test("occlusion of a linear network is Σ weight × (image − baseline) over the box")
    func occlusionLinear() throws {
        let (classifier, weight) = try linear()
        let boxes = [
            PixelBox(rows: 0..<2, columns: 0..<3), PixelBox(rows: 2..<4, columns: 1..<6),
            PixelBox(rows: 3..<4, columns: 0..<1),
        ]
        let found = try classifier.occlusion(of: image, baseline: baseline, class: 1, boxes: boxes)
        var total = 0.0
        for (box, drop) in zip(boxes, found.drops) {
            var expected = 0.0
            for row in box.rows {
                for column in box.columns {
                    let pixel = row * 6 + column
                    expected += Double(weight[pixel] * (image.elements[pixel] - baseline.elements[pixel]))
                }
            }
            // A score of order 10 in single precision.
            #expect(abs(drop - expected) < 1e-4)
            let here = found.attribution[0, box.rows.lowerBound, box.columns.lowerBound]
            #expect(abs(Double(here) - expected / Double(box.count)) < 1e-4)
            total += drop
        }
        #expect(abs(found.attribution.elements.reduce(0) { $0 + Double($1) } - total) < 1e-4)
        #expect(found.attribution[0, 0, 3] == 0)  // in no box
        let threaded = try classifier.occlusion(of: image, baseline: baseline, class: 1, boxes: boxes, threads: 2)
        #expect(threaded == found)
    }

    @Test("more boxes than are tried at once are all tried, and boxes outside the image are refused")
    func occlusionBoxes() throws {
        let (classifier, weight) = try linear()
        let singles = (0..<24).map { PixelBox(rows: $0 / 6..<$0 / 6 + 1, columns: $0 % 6..<$0 % 6 + 1) }
        let many = singles + singles + singles
        #expect(many.count > Classifier.copiesAtOnce)
        let found = try classifier.occlusion(of: image, class: 1, boxes: many)
        for index in many.indices {
            let pixel = index % 24
            #expect(abs(found.drops[index] - Double(weight[pixel] * image.elements[pixel])) < 1e-4)
        }
        let error = #expect(throws: LearningError.self) {
            try classifier.occlusion(of: image, class: 1, boxes: [PixelBox(rows: 3..<5, columns: 0..<1)])
        }
        #expect(
            error?.message == "images: the box of rows 3..<5 and columns 0..<1 is empty or leaves the image")
    }

    /// Behind a global mean all gradients of a channel are w/N: then Σ_ij α max(0, g) = w / (2 + w·mean(A)) for w > 0.
    @Test("Grad-CAM++ in front of a global mean has a closed form, and Grad-CAM another")
    func plusPlus() throws {
        let spec = try NetworkSpec(
            inputShape: [1, 6, 8],
            layers: [.convolution(channels: 3, kernel: [1, 1]), .relu, .globalAveragePool, .dense(units: 2)], classes: 2
        )
        var weights = Weights(initialising: spec, random: RandomStream(seed: 1))
        // Channels x, 2x + 1 and 1; class 1 takes 4, 0.5 and −3 of their means.
        weights.values = [1, 2, 0] + [0, 1, 1] + [0, 0, 0, 4, 0.5, -3] + [0, 0]
        let classifier = try Classifier(spec, weights)
        let image = Tensor<Float>(shape: [1, 6, 8], elements: (0..<48).map { Float(($0 * 5) % 13) / 4 })
        let mean = image.elements.reduce(0) { $0 + Double($1) } / 48
        let plain = try classifier.classActivationMap(of: image, class: 1)
        let plusPlus = try classifier.classActivationMap(of: image, class: 1, weighting: .plusPlus)
        let weight = [4 / (2 + 4 * mean), 0.5 / (2 + 0.5 * (2 * mean + 1))]
        for pixel in 0..<48 {
            let x = Double(image.elements[pixel])
            let expected = weight[0] * x + weight[1] * (2 * x + 1)
            #expect(abs(Double(plusPlus.onImage.elements[pixel]) - expected) < 1e-5)  // single precision
            let meanExpected = max(0, (4 * x + 0.5 * (2 * x + 1) - 3) / 48)
            #expect(abs(Double(plain.onImage.elements[pixel]) - meanExpected) < 1e-5)
        }
    }

    @Test(
        "on a linear network all signed methods say the same",
        arguments: [AttributionMethod.integratedGradients, .smoothGradients, .occlusion])
    func agreement(method: AttributionMethod) throws {
        let (classifier, weight) = try linear()
        var settings = AttributionSettings()
        settings.steps = 5
        settings.boxes = (0..<24).map { PixelBox(rows: $0 / 6..<$0 / 6 + 1, columns: $0 % 6..<$0 % 6 + 1) }
        let found = try classifier.attribution(
            by: method, of: image, class: 1, settings: settings, random: RandomStream(seed: 1))
        #expect(found.map.shape == [4, 6])
        for pixel in 0..<24 { #expect(abs(found.map.elements[pixel] - weight[pixel] * image.elements[pixel]) < 1e-4) }
        #expect((found.sumRule != nil) == (method == .integratedGradients))
    }
}
