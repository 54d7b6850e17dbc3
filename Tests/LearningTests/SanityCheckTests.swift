import Compute
import Tensors
import Testing

@testable import Learning

@Suite("sanity checks of attributions")
struct SanityCheckTests {
    @Test("rank correlation, by hand")
    func ranks() {
        #expect(rankCorrelation([1, 2, 3], [10, 20, 1000]) == 1)
        #expect(rankCorrelation([1, 2, 3], [3, 2, 1]) == -1)
        #expect(rankCorrelation([1, 1, 1], [3, 2, 1]) == 0)
        // Without ties 1 − 6 Σd²/(n(n² − 1)): d = 1, 1, 1, 1, 0.
        #expect(abs(rankCorrelation([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]) - (1 - 6.0 * 4 / 120)) < 1e-15)
        // Ties share a rank: (0.5, 0.5, 2) against (0, 1, 2): 1.5 / √(1.5 · 2).
        #expect(abs(rankCorrelation([7, 7, 9], [1, 2, 3]) - 1.5 / 3.0.squareRoot()) < 1e-15)
    }

    @Test("randomised weights keep the layers before and lose the others")
    func randomised() throws {
        let spec = try NetworkSpec(inputShape: [1, 12, 12], layers: barLayers, classes: 2)
        let weights = Weights(initialising: spec, random: RandomStream(seed: 1))
        #expect(spec.layersWithWeights == [1, 3, 5, 9])
        let all = try weights.randomised(spec, random: RandomStream(seed: 2))
        #expect(all == Weights(initialising: spec, random: RandomStream(seed: 2)))
        let last = try weights.randomised(from: 5, spec, random: RandomStream(seed: 2))
        for name in ["1.kernel", "3.scale"] { #expect(last[name] == weights[name]) }
        for name in ["5.kernel", "9.kernel"] { #expect(last[name] == all[name]) }
        #expect(last["5.kernel"] != weights["5.kernel"])
    }

    /// Log-odds Σ w x: the curves are partial sums, and falling w x is the best of all orders.
    @Test("deletion and insertion of a linear network are partial sums, and its own order is the best")
    func deletion() throws {
        let spec = try NetworkSpec(inputShape: [1, 4, 5], layers: [.dense(units: 2)], classes: 2)
        var weights = Weights(initialising: spec, random: RandomStream(seed: 1))
        let evidence = (0..<20).map { Double(($0 * 7) % 20) - 6 }
        weights.values = [Float](repeating: 0, count: 20) + evidence.map { Float($0) } + [0, 0]
        let classifier = try Classifier(spec, weights)
        let image = Tensor<Float>(shape: [1, 4, 5], repeating: 1)
        let pixels = classifier.changeablePixels(of: image)
        #expect(pixels == Array(0..<20))
        let order = fallingOrder(pixels, by: evidence)
        let curve = try classifier.deletionCurve(of: image, class: 1, order: order, steps: 20, score: .logOdds)
        let sorted = evidence.sorted(by: >)
        let total = evidence.reduce(0, +)
        for step in 0...20 {
            // Whole numbers: exact in single precision.
            let moved = sorted[..<step].reduce(0, +)
            #expect(curve.deletion[step] == total - moved)
            #expect(curve.insertion[step] == moved)
        }
        // Σ of insertion and deletion is the total everywhere.
        #expect(abs(curve.deletionArea + curve.insertionArea - total) < 1e-12)
        for seed in 0..<10 {
            var sequence = RandomSequence(RandomStream(seed: seed))
            let other = try classifier.deletionCurve(
                of: image, class: 1, order: pixels.shuffled(using: &sequence), steps: 7, score: .logOdds)
            #expect(other.deletion.count == 8)
            #expect(other.deletion[7] == 0 && other.insertion[7] == total)
            #expect(other.deletionArea > curve.deletionArea && other.insertionArea < curve.insertionArea)
        }
    }

    @Test("pixels that equal the baseline are left out, and equal values keep their order")
    func changeable() throws {
        let spec = try NetworkSpec(inputShape: [1, 1, 4], layers: [.dense(units: 2)], classes: 2)
        let classifier = try Classifier(spec, Weights(initialising: spec, random: RandomStream(seed: 1)))
        let image = Tensor<Float>(shape: [1, 1, 4], elements: [1, 0, 2, 3])
        #expect(classifier.changeablePixels(of: image) == [0, 2, 3])
        #expect(fallingOrder([0, 2, 3], by: [5, 9, 7, 5]) == [2, 0, 3])
    }
}
