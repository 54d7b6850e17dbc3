import Artifacts
import Compute
import Foundation
import Learning
import Testing

@testable import Stages

@Suite("calibration on held-out simulations")
struct HeldOutCalibrationTests {
    /// Features of two members, distance of the panels, a picture of two panels of 6 × 6 pixels, probabilities and label of a
    /// drawn image.
    private struct Draw {
        var features: [[Double]]
        var panels: Double
        var row: [Double]
        var label: Int
        var pattern: ImagePattern
        var blocks: PixelBlocks

        var observation: HeldOutCalibration.Observation {
            .init(panels: panels, features: features, pattern: pattern, blocks: blocks)
        }

        init(_ random: RandomStream, label: Int) {
            self.label = label
            // Heavy tails and correlation, nothing that the domain's normal distribution would expect.
            let shared = pow(random.normal(at: 0), 3)
            features = (0..<2).map { member in
                (0..<3).map { 4 * Double(label) + shared + random.substream("member", member).normal(at: $0) }
            }
            panels = exp(random.normal(at: 1)) + 0.5 * abs(shared)
            let z = (label == 1 ? 1 : -1) + random.normal(at: 2)
            row = Learning.probabilities([0, 2 * z])
            let pixels = (0..<72).map { pixel in
                Float(max(0, 1 + 0.3 * shared * Double(pixel % 6) / 6 + random.substream("pixel").normal(at: pixel)))
            }
            pattern = ImagePattern(pixels[...], rows: 1, columns: 2, height: 6, width: 6)
            blocks = PixelBlocks(pixels[...], layout: .init(rows: 1, columns: 2, height: 6, width: 6))
        }
    }

    /// Images of the same kind that calibrate nothing.
    private static let known = KnownImages(
        (0..<60).map { Draw(RandomStream(seed: 23).substream("known", $0), label: $0 % 2).blocks },
        layout: .init(rows: 1, columns: 2, height: 6, width: 6))

    private func calibration(_ draws: [Draw]) throws -> HeldOutCalibration {
        let origins = draws.indices.map { "image \($0)" }
        return try HeldOutCalibration(
            CalibrationSplit(origins: origins, labels: draws.map(\.label)), labels: draws.map(\.label),
            rows: draws.map(\.row), origins: origins, score: .threshold, known: Self.known
        ) { draws[$0].observation }
    }

    @Test("in-domain draws are called strange as often as the level says, by each measure and by all together")
    func falseAlarms() throws {
        // 166 simulations: 66 of reference and 100 that calibrate, so that p < 0.01 for 1 in 101 and p < 0.1 for 10 in 101
        // (exactly, over calibration and judged image together). Every trial draws both anew: the counts are binomial.
        let trials = 500
        // Six measures, and all together.
        var alarms = [[Int]](repeating: [0, 0], count: 7)
        for trial in 0..<trials {
            let random = RandomStream(seed: 21).substream("trial", trial)
            let draws = (0..<166).map { Draw(random.substream("image", $0), label: $0 % 2) }
            let calibration = try calibration(draws)
            #expect(calibration.strangeness.count == 100)
            let judged = Draw(random.substream("judged"), label: trial % 2)
            let found = calibration.pValues(calibration.distances(judged.observation))
            for (measure, p) in (found.each + [found.together]).enumerated() {
                for (index, level) in [0.01, 0.1].enumerated() where p < level { alarms[measure][index] += 1 }
            }
        }
        for counts in alarms {
            for (count, rate) in zip(counts, [1.0 / 101, 10.0 / 101]) {
                // Four standard deviations: one failure in 16,000.
                let deviation = (Double(trials) * rate * (1 - rate)).squareRoot()
                #expect(abs(Double(count) - rate * Double(trials)) < 4 * deviation, "\(alarms)")
            }
        }
    }

    @Test("far out in one measure alone is strange in all together", arguments: 0..<6)
    func oneMeasure(number: Int) throws {
        let draws = (0..<300).map { Draw(RandomStream(seed: 22).substream("image", $0), label: $0 % 2) }
        let calibration = try calibration(draws)
        var distances = [Double](repeating: 0.01, count: 6)
        #expect(calibration.pValues(distances).together > 0.9)
        distances[number] = 1e6
        #expect(calibration.pValues(distances).together == 1.0 / 181)
    }

    @Test("an image in numbers: blocks, zeros and neighbours, by hand")
    func pattern() {
        // Two panels of 2 × 4 pixels side by side: stripes of 4 and 16 along the rows on the left; zeros and 9 on the right.
        let image: [Float] = [
            4, 4, 4, 4, 0, 0, 9, 9,
            16, 16, 16, 16, 0, 0, 9, 9,
        ]
        let pattern = ImagePattern(image[...], rows: 1, columns: 2, height: 2, width: 4)
        // Mean of the roots: (4 · 2 + 4 · 4 + 4 · 3)/16 = 2.25; blocks are single pixels here.
        let expected = [2.0, 2, 2, 2, 4, 4, 4, 4, 0, 0, 3, 3, 0, 0, 3, 3].map { $0 / 2.25 }
        #expect(zip(pattern.blocks, expected).allSatisfy { abs($0 - $1) < 1e-12 })
        #expect(pattern.zeros == [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0])
        // Downwards 2 goes with 4 always: no variance, no correlation. To the right equal numbers meet: correlation 1, but for
        // the 1e-6 in the denominator, in pairs of 2 and of 4 alike.
        #expect(pattern.texture.count == 4 && pattern.texture[0] == 0)
        #expect(abs(pattern.texture[1] - 1) < 1e-5 && pattern.texture[2] == 0 && pattern.texture[3] == 0)
    }

    @Test("the first copy of each simulation counts, two fifths of each class being the reference")
    func split() {
        let origins = (0..<40).flatMap { ["a#\($0)", "a#\($0)"] } + (0..<20).map { "b#\($0)" }
        let labels = [Int](repeating: 0, count: 80) + [Int](repeating: 1, count: 20)
        let split = CalibrationSplit(origins: origins, labels: labels)
        #expect(split.reference.count == 16 + 8 && split.calibration.count == 24 + 12)
        #expect(Set(split.reference + split.calibration).count == 60)
        #expect((split.reference + split.calibration).allSatisfy { $0 >= 80 || $0 % 2 == 0 })
        // By the simulation's name, whatever its place.
        let reversed = CalibrationSplit(origins: origins.reversed(), labels: labels.reversed())
        #expect(
            Set(reversed.reference.map { origins.reversed()[$0] }) == Set(split.reference.map { origins[$0] }))
    }

    @Test("survives the store")
    func roundTrip() throws {
        let draws = (0..<60).map { Draw(RandomStream(seed: 23).substream("image", $0), label: $0 % 2) }
        let calibration = try calibration(draws)
        let again = try HeldOutCalibration(Value(decoding: calibration.value.encoded().bytes))
        #expect(again.value == calibration.value)
        #expect(again.distances(draws[0].observation) == calibration.distances(draws[0].observation))
    }

    @Test("coverage and sizes by hand")
    func coverage() {
        let calibration = ConformalCalibration(score: .threshold, scores: (1...9).map { Double($0) / 20 })
        // p-values of a class given 0.9: 9/10; 0.5: 1/10 (no score is 0.5 or more); 0.1: 1/10.
        let table = CoverageTable(
            calibration, rows: [[0.9, 0.1], [0.5, 0.5], [0.1, 0.9]], labels: [0, 0, 0], u: [0.5, 0.5, 0.5])
        let half = table.rows[0]
        #expect(half.level == 0.5 && half.covered == 1 && half.single == 2 && half.empty == 1 && half.isReachable)
        #expect(abs(half.meanSize - 2.0 / 3) < 1e-15)
        // At 95 % nine images can leave no class out.
        let wide = table.rows[5]
        #expect(wide.level == 0.95 && wide.covered == 3 && wide.meanSize == 2 && !wide.isReachable)
    }
}
