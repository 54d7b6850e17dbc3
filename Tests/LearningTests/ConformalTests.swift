import Compute
import Testing

@testable import Learning

@Suite("conformal prediction sets")
struct ConformalTests {
    @Test("p-values by hand: the judged image counts along, and equal scores count against leaving out")
    func byHand() {
        let rising = [0.1, 0.2, 0.2, 0.7]
        #expect(empiricalPValue(0.9, amongRising: rising) == 1.0 / 5)
        #expect(empiricalPValue(0.7, amongRising: rising) == 2.0 / 5)
        #expect(empiricalPValue(0.2, amongRising: rising) == 4.0 / 5)
        #expect(empiricalPValue(0, amongRising: rising) == 1)
        #expect(empiricalPValue(3, amongRising: []) == 1)
    }

    @Test("scores by hand")
    func scores() {
        let p = [0.2, 0.5, 0.3]
        #expect(ConformalScore.threshold.value(p, class: 2, u: 0.5) == 0.7)
        #expect(abs(ConformalScore.adaptive.value(p, class: 1, u: 0.5) - 0.25) < 1e-15)
        #expect(abs(ConformalScore.adaptive.value(p, class: 2, u: 0.5) - 0.65) < 1e-15)
        #expect(abs(ConformalScore.adaptive.value(p, class: 0, u: 1) - 1) < 1e-15)
    }

    @Test("nine images are needed for 90 %, ninety-nine for 99 %", arguments: [(0.9, 9), (0.95, 19), (0.99, 99)])
    func required(coverage: Double, images: Int) {
        #expect(ConformalCalibration.required(coverage: coverage) == images)
        // All calibrating images were perfectly clear; the judged one says 50 %.
        for (count, size) in [(images - 1, 2), (images, 0)] {
            let calibration = ConformalCalibration(score: .threshold, scores: [Double](repeating: 0, count: count))
            #expect(calibration.set([0.5, 0.5], coverage: coverage, u: 0.5).count == size)
        }
    }

    /// Three classes: labels have the probabilities softmax(z), the network says softmax(3 z + a bias), which is far too
    /// sure and wrong on one class.
    private func draw(_ random: RandomStream, honest: Bool = false) -> (row: [Double], label: Int, u: Double) {
        let z = (0..<3).map { 1.5 * random.normal(at: $0) }
        let truth = probabilities(z)
        let x = random.uniform(at: 3)
        let label = x < truth[0] ? 0 : x < truth[0] + truth[1] ? 1 : 2
        let said = honest ? truth : probabilities([3 * z[0] + 1, 3 * z[1], 3 * z[2]])
        return (said, label, random.uniform(at: 4))
    }

    @Test(
        "cover the true class as often as they promise, however wrong the network",
        arguments: ConformalScore.allCases)
    func coverage(score: ConformalScore) {
        // With n = 99 and scores without ties the coverage is exactly 90/100 and 99/100, over calibration and test image
        // together; every trial draws both anew, so that the count is binomial.
        let trials = 3000
        var covered = [0, 0]
        for trial in 0..<trials {
            let random = RandomStream(seed: 5).substream(score.rawValue, trial)
            let images = (0...99).map { draw(random.substream("image", $0)) }
            let calibration = ConformalCalibration(
                score: score, rows: images[..<99].map(\.row), labels: images[..<99].map(\.label),
                u: images[..<99].map(\.u))
            let judged = images[99]
            for (index, level) in [0.9, 0.99].enumerated()
            where calibration.set(judged.row, coverage: level, u: judged.u).contains(judged.label) {
                covered[index] += 1
            }
        }
        for (count, level) in zip(covered, [0.9, 0.99]) {
            // Four standard deviations of a binomial: one failure in 16,000.
            let deviation = (Double(trials) * level * (1 - level)).squareRoot()
            #expect(abs(Double(count) - level * Double(trials)) < 4 * deviation, "\(count) of \(trials) at \(level)")
        }
    }

    @Test("of an honest network the threshold's sets are the smaller ones")
    func sizes() {
        // Sadinle, Lei and Wasserman, theorem 1: with the true probabilities no sets of that coverage are smaller.
        let images = (0..<4000).map { draw(RandomStream(seed: 6).substream("image", $0), honest: true) }
        let size = ConformalScore.allCases.map { score in
            let calibration = ConformalCalibration(
                score: score, rows: images[..<2000].map(\.row), labels: images[..<2000].map(\.label),
                u: images[..<2000].map(\.u))
            return images[2000...].reduce(0) { $0 + calibration.set($1.row, coverage: 0.9, u: $1.u).count }
        }
        #expect(size[0] < size[1])
    }
}
