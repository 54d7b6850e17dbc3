import Compute
import Tensors
import Testing

@testable import Learning

@Suite("explanations")
struct ExplanationTests {
    /// A network without training that adds up what is brighter than 5 in a 3×3 neighbourhood and calls that class 1.
    private func brightnessClassifier(panels: Bool) throws -> Classifier {
        let layers: [LayerSpec] =
            (panels ? [.panels(rows: 2, columns: 2)] : [])
            + [
                .convolution(channels: 1, kernel: [3, 3]), .relu, .averagePool([2, 2]), .globalAveragePool,
                .dense(units: 2),
            ]
        let spec = try NetworkSpec(inputShape: [1, 24, 32], layers: layers, classes: 2)
        let kernel = [Float](repeating: 1, count: panels ? 36 : 9)
        var weights = Weights(initialising: spec, random: RandomStream(seed: 1))
        weights.values = kernel + [-5] + [0, 1] + [0, 0]
        return try Classifier(spec, weights)
    }

    /// A patch of 4×4 pixels, 2 high, on weak noise.
    private func patch(row: Int, column: Int) -> Tensor<Float> {
        let random = RandomStream(seed: 12)
        var image = Tensor<Float>(shape: [1, 24, 32], elements: (0..<768).map { 0.1 * Float(random.uniform(at: $0)) })
        for y in row..<row + 4 { for x in column..<column + 4 { image[0, y, x] = 2 } }
        return image
    }

    private func place(ofMaximum map: Tensor<Float>) throws -> (row: Int, column: Int) {
        let largest = try #require(map.elements.max())
        let index = try #require(map.elements.firstIndex(of: largest))
        return (index / map.shape[1], index % map.shape[1])
    }

    @Test("a class activation map finds a planted patch", arguments: [false, true], Interpolation.allCases)
    func findsPatch(panels: Bool, interpolation: Interpolation) throws {
        let classifier = try brightnessClassifier(panels: panels)
        // In the lower right panel of 2×2.
        let image = patch(row: 15, column: 20)
        let map = try classifier.classActivationMap(of: image, class: 1, interpolation: interpolation)
        #expect(map.map.shape == (panels ? [12, 16] : [24, 32]))
        #expect(map.onImage.shape == [24, 32])
        let (row, column) = try place(ofMaximum: map.onImage)
        #expect((15..<19).contains(row) && (20..<24).contains(column))
        #expect(map.onImage.elements.allSatisfy { $0 >= 0 })
        if panels {
            let shares = try #require(map.panelShares)
            #expect(shares.shape == [2, 2])
            #expect(shares[1, 1] == 1)
            #expect(shares[0, 0] < 0.2 && shares[0, 1] < 0.2 && shares[1, 0] < 0.2)
        } else {
            #expect(map.panelShares == nil)
        }
        // Nothing speaks for class 0, whose logit is constant.
        let nothing = try classifier.classActivationMap(of: image, class: 0)
        #expect(nothing.onImage.elements.allSatisfy { $0 == 0 })
    }

    @Test("a map of the panels layer itself is a map of every panel")
    func panelsLayer() throws {
        let classifier = try brightnessClassifier(panels: true)
        let map = try classifier.classActivationMap(of: patch(row: 2, column: 25), class: 1, layer: 1)
        #expect(map.map.shape == [24, 32])
        let (row, column) = try place(ofMaximum: map.onImage)
        #expect((2..<6).contains(row) && (25..<29).contains(column))
    }

    @Test("a map behind fold is laid over all four quadrants of each panel", arguments: Interpolation.allCases)
    func folded(interpolation: Interpolation) throws {
        let spec = try NetworkSpec(
            inputShape: [1, 24, 32],
            layers: [
                .panels(rows: 2, columns: 2), .fold, .convolution(channels: 1, kernel: [3, 3]), .relu,
                .averagePool([2, 2]), .globalAveragePool, .dense(units: 2),
            ], classes: 2)
        var weights = Weights(initialising: spec, random: RandomStream(seed: 1))
        weights.values = [Float](repeating: 1, count: 36) + [-3] + [0, 1] + [0, 0]
        // Far above and to the right of the centre (row 17.5, column 23.5) of the lower right panel.
        let map = try Classifier(spec, weights).classActivationMap(
            of: patch(row: 13, column: 27), class: 1, interpolation: interpolation)
        #expect(map.map.shape == [6, 8])
        let (row, column) = try place(ofMaximum: map.map)
        #expect((1..<5).contains(row) && (3..<7).contains(column))
        let image = map.onImage
        #expect(image.shape == [24, 32])
        for y in 0..<12 {
            for x in 0..<16 {
                #expect(image[12 + y, 16 + x] == image[23 - y, 16 + x])
                #expect(image[12 + y, 16 + x] == image[12 + y, 31 - x])
            }
        }
        let shares = try #require(map.panelShares)
        #expect(shares[1, 1] == 1)
        #expect(image[18 + row, 24 + column] == map.map[row, column])
        #expect(image[17 - row, 23 - column] == map.map[row, column])
    }

    @Test("behind unit-mean, integrated gradients start from the image's own scale and still add up")
    func unitMeanBaseline() throws {
        let layers: [LayerSpec] = [
            .panels(rows: 2, columns: 2), .fold, .unitMean(groups: 2, mean: 2.7), .log1p,
            .convolution(channels: 8, kernel: [3, 3]), .relu, .dense(units: 2),
        ]
        let spec = try NetworkSpec(inputShape: [1, 24, 32], layers: layers, classes: 2)
        let classifier = try Classifier(spec, Weights(initialising: spec, random: RandomStream(seed: 3)))
        // The lower row of panels is thirty times as bright, and one pixel is masked.
        var image = patch(row: 3, column: 20)
        for index in 384..<768 { image.elements[index] = 30 * image.elements[index] + 1 }
        image[0, 2, 2] = 0
        let baseline = spec.neutralBaseline(for: image)
        #expect(Set(baseline.elements).count == 3)
        #expect(baseline[0, 2, 2] == 0 && baseline[0, 2, 3] == baseline[0, 11, 31])
        for half in 0..<2 {
            let range = half * 384..<(half + 1) * 384
            let sums = [image, baseline].map { $0.elements[range].reduce(0) { $0 + Double($1) } }
            #expect(abs(sums[0] - sums[1]) < 1e-5 * sums[0])
        }
        let explained = try classifier.integratedGradients(of: image, class: 1, steps: 256)
        let difference = explained.score - explained.baselineScore
        #expect(abs(difference) > 0.05)
        // As without unit-mean; from zero the residual would be nearly the whole difference.
        #expect(abs(explained.residual) < 0.01 * abs(difference))
        #expect(explained.attribution[0, 2, 2] == 0)
        let fromZero = try classifier.integratedGradients(
            of: image, baseline: Tensor(shape: image.shape, repeating: 0), class: 1, steps: 256)
        #expect(abs(fromZero.residual) > 0.5 * abs(fromZero.score - fromZero.baselineScore))
    }

    @Test("maps of layers that have none are refused")
    func refusals() throws {
        let classifier = try brightnessClassifier(panels: false)
        let image = patch(row: 3, column: 3)
        let vector = #expect(throws: LearningError.self) {
            try classifier.classActivationMap(of: image, class: 1, layer: 4)
        }
        #expect(vector?.message == "layer 4: a vector has no class activation map")
        let missing = #expect(throws: LearningError.self) {
            try classifier.classActivationMap(of: image, class: 1, layer: 6)
        }
        #expect(missing?.message == "network: there is no layer 6 for a class activation map")
        let noClass = #expect(throws: LearningError.self) { try classifier.integratedGradients(of: image, class: 2) }
        #expect(noClass?.message == "predictions: class 2 does not exist: there are 2, from 0")
    }

    @Test("integrated gradients of a linear network are weight × pixel")
    func linear() throws {
        let spec = try NetworkSpec(inputShape: [1, 2, 3], layers: [.dense(units: 2)], classes: 2)
        let weights = Weights(initialising: spec, random: RandomStream(seed: 1))
        let classifier = try Classifier(spec, weights)
        let image = Tensor<Float>(shape: [1, 2, 3], elements: [1, -2, 3, 0, 0.5, 4])
        let result = try classifier.integratedGradients(of: image, class: 1, score: .logOdds, steps: 3)
        for pixel in 0..<6 {
            let expected = (weights.values[6 + pixel] - weights.values[pixel]) * image.elements[pixel]
            #expect(abs(result.attribution.elements[pixel] - expected) < 1e-5)  // single precision
        }
        #expect(abs(result.residual) < 1e-5)
    }

    @Test("integrated gradients add up to the difference of the scores", arguments: ClassScore.allCases)
    func completeness(score: ClassScore) throws {
        let images = try bars(80)
        let spec = try NetworkSpec(inputShape: [1, 12, 12], layers: [.log1p] + barLayers, classes: 2)
        var settings = TrainingSettings()
        settings.epochs = 10
        settings.batchSize = 16
        settings.learningRate = 1e-2
        let result = try train(
            spec, on: images, split: Split(images, validationFraction: 0), settings: settings,
            random: RandomStream(seed: 1))
        let classifier = try Classifier(spec, result.weights)
        let image = Tensor<Float>(shape: [1, 12, 12], elements: Array(images.values[..<144]))
        let explained = try classifier.integratedGradients(of: image, class: 0, score: score, steps: 256)
        let difference = explained.score - explained.baselineScore
        #expect(abs(difference) > 0.05)
        // The midpoint rule crosses each kink of ReLU and pooling within one of 256 steps.
        #expect(abs(explained.residual) < 0.01 * abs(difference))
        let sum = explained.attribution.elements.reduce(0) { $0 + Double($1) }
        #expect(abs(sum - difference - explained.residual) < 1e-4)
    }

    @Test("scores and their gradients", arguments: ClassScore.allCases)
    func scores(score: ClassScore) {
        let logits = [0.3, -0.4, 1.1]
        let gradient = score.gradient(logits, 2)
        for index in 0..<3 {
            let step = 1e-5
            var (plus, minus) = (logits, logits)
            plus[index] += step
            minus[index] -= step
            // Double precision: rounding 1e-16/1e-5, curvature 1e-10.
            #expect(abs((score.value(plus, 2) - score.value(minus, 2)) / (2 * step) - gradient[index]) < 1e-9)
        }
        // log p/(1 − p), from the definition.
        let p = probabilities(logits)[2]
        if score == .probability { #expect(score.value(logits, 2) == p) }
    }

    @Test("maps on finer pixels")
    func interpolation() {
        let map = Tensor<Float>(shape: [1, 2], elements: [0, 1])
        #expect(resize(map, 2, 4, .nearest).elements == [0, 0, 1, 1, 0, 0, 1, 1])
        #expect(resize(map, 1, 4, .bilinear).elements == [0, 0.25, 0.75, 1])
        #expect(resize(map, 1, 2, .bilinear) == map)
        #expect(resize(map, 1, 1, .bilinear).elements == [0.5])
    }
}
